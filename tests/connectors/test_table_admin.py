"""Tables are registered by a person who says whose their rows are."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from connectors.live_tables import read_tables
from connectors.models import DataSource, RegisteredTable
from connectors.specs import TenantValue
from tenants.models import AuditEntry, Tenant, User
from tenants.scope import WrongTenant, using_tenant
from tests.connectors.external import External

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(user: User, client: Client) -> Client:
    user.is_staff = user.is_superuser = True
    user.language = "en"
    user.save()
    client.force_login(user)
    return client


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, Tenant_ID INTEGER)")
        connection.execute("CREATE TABLE kinds (id INTEGER, word TEXT)")
        connection.execute("CREATE VIEW open_orders AS SELECT * FROM orders")
    connection.close()
    return path


@pytest.fixture
def source(in_acme: Tenant, file: Path) -> DataSource:
    return DataSource.objects.create(
        key="shop", kind="sql", address=f"sqlite:///{file}"
    )


def page_of(source: DataSource) -> str:
    return reverse("admin:connectors_datasource_tables", args=[source.pk])


def chosen(**fields: str) -> dict[str, str]:
    """Return the form of the page: kinds is table 0, open_orders 1, orders 2."""
    plain = {f"table-{place}-tenant_value": "key" for place in range(3)}
    return plain | {name.replace("__", "-"): value for name, value in fields.items()}


def test_the_page_lists_what_the_database_shows_with_a_guess(
    staff: Client, source: DataSource
) -> None:
    page = staff.get(page_of(source)).content.decode()

    assert all(name in page for name in ("kinds", "open_orders", "(view)"))
    assert '<option value="column:Tenant_ID" selected>' in page
    assert not RegisteredTable.objects.exists()


def test_chosen_tables_are_registered_and_audited(
    staff: Client, source: DataSource
) -> None:
    form = chosen(
        **{
            "table-2-register": "on",
            "table-2-tenant_column": "column:Tenant_ID",
            "table-0-register": "on",
            "table-0-tenant_column": "shared",
        }
    ) | {"table-2-tenant_value": "id"}

    response = staff.post(page_of(source), form)

    assert response.status_code == 302
    rows = {row.name: row for row in RegisteredTable.objects.all()}
    assert set(rows) == {"kinds", "orders"}
    assert rows["kinds"].shared
    assert (rows["orders"].tenant_column, rows["orders"].tenant_value) == (
        "Tenant_ID",
        "id",
    )
    assert "orders" in repr(list(AuditEntry.all_tenants.values("changes")))
    left = staff.get(page_of(source)).content.decode()
    assert "table-1-register" in left
    assert "table-2-register" not in left


def test_a_table_is_never_shared_by_silence(staff: Client, source: DataSource) -> None:
    response = staff.post(page_of(source), chosen(**{"table-0-register": "on"}))

    assert response.status_code == 200
    assert "Choose the tenant column" in response.content.decode()
    assert not RegisteredTable.objects.exists()


def test_a_database_that_is_away_is_told(
    staff: Client, source: DataSource, file: Path
) -> None:
    file.unlink()

    page = staff.get(page_of(source))

    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()
    assert "not there" in page.content.decode()


def test_only_sql_sources_of_ones_own_tenant_have_the_page(
    staff: Client, source: DataSource, globex: Tenant
) -> None:
    web = DataSource.objects.create(key="web", kind="http", address="https://x.example")
    with using_tenant(globex):
        theirs = DataSource.objects.create(
            key="shop", kind="sql", address=source.address
        )

    assert staff.get(page_of(web)).status_code == 404
    assert staff.get(page_of(theirs)).status_code == 404
    change = reverse("admin:connectors_datasource_change", args=[web.pk])
    assert "tables-TOTAL_FORMS" not in staff.get(change).content.decode()
    change = reverse("admin:connectors_datasource_change", args=[source.pk])
    assert "tables-TOTAL_FORMS" in staff.get(change).content.decode()


def test_registering_needs_its_permission(
    user: User, client: Client, source: DataSource
) -> None:
    user.is_staff = True
    user.save()
    client.force_login(user)

    assert client.get(page_of(source)).status_code in {302, 403, 404}
    assert not RegisteredTable.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "a\x00b", "tenant_column": "t"}, "name"),
        ({"name": "a", "schema": "x\ny", "tenant_column": "t"}, "schema"),
        ({"name": "a", "tenant_column": "t\x00"}, "tenant_column"),
        ({"name": "a"}, "tenant_column"),
        ({"name": "a", "shared": True, "tenant_column": "t"}, "shared"),
    ],
)
def test_a_table_that_no_query_could_scope_is_refused(
    source: DataSource, fields: dict[str, Any], field: str
) -> None:
    row = RegisteredTable(source=source, **fields)
    row.take_scope()

    with pytest.raises(ValidationError) as caught:
        row.full_clean()

    assert field in caught.value.message_dict


def test_a_table_goes_with_a_source_of_its_own_tenant(
    source: DataSource, globex: Tenant
) -> None:
    with using_tenant(globex), pytest.raises(WrongTenant):
        RegisteredTable.objects.create(source=source, name="orders", shared=True)


def test_a_live_database_tells_its_tables(external: External) -> None:
    found = read_tables(external.source)

    assert not isinstance(found, str)
    tables = {table.name: table for table in found}
    assert {"orders", "sites"} <= set(tables)
    assert tables["orders"].columns[:2] == ("id", "site_id")
    assert tables["orders"].tenant_column == ""
    assert tables["orders"].tenant_value is TenantValue.KEY
    expected = "public" if external.source.dialect == "postgresql" else ""
    assert tables["orders"].schema == expected

"""Operations are kept, and no change of what is stored is missed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connectors import stored_specs
from connectors.models import DataSource, Operation, Parameter, RegisteredTable
from connectors.stored_specs import load_specs
from tenants.models import Tenant
from tenants.scope import using_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation(in_acme: Tenant) -> Operation:
    source = DataSource.objects.create(
        key="up", kind="http", address="http://weather.example"
    )
    made = Operation.objects.create(key="items", source=source, path="/a")
    Parameter.objects.create(operation=made, name="site")
    return made


def change_path(operation: Operation) -> None:
    Operation.objects.update(path="/b")


def change_address(operation: Operation) -> None:
    DataSource.objects.update(address="http://other.example")


def change_parameter(operation: Operation) -> None:
    Parameter.objects.update(required=True)


def add_parameter(operation: Operation) -> None:
    Parameter.objects.create(operation=operation, name="day")


def change_secret(operation: Operation) -> None:
    operation.source.set_secret("another secret")
    DataSource.objects.update(secret=operation.source.secret)


def rename_tenant(operation: Operation) -> None:
    Tenant.objects.update(key="renamed")


@pytest.mark.parametrize(
    "change",
    [
        change_path,
        change_address,
        change_parameter,
        add_parameter,
        change_secret,
        rename_tenant,
    ],
)
def test_a_change_is_seen_at_once_also_one_past_save(
    operation: Operation, change: Callable[[Operation], None]
) -> None:
    before = load_specs(["items"])["items"]

    change(operation)

    after = load_specs(["items"])["items"]
    assert after != before
    assert after == Operation.objects.with_spec_rows().get().spec()


def test_a_changed_allow_list_is_seen_at_once(
    operation: Operation, settings: Any
) -> None:
    load_specs(["items"])

    settings.SIGNALBOX_INTERNAL_NETWORKS = ["10.0.0.0/8:443"]

    spec = load_specs(["items"])["items"]
    assert spec.source.allowed_networks == ("10.0.0.0/8:443",)


@pytest.mark.parametrize("model", [Operation, DataSource])
def test_what_is_switched_off_or_gone_is_absent(
    operation: Operation, model: type[Operation] | type[DataSource]
) -> None:
    load_specs(["items"])

    model.objects.update(enabled=False)

    assert load_specs(["items", "nothing"]) == {}
    assert load_specs([]) == {}


def test_a_tenant_never_gets_the_operation_of_another(
    operation: Operation, globex: Tenant
) -> None:
    ours = load_specs(["items"])["items"]

    with using_tenant(globex):
        assert load_specs(["items"]) == {}
        source = DataSource.objects.create(
            key="up", kind="http", address="http://weather.example"
        )
        Operation.objects.create(key="items", source=source, path="/a")
        theirs = load_specs(["items"])["items"]

    assert theirs.source.tenant_id == globex.pk != ours.source.tenant_id


def test_a_secret_is_not_kept_in_the_clear(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation.source.set_secret("env:SIGNALBOX_SOURCE__ACME__UP")
    operation.source.save()
    monkeypatch.setenv("SIGNALBOX_SOURCE__ACME__UP", "first")
    first = load_specs(["items"])["items"]
    monkeypatch.setenv("SIGNALBOX_SOURCE__ACME__UP", "second")

    with CaptureQueriesContext(connection) as queries:
        second = load_specs(["items"])["items"]

    assert (first.source.secret, second.source.secret) == ("first", "second")
    assert len(queries) == 1
    kept = [each.spec for each in stored_specs._loaded._kept.values()]
    assert not any(spec.source.secret for spec in kept if spec is not None)


def test_the_oldest_operations_are_forgotten(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = stored_specs._Loaded()
    monkeypatch.setattr(stored_specs, "MOST_KEPT", 2)
    row = stored_specs._Kept(operation, None)

    for number in range(3):
        kept.put((number,), row)

    assert [kept.get((number,)) is None for number in range(3)] == [True, False, False]


@pytest.fixture
def query(in_acme: Tenant) -> Operation:
    source = DataSource.objects.create(key="db", kind="sql", address="sqlite:////x")
    for name in ("orders", "sites"):
        RegisteredTable.objects.create(source=source, name=name, tenant_column="t")
    made = Operation.objects.create(key="items", source=source, sql="SELECT 1 AS one")
    for name in ("a", "b"):
        Parameter.objects.create(operation=made, name=name)
    return made


@pytest.mark.parametrize(
    "change",
    [
        {"name": "others"},
        {"schema": "other"},
        {"tenant_column": "", "shared": True},
        {"tenant_value": "id"},
        {"personal_columns": ["name"]},
    ],
)
def test_a_changed_table_is_seen_at_once(
    query: Operation, change: dict[str, Any]
) -> None:
    before = load_specs(["items"])["items"]

    RegisteredTable.objects.filter(name="orders").update(**change)

    after = load_specs(["items"])["items"]
    assert after.source.tables != before.source.tables
    assert after.version != before.version


def test_an_added_and_a_removed_table_are_seen_at_once(query: Operation) -> None:
    before = load_specs(["items"])["items"]

    made = RegisteredTable.objects.create(source=query.source, name="k", shared=True)
    added = load_specs(["items"])["items"]
    made.delete()
    removed = load_specs(["items"])["items"]

    assert len(added.source.tables) == 3
    assert removed.source.tables == before.source.tables


def test_tables_neither_multiply_parameters_nor_cost_a_query_when_warm(
    query: Operation, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(5):
        cold = load_specs(["items"])["items"]
    with django_assert_num_queries(1):
        warm = load_specs(["items"])["items"]

    assert warm == cold
    assert [row.name for row in warm.parameters] == ["a", "b"]
    assert [row.name for row in warm.source.tables] == ["orders", "sites"]

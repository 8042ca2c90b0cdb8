"""connectors/query_roles.py and the command check_query_roles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from connectors.models import DataSource, RegisteredTable
from connectors.query_role_facts import findings_of, postgresql_facts, set_up_of
from connectors.query_role_messages import role_words
from connectors.query_roles import (
    PostgreSQLFacts,
    RoleFinding,
    SQLiteFacts,
    postgresql_findings,
    quoted,
    set_up_sql,
    sqlite_findings,
)
from connectors.specs import SourceSpec, TableSpec, TenantValue
from connectors.sql_engines import dispose_all
from tenants.models import Tenant
from tenants.scope import using_tenant
from tests.connectors.external import POSTGRESQL, External, administrator
from tests.connectors.walled import Walled

ORDERS = TableSpec("orders", tenant_column="tenant")


def _rules(findings: tuple[RoleFinding, ...], *, strong: bool = True) -> set[str]:
    return {finding.rule for finding in findings if finding.too_strong is strong}


SAFE = PostgreSQLFacts("reader", "shop", names=((ORDERS, "orders"),))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"attributes": ("SUPERUSER",)}, "superuser"),
        ({"attributes": ("BYPASSRLS",)}, "bypassrls"),
        ({"attributes": ("CREATEROLE",)}, "createrole"),
        ({"attributes": ("CREATEDB",)}, "createdb"),
        ({"attributes": ("REPLICATION",)}, "replication"),
        ({"roles": ("pg_read_server_files",)}, "strong-role"),
        ({"owned": ("orders",)}, "owner"),
        ({"writable": (("orders", ("DELETE",)),)}, "writes"),
        ({"functions": ("set_config(text,text,boolean)",)}, "functions"),
        ({"schemas": ("public",)}, "creates"),
        ({}, "row-security"),
    ],
)
def test_each_right_beyond_reading_is_too_strong_and_has_its_remedy(
    change: dict[str, object], rule: str
) -> None:
    facts = replace(SAFE, **change)  # type: ignore[arg-type]

    found = {finding.rule: finding for finding in postgresql_findings(facts)}

    assert found[rule].too_strong
    assert found[rule].remedy
    with translation.override("en"):
        assert len(role_words(found[rule])) > 20


def test_a_number_of_the_tenant_is_compared_as_a_number() -> None:
    table = replace(ORDERS, tenant_value=TenantValue.ID)
    facts = replace(SAFE, names=((table, "orders"),))

    text = "\n".join(set_up_sql(facts))

    assert "nullif(current_setting('app.tenant_id', true), '')::bigint" in text


def test_many_names_are_told_in_short() -> None:
    finding = RoleFinding("writes", tuple(f"t{n}" for n in range(9)))

    with translation.override("en"):
        assert role_words(finding).endswith("t4 and 4 more.")


def test_a_sqlite_file_is_never_too_strong() -> None:
    facts = SQLiteFacts(True, ("orders",), ("secrets",), registers=False)

    findings = sqlite_findings(facts)

    assert _rules(findings) == set()
    assert _rules(findings, strong=False) == {
        "writable-file",
        "missing",
        "nothing-registered",
    }


def test_names_are_quoted_as_the_server_does() -> None:
    assert quoted('we"ird') == '"we""ird"'


@POSTGRESQL
def test_the_recommended_user_is_not_too_strong(walled_postgresql: Walled) -> None:
    findings = findings_of(walled_postgresql.source)

    assert _rules(findings) == set()
    assert _rules(findings, strong=False) <= {"unregistered"}


GRANTS = [
    ("ALTER ROLE {role} CREATEDB", "ALTER ROLE {role} NOCREATEDB", "createdb"),
    ("ALTER ROLE {role} BYPASSRLS", "ALTER ROLE {role} NOBYPASSRLS", "bypassrls"),
    ("ALTER ROLE {role} SUPERUSER", "ALTER ROLE {role} NOSUPERUSER", "superuser"),
    (
        "GRANT pg_read_server_files TO {role}",
        "REVOKE pg_read_server_files FROM {role}",
        "strong-role",
    ),
    (
        "GRANT UPDATE (amount) ON orders TO {role}",
        "REVOKE UPDATE (amount) ON orders FROM {role}",
        "writes",
    ),
    (
        "GRANT ALL ON SEQUENCE s TO PUBLIC",
        "REVOKE ALL ON SEQUENCE s FROM PUBLIC",
        "writes",
    ),
    (
        "GRANT EXECUTE ON FUNCTION set_config TO {role}",
        "REVOKE EXECUTE ON FUNCTION set_config FROM {role}",
        "functions",
    ),
    (
        "GRANT CREATE ON SCHEMA public TO {role}",
        "REVOKE CREATE ON SCHEMA public FROM {role}",
        "creates",
    ),
    ("ALTER TABLE orders OWNER TO {role}", "ALTER TABLE orders OWNER TO {me}", "owner"),
    (
        "ALTER TABLE orders NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE orders FORCE ROW LEVEL SECURITY",
        "row-security",
    ),
    (
        "CREATE POLICY wide ON orders USING (true)",
        "DROP POLICY wide ON orders",
        "wide-policy",
    ),
]


@POSTGRESQL
@pytest.mark.parametrize(("give", "take", "rule"), GRANTS)
def test_the_server_is_asked_for_every_right(
    walled_postgresql: Walled,
    give: str,
    take: str,
    rule: str,
) -> None:
    names = {"role": quoted(walled_postgresql.role), "me": "CURRENT_USER"}
    with administrator(walled_postgresql.database) as database:
        database.execute(give.format(**names))
        try:
            found = findings_of(walled_postgresql.source)
        finally:
            database.execute(take.format(**names))

    assert rule in _rules(found)


@POSTGRESQL
def test_the_sql_it_prints_makes_a_strong_user_safe(on_postgresql: External) -> None:
    tables = (TableSpec("orders", tenant_column="status"), TableSpec("sites"))
    source = replace(on_postgresql.source, key="weak", tables=tables)
    before = findings_of(source)
    facts = postgresql_facts(source)

    with administrator(facts.database) as database:
        for line in set_up_of(source):
            database.execute(line)
    dispose_all()
    after = findings_of(source)

    assert _rules(before) == {"functions", "row-security"}
    assert _rules(after) == set()


@pytest.fixture
def stored_file(in_acme: Tenant, tmp_path: Path, sqlite_file: Path) -> Iterator[Path]:
    with using_tenant(in_acme):
        source = DataSource.objects.create(
            key="orders", kind="sql", address=f"sqlite:///{sqlite_file}"
        )
        RegisteredTable.objects.create(source=source, name="orders", shared=True)
        RegisteredTable.objects.create(source=source, name="gone", shared=True)
    yield sqlite_file
    dispose_all()


def _command(*arguments: str) -> str:
    out = StringIO()
    with translation.override("en"):
        call_command("check_query_roles", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_the_command_tells_of_a_sqlite_file(stored_file: Path) -> None:
    told = _command("--tenant", "acme", "--data-source", "orders")

    assert told.startswith("ok acme/orders (sqlite)")
    assert "not there, or may not be read: gone" in told
    assert ("could write" in told) is os.access(stored_file, os.W_OK)


def test_the_command_knows_no_data_source_of_that_key(stored_file: Path) -> None:
    with pytest.raises(CommandError, match="No such SQL data source"):
        _command("--data-source", "nothing")


def test_a_database_that_cannot_be_asked_fails_the_command(stored_file: Path) -> None:
    DataSource.all_tenants.filter(key="orders").update(
        address=f"sqlite:///{stored_file}.gone"
    )

    with pytest.raises(CommandError, match="1 could not be asked"):
        _command()


@POSTGRESQL
def test_the_command_refuses_a_strong_user_and_prints_the_way_out(
    in_acme: Tenant, on_postgresql: External
) -> None:
    with using_tenant(in_acme):
        DataSource.objects.create(
            key="strong", kind="sql", address=_without_password(on_postgresql.source)
        )
    out = StringIO()

    with translation.override("en"), pytest.raises(CommandError, match="1 read with"):
        call_command("check_query_roles", "--sql", stdout=out, no_color=True)
    dispose_all()

    told = out.getvalue()
    assert "too strong acme/strong (postgresql)" in told
    assert (
        "REVOKE EXECUTE ON FUNCTION set_config(text,text,boolean) FROM PUBLIC" in told
    )
    assert "host=" not in told


def _without_password(source: SourceSpec) -> str:
    return source.base_url.replace(":read@", "@")

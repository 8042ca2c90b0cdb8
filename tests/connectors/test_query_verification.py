"""The command verify_query_safety: what it tries, what it keeps, and its signature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation

from connectors.models import DataSource, QuerySafetyCheck, RegisteredTable
from connectors.query_probes import ATTACKS, Kind, probes
from connectors.query_safety_words import attack_words, judge_words, wall_words
from connectors.query_verification import at_the_wall, try_probe, verify
from connectors.specs import SourceSpec, TableSpec
from connectors.sql_engines import dispose_all
from tenants.models import AuditEntry, Tenant
from tenants.scope import using_tenant
from tests.connectors.external import POSTGRESQL, External
from tests.connectors.walled import Walled

pytestmark = pytest.mark.django_db  # a refusal is counted

TABLES = (("orders", "status"), ("sites", ""))


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_every_class_of_attack_is_tried(external: External, dialect: str) -> None:
    source = replace(external.source, dialect=dialect)

    assert {probe.attack for probe in probes(source)} >= set(ATTACKS) - {
        *({7} if dialect == "sqlite" else ())
    }


@POSTGRESQL
def test_all_holds_with_the_recommended_user(walled_postgresql: Walled) -> None:
    source = walled_postgresql.source
    tried = [try_probe(probe, source) for probe in probes(source)]

    assert [each for each in tried if not each.held] == []
    walls = {each.wall for each in tried if each.probe.kind is Kind.STATEMENT}
    assert {"cursor", "rights", "time", "transaction"} <= walls
    assert {each.wall for each in tried if each.probe.kind is Kind.ROWS} == {"rows"}


@POSTGRESQL
def test_no_row_security_is_seen(on_postgresql: External) -> None:
    source = _scoped(on_postgresql.source)
    [probe] = [each for each in probes(source) if each.kind is Kind.ROWS]

    assert at_the_wall(source, probe.sql)[0] == "ran"
    assert at_the_wall(source, probe.sql)[1] != 0


def _scoped(source: SourceSpec) -> SourceSpec:
    tables = tuple(TableSpec(name, tenant_column=column) for name, column in TABLES)
    return replace(source, tables=tables)


def test_nothing_is_changed_by_trying(external: External) -> None:
    before = external.digest()

    tried = [try_probe(each, external.source) for each in probes(external.source)]

    assert len(tried) > 25
    assert external.digest() == before


@pytest.fixture
def row(in_acme: Tenant, sqlite_file: Path) -> Iterator[DataSource]:
    with using_tenant(in_acme):
        source = DataSource.objects.create(
            key="orders", kind="sql", address=f"sqlite:///{sqlite_file}"
        )
        for name, column in TABLES:
            RegisteredTable.objects.create(
                source=source, name=name, tenant_column=column, shared=not column
            )
    yield source
    dispose_all()


def test_a_sqlite_file_holds_and_the_result_is_signed(row: DataSource) -> None:
    check = verify(row)

    assert check.held, [each for each in check.results if not each["held"]]
    assert check.is_genuine()
    assert check.database.startswith("sqlite 3.")
    entry = AuditEntry.all_tenants.get(action="data-source.query-safety-verified")
    assert entry.changes == {"held": True, "probes": len(check.results)}


@pytest.mark.parametrize("field", ["held", "results", "database", "checked_at"])
def test_a_result_that_was_changed_is_not_genuine(row: DataSource, field: str) -> None:
    made = verify(row)
    changes = {
        "held": not made.held,
        "results": made.results[1:],
        "database": "sqlite 9",
        "checked_at": "2030-01-01T00:00:00Z",
    }

    QuerySafetyCheck.all_tenants.update(**{field: changes[field]})

    assert made.is_genuine()
    assert not QuerySafetyCheck.all_tenants.get().is_genuine()


def test_the_command_tells_what_stopped_each_class(row: DataSource) -> None:
    out = StringIO()

    with translation.override("en"):
        call_command(
            "verify_query_safety", "--data-source", "orders", stdout=out, no_color=True
        )

    told = out.getvalue()
    assert "acme/orders (sqlite" in told
    assert "held  1 Stacked statements: one-statement | cursor" in told
    assert "RAN" not in told
    assert QuerySafetyCheck.all_tenants.get().held


def test_the_command_fails_when_nothing_can_be_tried(row: DataSource) -> None:
    DataSource.all_tenants.update(address="sqlite:////nonexistent/file")
    errors = StringIO()

    with translation.override("en"), pytest.raises(CommandError, match="Not every"):
        call_command("verify_query_safety", "--data-source", "orders", stderr=errors)

    assert "SIGNALBOX_SQLITE_PATHS" in errors.getvalue()
    assert not QuerySafetyCheck.all_tenants.exists()


def test_staff_read_the_result_and_cannot_change_it(
    row: DataSource, admin_client: Client
) -> None:
    check = verify(row)
    page = reverse("admin:connectors_querysafetycheck_change", args=[check.pk])
    admin_client.post("/switch-tenant/", {"key": "acme", "next": "/"})

    shown = admin_client.get(page).content.decode()
    added = admin_client.get(reverse("admin:connectors_querysafetycheck_add"))

    with translation.override("ko"):
        assert wall_words("authorizer") in shown
        assert attack_words(1) in shown
    assert "one-statement" in shown
    assert "_save" not in shown
    assert added.status_code == 403


def test_every_class_and_wall_has_its_words() -> None:
    with translation.override("en"):
        named = {attack_words(number) for number in ATTACKS}
        assert len(named) == len(ATTACKS)
        assert wall_words("cursor") != judge_words("cursor") == "cursor"

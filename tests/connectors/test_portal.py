from __future__ import annotations

import time
from typing import Any

import pytest
from django.utils import translation

from connectors.loop import calling_thread_runs, engine
from connectors.outcomes import Column, Failure, Outcome, Reason, Success, Table
from connectors.parameters import Argument
from connectors.portal import run_series
from connectors.specs import OperationSpec, SourceKind, SourceSpec
from observability.services import SERIES, flush, measure
from tenants.models import Tenant
from tenants.scope import Actor

ANY_SERIES = sorted(SERIES)


def run(
    series: str,
    tenant: Tenant,
    *,
    arguments: dict[str, Argument] | None = None,
    seconds: float = 10.0,
    **options: Any,
) -> Outcome:
    source = SourceSpec("portal", SourceKind.PORTAL, tenant.pk, tenant.key)
    spec = OperationSpec("own", source, series=series, **options)
    call = run_series(
        spec,
        arguments=arguments or {},
        actor=Actor(user_id=1, tenant_id=tenant.pk),
        deadline=time.monotonic() + seconds,
    )
    # The test's rows are in its transaction, which only its own thread sees.
    with translation.override("en"), calling_thread_runs():
        return engine().run(call)


@pytest.mark.parametrize("series", ANY_SERIES)
def test_every_series_is_a_table_with_its_columns(acme: Tenant, series: str) -> None:
    outcome = run(series, acme)

    assert isinstance(outcome, Success)
    assert isinstance(outcome.data, Table)
    assert [column.name for column in outcome.data.columns] == [
        column.name for column in SERIES[series].columns
    ]
    assert [column.label for column in outcome.data.columns] == [
        column.label for column in SERIES[series].columns
    ]
    assert outcome.status is None


def _cells(outcome: Outcome) -> list[object]:
    assert isinstance(outcome, Success)
    assert isinstance(outcome.data, Table)
    return [cell for row in outcome.data.rows for cell in row]


def test_a_tenant_reads_its_own_numbers_only(acme: Tenant, globex: Tenant) -> None:
    with measure("operation", key="stock-by-site", tenant=str(acme.pk)):
        pass
    flush()

    seen = {series: _cells(run(series, acme)) for series in ANY_SERIES}
    others = {series: _cells(run(series, globex)) for series in ANY_SERIES}

    assert any("stock-by-site" in cells for cells in seen.values())
    assert not any("stock-by-site" in cells for cells in others.values())


@pytest.mark.parametrize("hours", [1, 10**9, 0, -5, None])
def test_the_window_stays_inside_what_is_kept(acme: Tenant, hours: int | None) -> None:
    outcome = run(ANY_SERIES[0], acme, arguments={"hours": hours})

    assert isinstance(outcome, Success)


def test_declared_columns_and_the_row_limit_count_here_too(acme: Tenant) -> None:
    series = SERIES[ANY_SERIES[0]]
    columns = (Column(series.columns[0].name),)

    outcome = run(series.name, acme, columns=columns, row_limit=1)

    assert isinstance(outcome, Success)
    assert isinstance(outcome.data, Table)
    assert outcome.data.columns == columns
    assert len(outcome.data.rows) <= 1


def test_an_unknown_series_is_answered_with_the_known_ones(acme: Tenant) -> None:
    outcome = run("no-such-series", acme)

    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.MISSING
    assert ANY_SERIES[0] in outcome.message


def test_a_deadline_in_the_past_is_a_timeout(acme: Tenant) -> None:
    outcome = run(ANY_SERIES[0], acme, seconds=-1)

    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.TIMEOUT

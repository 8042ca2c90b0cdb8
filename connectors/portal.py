"""The portal's own numbers as a data source: named, read-only series as outcomes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from connectors.loop import PoolFull, engine
from connectors.mapping import table_from_records
from connectors.outcomes import Column, ColumnType, Failure, Outcome, Reason, Success
from connectors.parameters import Argument
from connectors.specs import OperationSpec
from connectors.sql_messages import failure_words, series_words
from observability.services import SERIES, SeriesSpec, read_series
from tenants.scope import Actor, using_tenant

DEFAULT_HOURS = 24


async def run_series(
    spec: OperationSpec,
    *,
    arguments: Mapping[str, Argument],
    actor: Actor,
    deadline: float,
) -> Outcome:
    """Read the operation's series of the actor's tenant, or say why not.

    The argument ``hours`` is the window to read, 24 when not given; a longer window
    than the series is kept for reads all that is kept.

    Args:
        deadline: ``time.monotonic()`` seconds after which nothing is awaited.
    """
    started = time.monotonic()
    until = min(deadline, started + spec.timeout_ms / 1_000)
    try:
        async with asyncio.timeout(until - started):
            outcome = await engine().in_pool(lambda: _read(spec, arguments, actor))
    except TimeoutError:
        words = series_words("series-late", name=spec.series)
        outcome = Failure(Reason.TIMEOUT, words, 0.0)
    except PoolFull:
        outcome = Failure(Reason.REFUSED, failure_words("busy"), 0.0)
    return replace(outcome, elapsed_ms=(time.monotonic() - started) * 1_000)


def _read(
    spec: OperationSpec, arguments: Mapping[str, Argument], actor: Actor
) -> Outcome:
    series = SERIES.get(spec.series)
    if series is None:
        known = ", ".join(sorted(SERIES))
        words = series_words("unknown-series", name=spec.series, known=known)
        return Failure(Reason.MISSING, words, 0.0)
    hours = arguments.get("hours")
    window = hours if type(hours) is int else DEFAULT_HOURS
    window = max(1, min(window, series.hours_kept))
    with using_tenant(actor.tenant_id):
        records = read_series(spec.series, tenant_id=actor.tenant_id, hours=window)
    columns = spec.columns or _columns(series)
    mapped = table_from_records(records, columns, row_limit=spec.row_limit)
    return Success(mapped.table, None, datetime.now(UTC), 0.0, notes=mapped.notes)


def _columns(series: SeriesSpec) -> tuple[Column, ...]:
    return tuple(
        Column(column.name, ColumnType(column.type), column.label, column.unit)
        for column in series.columns
    )

"""Measure what happens, and read what was measured."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Literal, Self

from django.conf import settings
from django.db import connection
from django.urls import reverse

from observability import labels, log_store, storage, trace_export, trace_store, tracing
from observability.alert_audit import RuleAudit, alert_audit
from observability.alerts import acknowledge, add_burn_rules
from observability.background import Background
from observability.capacity import measure_storage
from observability.evaluation import evaluate_all
from observability.held_traces import Sink
from observability.liveness import beat, last_seen, release_lease, take_lease
from observability.log_levels import Levels
from observability.logs import caught, current_request
from observability.objective_results import (
    ObjectiveResult,
    results_at,
    results_in,
    running_minute_end,
    settled_minute,
)
from observability.outbox import any_due, claim_due, delivered, failed, prune_deliveries
from observability.people_reviewing import people_section
from observability.recorder import OTHER_KEY, Recorder
from observability.retention import prune_lines, prune_traces
from observability.reviewing import review_section
from observability.reviews import (
    Frozen,
    SignRule,
    begin_review,
    freeze,
    frozen_review,
    is_untouched,
    may_sign,
    sign,
    snapshot_of,
)
from observability.rollup import fold_days, fold_hours, prune
from observability.series import SERIES, Measured, SeriesSpec
from observability.slo import Tally
from observability.slowness import Slowness
from observability.tracing import current_trace_id
from tenants.metering import meter

__all__ = [
    "SERIES",
    "Frozen",
    "Measured",
    "ObjectiveResult",
    "RuleAudit",
    "SeriesSpec",
    "SignRule",
    "Timing",
    "acknowledge",
    "add_burn_rules",
    "alert_audit",
    "any_due",
    "background",
    "beat",
    "begin_review",
    "claim_due",
    "current_trace_id",
    "delivered",
    "evaluate_all",
    "failed",
    "flush",
    "fold_days",
    "fold_hours",
    "freeze",
    "frozen_review",
    "is_untouched",
    "last_seen",
    "may_sign",
    "measure",
    "measure_storage",
    "measured_between",
    "people_section",
    "prune",
    "prune_deliveries",
    "prune_lines",
    "prune_traces",
    "read_series",
    "recorder",
    "release_lease",
    "results_at",
    "results_in",
    "review_section",
    "running_minute_end",
    "settled_minute",
    "sign",
    "snapshot_of",
    "stop",
    "store_records",
    "take_lease",
    "trace_address",
]

logger = logging.getLogger("observability.measure")


def _flush_seconds() -> float:
    return float(getattr(settings, "SIGNALBOX_FLUSH_SECONDS", 0))


def _release_connection() -> None:
    # Looked up in the flusher's thread: `connection.close` itself would be bound to
    # the connection of the thread that imports this module.
    connection.close()


recorder = Recorder(
    write=storage.write, release=_release_connection, period=_flush_seconds
)
recorder.follow_process()
levels = Levels()


def _background_seconds() -> float:
    # Nothing is written by itself where measurements are not.
    return 1.0 if _flush_seconds() > 0 else 0.0


background = Background(
    jobs=[
        log_store.store_of_process.flush,
        trace_store.store_of_process.flush,
        levels.poll,
        meter.flush,
    ],
    release=_release_connection,
    period=_background_seconds,
)


def _sinks() -> list[Sink]:
    sinks: list[Sink] = []
    if tracing.endpoint():
        sinks.append(trace_export.sender.put)
    if background.start() and settings.SIGNALBOX_TRACE_DAYS:
        sinks.append(trace_store.store_of_process.put)
    return sinks


def _stores_lines() -> bool:
    return bool(settings.SIGNALBOX_LOG_DAYS) and background.start()


os.register_at_fork(after_in_child=log_store.store_of_process.reset)
os.register_at_fork(after_in_child=trace_store.store_of_process.reset)
background.follow_process()
trace_export.sender.follow_process()
tracing.hand_to(_sinks, slow=Slowness(recorder.total), share=tracing.sampled_share)
log_store.store_lines(on=_stores_lines, wake=background.wake)


class Timing:
    """One thing being measured, from entering to leaving its ``with`` block."""

    __slots__ = (
        "_attributes",
        "_key",
        "_kind",
        "_labels",
        "_reason",
        "_scope",
        "_started",
        "_tenant",
    )

    def __init__(
        self, kind: str, key: str, tenant: str, attributes: dict[str, str | int]
    ) -> None:
        self._kind = kind
        self._key = key
        self._tenant = tenant
        self._attributes = attributes
        self._reason = ""
        self._labels: Mapping[str, str] = {}
        self._scope: tracing.Scope | None = None
        self._started = 0

    def failed(self, reason: str) -> None:
        """Count this as an error, for `reason`: a short word, such as timeout."""
        self._reason = reason or "failed"

    def note(self, name: str, value: str | int) -> None:
        """Add one attribute to span and log line, such as the number of rows."""
        self._attributes[name] = value

    def __enter__(self) -> Self:
        self._labels = labels.enter(self._kind, self._key)
        self._scope = tracing.enter(f"{self._kind} {self._key}")
        self._started = time.perf_counter_ns()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> Literal[False]:
        elapsed_us = (time.perf_counter_ns() - self._started) // 1_000
        if kind is not None and not self._reason:
            self._reason = kind.__name__
        recorder.record(
            self._kind,
            self._key,
            self._tenant,
            elapsed_us=elapsed_us,
            bad=bool(self._reason),
        )
        if logger.isEnabledFor(logging.DEBUG):
            self._log(elapsed_us)
        if self._scope is not None:
            tracing.leave(
                self._scope,
                reason=self._reason,
                attributes={
                    **self._attributes,
                    "signalbox.kind": self._kind,
                    "signalbox.key": self._key,
                    "signalbox.tenant": self._tenant,
                },
            )
        labels.leave(self._labels)
        return False

    def _log(self, elapsed_us: int) -> None:
        measured = {
            **self._attributes,
            "kind": self._kind,
            "key": self._key,
            "elapsed_ms": elapsed_us / 1_000,
            "status": self._reason or "ok",
        }
        logger.debug(
            "%s %s took %.1f ms",
            self._kind,
            self._key,
            elapsed_us / 1_000,
            extra={"measured": measured},
        )


def measure(
    kind: str, *, key: str, tenant: str = "", **attributes: str | int
) -> Timing:
    """Measure a ``with`` block: latency, span, and a DEBUG log line.

    Runs no SQL. An exception counts as an error and goes on to the caller.

    Args:
        kind: page, menu, screen, block, decision, operation, data_source, renderer
            or task.
        key: Which of that kind, such as ``stock-by-site``; from a bounded set.
        tenant: The tenant's primary key as text; "" where there is none.
        attributes: For the span and the log line; secrets are hidden by name.
    """
    return Timing(kind, key, tenant, attributes)


def trace_address() -> str:
    """Return the address of this trace's page, "" for readers who are no staff.

    Only a user who was loaded already is known: it runs no query.
    """
    user = getattr(current_request.get(), "_cached_user", None)
    trace_id = current_trace_id()
    if not trace_id or not getattr(user, "is_staff", False):
        return ""
    return reverse("trace", args=[trace_id])


def flush() -> int:
    """Write what this process counted and did not write yet.

    Returns:
        Rows written. 0 also when the database is away: the counts are kept.
    """
    return recorder.flush()


def store_records(records: Sequence[logging.LogRecord]) -> None:
    """Store log records at once, with the tenant and the labels of this context."""
    log_store.write([caught(record) for record in records])


def stop() -> None:
    """Write and send what this process still holds, at its end."""
    recorder.flush()
    meter.flush()
    background.stop()
    trace_export.sender.stop()


def read_series(name: str, *, tenant_id: int, hours: int) -> list[dict[str, Measured]]:
    """Read one of `SERIES` for one tenant over the last `hours`.

    Counts of this process that are not written yet are in it.

    Raises:
        KeyError: there is no series `name`.
        ValueError: `hours` is not between 1 and the days the series is kept.
    """
    spec = SERIES[name]
    if not 1 <= hours <= spec.hours_kept:
        raise ValueError(f"hours must lie in 1..{spec.hours_kept}, got {hours}")
    with recorder.paused() as pending:
        rows = storage.read(
            tenant_id=tenant_id, hours=hours, every_minute=spec.every_minute
        )
    return spec.rows(rows + storage.recent(pending, tenant_id=tenant_id, hours=hours))


def measured_between(
    kind: str, *, tenant_id: int, starts: datetime, ends: datetime
) -> dict[str, Tally] | None:
    """Return what one tenant counted of `kind` in ``starts <= t < ends``, by key.

    Returns:
        None when there were more keys than are told apart: what is not among them
        may have happened all the same.
    """
    found = storage.between(tenant_id=tenant_id, starts=starts, ends=ends, kinds=[kind])
    by_key = {key: tally for (_kind, key), tally in found.items()}
    return None if OTHER_KEY in by_key else by_key

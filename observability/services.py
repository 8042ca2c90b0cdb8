"""Measure what happens, and read what was measured."""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import Literal, Self

from django.conf import settings
from django.db import connection

from observability import storage, tracing
from observability.alert_audit import RuleAudit, alert_audit
from observability.alerts import acknowledge, add_burn_rules
from observability.evaluation import evaluate_all
from observability.liveness import beat, last_seen, release_lease, take_lease
from observability.objective_results import (
    ObjectiveResult,
    results_at,
    results_in,
    running_minute_end,
    settled_minute,
)
from observability.outbox import any_due, claim_due, delivered, failed, prune_deliveries
from observability.recorder import Recorder
from observability.rollup import fold_days, fold_hours, prune
from observability.series import SERIES, Measured, SeriesSpec
from observability.tracing import current_trace_id

__all__ = [
    "SERIES",
    "Measured",
    "ObjectiveResult",
    "RuleAudit",
    "SeriesSpec",
    "Timing",
    "acknowledge",
    "add_burn_rules",
    "alert_audit",
    "any_due",
    "beat",
    "claim_due",
    "current_trace_id",
    "delivered",
    "evaluate_all",
    "failed",
    "flush",
    "fold_days",
    "fold_hours",
    "last_seen",
    "measure",
    "prune",
    "prune_deliveries",
    "read_series",
    "recorder",
    "release_lease",
    "results_at",
    "results_in",
    "running_minute_end",
    "settled_minute",
    "take_lease",
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


class Timing:
    """One thing being measured, from entering to leaving its ``with`` block."""

    __slots__ = (
        "_attributes",
        "_key",
        "_kind",
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
        self._scope: tracing.Scope | None = None
        self._started = 0

    def failed(self, reason: str) -> None:
        """Count this as an error, for `reason`: a short word, such as timeout."""
        self._reason = reason or "failed"

    def note(self, name: str, value: str | int) -> None:
        """Add one attribute to span and log line, such as the number of rows."""
        self._attributes[name] = value

    def __enter__(self) -> Self:
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


def flush() -> int:
    """Write what this process counted and did not write yet.

    Returns:
        Rows written. 0 also when the database is away: the counts are kept.
    """
    return recorder.flush()


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

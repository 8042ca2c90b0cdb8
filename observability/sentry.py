"""Errors to Sentry, stamped with our trace id; traces stay with OpenTelemetry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from observability.redaction import redact
from observability.tracing import current_trace_id


def options(dsn: str, *, environment: str) -> dict[str, Any]:
    """Return how Sentry is started.

    It sends errors only. Its own trace headers would carry the DSN's public key to
    every upstream, so they are sent to nobody. Local variables hold secrets. What
    identifies people stays out by Sentry's default, which we leave alone: naming
    ``send_default_pii`` is deprecated.
    """
    return {
        "dsn": dsn,
        "environment": environment,
        "traces_sample_rate": None,
        "trace_propagation_targets": [],
        "include_local_variables": False,
        "max_request_body_size": "never",
        "before_send": stamped,
    }


def stamped(event: dict[str, Any], hint: Mapping[str, Any]) -> dict[str, Any]:
    """Put our trace id on `event`, and take secrets out of it."""
    trace_id = current_trace_id()
    clean: dict[str, Any] = {
        name: redact("", value, depth=12) if name in _TOLD else value
        for name, value in event.items()
    }
    if trace_id:
        trace = {**event.get("contexts", {}).get("trace", {}), "trace_id": trace_id}
        clean["contexts"] = {**clean.get("contexts", {}), "trace": trace}
        clean["tags"] = {**(clean.get("tags") or {}), "trace_id": trace_id}
    return clean


_TOLD = frozenset(
    {"exception", "logentry", "message", "request", "breadcrumbs", "extra", "contexts"}
)


def start(dsn: str, *, environment: str) -> None:
    """Send errors to `dsn` from now on."""
    import sentry_sdk

    sentry_sdk.init(**options(dsn, environment=environment))

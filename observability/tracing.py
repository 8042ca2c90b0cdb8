"""Spans and trace ids: OpenTelemetry's ids, context and headers, spans of our own.

The SDK is loaded by who sends spans (`observability.trace_export`), and costs a request
nothing. `observability.held_traces` decides which traces are kept.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.environment_variables import (
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_SDK_DISABLED,
    OTEL_SERVICE_NAME,
    OTEL_TRACES_SAMPLER_ARG,
)
from opentelemetry.trace.propagation.tracecontext import (
    TraceContextTextMapPropagator,
)

from observability.held_traces import (
    IDS,
    Held,
    HeldSpan,
    Process,
    hand_to,
    reset,
    sinks,
    use_sinks,
)

__all__ = [
    "Scope",
    "current_trace_id",
    "endpoint",
    "enter",
    "enter_request",
    "hand_to",
    "leave",
    "reset",
    "resource_attributes",
    "sampled_share",
    "use_sinks",
]

_SAMPLED_SHARE = 0.1
_W3C = TraceContextTextMapPropagator()


class Scope(NamedTuple):
    """A span that is current, and the context to go back to."""

    span: trace.Span
    previous: Context


def current_trace_id() -> str:
    """Return the 32 hex digits of the trace of this context, "" outside any."""
    found = trace.get_current_span().get_span_context()
    return f"{found.trace_id:032x}" if found.is_valid else ""


def sampled_share() -> float:
    """Return the share of new traces that are recorded, 0.1 when not given.

    Raises:
        ImproperlyConfigured: ``OTEL_TRACES_SAMPLER_ARG`` is no share.
    """
    text = os.environ.get(OTEL_TRACES_SAMPLER_ARG, str(_SAMPLED_SHARE))
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ImproperlyConfigured(
            f"{OTEL_TRACES_SAMPLER_ARG}={text!r}: expected a number from 0 to 1."
        )
    return share


def endpoint() -> str:
    """Return where spans are sent, "" for nowhere."""
    if os.environ.get(OTEL_SDK_DISABLED, "").lower() == "true":
        return ""
    return os.environ.get(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, "") or os.environ.get(
        OTEL_EXPORTER_OTLP_ENDPOINT, ""
    )


def enter(name: str) -> Scope | None:
    """Make a span current, or None when the trace is there and not held."""
    parent = trace.get_current_span()
    if isinstance(parent, HeldSpan):
        above = parent.get_span_context()
        context = trace.SpanContext(
            above.trace_id,
            _new_id(64),
            is_remote=False,
            trace_flags=above.trace_flags,
            trace_state=above.trace_state,
        )
        span = HeldSpan(context, held=parent.held, parent_id=above.span_id, name=name)
        return _made_current(span)
    above = parent.get_span_context()
    if not sinks():
        return None if above.is_valid else _made_current(_unrecorded())
    return _made_current(_root(name, above))


def _root(name: str, above: trace.SpanContext) -> HeldSpan:
    """Begin to hold a trace: a new one, or a caller's, whose choice is followed."""
    trace_id = above.trace_id if above.is_valid else _new_id(128)
    sampled = (
        above.trace_flags.sampled
        if above.is_valid
        # The same choice as OpenTelemetry's own sampler of this share.
        else trace_id % IDS < Process.bound
    )
    context = trace.SpanContext(
        trace_id,
        _new_id(64),
        is_remote=False,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED if sampled else 0),
        trace_state=above.trace_state,
    )
    held = Held(trace_id=trace_id, sampled=sampled)
    parent_id = above.span_id if above.is_valid else 0
    held.root = HeldSpan(context, held=held, parent_id=parent_id, name=name)
    Process.begin(held)
    return held.root


def enter_request(headers: Mapping[str, str], *, method: str) -> Scope:
    """Make the root span of a request current; a caller's trace is continued."""
    previous = contexts.get_current()
    # Not a child of what this thread did before.
    contexts.attach(Context())
    if "traceparent" in headers:
        carrier = {
            name: headers.get(name, "") for name in ("traceparent", "tracestate")
        }
        contexts.attach(_W3C.extract(carrier, context=Context()))
    scope = enter(method)
    span = scope.span if scope else trace.get_current_span()
    return Scope(span, previous)


def _made_current(span: trace.Span) -> Scope:
    previous = contexts.get_current()
    contexts.attach(trace.set_span_in_context(span, previous))
    return Scope(span, previous)


def leave(
    scope: Scope,
    *,
    name: str = "",
    reason: str = "",
    attributes: Mapping[str, str | int],
) -> None:
    """End the span, and make the one before it current again.

    Args:
        name: A better name, known only now.
        reason: Why it failed; "" when it did not.
        attributes: Kept without what looks like a secret.
    """
    span = scope.span
    if isinstance(span, HeldSpan):
        span.name = name or span.name
        span.reason = reason
        span.attributes = attributes
        span.ended_ns = time.time_ns()
        span.held.end(span)
    # Attached, not detached: a page may be closed in another context than it was
    # opened in, and detaching there would only log an error.
    if trace.get_current_span() is span:
        contexts.attach(scope.previous)


def _new_id(bits: int) -> int:
    # Not a secret: an id only has to differ, and does so after a fork, too.
    return random.getrandbits(bits) or 1


def _unrecorded() -> trace.Span:
    return trace.NonRecordingSpan(
        trace.SpanContext(_new_id(128), _new_id(64), is_remote=False)
    )


def resource_attributes() -> dict[str, str]:
    """Name this process; what ``OTEL_RESOURCE_ATTRIBUTES`` says is left to it."""
    from observability.recorder import worker_id

    given = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    attributes = {"service.instance.id": worker_id()}
    if not os.environ.get(OTEL_SERVICE_NAME) and "service.name=" not in given:
        attributes["service.name"] = "signalbox"
    # A checkout has no version to tell.
    with suppress(PackageNotFoundError):
        attributes["service.version"] = version("signalbox")
    return {
        name: value for name, value in attributes.items() if f"{name}=" not in given
    }

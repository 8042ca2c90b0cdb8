"""Spans and trace ids.

OpenTelemetry owns traces. Its SDK is loaded, once a process, only where
``OTEL_EXPORTER_OTLP_ENDPOINT`` says where spans go. Without it, and inside a trace
that was not sampled, there is a trace id and no span: finding out that nothing is
recorded would cost about as much as recording it.
"""

from __future__ import annotations

import os
import random
import threading
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
    OTEL_SERVICE_NAME,
    OTEL_TRACES_SAMPLER_ARG,
)
from opentelemetry.trace.propagation.tracecontext import (
    TraceContextTextMapPropagator,
)

from observability.redaction import HIDDEN, is_secret_name, redact_text

_SAMPLED_SHARE = 0.1
_W3C = TraceContextTextMapPropagator()
_lock = threading.Lock()


class Scope(NamedTuple):
    """A span that is current, and the context to go back to."""

    span: trace.Span
    previous: Context


class _Process:
    """What this process sends spans with: not asked yet, nothing, or a tracer."""

    asked = False
    tracer: trace.Tracer | None = None


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
    return os.environ.get(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, "") or os.environ.get(
        OTEL_EXPORTER_OTLP_ENDPOINT, ""
    )


def use_tracer(tracer: trace.Tracer | None) -> None:
    """Record with `tracer` from now on; None records nothing."""
    _Process.tracer = tracer
    _Process.asked = True


def reset() -> None:
    """Ask the environment again at the next span."""
    _Process.tracer = None
    _Process.asked = False


# The exporter's thread does not live on in a child: it makes its own.
os.register_at_fork(after_in_child=reset)


def enter(name: str) -> Scope | None:
    """Make a span current, or None when the trace is there and not recorded."""
    parent = trace.get_current_span().get_span_context()
    tracer = _tracer()
    if parent.is_valid and (tracer is None or not parent.trace_flags.sampled):
        return None
    span = _unrecorded() if tracer is None else tracer.start_span(name)
    return _made_current(span)


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
        attributes: Written without what looks like a secret.
    """
    span = scope.span
    if span.is_recording():
        if name:
            span.update_name(name)
        for key, value in attributes.items():
            span.set_attribute(key, _shown(key, value))
        span.set_attribute("signalbox.status", "failed" if reason else "ok")
        if reason:
            span.set_attribute("error.type", redact_text(reason))
            span.set_status(trace.StatusCode.ERROR)
        span.end()
    # Attached, not detached: a page may be closed in another context than it was
    # opened in, and detaching there would only log an error.
    if trace.get_current_span() is span:
        contexts.attach(scope.previous)


def _shown(name: str, value: str | int) -> str | int:
    if is_secret_name(name):
        return HIDDEN
    return redact_text(value) if isinstance(value, str) else value


def _unrecorded() -> trace.Span:
    return trace.NonRecordingSpan(
        trace.SpanContext(
            # Not a secret: an id only has to differ, and does so after a fork, too.
            trace_id=random.getrandbits(128) or 1,
            span_id=random.getrandbits(64) or 1,
            is_remote=False,
        )
    )


def _tracer() -> trace.Tracer | None:
    if not _Process.asked:
        with _lock:
            if not _Process.asked:
                _Process.tracer = _exporting_tracer() if endpoint() else None
                _Process.asked = True
    return _Process.tracer


def _exporting_tracer() -> trace.Tracer:
    # Loaded here because it takes 0.2 s and most installations send nothing.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(sampled_share())),
        resource=Resource.create(resource_attributes()),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("signalbox")


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

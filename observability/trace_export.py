"""Kept traces to a collector, over OTLP, from a thread of its own.

A collector that is slow or away costs no request anything: what does not fit into the
queue, and what could not be sent, is counted.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry import trace

from observability.background import here
from observability.held_traces import KIND, Held, SpanRecord
from observability.tracing import resource_attributes

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

WAITING = 500
_BATCH = 50
_STOP_S = 2.0

logger = logging.getLogger(__name__)


def otlp_exporter() -> SpanExporter:
    """Return the exporter that ``OTEL_EXPORTER_OTLP_…`` describes."""
    # Loaded here because it takes 0.2 s and most installations send nothing.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


class Sender:
    """Sends kept traces in the background.

    Args:
        make: Makes the exporter, in the thread that uses it.
    """

    def __init__(self, make: Callable[[], SpanExporter] = otlp_exporter) -> None:
        self._make = make
        self.reset()

    def reset(self) -> None:
        """Begin anew: a child has none of its parent's threads."""
        self._waiting: queue.Queue[Held | None] = queue.Queue(maxsize=WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._exporter: SpanExporter | None = None
        self._dropped = 0
        self._sent = 0

    def put(self, held: Held) -> None:
        """Send a trace soon; never waits."""
        try:
            self._waiting.put_nowait(held)
        except queue.Full:
            self._count(lost=len(held.spans))
            return
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="signalbox-traces", daemon=True
                )
                self._thread.start()

    def _count(self, *, sent: int = 0, lost: int = 0) -> None:
        with self._lock:
            self._sent += sent
            self._dropped += lost

    def _work(self) -> None:
        with here():
            self._exporter = self._make()
            while (held := self._waiting.get()) is not None:
                batch = [held]
                while len(batch) < _BATCH and not self._waiting.empty():
                    another = self._waiting.get()
                    if another is None:
                        self._send(batch)
                        return
                    batch.append(another)
                self._send(batch)

    def _send(self, batch: Sequence[Held]) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        spans = [span for held in batch for span in readable(held)]
        try:
            result = self._exporter.export(spans) if self._exporter else None
        except Exception:
            logger.exception("Spans could not be sent.")
            result = None
        if result is SpanExportResult.SUCCESS:
            self._count(sent=len(spans))
        else:
            self._count(lost=len(spans))

    def sent(self) -> int:
        return self._sent

    def dropped(self) -> int:
        """Return how many spans this process could not send."""
        return self._dropped

    def stop(self) -> None:
        """Send what waits, for two seconds at most."""
        thread = self._thread
        if thread is None:
            return
        with suppress(queue.Full):
            self._waiting.put(None, timeout=_STOP_S)
        thread.join(_STOP_S)
        if self._exporter is not None:
            self._exporter.shutdown()
        self._thread = None

    def follow_process(self) -> None:
        """Stop when this process ends, and begin anew in its children."""
        os.register_at_fork(after_in_child=self.reset)
        atexit.register(self.stop)


def readable(held: Held) -> list[ReadableSpan]:
    """Return the spans of a trace as OpenTelemetry's SDK knows them."""
    from opentelemetry.sdk.resources import Resource

    resource = Resource.create(resource_attributes())
    *parts, root = held.records()
    root.attributes["signalbox.kept"] = str(held.kept)
    return [_readable(held, record, resource) for record in (*parts, root)]


def _readable(held: Held, record: SpanRecord, resource: Resource) -> ReadableSpan:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    page = record.attributes.get(KIND) == "page"
    return ReadableSpan(
        record.name,
        context=_context(held, record.span_id),
        parent=_context(held, record.parent_id) if record.parent_id else None,
        resource=resource,
        attributes=record.attributes,
        kind=trace.SpanKind.SERVER if page else trace.SpanKind.INTERNAL,
        status=trace.Status(trace.StatusCode.ERROR)
        if record.reason
        else trace.Status(trace.StatusCode.UNSET),
        start_time=record.started_ns,
        end_time=record.ended_ns,
        instrumentation_scope=InstrumentationScope("signalbox"),
    )


def _context(held: Held, span_id: str) -> trace.SpanContext:
    # What is sent was kept: a collector must not take it for unsampled.
    return trace.SpanContext(
        int(held.trace_id, 16),
        int(span_id, 16),
        is_remote=False,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )


sender = Sender()

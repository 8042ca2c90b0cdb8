"""What the tests of this app share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import context
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from observability import services, tracing
from observability.held_traces import Held
from observability.trace_export import readable


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> Iterator[None]:
    """Every test begins as a process that has measured nothing."""
    services.recorder.after_fork()
    tracing.reset()
    # A streamed page that an earlier test left open keeps its trace on this thread.
    token = context.attach(context.Context())
    yield
    context.detach(token)
    services.recorder.after_fork()
    tracing.reset()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Every span that ends, all of them sampled."""
    exporter = InMemorySpanExporter()
    tracing.use_sinks([lambda held: _export(exporter, held)], share=1.0)
    return exporter


def _export(exporter: InMemorySpanExporter, held: Held) -> None:
    exporter.export(readable(held))

"""The counts of this process in Prometheus' text format; no database, no tenants."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from observability import held_traces, log_store, trace_export, trace_store
from observability.recorder import Recorder, worker_id
from observability.slo import Tally, value_of

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def exposition(recorder: Recorder) -> bytes:
    """Return what this process counted since it started.

    Every sample names its process: behind one address several processes answer in
    turn, and their counters must not be taken for one that jumps back.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counts(recorder))
    return generate_latest(registry)


class _Counts(Collector):
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        process = worker_id()
        durations = HistogramMetricFamily(
            "signalbox_duration_seconds",
            "Duration of what was measured, by kind and key.",
            labels=["process", "kind", "key"],
        )
        errors = CounterMetricFamily(
            "signalbox_errors",
            "What was measured and failed.",
            labels=["process", "kind", "key"],
        )
        for (kind, key), tally in sorted(self._recorder.totals().items()):
            labels = [process, kind, key]
            durations.add_metric(
                labels, buckets=_cumulative(tally), sum_value=tally.sum_us / 1e6
            )
            errors.add_metric(labels, tally.bad)
        yield durations
        yield errors

        overflow = CounterMetricFamily(
            "signalbox_key_overflow",
            "Events counted under __other__, because too many keys were in use.",
            labels=["process", "kind"],
        )
        for kind, count in sorted(self._recorder.overflow().items()):
            overflow.add_metric([process, kind], count)
        yield overflow

        dropped = GaugeMetricFamily(
            "signalbox_measurements_dropped",
            "Events lost because the database was away for too long.",
            labels=["process"],
        )
        dropped.add_metric([process], self._recorder.dropped())
        yield dropped
        yield from _lost(process)


def _lost(process: str) -> Iterator[Metric]:
    lines = CounterMetricFamily(
        "signalbox_log_lines_dropped",
        "Log lines that could not be stored, by level.",
        labels=["process", "level"],
    )
    for level, count in log_store.store_of_process.dropped().items():
        lines.add_metric([process, level], count)
    yield lines
    traces = CounterMetricFamily(
        "signalbox_traces_dropped",
        "Traces worth keeping that could not be stored, or were held for too long.",
        labels=["process"],
    )
    lost = trace_store.store_of_process.dropped() + held_traces.given_up()
    traces.add_metric([process], lost)
    yield traces
    spans = CounterMetricFamily(
        "signalbox_spans_dropped",
        "Spans that could not be sent to the collector.",
        labels=["process"],
    )
    spans.add_metric([process], trace_export.sender.dropped())
    yield spans


def _cumulative(tally: Tally) -> list[tuple[str, float]]:
    """Return events up to each bound; a log bucket belongs where its value lies."""
    counts = [0] * len(_BOUNDS)
    for bucket, count in tally.buckets.items():
        seconds = value_of(bucket) / 1e6
        for place, bound in enumerate(_BOUNDS):
            if seconds <= bound:
                counts[place] += count
    pairs = [(str(bound), float(n)) for bound, n in zip(_BOUNDS, counts, strict=True)]
    return [*pairs, ("+Inf", float(tally.count))]

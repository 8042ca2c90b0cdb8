"""The receiver reads OTLP as real exporters and other languages send it."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Metric,
    ResourceMetrics,
    ScopeMetrics,
)

from observability.otlp import LARGEST, Received, Sink, Unreadable, decoded

ROOT = Path(__file__).resolve().parent.parent.parent
TRACE, SPAN, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "a" * 16
SPANS = {
    "resourceSpans": [
        {
            "resource": {
                "attributes": [
                    {"key": "service.name", "value": {"stringValue": "shop"}}
                ]
            },
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": TRACE,
                            "spanId": SPAN,
                            "parentSpanId": PARENT,
                            "name": "결제",
                            "startTimeUnixNano": "1000000000",
                            "endTimeUnixNano": "1002500000",
                            "attributes": [{"key": "rows", "value": {"intValue": "3"}}],
                            "status": {"code": 2},
                        }
                    ]
                }
            ],
        }
    ]
}
LOGS = {
    "resourceLogs": [
        {
            "scopeLogs": [
                {"logRecords": [{"body": {"stringValue": "refused"}, "traceId": TRACE}]}
            ]
        }
    ]
}


class Running:
    def __init__(self, *, fail: int = 0) -> None:
        self.received: list[Received] = []
        self.sink = Sink(self.received.append, fail=fail)
        self.thread = threading.Thread(target=self.sink.serve, daemon=True)
        self.thread.start()

    def post(self, path: str, body: bytes, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.sink.address + path, body, named)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running()
    yield made
    made.sink.stop()
    made.thread.join()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_spans_come_as_json(running: Running, packed: bool) -> None:
    body = json.dumps(SPANS).encode()
    headers = {"Content_Type": "application/json"}
    if packed:
        body = gzip.compress(body)
        headers["Content_Encoding"] = "gzip"

    assert running.post("/v1/traces", body, **headers) == 200

    (span,) = running.received
    assert (span.trace_id, span.span_id, span.parent_id) == (TRACE, SPAN, PARENT)
    assert (span.name, span.took_ms, span.failed) == ("결제", 2.5, True)
    assert span.attributes == {"rows": 3}
    assert span.resource == {"service.name": "shop"}
    assert TRACE in span.line()
    assert json.loads(span.as_json())["name"] == "결제"


def test_logs_and_metrics_are_taken_too(running: Running) -> None:
    metrics = ExportMetricsServiceRequest(
        resource_metrics=[
            ResourceMetrics(scope_metrics=[ScopeMetrics(metrics=[Metric(name="load")])])
        ]
    )

    as_json = {"Content_Type": "application/json"}
    assert running.post("/v1/logs", json.dumps(LOGS).encode(), **as_json) == 200
    assert running.post("/v1/metrics", metrics.SerializeToString()) == 200

    log, metric = running.received
    assert (log.signal, log.name, log.trace_id) == ("log", "refused", TRACE)
    assert (metric.signal, metric.name) == ("metric", "load")


def test_what_is_no_otlp_is_refused_and_the_next_is_taken(running: Running) -> None:
    as_json = {"Content_Type": "application/json"}

    assert running.post("/v1/traces", b"\xff\xff\xff\xff") == 400
    assert running.post("/v1/traces", b"{", **as_json) == 400
    assert running.post("/v1/traces", b"x", Content_Encoding="gzip") == 400
    assert running.post("/v1/traces", b"x", Content_Encoding="br") == 400
    assert running.post("/v2/traces", b"") == 404
    assert running.post("/v1/traces", json.dumps(SPANS).encode(), **as_json) == 200
    assert len(running.received) == 1


def test_a_body_that_swells_when_unpacked_is_refused() -> None:
    body = gzip.compress(b"\0" * (LARGEST + 1))

    with pytest.raises(Unreadable, match="larger than"):
        decoded("/v1/traces", body, kind="application/x-protobuf", encoding="gzip")


def test_it_refuses_as_often_as_it_was_told() -> None:
    failing = Running(fail=2)
    body, kind = json.dumps(SPANS).encode(), {"Content_Type": "application/json"}

    codes = [failing.post("/v1/traces", body, **kind) for _ in range(3)]

    failing.sink.stop()
    assert codes == [503, 503, 200]


def test_the_command_tells_its_port_and_prints_what_comes() -> None:
    program = [sys.executable, "manage.py", "otlp_sink", "--port", "0", "--json"]
    with subprocess.Popen(
        program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            assert process.stdout is not None
            address = process.stderr.readline().split()[-1]
            request = urllib.request.Request(
                f"{address}/v1/traces",
                json.dumps(SPANS).encode(),
                {"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=30) as response:
                assert response.status == 200
            told = json.loads(process.stdout.readline())
        finally:
            process.terminate()

    assert told["span_id"] == SPAN


def test_a_port_that_is_taken_is_told(running: Running) -> None:
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError, match="--port 0"):
        call_command("otlp_sink", port=running.sink.port)

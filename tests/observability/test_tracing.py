"""Trace ids everywhere, spans where somebody asked, and no secret in any."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from django.core.exceptions import ImproperlyConfigured
from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from observability import tracing
from observability.services import current_trace_id, measure

PLANTED = "hunter2-planted-secret"


def one(spans: InMemorySpanExporter) -> ReadableSpan:
    (span,) = spans.get_finished_spans()
    return span


def test_outside_any_measurement_there_is_no_trace() -> None:
    assert current_trace_id() == ""


def test_a_trace_id_needs_no_exporter() -> None:
    with measure("page", key="home"):
        outer = current_trace_id()
        with measure("block", key="b1"):
            inner = current_trace_id()

    assert len(outer) == 32
    assert inner == outer
    assert current_trace_id() == ""


def test_a_span_tells_kind_key_tenant_and_status(spans: InMemorySpanExporter) -> None:
    with measure("operation", key="stock", tenant="7", method="GET") as timing:
        timing.note("rows", 3)

    span = one(spans)
    assert span.name == "operation stock"
    assert dict(span.attributes or {}) == {
        "signalbox.kind": "operation",
        "signalbox.key": "stock",
        "signalbox.tenant": "7",
        "signalbox.status": "ok",
        "signalbox.kept": "sampled",
        "method": "GET",
        "rows": 3,
    }


def test_a_failure_is_an_error_with_its_reason(spans: InMemorySpanExporter) -> None:
    with measure("operation", key="stock") as timing:
        timing.failed("timeout")

    span = one(spans)
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "timeout"


def test_an_exception_names_its_type_and_not_its_words(
    spans: InMemorySpanExporter,
) -> None:
    with pytest.raises(ValueError, match="planted"), measure("block", key="b1"):
        raise ValueError(PLANTED)

    assert (one(spans).attributes or {})["error.type"] == "ValueError"
    assert PLANTED not in one(spans).to_json()


def test_no_span_holds_a_planted_secret(spans: InMemorySpanExporter) -> None:
    with measure(
        "operation",
        key="stock",
        api_key=PLANTED,
        url=f"https://user:{PLANTED}@example.org/?q=1&token={PLANTED}",
        header=f"Authorization: Bearer {PLANTED}",
    ) as timing:
        timing.note("password", PLANTED)

    text = one(spans).to_json()
    assert PLANTED not in text
    assert "example.org" in text


def test_blocks_in_other_threads_are_children_of_their_page(
    spans: InMemorySpanExporter,
) -> None:
    def block(key: str) -> None:
        with measure("block", key=key):
            pass

    with ThreadPoolExecutor(4) as pool, measure("page", key="home"):
        for number in range(6):
            pool.submit(copy_context().run, block, f"b{number}").result()

    *blocks, page = spans.get_finished_spans()
    assert page.name == "page home"
    assert {block.context.trace_id for block in blocks} == {page.context.trace_id}
    assert {block.parent.span_id for block in blocks if block.parent} == {
        page.context.span_id
    }


def test_a_span_closed_in_another_context_breaks_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    timing = measure("page", key="home")
    copy_context().run(timing.__enter__)

    timing.__exit__(None, None, None)

    assert caplog.text == ""


def test_a_callers_trace_is_continued(spans: InMemorySpanExporter) -> None:
    header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    scope = tracing.enter_request({"traceparent": header}, method="GET")
    seen = current_trace_id()
    tracing.leave(scope, name="GET menu", attributes={})

    assert seen == "0af7651916cd43dd8448eb211c80319c"
    assert f"{one(spans).parent.span_id:016x}" == "b7ad6b7169203331"  # type: ignore[union-attr]
    assert current_trace_id() == ""


def test_a_trace_the_caller_did_not_sample_is_not_recorded(
    spans: InMemorySpanExporter,
) -> None:
    header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

    scope = tracing.enter_request({"traceparent": header}, method="GET")
    with measure("block", key="b1"):
        seen = current_trace_id()
    tracing.leave(scope, attributes={})

    assert seen == "0af7651916cd43dd8448eb211c80319c"
    assert spans.get_finished_spans() == ()


def test_nonsense_in_the_header_begins_a_new_trace() -> None:
    scope = tracing.enter_request({"traceparent": "nonsense"}, method="GET")
    seen = current_trace_id()
    tracing.leave(scope, attributes={})

    assert len(seen) == 32
    contexts.attach(Context())


@pytest.mark.parametrize("text", ["eleven", "-0.1", "1.1", "nan"])
def test_a_share_that_is_none_stops_the_start(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", text)

    with pytest.raises(ImproperlyConfigured, match="from 0 to 1"):
        tracing.sampled_share()


def test_one_trace_in_ten_is_sampled_unless_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OTEL_TRACES_SAMPLER_ARG", raising=False)
    assert tracing.sampled_share() == 0.1

    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "1")
    assert tracing.sampled_share() == 1.0


def test_the_environment_names_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracing.resource_attributes()["service.name"] == "signalbox"

    monkeypatch.setenv("OTEL_SERVICE_NAME", "portal-eu")
    assert "service.name" not in tracing.resource_attributes()


def test_the_exporter_is_made_where_an_endpoint_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")

    with measure("page", key="home"):
        seen = current_trace_id()

    assert len(seen) == 32
    assert tracing.endpoint() == "http://127.0.0.1:9"


def test_without_an_endpoint_the_sdk_is_not_loaded() -> None:
    script = (
        "import os, sys, django; django.setup()\n"
        "from observability.services import measure, current_trace_id\n"
        "with measure('page', key='home'): assert current_trace_id()\n"
        "assert 'opentelemetry.sdk.trace' not in sys.modules\n"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings"}

    done = subprocess.run(
        [sys.executable, "-c", script], env=_without_otel(environment), check=False,
        timeout=60,
    )  # fmt: skip

    assert done.returncode == 0


def _without_otel(more: dict[str, str]) -> dict[str, str]:
    import os

    kept = {name: value for name, value in os.environ.items() if "OTEL" not in name}
    return {**more, **kept}

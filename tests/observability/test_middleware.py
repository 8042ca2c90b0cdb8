"""Every page has a trace and is measured to its last byte."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from config.urls import urlpatterns as portal_addresses
from observability.logs import user_hash
from observability.middleware import NO_ROUTE, TraceMiddleware
from observability.services import current_trace_id, measure, recorder
from observability.views import healthz
from tenants.models import User

pytestmark = pytest.mark.urls(__name__)
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(current_trace_id())


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        with measure("renderer", key="text"):
            yield current_trace_id()

    return StreamingHttpResponse(body())


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a bug")


def named(request: HttpRequest) -> HttpResponse:
    before = user_hash()
    assert request.user.is_authenticated
    return HttpResponse(f"{before}/{user_hash()}")


urlpatterns = [
    path("plain/", plain, name="plain"),
    path("stream/", stream, name="stream"),
    path("broken/", broken, name="broken"),
    path("named/", named, name="named"),
    path("healthz", healthz, name="healthz"),
    *portal_addresses,  # the page for what is not there links to them
]


def test_a_response_names_its_trace_and_its_time(client: Client) -> None:
    response = client.get("/plain/")

    assert response["X-Trace-Id"] == response.content.decode()
    assert len(response["X-Trace-Id"]) == 32
    assert response["Server-Timing"].startswith("app;dur=")
    assert current_trace_id() == ""


def test_two_requests_have_two_traces(client: Client) -> None:
    first, second = client.get("/plain/"), client.get("/plain/")

    assert first["X-Trace-Id"] != second["X-Trace-Id"]


def test_a_callers_trace_is_continued(
    client: Client, spans: InMemorySpanExporter
) -> None:
    response = client.get("/plain/", headers={"traceparent": PARENT})

    assert response["X-Trace-Id"] == "0af7651916cd43dd8448eb211c80319c"
    (span,) = spans.get_finished_spans()
    assert span.name == "GET plain"
    assert (span.attributes or {})["http.response.status_code"] == 200


def test_a_streamed_page_keeps_its_trace_to_the_last_byte(
    client: Client, spans: InMemorySpanExporter
) -> None:
    response = client.get("/stream/")
    assert ("page", "stream") not in recorder.totals()

    # The last byte closes it: the test client does what a server does.
    body = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]

    assert body == response["X-Trace-Id"]
    renderer, page = spans.get_finished_spans()
    assert renderer.parent == page.context
    assert recorder.totals()["page", "stream"].count == 1
    assert current_trace_id() == ""


def test_a_page_that_breaks_counts_as_an_error(client: Client) -> None:
    client.raise_request_exception = False

    response = client.get("/broken/")

    assert response.status_code == 500
    assert len(response["X-Trace-Id"]) == 32
    assert recorder.totals()["page", "broken"].bad == 1


def test_an_exception_that_passes_through_ends_the_trace(rf: RequestFactory) -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        TraceMiddleware(broken)(rf.get("/broken/"))

    assert recorder.totals()["page", NO_ROUTE].bad == 1
    assert current_trace_id() == ""


def test_pages_that_do_not_exist_share_one_key(client: Client) -> None:
    for number in range(3):
        client.get(f"/no-such-page-{number}/")

    assert recorder.totals()["page", NO_ROUTE].count == 3
    assert recorder.totals()["page", NO_ROUTE].bad == 0


def test_probes_are_not_measured(client: Client) -> None:
    client.get("/healthz")

    assert recorder.totals() == {}


def test_log_lines_know_the_user_once_somebody_asked(
    client: Client, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    client.force_login(user)

    before, _slash, after = client.get("/named/").content.decode().partition("/")

    assert len(after) == 12
    assert before in {"", after}


@pytest.mark.django_db
def test_a_page_is_counted_for_its_tenant(client: Client, user: User) -> None:
    client.force_login(user)

    client.get("/plain/")

    with recorder.paused() as pending:
        cells = {(cell.key, cell.tenant) for cell in pending}
    assert ("plain", str(user.memberships.get().tenant_id)) in cells

"""A page is one trace, from its request to its renderers, as a collector sees it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from opentelemetry import context
from opentelemetry.context import Context

from branching.models import DecisionTable
from connectors.models import DataSource, Operation
from menus.models import Menu
from observability import services, trace_export, trace_store, tracing
from observability.models import StoredTrace
from observability.otlp import Received, Sink
from observability.trace_export import Sender
from observability.trace_store import TraceStore
from screens.models import Screen, ScreenVersion
from screens.services import publish, save_version
from tenants.models import User
from tenants.scope import Actor, using_tenant
from tests.menus.conftest import MakeMenu, named
from tests.menus.test_views import body

BLOCKS = 4


@pytest.fixture(autouse=True)
def as_a_new_process() -> Iterator[None]:
    services.recorder.after_fork()
    token = context.attach(Context())
    yield
    context.detach(token)
    services.recorder.after_fork()
    tracing.reset()


class Collector:
    """A receiver of OTLP on a port of its own."""

    def __init__(self, *, fail: int = 0) -> None:
        self.received: list[Received] = []
        self.sink = Sink(self.received.append, fail=fail)
        self._thread = threading.Thread(target=self.sink.serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.sink.stop()
        self._thread.join()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    made = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.sink.address)
    yield made
    made.stop()


@pytest.fixture
def page(stock: Operation, make_menu: MakeMenu, admin_actor: Actor) -> Menu:
    """The menu ``stock``: four blocks of which one asks a decision table."""
    DecisionTable.objects.create(key="which", default_operation="stock")
    screen = Screen.objects.create(key="mixed")
    document: dict[str, Any] = {
        "version": 1,
        "title": named("Mixed"),
        "blocks": [
            {
                "id": f"b{number}",
                "title": named(f"Block {number}"),
                "source": {"operation": "stock"}
                if number
                else {"decision_table": "which"},
                "responses": {"default": {"format": "table"}},
            }
            for number in range(BLOCKS)
        ],
    }
    version = save_version(screen, document, actor=admin_actor, base_version=0)
    assert isinstance(version, ScreenVersion), version
    assert isinstance(publish(version, actor=admin_actor), ScreenVersion)
    return make_menu("stock", kind="screen", screen=screen)


@pytest.fixture
def root(client: Client, page: Menu) -> Client:
    client.force_login(
        User.objects.get(username="root"), backend="tenants.backends.TenantBackend"
    )
    return client


def read(browser: Client, address: str = "/m/stock/") -> str:
    """Read a page to its last byte, as a server does; returns its trace id."""
    response = browser.get(address)
    assert response.status_code == 200
    body(response)
    return str(response["X-Trace-Id"])


def test_a_page_is_one_trace_with_the_right_parents_over_real_otlp(
    root: Client, collector: Collector
) -> None:
    sender = Sender()
    tracing.use_sinks([sender.put], share=1.0)

    trace_id = read(root)
    sender.stop()

    spans = [each for each in collector.received if each.trace_id == trace_id]
    names = {span.span_id: span.name for span in spans}
    parents = sorted((span.name, names.get(span.parent_id, "")) for span in spans)
    assert parents == sorted(
        [
            ("GET menu", ""),
            ("menu stock", "GET menu"),
            ("decision which", "menu stock"),
            ("screen mixed", "menu stock"),
            *[(f"block mixed/b{it}", "screen mixed") for it in range(BLOCKS)],
            *[
                ("operation stock", f"block mixed/b{number}")
                for number in range(BLOCKS)
            ],
            *[("data_source plant", "operation stock")] * BLOCKS,
            *[("renderer table", "screen mixed")] * BLOCKS,
        ]
    )
    assert sender.dropped() == 0
    assert {span.resource["service.name"] for span in spans} == {"signalbox"}


@pytest.mark.django_db(transaction=True)
def test_threads_of_the_pool_do_not_lose_the_trace(root: Client) -> None:
    kept: list[str] = []
    tracing.use_sinks(
        [lambda held: kept.extend(span.name for span in held.spans)], share=1.0
    )

    read(root)

    assert kept.count("data_source plant") == BLOCKS
    assert kept[-1] == "GET menu"


def test_a_collector_that_refuses_twice_gets_the_trace_all_the_same(
    root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = Collector(fail=2)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.sink.address)
    arrived = threading.Event()
    collector.sink._tell = lambda _received: arrived.set()
    sender = Sender()
    tracing.use_sinks([sender.put], share=1.0)

    read(root)

    assert arrived.wait(timeout=60)
    sender.stop()
    collector.stop()
    assert sender.dropped() == 0


def test_a_collector_that_is_gone_costs_no_request_and_losses_are_counted(
    root: Client, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setattr(trace_export, "WAITING", 2)
    collector.stop()
    sender = Sender()
    tracing.use_sinks([sender.put], share=1.0)

    for _ in range(6):
        read(root)
    sender.stop()

    assert sender.sent() == 0
    assert sender.dropped() >= 3 * (3 + 3 * BLOCKS)


def test_a_kept_trace_is_stored_with_its_page_and_tenant(root: Client) -> None:
    store = TraceStore()
    tracing.use_sinks([store.put], share=1.0)

    trace_id = read(root)
    assert StoredTrace.objects.count() == 0  # not on the way of the request
    store.flush()

    stored = StoredTrace.objects.get()
    assert (stored.trace_id, stored.key, stored.kept) == (
        trace_id,
        "menu",
        "sampled",
    )
    assert stored.tenant is not None
    assert stored.tenant.key == "acme"
    assert len(stored.spans) == 4 + 4 * BLOCKS


def test_a_trace_that_was_not_sampled_is_kept_when_a_block_fails(
    root: Client, page: Menu
) -> None:
    store = TraceStore()
    tracing.use_sinks([store.put], share=0.0)
    read(root)
    assert len(store) == 0

    with using_tenant(page.tenant):
        source = DataSource.objects.get(key="plant")
        source.address = "sqlite:////nowhere/at-all.sqlite3"
        source.save()
    trace_id = read(root)
    store.flush()

    stored = StoredTrace.objects.get()
    assert (stored.trace_id, stored.kept, stored.failed) == (trace_id, "error", True)
    html = root.get(f"/admin-tools/traces/{trace_id}/").content.decode()
    assert "data_source plant" in html
    assert trace_store.WAITING >= 100

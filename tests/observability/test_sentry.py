"""Sentry takes errors only, with our trace id, and without secrets."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sentry_sdk
from django.apps import apps
from pytest_django import Settings
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from observability import sentry
from observability.services import current_trace_id, measure

PLANTED = "hunter2-planted-secret"


class Collected(Transport):
    """Keeps what would have been sent."""

    events: list[dict[str, object]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        event = envelope.get_event()
        if event is not None:
            self.events.append(dict(event))


@pytest.fixture
def events() -> list[dict[str, object]]:
    Collected.events = []
    return Collected.events


def test_an_error_carries_our_trace_id_and_no_secret(
    events: list[dict[str, object]],
) -> None:
    options = sentry.options(f"https://{PLANTED}@sentry.example/1", environment="test")
    client = sentry_sdk.Client(
        **options, transport=Collected, default_integrations=False
    )
    with sentry_sdk.new_scope() as scope, measure("page", key="home"):
        scope.set_client(client)
        password = PLANTED
        try:
            raise ValueError(f"refused token={password}")
        except ValueError as error:
            scope.capture_exception(error)
        trace_id = current_trace_id()
    client.close()

    (event,) = events
    assert event["contexts"]["trace"]["trace_id"] == trace_id  # type: ignore[index]
    assert event["tags"] == {"trace_id": trace_id}
    assert PLANTED not in json.dumps(event, default=str)
    assert "ValueError" in json.dumps(event, default=str)


class Receiver(BaseHTTPRequestHandler):
    """A Sentry that keeps what it was sent, byte by byte."""

    bodies: list[bytes] = []
    asked: list[dict[str, str]] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        packed = self.headers.get("Content-Encoding") == "gzip"
        self.bodies.append(gzip.decompress(body) if packed else body)
        self._answer()

    def do_GET(self) -> None:
        self.asked.append(dict(self.headers))
        self._answer()

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.bodies, Receiver.asked = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_real_http_go_errors_only_with_the_trace_id_and_no_header_to_others(
    receiver: str,
) -> None:
    options = sentry.options(f"http://public@{receiver}/1", environment="test")
    client = sentry_sdk.Client(**options)
    with sentry_sdk.new_scope() as scope, measure("page", key="home"):
        scope.set_client(client)
        # As a data source is asked: Sentry's own instrumentation would add headers.
        host, _colon, port = receiver.partition(":")
        connection = HTTPConnection(host, int(port), timeout=30)
        connection.request("GET", "/upstream")
        connection.getresponse().read()
        connection.close()
        try:
            raise ValueError(f"refused password={PLANTED}")
        except ValueError as error:
            scope.capture_exception(error)
        trace_id = current_trace_id()
    client.close(timeout=30)

    (body,) = Receiver.bodies
    items = [json.loads(line) for line in body.splitlines()]
    event = next(item for item in items if "exception" in item)
    assert event["contexts"]["trace"]["trace_id"] == trace_id
    # The first line names the DSN of the client that began the scope, and no more.
    assert PLANTED not in json.dumps(items[1:])
    (headers,) = Receiver.asked
    assert {"sentry-trace", "baggage"}.isdisjoint(name.lower() for name in headers)


def test_outside_a_trace_an_event_is_only_cleaned() -> None:
    event = {"message": f"password={PLANTED}", "level": "error"}

    assert sentry.stamped(event, {}) == {"message": "password=***", "level": "error"}


def test_nothing_is_propagated_and_nothing_traced() -> None:
    options = sentry.options("https://key@sentry.example/1", environment="production")

    assert options["trace_propagation_targets"] == []
    assert options["traces_sample_rate"] is None
    client = sentry_sdk.Client(**options, default_integrations=False)
    assert not client.options["send_default_pii"]
    client.close()


def test_sentry_starts_only_with_a_dsn(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(sentry_sdk, "init", lambda **told: started.append(told["dsn"]))
    config = apps.get_app_config("observability")

    settings.SENTRY_DSN = ""
    config.ready()
    settings.SENTRY_DSN = "https://key@sentry.example/1"
    config.ready()

    assert started == ["https://key@sentry.example/1"]

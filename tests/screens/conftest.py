"""A data source on the loopback that tests steer by events, and screens over it."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import translation

from connectors.models import DataSource, Operation, Parameter
from screens.models import Screen
from screens.pages import Drawn
from screens.services import OpenPage, open_screen, publish, save_version
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor

BOUND_S = 20


class Upstream(ThreadingHTTPServer):
    """A data source whose answers wait for events.

    Attributes:
        started: Set when ``/gate/<name>`` or ``/hang/<name>`` was asked.
        opened: ``/gate/<name>`` answers once its event is set, and
            ``/turn/<name>`` answers 500 from then on.
        left: Set when the caller of ``/hang/<name>`` closed the connection.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.started: dict[str, threading.Event] = defaultdict(threading.Event)
        self.opened: dict[str, threading.Event] = defaultdict(threading.Event)
        self.left: dict[str, threading.Event] = defaultdict(threading.Event)
        self.asked: list[str] = []

    @property
    def network(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Upstream

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        _, kind, *rest = self.path.split("?")[0].split("/")
        name = rest[0] if rest else ""
        match kind:
            case "gate":
                self.server.started[name].set()
                assert self.server.opened[name].wait(BOUND_S)
                self._say([{"name": name, "value": 1}])
            case "hang":
                self.server.started[name].set()
                self.connection.settimeout(BOUND_S)
                if self.connection.recv(1) == b"":
                    self.server.left[name].set()
            case "turn" if self.server.opened[name].is_set():
                self._say({"error": "turned"}, status=500)
            case "broken":
                self._say({"error": "broken"}, status=500)
            case "empty":
                self._say([])
            case _:
                self._say([{"name": name, "value": 1}, {"name": name, "value": 2}])

    def _say(self, body: Any, *, status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def upstream(settings: LazySettings) -> Iterator[Upstream]:
    server = Upstream()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    settings.SIGNALBOX_INTERNAL_NETWORKS = [server.network]
    yield server
    for event in server.opened.values():
        event.set()
    server.shutdown()
    server.server_close()


MakeOperation = Callable[..., Operation]


@pytest.fixture
def operation(upstream: Upstream) -> MakeOperation:
    """Make an HTTP operation of the tenant in scope."""

    def make(key: str, path: str, **fields: Any) -> Operation:
        source, _ = DataSource.objects.get_or_create(
            key="loopback", kind="http", address=f"http://{upstream.network}"
        )
        names = fields.pop("parameters", [])
        made = Operation.objects.create(key=key, source=source, path=path, **fields)
        for name in names:
            Parameter.objects.create(operation=made, name=name)
        return made

    return make


@pytest.fixture
def editor(acme: Tenant) -> User:
    """A superuser of acme, who may change and publish everything."""
    person = User.objects.create_superuser("ed", password="correct horse")
    person.language = "en"
    person.save()
    Membership.objects.create(user=person, tenant=acme)
    return person


@pytest.fixture
def browser(editor: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(editor, backend="tenants.backends.TenantBackend")
    return client


@pytest.fixture
def ops(in_acme: Tenant) -> Screen:
    return Screen.objects.create(key="ops")


@pytest.fixture
def chief(editor: User, acme: Tenant) -> Actor:
    return Actor(user_id=editor.pk, tenant_id=acme.pk)


def block(
    name: str, operation: str = "", *, table: str = "", **fields: Any
) -> dict[str, Any]:
    """Write one block of a document: a table over an operation or a decision table."""
    source = {"decision_table": table} if table else {"operation": operation or name}
    source["arguments"] = fields.pop("arguments", {})
    return {
        "id": name,
        "title": {"ko": f"블록 {name}", "en": f"Block {name}"},
        "source": source,
        "responses": {"default": {"format": "table", "options": {}}},
        **fields,
    }


def body(*blocks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "title": {"ko": "화면", "en": "Screen"},
        "blocks": list(blocks),
        **fields,
    }


MakeScreen = Callable[..., Screen]


@pytest.fixture
def screen(chief: Actor) -> MakeScreen:
    """Make a published screen of the tenant in scope."""

    def make(
        *blocks: dict[str, Any], key: str = "ops", by: Actor = chief, **fields: Any
    ) -> Screen:
        made = Screen.objects.create(key=key)
        version = save_version(made, body(*blocks, **fields), actor=by, base_version=0)
        assert not isinstance(version, tuple), version
        published = publish(version, actor=by)  # type: ignore[arg-type]
        assert not isinstance(published, tuple), published
        return Screen.objects.with_published().get(pk=made.pk)

    return make


def opened(screen: Screen, actor: Actor, **arguments: str) -> OpenPage:
    page = open_screen(screen, arguments=arguments, actor=actor)
    assert isinstance(page, OpenPage), page
    return page


def run(screen: Screen, actor: Actor, **arguments: str) -> dict[str, Drawn]:
    with opened(screen, actor, **arguments) as page:
        return {drawn.block.id: drawn for drawn in page}


@contextmanager
def performing(function: object) -> Iterator[None]:
    """Put a broken connector beneath the runner: nothing we ship misbehaves so."""
    with mock.patch("screens.runner.perform", function):
        yield

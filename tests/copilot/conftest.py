"""A screen to change, with its operations, and a model on the loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import translation

from connectors.models import DataSource, Operation, Parameter
from copilot.catalogue import subject_for
from copilot.llm import forget_formats
from copilot.subject import Subject
from screens.models import Screen, ScreenVersion
from screens.services import save_version
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor

BOUND_S = 20

BODY: dict[str, Any] = {
    "version": 1,
    "title": {"ko": "매출 현황", "en": "Sales overview"},
    "description": {"ko": "설명", "en": "What the customer said: secret plan"},
    "parameters": [
        {
            "name": "region",
            "type": "choice",
            "label": {"ko": "지역", "en": "Region"},
            "choices": ["Seoul", "Busan"],
            "default": "Seoul",
        }
    ],
    "blocks": [
        {
            "id": "trend",
            "title": {"ko": "매출 추이", "en": "Revenue trend"},
            "width": 6,
            "source": {
                "operation": "sales-daily",
                "arguments": {"region": {"parameter": "region"}},
            },
            "responses": {
                "default": {
                    "format": "chart",
                    "options": {"type": "line", "x": "date", "y": "revenue"},
                }
            },
        },
        {
            "id": "returns",
            "title": {"ko": "반품", "en": "Returns"},
            "source": {"operation": "returns"},
            "responses": {
                "default": {
                    "format": "table",
                    "options": {"columns": ["reason", "count"]},
                }
            },
        },
        {
            "id": "orders",
            "title": {"ko": "주문", "en": "Orders"},
            "source": {"operation": "orders"},
            "responses": {"default": {"format": "grid", "options": {}}},
        },
    ],
}
COLUMNS = {
    "sales-daily": [("date", "date"), ("revenue", "decimal"), ("cost", "decimal")],
    "returns": [("reason", "text"), ("count", "integer")],
    "orders": [("customer", "text"), ("amount", "decimal")],
    "stock": [("item", "text"), ("quantity", "integer")],
    "payroll": [("name", "text"), ("salary", "decimal")],
}


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def chief(acme: Tenant) -> Actor:
    """A superuser of acme, who may change and use everything."""
    person = User.objects.create_superuser("ed", password="correct horse")
    person.language = "en"
    person.save()
    Membership.objects.create(user=person, tenant=acme)
    return Actor(user_id=person.pk, tenant_id=acme.pk)


@pytest.fixture
def operations(in_acme: Tenant) -> None:
    """The operations of the screen, and two more: nothing answers behind them."""
    source = DataSource.objects.create(
        key="shop", kind="http", address="http://127.0.0.1:9"
    )
    for key, columns in COLUMNS.items():
        made = Operation.objects.create(
            key=key,
            source=source,
            path=f"/{key}",
            label={"ko": key, "en": key.replace("-", " ")},
            columns=[{"name": name, "type": kind} for name, kind in columns],
        )
        if key == "sales-daily":
            Parameter.objects.create(operation=made, name="region")


@pytest.fixture
def version(operations: None, chief: Actor) -> ScreenVersion:
    """The first version of the screen ``shop``."""
    screen = Screen.objects.create(key="shop")
    saved = save_version(screen, BODY, actor=chief, base_version=0)
    assert isinstance(saved, ScreenVersion), saved
    return saved


@pytest.fixture
def subject(version: ScreenVersion, chief: Actor) -> Subject:
    return subject_for(BODY, actor=chief)


# --- A model on the loopback -------------------------------------------------------
Say = Callable[[dict[str, Any]], tuple[int, bytes]]


class ModelServer(ThreadingHTTPServer):
    """Speaks chat completions; what it says is set by the test.

    Attributes:
        asked: Bodies of the requests, in order.
        headers: Their headers.
        says: Answers, in order; the last one is repeated. None never answers.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.says: list[Say | None] = []
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Answer(BaseHTTPRequestHandler):
    server: ModelServer

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(length))
        self.server.asked.append({"path": self.path, **body})
        self.server.headers.append(dict(self.headers))
        place = min(len(self.server.asked), len(self.server.says)) - 1
        say = self.server.says[place]
        if say is None:
            assert self.server.release.wait(BOUND_S)
            return
        status, data = say(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def saying(text: str, *, tokens: int | None = 321) -> Say:
    """Answer with these words."""
    answer: dict[str, Any] = {"choices": [{"message": {"content": text}}]}
    if tokens is not None:
        answer["usage"] = {"total_tokens": tokens}
    return lambda _body: (200, json.dumps(answer).encode())


def editing(*edits: dict[str, Any], **more: Any) -> Say:
    """Answer with these edits."""
    return saying(json.dumps({"edits": list(edits), **more}))


@pytest.fixture
def model_server(settings: LazySettings) -> Iterator[ModelServer]:
    server = ModelServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    settings.SIGNALBOX_INTERNAL_NETWORKS = [
        f"127.0.0.1:{server.server_address[1]}",
    ]
    settings.SIGNALBOX_MODEL_URL = server.url
    settings.SIGNALBOX_MODEL_NAME = "small-model"
    forget_formats()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()
    forget_formats()

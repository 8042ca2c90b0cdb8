"""People as planted values: behind a database, behind a service, on one screen."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from connectors.models import DataSource, Operation, RegisteredTable
from connectors.specs import SourceKind
from menus.models import Menu
from screens.models import Screen, ScreenVersion
from screens.services import publish, save_version
from tenants.models import Tenant, User
from tenants.permissions import grant
from tenants.scope import Actor


def named(text: str) -> dict[str, str]:
    return {"en": text, "ko": f"{text} 한글"}


ALL = ("people", "people-star", "contacts")
REASON = "Ticket 4711: the customer asked for a copy"
PEOPLE: list[dict[str, Any]] = [
    {
        "id": number,
        "name": f"Zq{who}name{number}",
        "email": f"zq.{who}.{number}@canary.example",
        "phone": f"010-77{number:02}-{who[:1].encode().hex()}{number:02}",
        "city": "Seoul",
    }
    for number, who in enumerate(["alpha", "bravo", "cedar", "delta", "ember"])
]
SQL_CANARIES = [str(p[key]) for p in PEOPLE for key in ("name", "email")]
HTTP_PEOPLE: list[dict[str, Any]] = [
    {
        "id": each["id"],
        "name": f"W{each['name']}",
        "contact": {"email": f"w{each['email']}", "phone": each["phone"]},
        "city": "Busan",
    }
    for each in PEOPLE
]
HTTP_CANARIES = [
    value
    for each in HTTP_PEOPLE
    for value in (each["name"], each["contact"]["email"], each["contact"]["phone"])
]
SQL_ONLY = [canary for canary in SQL_CANARIES if canary.startswith("Zq")]
CANARIES = [*SQL_CANARIES, *HTTP_CANARIES]


@pytest.fixture
def people_api() -> Iterator[str]:
    """A service on the loopback that knows people."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = json.dumps(HTTP_PEOPLE).encode()
            self.send_response(200)
            kind = "text/plain" if self.path == "/text" else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def people(in_acme: Tenant, tmp_path: Path, people_api: str, settings: Any) -> None:
    """Operations that answer with people: of a database, and of a service."""
    settings.SIGNALBOX_INTERNAL_NETWORKS = [people_api]
    file = tmp_path / "people.sqlite3"
    with sqlite3.connect(file) as database:
        database.execute(
            "CREATE TABLE people (id INTEGER, name TEXT, email TEXT, city TEXT)"
        )
        rows = [(p["id"], p["name"], p["email"], p["city"]) for p in PEOPLE]
        database.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
    database.close()
    shop = DataSource.objects.create(
        key="shop", kind=SourceKind.SQL, address=f"sqlite:///{file}"
    )
    RegisteredTable.objects.create(
        source=shop, name="people", shared=True, personal_columns=["name", "email"]
    )
    crm = DataSource.objects.create(
        key="crm",
        kind=SourceKind.HTTP,
        address=f"http://{people_api}",
        personal_fields=["Email", "phone"],
    )
    Operation.objects.create(
        key="people",
        source=shop,
        sql="SELECT id, name, email, city FROM people ORDER BY id",
        columns=[
            {"name": "id", "type": "integer"},
            {"name": "name", "personal": "name"},
            {"name": "email", "personal": "email"},
            {"name": "city"},
        ],
        keep_last_good_s=600,
    )
    Operation.objects.create(
        key="people-star",
        source=shop,
        sql="SELECT p.*, lower(name) || ':' || email AS tag FROM people p ORDER BY 2",
        keep_last_good_s=600,
    )
    Operation.objects.create(
        key="contacts",
        source=crm,
        path="/people",
        columns=[
            {"name": "id", "type": "integer"},
            {"name": "name", "personal": "name"},
            {"name": "contact.email"},
            {"name": "contact.phone", "personal": "phone"},
            {"name": "contact"},
        ],
        keep_last_good_s=600,
    )
    Operation.objects.create(
        key="contacts-text", source=crm, path="/text", body_format="text"
    )


def _block(name: str, operation: str, look: str, **options: Any) -> dict[str, Any]:
    return {
        "id": name,
        "title": named(name),
        "source": {"operation": operation},
        "responses": {"default": {"format": look, "options": options}},
    }


BODY: dict[str, Any] = {
    "version": 1,
    "title": named("People"),
    "blocks": [
        _block("sql-table", "people", "table", sort=[{"column": "email"}]),
        _block("sql-grid", "people-star", "grid", page_size=2),
        _block("sql-text", "people", "text", mode="markdown"),
        _block("sql-chart", "people", "chart", type="bar", x="name", y="id"),
        _block("sql-json", "people-star", "text", mode="json"),
        _block("http-grid", "contacts", "grid", page_size=2),
        _block("http-values", "contacts", "text", mode="key_value"),
        _block("http-text", "contacts-text", "text"),
    ],
}


@pytest.fixture
def people_menu(
    people: None, make_menu: Callable[..., Menu], user: User, admin_actor: Actor
) -> Menu:
    """The menu ``people`` with everything above, which ``jo`` may open."""
    screen = Screen.objects.create(key="people")
    version = save_version(screen, BODY, actor=admin_actor, base_version=0)
    assert isinstance(version, ScreenVersion), version
    published = publish(version, actor=admin_actor)
    assert isinstance(published, ScreenVersion), published
    screen.refresh_from_db()
    menu = make_menu("people", kind="screen", screen=screen)
    grant("view_menu", menu, to=user, actor=None)
    return menu


def found_in(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary.casefold() in text.casefold()]


def personal(block: str) -> str:
    return reverse("menu-block-personal", args=["people", block])


def allowed(user: User, *keys: str) -> None:
    for operation in Operation.objects.filter(key__in=keys):
        grant("reveal_personal", operation, to=user, actor=None)


def pages() -> list[str]:
    blocks = [each["id"] for each in BODY["blocks"]]
    return [
        reverse("menu", args=["people"]),
        *(reverse("menu-block", args=["people", name]) for name in blocks),
        reverse("menu-block", args=["people", "sql-grid"]) + "?page=2",
        reverse("menu-block", args=["people", "http-grid"]) + "?page=3",
        *(reverse("menu-block-csv", args=["people", name]) for name in blocks),
    ]

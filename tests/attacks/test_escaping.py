"""What people and upstreams write stays text: in pages, islands, headers, and files."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connectors.models import DataSource, Operation, Parameter, RegisteredTable
from menus.services import create_menu
from screens.models import Screen, ScreenVersion
from screens.services import publish, save_version
from tenants.models import Tenant
from tenants.scope import Actor, using_tenant
from tests.attacks.conftest import World
from tests.attacks.pages import body_of, filled, found_in, handlers, routes

EVIL = (
    '"><img src=x onerror=alert(1)></script><script>alert(2)</script>'
    "<!--{{7*7}}{% debug %}' onclick='alert(3)]]>\u202e"
)
FORMATS: list[tuple[str, dict[str, Any]]] = [
    ("table", {}),
    ("grid", {}),
    ("text", {"mode": "markdown"}),
    ("text", {"mode": "key_value"}),
    ("text", {"mode": "log"}),
    ("text", {"mode": "json"}),
    ("chart", {"type": "bar", "x": "word", "y": ["units"]}),
]


@pytest.fixture
def planted(world: World, db: None, tmp_path: Path) -> None:
    """A menu of hanbit in which every text anybody can write is hostile."""
    file = tmp_path / "evil.sqlite3"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE evil (word TEXT, units INTEGER)")
        words = [EVIL, "[x](javascript:alert(1))", "x" * 1_000_000, "=cmd()|x", "\x00"]
        database.executemany(
            "INSERT INTO evil VALUES (?, ?)", [(word, 1) for word in words]
        )
    database.close()
    actor = Actor(user_id=world.admin.pk, tenant_id=world.hanbit.pk)
    text = {"en": EVIL, "ko": EVIL}
    Tenant.objects.filter(pk=world.hanbit.pk).update(name=EVIL[:110])
    with using_tenant(world.hanbit):
        source = DataSource.objects.create(
            key="evil", kind="sql", address=f"sqlite:///{file}", label=text
        )
        RegisteredTable.objects.create(source=source, name="evil", shared=True)
        operation = Operation.objects.create(
            key="evil",
            source=source,
            label=text,
            sql="SELECT word, units FROM evil WHERE :word = :word",
        )
        Parameter.objects.create(operation=operation, name="word", default="x")
        screen = Screen.objects.create(key="evil")
        version = save_version(
            screen, _document(text), actor=actor, base_version=0, note=EVIL
        )
        assert isinstance(version, ScreenVersion), version
        published = publish(version, actor=actor)
        assert isinstance(published, ScreenVersion), published
        screen.refresh_from_db()
        label = {name: each[:70] for name, each in text.items()}
        create_menu("evil", label=label, kind="screen", screen=screen, actor=actor)


def _document(text: dict[str, str]) -> Any:
    blocks = [
        {
            "id": f"b-{number}",
            "title": text,
            "source": {
                "operation": "evil",
                "arguments": {"word": {"parameter": "word"}},
            },
            "responses": {"default": {"format": kind, "options": options}},
        }
        for number, (kind, options) in enumerate(FORMATS)
    ]
    parameter = {"name": "word", "type": "text", "default": EVIL, "label": text}
    return {
        "version": 1,
        "title": text,
        "description": text,
        "parameters": [parameter],
        "blocks": blocks,
    }


def assert_harmless(html: str) -> None:
    found = found_in(html)
    assert handlers(found) == []
    assert found.inline_scripts == []
    assert not any(value.get("src") == "x" for _tag, value in found.elements)
    assert ("img", {"src": "x"}) not in found.elements
    for island in found.islands:
        json.loads(island)


PAGES = [
    "/",
    "/m/evil/",
    "/m/evil/?word=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
    "/m/evil/?%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E=1",
    *(f"/m/evil/blocks/b-{number}/" for number in range(len(FORMATS))),
    "/screens/evil/edit/",
    "/screens/evil/properties/",
    "/screens/evil/properties/?open=/blocks/0",
    "/screens/evil/versions/",
    "/screens/evil/compare/?from=1&to=1",
    "/admin/",
    "/admin/menus/menu/",
    "/admin/screens/screen/",
    "/admin/screens/screenversion/",
    "/admin/connectors/operation/",
    "/admin/tenants/auditentry/",
    "/admin-tools/latency/",
    "/nowhere/%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
]


@pytest.mark.parametrize("address", PAGES)
def test_no_text_becomes_an_element_or_a_script(
    world: World, planted: None, root: Client, address: str
) -> None:
    response = root.get(address)
    html = body_of(response)

    assert response.status_code in {200, 400, 404}, html[:300]
    assert_harmless(html)


def test_what_was_typed_into_the_editor_comes_back_as_text(
    world: World, planted: None, root: Client
) -> None:
    for page in ("edit", "preview"):
        for text in (
            EVIL,
            json.dumps({EVIL: EVIL}),
            json.dumps(_document({"en": EVIL})),
        ):
            given = {
                "document": text,
                "note": EVIL,
                "arguments": "word=" + EVIL,
                "base_version": "0",
            }
            response = root.post(reverse(f"screen-{page}", args=["evil"]), given)

            assert_harmless(body_of(response))


def test_a_csv_is_a_file_whose_name_and_cells_are_harmless(
    world: World, planted: None, root: Client
) -> None:
    response = root.get("/m/evil/blocks/b-0.csv")
    lines = body_of(response)

    assert response["Content-Disposition"] == 'attachment; filename="evil-b-0.csv"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "\n=cmd" not in lines
    assert "\x00" not in lines


def test_every_page_forbids_inline_script(world: World, root: Client) -> None:
    seen = 0
    for route, _converters in routes():
        if "<regex>" in route or route.endswith("logout/"):
            continue
        response = root.get(filled(route, "1" if "admin" in route else "weather"))
        if "text/html" not in response.headers.get("Content-Type", ""):
            continue
        seen += 1
        policy = response.headers["Content-Security-Policy"]
        rules = dict(
            part.strip().partition(" ")[::2] for part in policy.split(";") if part
        )
        assert rules["script-src"] == "'self'", route
        assert "unsafe-eval" not in policy
        assert rules["object-src"] == "'none'"
        assert found_in(body_of(response)).inline_scripts == [], route
    assert seen > 40

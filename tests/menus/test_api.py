"""The readers' API: what the pages show, as JSON and CSV, behind scopes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from menus.models import Menu
from tenants.models import Tenant, User
from tenants.permissions import grant
from tenants.tokens import issue_token
from tests.menus.conftest import MakeMenu, MakeScreen, named
from tests.menus.test_views import body

RUN = "/api/menus/stock/run/"
BLOCK = "/api/menus/stock/blocks/stock-0/"
CSV = "/api/menus/stock/blocks/stock-0.csv"
ROUTES = ["/api/menus/stock/", RUN, BLOCK, CSV]


def test_the_visible_tree_in_order(reader: Client, screen_menu: Menu) -> None:
    plants, stock = reader.get("/api/menus/").json()

    assert (plants["slug"], plants["parent"], plants["depth"]) == ("plants", None, 0)
    assert (stock["slug"], stock["parent"], stock["depth"]) == ("stock", "plants", 1)
    assert stock["name"] == "Stock"
    assert stock["label"] == named("Stock")
    assert stock["screen"] == "stock"


def test_a_menu_tells_what_can_be_asked(
    reader: Client, user: User, make_screen: MakeScreen, make_menu: MakeMenu
) -> None:
    parameters = [{"name": "limit", "type": "integer", "default": 3}]
    screen = make_screen("asks", parameters=parameters)
    menu = make_menu("asks", kind="screen", screen=screen)
    grant("view_menu", menu, to=user, actor=None)

    told = reader.get("/api/menus/asks/").json()

    assert told["title"] == "Screen asks"
    assert told["version"] == 1
    assert told["parameters"] == [
        {"name": "limit", "type": "integer", "required": False, "default": "3",
         "choices": [], "title": "limit"}
    ]  # fmt: skip
    assert told["blocks"][0]["address"] == "/api/menus/asks/blocks/stock-0/"

    refused = reader.get("/api/menus/asks/run/?limit=many&colour=red")
    assert refused.status_code == 400
    found = {each["name"]: each["rule"] for each in refused.json()["errors"]}
    assert found == {"limit": "type", "colour": "unknown"}
    assert all(each["message"] for each in refused.json()["errors"])
    for address in ("blocks/stock-0/", "blocks/stock-0.csv"):
        assert reader.get(f"/api/menus/asks/{address}?limit=x").status_code == 400


def test_a_run_answers_every_block_even_when_one_fails(
    reader: Client, user: User, make_screen: MakeScreen, make_menu: MakeMenu, stock: Any
) -> None:
    menu = make_menu("wall", kind="screen", screen=make_screen("wall", blocks=2))
    grant("view_menu", menu, to=user, actor=None)

    good = reader.get("/api/menus/wall/run/").json()
    stock.enabled = False
    stock.save()
    bad = reader.get("/api/menus/wall/run/")

    assert [each["id"] for each in good["blocks"]] == ["stock-0", "stock-1"]
    assert good["blocks"][0]["rows"][0] == ["Seoul", 12]
    assert good["title"] == "Screen wall"
    assert bad.status_code == 200
    assert {each["state"] for each in bad.json()["blocks"]} == {"failed"}
    assert reader.get("/api/menus/wall/blocks/stock-0.csv").status_code == 502


def test_one_block_as_json_and_csv(reader: Client, screen_menu: Menu) -> None:
    told = reader.get(BLOCK).json()
    exported = reader.get(CSV, headers={"Accept": "text/csv"})

    assert told["state"] == "ok"
    assert told["columns"][0]["name"] == "site"
    assert exported["Content-Type"] == "text/csv; charset=utf-8"
    assert body(exported).startswith("site,units")
    assert body(reader.get(f"{CSV}?bom=1")).startswith("\ufeffsite")


@pytest.mark.parametrize("address", ROUTES)
def test_another_tenant_and_unknown_menus_are_not_found(
    stranger: Client, reader: Client, screen_menu: Menu, address: str
) -> None:
    assert stranger.get(address).status_code == 404
    assert reader.get(address.replace("/stock/", "/never/")).status_code == 404
    assert stranger.get("/api/menus/").json() == []


@pytest.mark.parametrize("address", ["/api/menus/", *ROUTES])
def test_nobody_gets_in_without_signing_in(
    client: Client, screen_menu: Menu, address: str
) -> None:
    assert client.get(address).status_code == 401


def test_an_unknown_block_is_not_found(reader: Client, screen_menu: Menu) -> None:
    assert reader.get("/api/menus/stock/blocks/never/").status_code == 404
    assert reader.get("/api/menus/plants/run/").status_code == 404


def test_the_openapi_document_is_valid_and_warns_of_nothing(tmp_path: Any) -> None:
    file = tmp_path / "schema.json"

    call_command(
        "spectacular", "--fail-on-warn", "--validate",
        "--format", "openapi-json", "--file", str(file),
    )  # fmt: skip

    paths = json.loads(file.read_text())["paths"]
    assert {path for path in paths if path.startswith("/api/menus/")} == {
        "/api/menus/",
        "/api/menus/{slug}/",
        "/api/menus/{slug}/run/",
        "/api/menus/{slug}/blocks/{block}/",
        "/api/menus/{slug}/blocks/{block}.csv",
    }
    assert reverse("api-menus") == "/api/menus/"


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("read", {"/api/menus/", "/api/menus/stock/"}),
        ("run", {RUN, BLOCK}),
        ("export", {CSV}),
    ],
)
def test_a_token_opens_what_its_scope_says(
    screen_menu: Menu, user: User, acme: Tenant, scope: str, allowed: set[str]
) -> None:
    expires = timezone.now() + timedelta(days=1)
    _token, secret = issue_token(
        user, tenant=acme, name="robot", scopes=[scope], expires_at=expires
    )
    headers = {"Authorization": f"Bearer {secret}"}

    opened = {
        address
        for address in ["/api/menus/", *ROUTES]
        if Client().get(address, headers=headers).status_code == 200
    }

    assert opened == allowed

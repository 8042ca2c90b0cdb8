"""Readers' pages: complete without scripts, streamed, and closed to strangers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from menus.models import Favourite, Menu, RecentVisit
from menus.personal import recent_ids, set_favourite
from tenants.models import User
from tenants.permissions import grant
from tenants.scope import Actor
from tests.menus.conftest import MakeMenu, MakeScreen, named

MENU = "/m/stock/"
BLOCK = "/m/stock/blocks/stock-0/"
CSV = "/m/stock/blocks/stock-0.csv"


def body(response: Any) -> str:
    """Read a response to its end, streamed or not. It is not closed: see Django's
    ``request_finished``, which would close the test's own connection."""
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return str(response.content.decode())


# --- Home -------------------------------------------------------------------------
def test_a_visitor_is_sent_to_sign_in(client: Client, screen_menu: Menu) -> None:
    for address in ("/", MENU, BLOCK, CSV):
        response = client.get(address)

        assert response.status_code == 302
        assert response["Location"].startswith("/login/")


def test_home_shows_the_tree_and_a_card_for_each_screen(
    reader: Client, screen_menu: Menu
) -> None:
    html = body(reader.get("/"))

    assert re.search(r'<nav class="menu-tree" aria-label="Menu">', html)
    # In the tree, as a card, and where two of the first steps lead.
    assert html.count('href="/m/stock/"') == 4
    assert "<title>Portal home | Signalbox</title>" in html
    assert '<html lang="en"' in html
    assert "skip-to-content-link" in html
    assert '<main id="content-start"' in html


def test_home_of_a_user_without_menus_names_who_can_help(
    reader: Client, make_menu: MakeMenu
) -> None:
    make_menu("plants")

    html = body(reader.get("/"))

    assert "Nobody gave you a menu yet" in html
    assert "Ask an administrator of Acme" in html
    assert "plants" not in html


def test_home_asks_the_same_queries_however_many_menus_there_are(
    reader: Client,
    screen_menu: Menu,
    make_menu: MakeMenu,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(50) as few:
        reader.get("/")
    for number in range(15):
        make_menu(f"g{number}", parent=screen_menu.parent)
        address = f"https://example.org/{number}"
        make_menu(f"l{number}", parent=screen_menu.parent, kind="link", url=address)

    with django_assert_max_num_queries(len(few)) as many:
        html = body(reader.get("/"))

    assert "/m/l14/" in html
    # Three of them are for the first steps: what is known, visits, the audit trail.
    assert len(many) == len(few) == 12


# --- Screens ----------------------------------------------------------------------
def test_a_screen_streams_its_shell_first_and_its_blocks_after(
    reader: Client, screen_menu: Menu
) -> None:
    response: Any = reader.get(MENU)
    pieces = [piece.decode() for piece in response.streaming_content]

    assert response.streaming
    assert response["X-Accel-Buffering"] == "no"
    assert "no-store" in response["Cache-Control"]
    assert "<h1>Screen stock</h1>" in pieces[0]
    assert '<nav class="menu-tree"' in pieces[0]
    assert '<slot name="b-stock-0">' in pieces[0]
    assert "Seoul" not in pieces[0]
    assert "Seoul" in "".join(pieces[1:])
    assert pieces[-1].rstrip().endswith("</html>")


def test_a_screen_needs_no_script_and_names_where_it_stands(
    reader: Client, screen_menu: Menu
) -> None:
    html = body(reader.get(MENU))

    assert "Seoul" in html
    assert "Busan" in html
    assert "nav_sidebar.js" not in html
    scripts = re.findall(r"<script[^>]*>", html)
    assert not [tag for tag in scripts if "defer" in tag]
    assert not re.search(r"<script(?![^>]*(?:src=|application/json))", html)
    assert "style=" not in html
    assert "onclick" not in html
    assert '<a href="/m/stock/" aria-current="page">' in html
    assert re.search(r"<details open><summary[^>]*>.*Plants", html)
    assert '<a href="/m/plants/">Plants</a>' in html
    assert 'name="htmx-config"' in html
    assert '"allowEval":false' in html


def test_one_block_and_twelve_ask_the_same_number_of_queries(
    reader: Client,
    screen_menu: Menu,
    make_screen: MakeScreen,
    make_menu: MakeMenu,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    screen = make_screen("wall", blocks=12)
    make_menu("wall", kind="screen", screen=screen, parent=screen_menu.parent)
    body(reader.get(MENU))
    body(reader.get("/m/wall/"))

    with django_assert_max_num_queries(60) as one:
        body(reader.get(MENU))
    with django_assert_max_num_queries(60) as twelve:
        html = body(reader.get("/m/wall/"))

    assert html.count("Seoul") >= 12
    assert len(one) == len(twelve)
    assert len(one) <= 14


@pytest.mark.parametrize("page", ["-1", "0", "x", "9" * 30])
def test_a_page_number_that_is_none_is_told_and_nothing_runs(
    reader: Client, screen_menu: Menu, page: str
) -> None:
    response = reader.get(MENU, {"page": page})

    html = body(response)
    assert response.status_code == 400
    assert page in html
    assert "No block was run" in html


def test_wrong_arguments_are_told_at_their_fields_and_nothing_runs(
    reader: Client,
    user: User,
    make_screen: MakeScreen,
    make_menu: MakeMenu,
) -> None:
    parameters = [
        {"name": "limit", "type": "integer", "maximum": 9, "default": 3},
        {"name": "day", "type": "date", "label": named("Day")},
        {"name": "open", "type": "boolean"},
        {"name": "site", "type": "choice", "choices": ["seoul", "busan"]},
        {"name": "tags", "type": "list"},
    ]
    screen = make_screen("asks", parameters=parameters)
    menu = make_menu("asks", kind="screen", screen=screen)
    grant("view_menu", menu, to=user, actor=None)

    response = reader.get("/m/asks/?limit=12&day=yesterday&site=ulsan&colour=red")
    html = body(response)

    assert response.status_code == 400
    assert not response.streaming
    for name in ("limit", "day", "site"):
        assert f'id="parameter-{name}-errors"' in html
    assert 'id="parameter-tags-errors"' not in html
    assert "colour" in html.split('class="card problem"')[1].split("</div>")[0]
    assert 'value="yesterday"' in html
    assert "No block was run" in html
    assert "Seoul" not in html
    assert RecentVisit.objects.count() == 1

    for address in ("blocks/stock-0/", "blocks/stock-0.csv"):
        refused = reader.get(f"/m/asks/{address}?limit=12")
        assert refused.status_code == 400
        assert 'id="parameter-limit-errors"' in body(refused)

    good = body(reader.get("/m/asks/?limit=2&open=true&site=busan&tags=a,b"))
    assert '<option value="busan" selected>' in good
    assert 'value="a,b"' in good
    assert "Seoul" in good


def test_head_leaves_no_run_and_no_visit(reader: Client, screen_menu: Menu) -> None:
    for address in (MENU, BLOCK, CSV):
        response = reader.head(address)

        assert response.status_code == 200
        assert not response.streaming
    assert RecentVisit.objects.count() == 0


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_pages_are_read_only(reader: Client, screen_menu: Menu, method: str) -> None:
    assert getattr(reader, method)(MENU).status_code == 405


# --- One block --------------------------------------------------------------------
def test_a_block_alone_is_a_whole_page_or_a_fragment_for_htmx(
    reader: Client, screen_menu: Menu
) -> None:
    whole = body(reader.get(BLOCK))
    fragment = body(reader.get(BLOCK, headers={"HX-Request": "true"}))

    assert "<h1>Stock 0</h1>" in whole
    assert "Seoul" in whole
    assert fragment.startswith("<section") or "<section" in fragment[:300]
    assert "<html" not in fragment
    assert "Seoul" in fragment


def test_a_block_as_csv_is_safe_for_spreadsheets(
    reader: Client, screen_menu: Menu
) -> None:
    response = reader.get(CSV)
    text = body(response)

    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    expected = 'attachment; filename="stock-stock-0.csv"'
    assert response["Content-Disposition"] == expected
    assert text.splitlines()[:2] == ["site,units", "Seoul,12"]
    assert "\n=1+1" not in text
    assert body(reader.get(f"{CSV}?bom=1")) == f"\ufeff{text}"


def test_a_failed_block_has_no_csv_and_says_why(
    reader: Client, screen_menu: Menu, stock: Any
) -> None:
    stock.sql = "SELECT nothing FROM nowhere"
    stock.save()

    response = reader.get(CSV)

    assert response.status_code == 502
    assert "Nothing to export" in body(response)


# --- Groups and links -------------------------------------------------------------
def test_a_group_shows_what_is_below_it(reader: Client, screen_menu: Menu) -> None:
    html = body(reader.get("/m/plants/"))

    assert "<h1>Plants</h1>" in html
    assert html.count('href="/m/stock/"') == 2


def test_a_link_is_shown_and_not_followed(
    reader: Client, screen_menu: Menu, make_menu: MakeMenu
) -> None:
    make_menu(
        "docs", kind="link", url="https://example.org/a?b=c", parent=screen_menu.parent
    )

    response = reader.get("/m/docs/")

    assert response.status_code == 200
    assert 'href="https://example.org/a?b=c"' in body(response)
    assert reader.get("/m/docs/blocks/x/").status_code == 404


# --- Favourites and recent visits --------------------------------------------------
def test_favourites_are_toggled_by_a_form_and_shown_at_home(
    reader: Client, screen_menu: Menu
) -> None:
    toggle = reverse("menu-favourite", args=["stock"])

    response = reader.post(toggle, {"wanted": "yes", "next": "/m/stock/?a=1"})

    assert (response.status_code, response["Location"]) == (302, "/m/stock/?a=1")
    assert "Favourites" in body(reader.get("/"))
    assert 'aria-pressed="true"' in body(reader.get(MENU))

    away = reader.post(toggle, {"wanted": "no", "next": "https://evil.example/"})

    assert away["Location"] == "/m/stock/"
    assert Favourite.objects.count() == 0
    assert "Favourites" not in body(reader.get("/"))


def test_the_favourite_form_carries_its_token(screen_menu: Menu, user: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user, backend="tenants.backends.TenantBackend")

    assert browser.post(reverse("menu-favourite", args=["stock"])).status_code == 403


def test_recent_visits_are_kept_once_each_newest_first(
    reader: Client, screen_menu: Menu, actor: Actor
) -> None:
    for address in (MENU, "/m/plants/", MENU):
        body(reader.get(address))

    assert recent_ids(actor) == (screen_menu.pk, screen_menu.parent_id)
    assert "Recently opened" in body(reader.get("/"))


def test_a_favourite_that_was_hidden_later_is_not_shown(
    reader: Client, screen_menu: Menu, actor: Actor, user: User
) -> None:
    set_favourite(actor, screen_menu, wanted=True)
    grant("hide_menu", screen_menu, to=user, actor=None)

    html = body(reader.get("/"))

    assert "Favourites" not in html
    assert "/m/stock/" not in html

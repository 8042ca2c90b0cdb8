"""menus/views.py: what strangers do not find, and the shell around a page."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from menus.models import Menu
from menus.services import create_menu
from tenants.models import User
from tenants.permissions import grant
from tenants.scope import Actor
from tests.menus.test_views import BLOCK, CSV, MENU, body


# --- Strangers ----------------------------------------------------------------------
@pytest.mark.parametrize("address", [MENU, "/m/plants/", BLOCK, CSV])
def test_another_tenant_finds_nothing(
    stranger: Client, screen_menu: Menu, address: str
) -> None:
    hidden = stranger.get(address)
    absent = stranger.get(address.replace("stock", "never").replace("plants", "never"))

    assert hidden.status_code == absent.status_code == 404
    assert "Page not found" in body(hidden)
    assert "Screen stock" not in body(hidden)


def test_another_tenant_cannot_pin_a_menu(stranger: Client, screen_menu: Menu) -> None:
    assert stranger.post(reverse("menu-favourite", args=["stock"])).status_code == 404


def test_what_one_may_not_see_is_told_as_what_is_not_there(
    reader: Client, screen_menu: Menu, user: User
) -> None:
    grant("hide_menu", screen_menu, to=user, actor=None)

    hidden, absent = reader.get(MENU), reader.get("/m/never/")

    assert hidden.status_code == absent.status_code == 404
    token = re.compile(r'csrfmiddlewaretoken" value="[^"]+"')
    shown = [
        token.sub("", body(each)).replace(slug, "")
        for each, slug in ((hidden, "stock"), (absent, "never"))
    ]
    assert shown[0] == shown[1]


def test_an_unknown_block_is_not_found(reader: Client, screen_menu: Menu) -> None:
    assert reader.get("/m/stock/blocks/never/").status_code == 404
    assert reader.get("/m/stock/blocks/never.csv").status_code == 404


# --- The shell ----------------------------------------------------------------------
def test_names_of_menus_are_text_and_never_markup(
    reader: Client, user: User, in_acme: object
) -> None:
    label = {"en": "<script>alert(1)</script>", "ko": "날씨"}
    menu = create_menu(
        "odd", label=label, kind="link", url="https://example.org/", actor=None
    )
    grant("view_menu", menu, to=user, actor=None)

    html = body(reader.get("/")) + body(reader.get("/m/odd/"))

    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_the_page_speaks_the_readers_language(
    reader: Client, screen_menu: Menu, user: User
) -> None:
    user.language = "ko"
    user.save()

    html = body(reader.get(MENU))

    assert '<html lang="ko"' in html
    assert "Stock 한글" in html
    assert "포털 홈" in html


def test_staff_find_the_editor_and_readers_do_not(
    reader: Client, screen_menu: Menu, client: Client, admin_actor: Actor
) -> None:
    assert "/screens/stock/edit/" not in body(reader.get(MENU))

    staff = Client()
    admin = User.objects.get(pk=admin_actor.user_id)
    staff.force_login(admin, backend="tenants.backends.TenantBackend")

    assert "/screens/stock/edit/" in body(staff.get(MENU))


def test_a_menu_whose_screen_is_not_published_is_not_found_by_superusers_either(
    screen_menu: Menu, admin_actor: Actor
) -> None:
    staff = Client()
    admin = User.objects.get(pk=admin_actor.user_id)
    staff.force_login(admin, backend="tenants.backends.TenantBackend")
    assert screen_menu.screen is not None
    screen_menu.screen.retired = True
    screen_menu.screen.save()

    assert staff.get(MENU).status_code == 404


def test_the_page_of_a_broken_portal_needs_nothing(client: Client) -> None:
    from django.test import RequestFactory
    from django.views.defaults import server_error

    response = server_error(RequestFactory().get("/"))

    assert response.status_code == 500
    assert "문제가 생겼습니다" in response.content.decode()

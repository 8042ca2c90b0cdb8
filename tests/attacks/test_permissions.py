"""Doors inside one tenant: hidden menus, the editor, forms, logins and redirects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import get_resolver, reverse

from connectors.models import Operation, OperationTeamPermission
from menus.models import Menu
from screens.models import Screen, ScreenVersion
from tenants.models import ApiToken, Team, User
from tenants.permissions import grant
from tenants.scope import Actor, using_tenant
from tests.attacks.conftest import BACKEND, SignIn, World
from tests.attacks.pages import body_of, filled, routes

HIDDEN = "resilience"
READERS = [
    ("menu", []),
    ("menu-favourite", []),
    ("menu-block", ["static"]),
    ("menu-block-csv", ["static"]),
    ("api-menu", []),
    ("api-menu-run", []),
    ("api-menu-block", ["static"]),
    ("api-menu-block-csv", ["static"]),
]


def hide(world: World, slug: str = HIDDEN) -> None:
    """Deny a menu to the operator; a deny counts more than the team's grant."""
    with using_tenant(world.hanbit):
        menu = Menu.objects.get(slug=slug)
    actor = Actor(user_id=world.admin.pk, tenant_id=world.hanbit.pk)
    grant("hide_menu", menu, to=world.operator, actor=actor)


@pytest.mark.parametrize(("name", "more"), READERS)
@pytest.mark.parametrize(
    "method", ["get", "head", "options", "post", "put", "delete", "patch"]
)
def test_a_hidden_menu_answers_as_no_menu(
    world: World, operator: Client, method: str, name: str, more: list[str]
) -> None:
    hide(world)
    call = getattr(operator, method)

    hidden = call(reverse(name, args=[HIDDEN, *more]))
    missing = call(reverse(name, args=["no-such-menu", *more]))

    assert hidden.status_code == missing.status_code
    assert method == "options" or hidden.status_code in {404, 405}
    assert (
        body_of(hidden).replace(HIDDEN, "")
        == body_of(missing).replace("no-such-menu", "")
        or hidden.status_code == 404
    )


def test_a_hidden_menu_is_in_no_list(world: World, operator: Client) -> None:
    operator.post(reverse("menu-favourite", args=[HIDDEN]))
    operator.get(reverse("menu", args=[HIDDEN]))
    assert f"/m/{HIDDEN}/" in body_of(operator.get("/"))

    hide(world)

    assert HIDDEN not in body_of(operator.get("/"))
    assert HIDDEN not in body_of(operator.get("/api/menus/"))


def test_hiding_a_group_hides_what_is_below(world: World, operator: Client) -> None:
    hide(world, "inside-group")

    for slug in ("inside-group", "inside", HIDDEN):
        assert operator.get(reverse("menu", args=[slug])).status_code == 404
        assert operator.get(reverse("api-menu", args=[slug])).status_code == 404


def test_a_deny_beats_an_allow_on_the_same_menu(world: World, operator: Client) -> None:
    hide(world)
    with using_tenant(world.hanbit):
        menu = Menu.objects.get(slug=HIDDEN)
    grant("view_menu", menu, to=world.operator, actor=None)

    assert operator.get(reverse("api-menu", args=[HIDDEN])).status_code == 404


def document(operation: str = "penguins") -> dict[str, Any]:
    return {
        "version": 1,
        "title": {"en": "T"},
        "blocks": [
            {
                "id": "a",
                "title": {"en": "A"},
                "source": {"operation": operation},
                "responses": {"default": {"format": "table"}},
            }
        ],
    }


@pytest.mark.parametrize("source", ["operation", "decision_table"])
def test_who_may_not_use_an_operation_neither_previews_nor_publishes_it(
    world: World, operator: Client, source: str
) -> None:
    body = document()
    if source == "decision_table":
        body["blocks"][0]["source"] = {"decision_table": "quake-list-by-plan"}
        body["blocks"][0]["responses"] = {
            name: {"format": "table"} for name in ("default", "limited", "full")
        }
    text = json.dumps(body)
    OperationTeamPermission.objects.all().delete()
    with using_tenant(world.hanbit):
        before = Screen.objects.get(key="weather").published_id

    shown = operator.post(
        reverse("screen-preview", args=["weather"]), {"document": text}
    )
    operator.post(
        reverse("screen-edit", args=["weather"]),
        {"document": text, "base_version": "1"},
    )
    published = operator.post(
        reverse("screen-publish", args=["weather"]), {"number": "2"}
    )
    reverted = operator.post(
        reverse("screen-revert", args=["weather"]), {"number": "2"}
    )

    assert shown.status_code == published.status_code == reverted.status_code == 422
    with using_tenant(world.hanbit):
        assert Screen.objects.get(key="weather").published_id == before
        assert ScreenVersion.objects.filter(screen__key="weather").count() == 2


@pytest.mark.parametrize("who", ["viewer", "plain staff"])
def test_the_editor_is_for_staff_who_may_change_screens(
    world: World, sign_in: SignIn, who: str
) -> None:
    user = world.operator if who == "plain staff" else world.viewer
    Team.objects.get(label="Operators").permissions.clear()
    if who == "viewer":
        user.user_permissions.set(Permission.objects.all())
    browser = sign_in(user)

    for method, page in [
        ("get", "edit"),
        ("post", "edit"),
        ("post", "preview"),
        ("get", "compare"),
        ("post", "publish"),
        ("post", "revert"),
        ("get", "properties"),
        ("post", "properties"),
        ("get", "versions"),
        ("post", "copy"),
    ]:
        for key in ("weather", "no-such-screen"):
            address = reverse(f"screen-{page}", args=[key])
            assert getattr(browser, method)(address).status_code == 403, (page, key)


def test_a_reader_gets_into_no_page_of_the_admin(world: World, viewer: Client) -> None:
    for route, _converters in routes():
        if not route.startswith("admin/") or "<regex>" in route:
            continue
        if route.startswith(("admin/login/", "admin/logout/", "admin/r/")):
            continue
        response = viewer.get(filled(route, "1"))
        assert response.status_code in {302, 403, 405}, route
        assert response.status_code != 302 or "/login/" in response["Location"], route


def test_a_visitor_gets_into_nothing(world: World, client: Client) -> None:
    open_to_all = {
        "login/", "logout/", "set-language/", "healthz", "readyz", "admin/login/",
        "screens/schema.json", "api/schema/", "api/docs/", "admin/r/<path:row>",
    }  # fmt: skip
    for route, _converters in routes():
        if route in open_to_all or "<regex>" in route or "logout/" in route:
            continue
        if route.startswith("admin/r/"):
            continue
        for method in ("get", "post"):
            response = getattr(client, method)(filled(route, "1"))
            status = response.status_code
            assert status in {302, 401, 403, 405}, (method, route)
            assert status != 302 or "/login/" in response["Location"], route


def test_every_form_needs_its_token(world: World) -> None:
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(world.admin, backend=BACKEND)
    known = set(get_resolver().reverse_dict)
    assert known

    for route, _converters in routes():
        if "<regex>" in route or route in {"healthz", "readyz", "metrics"}:
            continue
        response = browser.post(filled(route, "1"), {"post": "yes"})
        assert response.status_code in {403, 404, 405}, route


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "\t//evil.example",
    "http:///evil.example",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "/\t/evil.example",
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_no_next_leads_out_of_the_portal(
    world: World, operator: Client, wanted: str
) -> None:
    world.operator.set_password("correct horse")
    world.operator.save()
    fresh = Client()
    who = {"username": "operator", "password": "correct horse"}
    operator.force_login(world.operator, backend=BACKEND)

    for response in (
        operator.post("/m/overview/favourite/", {"next": wanted}),
        operator.post("/set-language/", {"language": "en", "next": wanted}),
        operator.post("/switch-tenant/", {"key": "hanbit", "next": wanted}),
        operator.get("/login/", {"next": wanted}),
        operator.post("/logout/", {"next": wanted}),
        fresh.post("/login/", {**who, "next": wanted}),
        Client().post(f"/admin/login/?next={wanted}", {**who, "next": wanted}),
    ):
        assert response.status_code == 302
        assert response["Location"].startswith("/"), response["Location"]
        assert "evil" not in response["Location"].split("?")[0]


def test_guessing_a_password_locks_the_name_out(world: World) -> None:
    world.operator.set_password("correct horse")
    world.operator.save()
    for address in ("/login/", "/admin/login/"):
        for _attempt in range(5):
            Client().post(address, {"username": "operator", "password": "guess"})

    answers = [
        Client().post(address, {"username": name, "password": "correct horse"})
        for address in ("/login/", "/admin/login/")
        for name in ("operator", "operator ")
    ]

    assert [answer.status_code for answer in answers] == [429] * 4


def test_a_wrong_name_and_a_wrong_password_are_told_alike(world: World) -> None:
    answers = [
        body_of(Client().post("/login/", {"username": name, "password": "guess"}))
        for name in ("viewer", "nobodyyy")
    ]

    assert answers[0].replace("viewer", "") != ""
    assert _message(answers[0]) == _message(answers[1])


def _message(html: str) -> str:
    start = html.index('class="errornote"')
    return html[start : html.index("</p>", start)]


def test_signing_in_changes_the_session(world: World) -> None:
    world.viewer.set_password("correct horse")
    world.viewer.save()
    browser = Client()
    browser.get("/login/")
    planted = browser.session
    planted["planted"] = "by the attacker"
    planted.save()
    before = planted.session_key

    browser.post("/login/", {"username": "viewer", "password": "correct horse"})

    assert browser.session.session_key != before
    assert browser.get("/").status_code == 200
    stale = Client()
    stale.cookies["sessionid"] = str(before)
    assert stale.get("/").status_code == 302


def test_a_user_switched_off_is_out_at_once(world: World, operator: Client) -> None:
    User.objects.filter(pk=world.operator.pk).update(is_active=False)

    assert operator.get("/").status_code == 302
    assert operator.get("/api/menus/").status_code in {401, 403}


def test_staff_cannot_make_themselves_more(world: World, insider: Client) -> None:
    """Not through the user's page, a team's permissions, or somebody's token."""
    me = world.insider
    insider.post(
        f"/admin/tenants/user/{me.pk}/change/",
        {"username": me.username, "is_superuser": "on", "is_staff": "on"},
    )
    insider.post(f"/admin/tenants/user/{world.admin.pk}/password/", {"password1": "x"})
    insider.post(
        "/admin/tenants/apitoken/add/",
        {
            "user": world.admin.pk,
            "name": "mine",
            "scopes": ["read"],
            "expires_at_0": "2099-01-01",
            "expires_at_1": "00:00",
        },
    )
    team = Team.objects.get(label="Operators")
    held = set(team.permissions.values_list("pk", flat=True))
    insider.post(
        f"/admin/tenants/team/{team.pk}/change/",
        {"label": "Operators", "permissions": [1, 2, 3], "is_superuser": "on"},
    )

    me.refresh_from_db()
    assert not me.is_superuser
    assert not ApiToken.all_tenants.filter(user=world.admin).exists()
    assert set(team.permissions.values_list("pk", flat=True)) == held
    assert set(
        Team.objects.get(pk=team.pk).permissions.values_list("pk", flat=True)
    ) == (set(team.permissions.values_list("pk", flat=True)))


def test_a_source_may_not_read_the_portals_own_database(
    world: World, insider: Client, settings: Any
) -> None:
    from django.db import connection

    name = connection.settings_dict["NAME"]
    engine = connection.vendor
    address = f"{engine}:///{name}"
    if engine == "postgresql":
        folder = connection.settings_dict["HOST"] or connection.settings_dict[
            "OPTIONS"
        ].get("host", "")
        address = f"postgresql://signalbox@/{name}?host={folder}"
    given = {
        "key": "inside-out",
        "kind": "sql",
        "address": address,
        "label": "{}",
        "headers": "{}",
        "auth": "none",
        "max_body_bytes": 10_000,
        "connect_timeout_ms": 1_000,
        "read_timeout_ms": 1_000,
    }

    response = insider.post("/admin/connectors/datasource/add/", given)

    assert response.status_code == 200
    with using_tenant(world.hanbit):
        assert not Operation.objects.filter(source__key="inside-out").exists()
        assert "errornote" in body_of(response)

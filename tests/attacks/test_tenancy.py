"""Staff of one tenant against another: nothing seen, changed, or known to exist."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages import get_messages
from django.db import models
from django.test import Client
from django.urls import NoReverseMatch, reverse

from branching.models import DecisionTable
from connectors.models import DataSource, Operation, Parameter
from menus.models import Favourite, Menu
from observability.services import flush, measure
from screens.models import Screen, ScreenVersion
from tenants.models import ApiToken, Membership, Team, Tenant, User
from tenants.scope import using_tenant
from tenants.tokens import issue_token
from tests.attacks.conftest import MARK, SignIn, World
from tests.attacks.pages import body_of, filled, in_a_week, routes

MISSING = 999_999_999
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
PAGES = ("change", "delete", "history")


def address_of(model: type[models.Model], page: str, *args: object) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


def said(client: Client, address: str, number: object) -> tuple[int, str, str]:
    """Answer of an address, in which the number asked for is no difference."""
    response: Any = client.get(address)
    body = body_of(response)
    told = "|".join(str(each) for each in get_messages(response.wsgi_request))
    assert MARK not in body
    return (
        response.status_code,
        response.headers.get("Location", "").replace(str(number), "#"),
        told.replace(str(number), "#"),
    )


def test_no_list_of_the_admin_shows_a_row_of_another_tenant(
    world: World, insider: Client
) -> None:
    with measure("operation", key=f"{MARK}-measured", tenant=str(world.namu.pk)):
        pass
    flush()

    shown = {
        model._meta.label: body_of(insider.get(address_of(model, "changelist")))
        for model in MODELS
    }

    assert [label for label, body in shown.items() if MARK in body] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_a_foreign_row_answers_as_that_of_no_row(
    world: World, insider: Client, page: str
) -> None:
    for model in MODELS:
        row = world.rows.get(model)
        if row is None:
            continue
        foreign = said(insider, address_of(model, page, row.pk), row.pk)
        insider.get(reverse("admin:index"))  # shows the messages, and forgets them
        missing = said(insider, address_of(model, page, MISSING), MISSING)
        insider.get(reverse("admin:index"))

        assert foreign == missing, (model, page)


def test_every_route_with_a_foreign_id_or_key_shows_nothing_of_it(
    world: World, insider: Client
) -> None:
    ids = {row._meta.model_name: str(row.pk) for row in world.rows.values()}
    found = []
    for route, converters in routes():
        if "<regex>" in route or route.endswith("logout/"):
            continue
        kind = [*route.split("/"), ""][2] if "object_id" in converters else ""
        names = [f"{MARK}-screen", f"{MARK}-menu"]
        values = [ids.get(kind, "1")] if kind or "id" in converters else names
        for value in values if converters else [""]:
            address = filled(route, value)
            response = insider.get(address)
            body = body_of(response) + response.headers.get("Location", "")
            if MARK in (body.replace(value, "") if value else body):
                found.append(address)

    assert found == []


def test_the_redirect_to_a_row_tells_nothing_of_a_foreign_one(
    world: World, insider: Client
) -> None:
    kind = ContentType.objects.get_for_model(Menu).pk

    foreign = insider.get(f"/admin/r/{kind}/{world.rows[Menu].pk}/")
    missing = insider.get(f"/admin/r/{kind}/{MISSING}/")

    assert MARK not in foreign.headers.get("Location", "")
    assert foreign.status_code == missing.status_code == 404


@pytest.mark.parametrize("name", ["a foreign row", "no row"])
def test_a_post_about_a_foreign_row_changes_nothing(
    world: World, insider: Client, name: str
) -> None:
    before = {
        model: list(model._base_manager.filter(pk=row.pk).values())
        for model, row in world.rows.items()
    }

    for model in MODELS:
        row = world.rows.get(model)
        if row is None:
            continue
        fields = dict.fromkeys(_names(model), "stolen")
        insider.post(address_of(model, "change", row.pk), fields)
        insider.post(address_of(model, "delete", row.pk), {"post": "yes"})
        for action in ("delete_selected", "enable", "disable", "revoke"):
            chosen = {"action": action, "_selected_action": [row.pk], "post": "yes"}
            insider.post(address_of(model, "changelist"), chosen)

    after = {
        model: list(model._base_manager.filter(pk=row.pk).values())
        for model, row in world.rows.items()
    }
    assert after == before


def _names(model: type[models.Model]) -> list[str]:
    return [field.name for field in model._meta.fields]


def test_a_menu_of_another_tenant_is_not_moved(world: World, insider: Client) -> None:
    menu = world.rows[Menu]

    response = insider.post(f"/admin/menus/menu/{menu.pk}/step/", {"to": "down"})

    assert response.status_code == 404


LOOKUPS = [
    (Operation, "source__tenant__key", "namu"),
    (Operation, "source__tenant__id__exact", "1"),
    (Operation, "tenant__key", "namu"),
    (DataSource, "tenant__name__startswith", "N"),
    (ScreenVersion, "screen__tenant__key", "namu"),
    (ScreenVersion, "author__password__startswith", "pbkdf2"),
    (ScreenVersion, "author__username__startswith", MARK),
    (Menu, "screen__published__body__contains", MARK),
    (ApiToken, "user__password__startswith", "pbkdf2"),
    (ApiToken, "user__memberships__tenant__key", "namu"),
    (Team, "user__password__startswith", "pbkdf2"),
    (Team, "tenant__memberships__user__username", "admin"),
]


@pytest.mark.parametrize(("model", "lookup", "value"), LOOKUPS)
def test_a_list_cannot_be_asked_about_rows_behind_a_key(
    world: World, insider: Client, model: Any, lookup: str, value: str
) -> None:
    address = address_of(model, "changelist")

    response = insider.get(address, {lookup: value})

    assert response.status_code in {302, 400}, body_of(response)[:300]
    assert MARK not in body_of(response)


def test_a_list_filtered_by_another_tenant_stays_in_its_own(
    world: World, insider: Client
) -> None:
    for model in MODELS:
        address = address_of(model, "changelist")
        for lookup in ("tenant", "tenant_id", "tenant__exact", "tenant__in"):
            response = insider.get(address, {lookup: str(world.namu.pk)}, follow=True)

            assert response.status_code in {200, 400, 403}, (model, lookup)
            assert MARK not in body_of(response)


def test_popups_and_searches_show_no_foreign_row(world: World, insider: Client) -> None:
    for model in MODELS:
        address = address_of(model, "changelist")
        for query in ("?_popup=1&_to_field=id", "?_to_field=tenant", "?q=amusecre"):
            body = body_of(insider.get(address + query, follow=True))

            assert MARK not in body, (model, query)


def test_no_form_offers_a_foreign_row(world: World, insider: Client) -> None:
    for model in MODELS:
        body = body_of(insider.get(address_of(model, "add"), follow=True))

        assert MARK not in body, model
        for own in _own_rows(model, world):
            page = insider.get(address_of(model, "change", own.pk))
            assert MARK not in body_of(page), (model, own)


def _own_rows(model: type[models.Model], world: World) -> list[Any]:
    if not any(field.name == "tenant" for field in model._meta.fields):
        return []
    rows = model._base_manager.filter(tenant_id=world.hanbit.pk)
    return list(rows.order_by("pk")[:2])


def test_autocomplete_finds_no_foreign_row(world: World, insider: Client) -> None:
    for model in MODELS:
        for field in model._meta.fields:
            if not field.is_relation:
                continue
            asked = {
                "term": "n",
                "app_label": model._meta.app_label,
                "model_name": str(model._meta.model_name),
                "field_name": field.name,
            }
            response = insider.get("/admin/autocomplete/", asked)

            assert response.status_code in {400, 403, 404} or MARK not in body_of(
                response
            )


def test_a_form_takes_no_foreign_key_of_another_tenant(
    world: World, insider: Client
) -> None:
    stolen = world.rows[DataSource].pk
    given = {
        "key": "mine",
        "label": "{}",
        "source": stolen,
        "sql": "SELECT 1 AS one",
        "method": "GET",
        "query": "{}",
        "headers": "{}",
        "columns": "[]",
        "body_kind": "none",
        "body_format": "auto",
        "timeout_ms": 1000,
        "row_limit": 10,
        "keep_last_good_s": 0,
        **_formset("parameters"),
    }

    response = insider.post(address_of(Operation, "add"), given)

    assert response.status_code == 200
    assert not Operation.all_tenants.filter(source=stolen, key="mine").exists()


def _formset(prefix: str, total: int = 0, initial: int = 0) -> dict[str, Any]:
    return {
        f"{prefix}-TOTAL_FORMS": total,
        f"{prefix}-INITIAL_FORMS": initial,
        f"{prefix}-MIN_NUM_FORMS": 0,
        f"{prefix}-MAX_NUM_FORMS": 1000,
    }


def test_an_inline_row_of_another_tenant_is_not_taken_over(
    world: World, insider: Client
) -> None:
    with using_tenant(world.hanbit):
        own = Operation.objects.get(key="rainy-days")
    stolen = world.rows[Parameter]
    given = {
        "key": own.key,
        "label": "{}",
        "source": own.source_id,
        "sql": own.sql,
        "method": "GET",
        "query": "{}",
        "headers": "{}",
        "columns": "[]",
        "body_kind": "none",
        "body_format": "auto",
        "timeout_ms": 1000,
        "row_limit": 10,
        "keep_last_good_s": 0,
        **_formset("parameters", total=1, initial=1),
        "parameters-0-id": stolen.pk,
        "parameters-0-operation": own.pk,
        "parameters-0-name": "year",
        "parameters-0-type": "text",
        "parameters-0-order": 0,
    }

    insider.post(address_of(Operation, "change", own.pk), given)

    kept = Parameter.all_tenants.get(pk=stolen.pk)
    assert (kept.operation_id, kept.name) == (stolen.operation_id, stolen.name)


def test_a_menu_takes_no_screen_parent_team_or_user_of_another_tenant(
    world: World, insider: Client
) -> None:
    rows = world.rows
    for name, value in {
        "screen": rows[Screen].pk,
        "parent": rows[Menu].pk,
        "allowed_teams": rows[Team].pk,
        "denied_users": rows[User].pk,
    }.items():
        given = {
            "label_en": "Mine",
            "slug": f"mine-{name.replace('_', '-')}",
            "kind": "screen" if name == "screen" else "group",
            "enabled": "on",
            name: value,
        }
        response = insider.post(address_of(Menu, "add"), given)

        assert response.status_code == 200, name
        assert not Menu.all_tenants.filter(slug=given["slug"]).exists(), name


def test_a_team_takes_no_person_of_another_tenant(
    world: World, insider: Client
) -> None:
    given = {"label": "Mine", "members": [world.rows[User].pk]}

    response = insider.post(address_of(Team, "add"), given)

    assert response.status_code == 200
    assert not Team.objects.filter(label="Mine").exists()


def test_a_key_that_another_tenant_uses_is_free(world: World, insider: Client) -> None:
    """A refusal would confirm that the other tenant has it."""
    given = {"key": f"{MARK}-screen"}

    response = insider.post(address_of(Screen, "add"), given)

    assert response.status_code == 302
    assert Screen.all_tenants.filter(key=f"{MARK}-screen").count() == 2


EDITOR = [
    ("get", "edit", {}),
    ("post", "edit", {"document": "{}", "base_version": "1"}),
    ("post", "preview", {"document": "{}"}),
    ("get", "compare", {"from": "1", "to": "1"}),
    ("post", "publish", {"number": "1"}),
    ("post", "revert", {"number": "1"}),
]


@pytest.mark.parametrize(("method", "page", "data"), EDITOR)
def test_the_editor_does_not_know_a_foreign_screen(
    world: World, insider: Client, method: str, page: str, data: dict[str, str]
) -> None:
    call = getattr(insider, method)

    foreign = call(reverse(f"screen-{page}", args=[f"{MARK}-screen"]), data)
    missing = call(reverse(f"screen-{page}", args=["no-such-screen"]), data)

    assert foreign.status_code == missing.status_code == 404
    assert MARK not in body_of(foreign).replace(f"{MARK}-screen", "")


READERS = [
    ("get", "menu", []),
    ("head", "menu", []),
    ("post", "menu-favourite", []),
    ("get", "menu-block", ["only"]),
    ("head", "menu-block", ["only"]),
    ("get", "menu-block-csv", ["only"]),
    ("head", "menu-block-csv", ["only"]),
    ("get", "api-menu", []),
    ("options", "api-menu", []),
    ("get", "api-menu-run", []),
    ("get", "api-menu-block", ["only"]),
    ("get", "api-menu-block-csv", ["only"]),
]


@pytest.mark.parametrize(("method", "name", "more"), READERS)
def test_a_foreign_menu_answers_as_no_menu(
    world: World, insider: Client, method: str, name: str, more: list[str]
) -> None:
    call = getattr(insider, method)

    foreign = call(reverse(name, args=[f"{MARK}-menu", *more]))
    missing = call(reverse(name, args=["no-such-menu", *more]))

    assert foreign.status_code == missing.status_code
    assert method == "options" or foreign.status_code == 404
    assert MARK not in body_of(foreign).replace(f"{MARK}-menu", "")
    assert not Favourite.all_tenants.filter(user=world.insider).exists()


def test_a_tenant_that_is_not_yours_cannot_be_entered(
    world: World, insider: Client
) -> None:
    foreign = insider.post(reverse("switch-tenant"), {"key": "namu"})
    missing = insider.post(reverse("switch-tenant"), {"key": "no-such"})
    forged = insider.session
    forged["tenant_id"] = world.namu.pk
    forged.save()

    assert foreign.status_code == missing.status_code == 404
    assert insider.get("/").context["tenant"] == world.hanbit


def test_who_loses_the_membership_is_out_at_once(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world.operator)
    assert browser.get(reverse("menu", args=["overview"])).status_code == 200

    Membership.objects.get(user=world.operator).delete()

    for name, args in (("home", []), ("menu", ["overview"])):
        assert browser.get(reverse(name, args=args)).status_code == 403
    for model in (Screen, Operation, Menu):
        assert browser.get(address_of(model, "changelist")).status_code == 403
    assert browser.get("/screens/weather/edit/").status_code == 403
    assert browser.get("/api/menus/").status_code == 403


def test_an_inactive_tenant_is_closed_at_once(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world.operator)
    assert browser.get(reverse("home")).status_code == 200

    Tenant.objects.filter(pk=world.hanbit.pk).update(is_active=False)

    assert browser.get(reverse("home")).status_code == 403
    assert browser.get(reverse("menu", args=["overview"])).status_code == 403
    assert browser.get("/api/menus/").status_code == 403


def test_who_left_a_tenant_sees_nothing_of_it_on_the_admin_home(
    world: World, sign_in: SignIn
) -> None:
    """Django lists what a user did last, whatever the tenant."""
    person = world.rows[User]
    person.groups.add(Team.objects.get(tenant=world.namu, label="Viewers"))
    browser = sign_in(person)
    browser.post(address_of(Screen, "add"), {"key": f"{MARK}-deed"})
    assert f"{MARK}-deed" in body_of(browser.get("/admin/"))  # told once
    Membership.objects.filter(user=person).delete()
    Membership.objects.create(user=person, tenant=world.hanbit)

    assert f"{MARK}-deed" not in body_of(browser.get("/admin/"))


def test_a_token_stays_in_its_tenant_whatever_the_session_says(
    world: World, sign_in: SignIn
) -> None:
    browser = sign_in(world.admin)
    browser.post(reverse("switch-tenant"), {"key": "namu"})
    _token, secret = issue_token(
        world.admin,
        tenant=world.hanbit,
        name="nightly",
        scopes=["read", "run"],
        expires_at=in_a_week(),
    )
    bearer = {"Authorization": f"Bearer {secret}"}

    for address in (
        "/api/menus/",
        "/api/menus/?tenant=namu",
        "/api/menus/?tenant_id=2",
    ):
        body = body_of(browser.get(address, headers=bearer))
        assert "resilience" in body
        assert MARK not in body
    run = browser.get(f"/api/menus/{MARK}-menu/run/", headers=bearer)
    assert run.status_code == 404


def test_a_token_opens_no_page_outside_the_api(world: World, client: Client) -> None:
    _token, secret = issue_token(
        world.admin,
        tenant=world.hanbit,
        name="nightly",
        scopes=["read"],
        expires_at=in_a_week(),
    )
    bearer = {"Authorization": f"Bearer {secret}"}

    for address in ("/", "/m/overview/", "/admin/", "/screens/weather/edit/"):
        assert client.get(address, headers=bearer).status_code == 302, address
    assert client.get("/metrics", headers=bearer).status_code == 401


def test_latency_and_portal_series_show_the_own_tenant_only(
    world: World, insider: Client
) -> None:
    with measure("operation", key=f"{MARK}-measured", tenant=str(world.namu.pk)):
        pass
    flush()

    assert MARK not in body_of(insider.get(reverse("latency"), {"hours": "24"}))
    assert MARK not in body_of(insider.get("/m/inside/"))


def test_metrics_are_not_for_staff_of_a_tenant(world: World, insider: Client) -> None:
    assert insider.get("/metrics").status_code == 401


def test_facts_and_last_good_answers_are_kept_per_tenant(
    world: World, root: Client
) -> None:
    """The demo has the same keys in both: hanbit is on `pro`, namu on `free`."""
    tries = {}
    for key in ("hanbit", "namu", "hanbit"):
        root.post(reverse("switch-tenant"), {"key": key})
        table = DecisionTable.all_tenants.get(tenant__key=key, key="quake-list-by-plan")
        address = f"/admin/branching/decisiontable/{table.pk}/try/?run=1"
        tries[key] = body_of(root.get(address))

    assert "earthquakes-all" in tries["hanbit"]
    assert "earthquakes-all" not in tries["namu"]


def test_the_tables_try_page_of_a_foreign_table_is_missing(
    world: World, insider: Client
) -> None:
    for model, page in (
        (DecisionTable, "branching/decisiontable/{}/try/"),
        (Operation, "connectors/operation/{}/test/"),
    ):
        address = "/admin/" + page.format(world.rows[model].pk)
        assert insider.get(address).status_code == 404
        assert insider.post(address).status_code in {404, 405}


def test_nothing_names_a_foreign_tenant_on_the_own_pages(
    world: World, insider: Client
) -> None:
    for address in ("/", "/admin/", "/m/overview/", "/api/menus/", "/nowhere/"):
        body = body_of(insider.get(address))
        assert "namu" not in body.lower(), address


def test_every_model_of_a_tenant_is_in_the_attack(world: World) -> None:
    """A new page of the admin needs a marked row here, or a reason to be without."""
    without = {
        "demo.Subscription",
        "observability.Measurement",
        "observability.Heartbeat",
        "tenants.Tenant",
    }
    ours = {"tenants", "connectors", "branching", "screens", "menus", "demo"}
    ours.add("observability")
    labels = {model._meta.label for model in MODELS if model._meta.app_label in ours}

    assert labels - without <= {model._meta.label for model in world.rows}


def test_there_is_an_address_for_every_page_attacked() -> None:
    for model in MODELS:
        for page in ("changelist", "add"):
            try:
                address_of(model, page)
            except NoReverseMatch:
                pytest.fail(f"{model} has no {page}")

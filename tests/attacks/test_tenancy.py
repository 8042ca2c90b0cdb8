"""Staff of one tenant against another: nothing seen, changed, or known to exist."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages import get_messages
from django.db import models
from django.test import Client
from django.urls import reverse

from connectors.models import DataSource, Operation, Parameter
from menus.models import Menu
from observability.services import flush, measure
from screens.models import Screen, ScreenVersion
from tenants.models import ApiToken, Team, User
from tenants.scope import using_tenant
from tests.attacks.conftest import MARK, World
from tests.attacks.pages import body_of, filled, routes

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

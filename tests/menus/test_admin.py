"""Staff see the tree, change places and grants; every write goes through the lock."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from menus.models import Menu
from menus.services import tree_damages, visible_menus
from tenants.models import AuditEntry, Team, User
from tenants.permissions import who_else
from tenants.scope import Actor
from tests.menus.conftest import BACKEND, MakeMenu

LIST = "/admin/menus/menu/"


@pytest.fixture
def staff(client: Client, admin_actor: Actor) -> Client:
    admin = User.objects.get(pk=admin_actor.user_id)
    client.force_login(admin, backend=BACKEND)
    return client


def form(**fields: Any) -> dict[str, Any]:
    return {
        "label_ko": "공장", "label_en": "Plants", "slug": "plants", "kind": "group",
        "parent": "", "screen": "", "url": "", "icon": "", "enabled": "on", **fields,
    }  # fmt: skip


def test_the_list_is_indented_and_asks_the_same_queries_at_any_size(
    staff: Client,
    make_menu: MakeMenu,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    top = make_menu("top")
    make_menu("below", parent=top)
    staff.get(LIST)
    with django_assert_max_num_queries(40) as few:
        staff.get(LIST)
    for number in range(30):
        make_menu(f"m{number}", parent=top)

    with django_assert_max_num_queries(40) as many:
        html = staff.get(LIST).content.decode()

    assert "tree-depth-1" in html
    assert "Move Below up" in html
    assert len(many) == len(few)


def test_adding_changing_and_granting_in_one_form(
    staff: Client, user: User, operators: Team, actor: Actor, make_menu: MakeMenu
) -> None:
    response = staff.post(f"{LIST}add/", form(allowed_teams=[operators.pk]))

    assert response.status_code == 302, response.context["errors"]
    menu = Menu.objects.get(slug="plants")
    assert menu.label == {"ko": "공장", "en": "Plants"}
    assert [holder.name for holder in who_else("view_menu", menu)] == ["Operators"]
    make_menu("docs", kind="link", url="https://example.org/", parent=menu)
    assert [seen.slug for seen in visible_menus(actor)] == ["plants", "docs"]

    change = reverse("admin:menus_menu_change", args=[menu.pk])
    assert "Operators" in staff.get(change).content.decode()
    staff.post(change, form(icon="box", denied_users=[user.pk]))

    menu.refresh_from_db()
    assert menu.icon == "box"
    assert who_else("view_menu", menu) == []
    assert [holder.name for holder in who_else("hide_menu", menu)] == ["jo"]
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert actions >= {
        "menu.created", "menu.changed", "permission.granted", "permission.revoked",
    }  # fmt: skip


def test_the_parent_is_chosen_and_never_below_the_menu_itself(
    staff: Client, make_menu: MakeMenu
) -> None:
    top, other = make_menu("plants"), make_menu("other")
    below = make_menu("below", parent=top)
    change = reverse("admin:menus_menu_change", args=[top.pk])

    refused = staff.post(change, form(parent=below.pk))
    moved = staff.post(change, form(parent=other.pk))

    assert "cannot hang under itself" in refused.content.decode()
    assert moved.status_code == 302
    top.refresh_from_db()
    assert top.parent_id == other.pk
    assert tree_damages() == ()


def test_wrong_forms_are_told(staff: Client, make_menu: MakeMenu, user: User) -> None:
    make_menu("plants")

    double = staff.post(f"{LIST}add/", form()).content.decode()
    unnamed = staff.post(
        f"{LIST}add/", form(slug="x", label_ko="", label_en="")
    ).content.decode()
    both = staff.post(
        f"{LIST}add/",
        form(slug="x", allowed_users=[user.pk], denied_users=[user.pk]),
    ).content.decode()

    assert "Another menu has this slug" in double
    assert "in one language at least" in unnamed
    assert "choose either, seen or hidden" in both
    assert Menu.objects.count() == 1


def test_arrows_move_a_menu_by_post_only(staff: Client, make_menu: MakeMenu) -> None:
    make_menu("a")
    b = make_menu("b")
    step = reverse("admin:menus_menu_step", args=[b.pk])

    assert staff.get(step).status_code == 405
    staff.post(step, {"to": "up"})

    assert list(Menu.objects.values_list("slug", flat=True)) == ["b", "a"]


def test_deleting_takes_the_subtree(staff: Client, make_menu: MakeMenu) -> None:
    top = make_menu("top")
    make_menu("below", parent=top)

    staff.post(reverse("admin:menus_menu_delete", args=[top.pk]), {"post": "yes"})

    assert Menu.objects.count() == 0


def test_staff_of_another_tenant_reach_none_of_it(
    stranger: Client, make_menu: MakeMenu
) -> None:
    menu = make_menu("plants")

    assert "plants" not in stranger.get(LIST).content.decode()
    change = stranger.get(reverse("admin:menus_menu_change", args=[menu.pk]))
    assert change.status_code == 302
    step = reverse("admin:menus_menu_step", args=[menu.pk])
    assert stranger.post(step, {"to": "up"}).status_code == 404


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"kind": "screen"}, "screen", "names a screen"),
        ({"kind": "link"}, "url", "has an address"),
        ({"slug": "top"}, "slug", "Another menu has this slug"),
        ({"label_ko": "", "label_en": ""}, "label_ko", "in one language at least"),
    ],
)
def test_a_mistake_is_told_at_its_field(
    staff: Client, make_menu: MakeMenu, fields: dict[str, str], field: str, words: str
) -> None:
    make_menu("top")

    answer = staff.post(f"{LIST}add/", form(**fields))

    errors = answer.context["adminform"].form.errors
    assert list(errors) == [field]
    assert words in str(errors[field])
    assert not Menu.objects.filter(slug="plants").exists()

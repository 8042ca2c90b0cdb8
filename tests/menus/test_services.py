"""What an actor sees: grants to users and teams, in a constant number of queries."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from menus.messages import why_in_words
from menus.models import Menu
from menus.services import menu_for, update_menu, visible_menus, why
from menus.visibility import Rule
from tenants.models import Membership, Team, Tenant, User
from tenants.permissions import grant, revoke
from tenants.scope import Actor
from tests.menus.conftest import MakeMenu, MakeScreen


def slugs(actor: Actor) -> list[str]:
    return [menu.slug for menu in visible_menus(actor)]


@pytest.fixture
def tree(make_menu: MakeMenu) -> dict[str, Menu]:
    plants = make_menu("plants")
    south = make_menu("south", parent=plants)
    return {
        "plants": plants,
        "south": south,
        "docs": make_menu(
            "docs", kind="link", url="https://example.org/", parent=south
        ),
        "help": make_menu("help", kind="link", url="https://example.org/help"),
    }


def test_nothing_given_shows_nothing(tree: dict[str, Menu], actor: Actor) -> None:
    assert visible_menus(actor) == ()
    with pytest.raises(Menu.DoesNotExist):
        menu_for(actor, "docs")


def test_a_grant_to_a_user_or_to_a_team_counts_for_all_below(
    tree: dict[str, Menu], actor: Actor, user: User, operators: Team
) -> None:
    grant("view_menu", tree["help"], to=user, actor=None)
    grant("view_menu", tree["plants"], to=operators, actor=None)

    assert slugs(actor) == ["plants", "south", "docs", "help"]
    assert menu_for(actor, "docs") == tree["docs"]


def test_a_team_that_is_denied_hides_what_the_user_was_allowed_there(
    tree: dict[str, Menu], actor: Actor, user: User, operators: Team
) -> None:
    grant("view_menu", tree["plants"], to=user, actor=None)
    grant("view_menu", tree["south"], to=user, actor=None)
    grant("hide_menu", tree["south"], to=operators, actor=None)

    assert slugs(actor) == []

    revoke("hide_menu", tree["south"], to=operators, actor=None)
    assert slugs(actor) == ["plants", "south", "docs"]


def test_a_menu_under_a_hidden_group_hangs_at_the_top(
    tree: dict[str, Menu], actor: Actor, user: User
) -> None:
    grant("view_menu", tree["docs"], to=user, actor=None)

    (only,) = visible_menus(actor)

    assert (only.slug, only.parent_id, only.depth) == ("docs", None, 0)
    assert only.label.in_language("ko") == "Docs 한글"
    assert only.url == "https://example.org/"


def test_who_left_the_tenant_sees_nothing(
    tree: dict[str, Menu], actor: Actor, user: User, operators: Team
) -> None:
    grant("view_menu", tree["plants"], to=user, actor=None)
    grant("view_menu", tree["plants"], to=operators, actor=None)

    Membership.objects.filter(user=user).delete()

    assert slugs(actor) == []
    assert why(actor, "docs").rule is Rule.NO_MEMBER


def test_superusers_see_every_enabled_menu(
    tree: dict[str, Menu], admin_actor: Actor
) -> None:
    update_menu(tree["help"], actor=None, enabled=False)

    assert slugs(admin_actor) == ["plants", "south", "docs"]


def test_an_actor_of_another_tenant_sees_none_of_it(
    tree: dict[str, Menu], globex: Tenant, user: User
) -> None:
    Membership.objects.create(user=user, tenant=globex)
    grant("view_menu", tree["plants"], to=user, actor=None)

    assert slugs(Actor(user.pk, globex.pk)) == []


def test_a_screen_that_was_retired_leaves_the_menu(
    screen_menu: Menu, actor: Actor
) -> None:
    assert slugs(actor) == ["plants", "stock"]
    assert screen_menu.screen is not None

    screen_menu.screen.retired = True
    screen_menu.screen.save()

    assert slugs(actor) == []
    assert why(actor, "stock").rule is Rule.CLOSED_SCREEN


def test_three_queries_at_any_size(
    tree: dict[str, Menu],
    make_menu: MakeMenu,
    make_screen: MakeScreen,
    actor: Actor,
    user: User,
    operators: Team,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    grant("view_menu", tree["plants"], to=operators, actor=None)
    with django_assert_num_queries(3):
        visible_menus(actor)

    screen = make_screen()
    for number in range(20):
        parent = make_menu(f"group-{number}", parent=tree["plants"])
        menu = make_menu(f"m-{number}", kind="screen", screen=screen, parent=parent)
        grant("view_menu", menu, to=user, actor=None)

    with django_assert_num_queries(3):
        seen = visible_menus(actor)
    assert len(seen) == 43


def test_why_names_rule_menu_and_holder(
    tree: dict[str, Menu], actor: Actor, operators: Team
) -> None:
    assert why(actor, "docs").rule is Rule.NOT_GRANTED

    grant("view_menu", tree["plants"], to=operators, actor=None)
    answer = why(actor, "docs")

    assert (answer.visible, answer.rule) == (True, Rule.GRANTED)
    assert why_in_words(answer) == "Operators was allowed on Plants."
    with pytest.raises(Menu.DoesNotExist):
        why(actor, "nowhere")


def test_every_rule_has_words(tree: dict[str, Menu], actor: Actor) -> None:
    answer = why(actor, "docs")

    for rule in Rule:
        assert why_in_words(type(answer)(rule, "Docs", "jo"))

"""What an actor sees of the menu, why, and every way to change the tree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from menus import visibility
from menus.models import Menu, MenuGroupObjectPermission, MenuUserObjectPermission
from menus.nodes import GRANTS, node_of, rows_for_visibility, with_screen
from menus.reviewing import review_section
from menus.tree import (
    TreeDamaged,
    create_menu,
    delete_menu,
    move_menu,
    repair_tree,
    step_menu,
    tree_damages,
    update_menu,
)
from menus.visibility import Grant, Kind, Rule
from screens.document import Text
from tenants.models import Membership, Team, User
from tenants.scope import Actor, using_tenant

__all__ = [
    "TreeDamaged",
    "VisibleMenu",
    "Why",
    "create_menu",
    "delete_menu",
    "menu_for",
    "move_menu",
    "repair_tree",
    "review_section",
    "step_menu",
    "tree_damages",
    "update_menu",
    "visible_menus",
    "why",
]


@dataclass(frozen=True, slots=True)
class VisibleMenu:
    """One menu as its reader sees it.

    Attributes:
        parent_id: The nearest ancestor the reader sees; None at the top.
        label: Name by language.
        depth: 0 at the top, counted among what the reader sees.
        screen: Key of the screen it opens, or "".
        url: Where a link leads, or "".
    """

    id: int
    parent_id: int | None
    slug: str
    label: Text
    kind: Kind
    depth: int
    screen: str = ""
    url: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """Why an actor sees a menu or not.

    Attributes:
        rule: The rule that decided; its words are in ``menus.messages``.
        decided_at: Name of the menu where it was decided.
        holder: The user or team that was given or denied it; "" for neither.
    """

    rule: Rule
    decided_at: str
    holder: str = ""

    @property
    def visible(self) -> bool:
        return self.rule in {Rule.GRANTED, Rule.SUPERUSER}


@dataclass(frozen=True, slots=True)
class _Given:
    menu_id: int
    grant: Grant
    holder: str


def visible_menus(actor: Actor) -> tuple[VisibleMenu, ...]:
    """Return what the actor sees, in tree order. At most three queries."""
    with using_tenant(actor.tenant_id):
        sees_all = _sees_all(actor)
        if sees_all is None:
            return ()
        menus = list(rows_for_visibility())
        given = () if sees_all else _given(actor)
    by_id = {menu.pk: menu for menu in menus}
    places = visibility.visible(
        [node_of(menu) for menu in menus], _grants(given), sees_all=sees_all
    )
    return tuple(_visible_menu(by_id[place.id], place) for place in places)


def menu_for(
    actor: Actor, slug: str, *, visible: Iterable[VisibleMenu] | None = None
) -> Menu:
    """Return the menu `slug`, with its screen, when the actor sees it.

    Args:
        visible: What ``visible_menus(actor)`` gave, when the caller has it already.

    Raises:
        Menu.DoesNotExist: there is no such menu, or it is hidden: the same answer.
    """
    if visible is None:
        visible = visible_menus(actor)
    ids = [menu.id for menu in visible if menu.slug == slug]
    with using_tenant(actor.tenant_id):
        return with_screen().get(pk__in=ids)


def why(actor: Actor, slug: str) -> Why:
    """Say why the actor sees the menu `slug` or not, naming who was given what.

    Raises:
        Menu.DoesNotExist: the tenant has no such menu.
    """
    with using_tenant(actor.tenant_id):
        menus = list(rows_for_visibility())
        given = _given(actor)
        sees_all = _sees_all(actor)
    menu = next((menu for menu in menus if menu.slug == slug), None)
    if menu is None:
        raise Menu.DoesNotExist(f"No menu {slug} in tenant {actor.tenant_id}.")
    if sees_all is None:
        return Why(Rule.NO_MEMBER, menu.name)
    verdicts = visibility.judge(
        [node_of(menu) for menu in menus], _grants(given), sees_all=sees_all
    )
    verdict = verdicts[menu.pk]
    decided_at = next(menu for menu in menus if menu.pk == verdict.decided_at)
    return Why(verdict.rule, decided_at.name, _holder(given, verdict))


def _sees_all(actor: Actor) -> bool | None:
    """Return whether the actor is a superuser; None for who has no business here."""
    member = Membership.objects.filter(
        user=OuterRef("pk"), tenant=actor.tenant_id, tenant__is_active=True
    )
    users = User.objects.filter(pk=actor.user_id, is_active=True)
    found = users.annotate(member=Exists(member)).values_list("is_superuser", "member")
    for is_superuser, is_member in found:
        if is_superuser or is_member:
            return bool(is_superuser)
    return None


def _given(actor: Actor) -> Sequence[_Given]:
    """Read what the actor and the actor's teams were given. One query."""
    to_user = MenuUserObjectPermission.objects.filter(
        user_id=actor.user_id, content_object__tenant_id=actor.tenant_id
    ).values_list("content_object_id", "permission__codename", "user__username")
    to_teams = MenuGroupObjectPermission.objects.filter(
        group__in=Team.objects.filter(tenant_id=actor.tenant_id, user=actor.user_id),
        content_object__tenant_id=actor.tenant_id,
    ).values_list("content_object_id", "permission__codename", "group__team__label")
    rows = to_user.union(to_teams, all=True)
    return [
        _Given(menu_id, GRANTS[codename], holder)
        for menu_id, codename, holder in rows
        if codename in GRANTS
    ]


def _grants(given: Sequence[_Given]) -> dict[int, frozenset[Grant]]:
    grants: dict[int, frozenset[Grant]] = {}
    for one in given:
        grants[one.menu_id] = grants.get(one.menu_id, frozenset()) | {one.grant}
    return grants


def _visible_menu(menu: Menu, place: visibility.Place) -> VisibleMenu:
    return VisibleMenu(
        id=menu.pk,
        parent_id=place.parent_id,
        slug=menu.slug,
        label=Text(menu.label),
        kind=Kind(menu.kind),
        depth=place.depth,
        screen=menu.screen.key if menu.screen is not None else "",
        url=menu.url,
        icon=menu.icon,
    )


def _holder(given: Sequence[_Given], verdict: visibility.Verdict) -> str:
    wanted = {Rule.GRANTED: Grant.ALLOW, Rule.DENIED: Grant.DENY}.get(verdict.rule)
    holders = [
        one.holder
        for one in given
        if one.menu_id == verdict.decided_at and one.grant is wanted
    ]
    return min(holders, default="")

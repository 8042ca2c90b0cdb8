"""Rows of the tree as the values that visibility is computed from."""

from __future__ import annotations

from django.db.models import QuerySet

from menus.models import Menu
from menus.visibility import Grant, Kind, Node

GRANTS = {"view_menu": Grant.ALLOW, "hide_menu": Grant.DENY}


def menu_nodes() -> tuple[list[Menu], list[Node]]:
    """Return the menus of the tenant in scope, and what visibility needs of them."""
    menus = list(rows_for_visibility())
    return menus, [node_of(menu) for menu in menus]


def rows_for_visibility() -> QuerySet[Menu]:
    return with_screen().only(
        "parent", "slug", "label", "kind", "url", "icon", "enabled",
        "breaks_inheritance", "tree_id", "lft", "screen__key", "screen__retired",
        "screen__published", "tenant", "rght", "level", "screen__tenant",
    )  # fmt: skip


def with_screen() -> QuerySet[Menu]:
    menus: QuerySet[Menu] = Menu.objects.select_related("screen")
    return menus


def node_of(menu: Menu) -> Node:
    screen = menu.screen
    opens = screen is None or (not screen.retired and screen.published_id is not None)
    return Node(
        id=menu.pk,
        parent_id=menu.parent_id,
        kind=Kind(menu.kind),
        enabled=menu.enabled,
        breaks_inheritance=menu.breaks_inheritance,
        order=(menu.tree_id, menu.lft),
        opens=opens,
    )

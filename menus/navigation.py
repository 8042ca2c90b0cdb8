"""The menu tree of a page, drawn from what its reader sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from menus.services import VisibleMenu, visible_menus
from menus.visibility import Kind
from tenants.scope import Actor

DEFAULT_ICONS = {Kind.GROUP: "folder", Kind.SCREEN: "screen", Kind.LINK: "link"}


@dataclass(frozen=True, slots=True)
class Item:
    """One menu, ready to draw.

    Attributes:
        opens: Whether items follow that hang under this one.
        closes: How many open branches end after this item, itself excluded.
        unfolded: Whether its branch is drawn open.
        path: Names of what it hangs under, from the top.
    """

    id: int
    slug: str
    name: str
    address: str
    icon: str
    kind: Kind
    opens: bool
    closes: range
    unfolded: bool
    current: bool
    path: tuple[str, ...]

    @property
    def where(self) -> str:
        return " › ".join(self.path)


@dataclass(frozen=True, slots=True)
class Navigation:
    """What the reader sees, in tree order, and where the page stands in it."""

    items: tuple[Item, ...] = ()
    trail: tuple[Item, ...] = ()

    def item(self, menu_id: int) -> Item | None:
        return next((item for item in self.items if item.id == menu_id), None)

    def below(self, menu_id: int) -> tuple[Item, ...]:
        """Return the screens and links under a menu, at any depth."""
        ids = [item.id for item in self.items]
        if menu_id not in ids:
            return ()
        start = ids.index(menu_id)
        depth = len(self.items[start].path)
        found = []
        for item in self.items[start + 1 :]:
            if len(item.path) <= depth:
                break
            if item.kind is not Kind.GROUP:
                found.append(item)
        return tuple(found)

    @property
    def screens(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.kind is not Kind.GROUP)


def visible_on(request: HttpRequest) -> tuple[VisibleMenu, ...]:
    """Return what the request's reader sees; read once for a request."""
    seen: tuple[VisibleMenu, ...] | None = getattr(request, "_visible_menus", None)
    if seen is None:
        seen = visible_menus(Actor.of(request))
        request._visible_menus = seen  # type: ignore[attr-defined]
    return seen


def navigation_of(request: HttpRequest) -> Navigation:
    """Draw the tree for a page; empty for a visitor and for who has no tenant."""
    # The API forgets the user of a refused request, and draws a page nevertheless.
    if getattr(request, "tenant", None) is None or not request.user.is_authenticated:
        return Navigation()
    match = request.resolver_match
    slug = (
        match.kwargs.get("slug", "") if match and match.route.startswith("m/") else ""
    )
    return build(visible_on(request), current=slug, language=get_language() or "ko")


def build(menus: Sequence[VisibleMenu], *, current: str, language: str) -> Navigation:
    """Turn what a reader sees into items; the branches above `current` are open."""
    trail_ids = _trail(menus, current)
    names: list[str] = []
    items: list[Item] = []
    for index, menu in enumerate(menus):
        following = menus[index + 1].depth if index + 1 < len(menus) else 0
        name = menu.label.in_language(language)
        del names[menu.depth :]
        items.append(
            Item(
                id=menu.id,
                slug=menu.slug,
                name=name,
                address=reverse("menu", args=[menu.slug]),
                icon=menu.icon or DEFAULT_ICONS[menu.kind],
                kind=menu.kind,
                opens=following > menu.depth,
                closes=range(max(0, menu.depth - following)),
                unfolded=menu.id in trail_ids or not current,
                current=menu.slug == current,
                path=tuple(names),
            )
        )
        names.append(name)
    return Navigation(
        items=tuple(items), trail=tuple(item for item in items if item.id in trail_ids)
    )


def _trail(menus: Sequence[VisibleMenu], current: str) -> set[int]:
    by_id = {menu.id: menu for menu in menus}
    node = next((menu for menu in menus if menu.slug == current), None)
    trail = set()
    while node is not None:
        trail.add(node.id)
        node = by_id.get(node.parent_id) if node.parent_id is not None else None
    return trail

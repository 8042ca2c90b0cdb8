"""Every write to a menu tree: lock, change, verify. Nothing else writes menus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from menus.models import Menu, MenuTree, tree_unlocked
from menus.numbering import Damage, Row, damages, renumbered
from tenants import audit
from tenants.scope import Actor, required_tenant_id

FIELDS = (
    "slug", "label", "kind", "screen", "url", "icon", "enabled", "breaks_inheritance",
)  # fmt: skip
_NUMBERS = ("tenant", "tree_id", "lft", "rght", "level")


class TreeDamaged(RuntimeError):
    """The numbers of a tree contradict its parents; the change was taken back."""

    def __init__(self, found: tuple[Damage, ...]) -> None:
        super().__init__(
            f"The menu tree is damaged at {len(found)} menus. "
            "Run: manage.py check_menus --repair"
        )
        self.found = found


@contextmanager
def changing_tree() -> Iterator[None]:
    """Hold the lock of the tree in scope, and verify the tree before the commit.

    Raises:
        TreeDamaged: the tree does not add up; nothing is committed.
    """
    with transaction.atomic():
        MenuTree.stamp()
        with tree_unlocked():
            yield
        if found := tree_damages():
            raise TreeDamaged(found)


def create_menu(
    slug: str,
    *,
    label: Mapping[str, str],
    actor: Actor | None,
    parent: Menu | None = None,
    **fields: Any,
) -> Menu:
    """Add a menu as the last child of `parent`, or as the last at the top.

    Args:
        fields: ``kind``, ``screen``, ``url``, ``icon``, ``enabled``,
            ``breaks_inheritance``.

    Raises:
        ValidationError: a field is wrong, or the slug is taken.
    """
    with changing_tree():
        menu = Menu(slug=slug, label=dict(label), parent=_fresh(parent), **fields)
        menu.take_scope()
        menu.full_clean(exclude=_NUMBERS)
        menu.save()
        audit.record(
            actor=actor, action="menu.created", target=menu, changes=_values(menu)
        )
    return menu


def update_menu(menu: Menu, *, actor: Actor | None, **changes: Any) -> Menu:
    """Change fields of a menu; its place is changed by ``move_menu``.

    Raises:
        ValidationError: a field is wrong, or the slug is taken.
    """
    if unknown := set(changes) - set(FIELDS):
        raise TypeError(f"Not fields of a menu: {', '.join(sorted(unknown))}.")
    with changing_tree():
        menu = Menu.objects.get(pk=menu.pk)
        before = _values(menu)
        for name, value in changes.items():
            setattr(menu, name, value)
        menu.full_clean(exclude=_NUMBERS)
        menu.save()
        after = _values(menu)
        changed = {
            name: [before[name], after[name]]
            for name in after
            if before[name] != after[name]
        }
        if changed:
            audit.record(
                actor=actor, action="menu.changed", target=menu, changes=changed
            )
    return menu


def move_menu(
    menu: Menu,
    *,
    actor: Actor | None,
    parent: Menu | None,
    before: Menu | None = None,
) -> Menu:
    """Hang a menu under `parent`, before one of its children or as the last.

    Raises:
        ValidationError: the parent lies below the menu, or `before` is not a child
            of `parent`.
    """
    with changing_tree():
        menu = Menu.objects.get(pk=menu.pk)
        parent, before = _fresh(parent), _fresh(before)
        _check_move(menu, parent=parent, before=before)
        place = [menu.parent_id, _position(menu)]
        if before is not None:
            menu.move_to(before, "left")
        elif parent is not None:
            menu.move_to(parent, "last-child")
        else:
            _move_to_top(menu)
        menu.refresh_from_db()
        changes = {"place": [place, [menu.parent_id, _position(menu)]]}
        audit.record(actor=actor, action="menu.moved", target=menu, changes=changes)
    return menu


def step_menu(menu: Menu, *, actor: Actor | None, down: bool) -> Menu:
    """Move a menu one place up or down among its siblings; at the end it stays."""
    siblings = list(Menu.objects.filter(parent_id=menu.parent_id))
    place = siblings.index(menu)
    target = place + 2 if down else place - 1
    if target < 0 or (down and place + 1 >= len(siblings)):
        return menu
    before = siblings[target] if target < len(siblings) else None
    return move_menu(menu, actor=actor, parent=menu.parent, before=before)


def delete_menu(menu: Menu, *, actor: Actor | None) -> int:
    """Delete a menu with everything below it; return how many menus went."""
    with changing_tree():
        menu = Menu.objects.get(pk=menu.pk)
        count = cast("int", menu.get_descendant_count()) + 1
        audit.record(
            actor=actor, action="menu.deleted", target=menu, changes=_values(menu)
        )
        menu.delete()
    return count


def tree_rows() -> list[Row]:
    """Return the tree in scope as it is numbered in the database."""
    return [
        Row(*values)
        for values in Menu.objects.order_by("pk").values_list(
            "pk", "parent_id", "tree_id", "lft", "rght", "level"
        )
    ]


def tree_damages() -> tuple[Damage, ...]:
    """Return what is wrong with the tree in scope; empty when nothing is."""
    return damages(tree_rows(), tenant_id=required_tenant_id())


def repair_tree() -> tuple[Damage, ...]:
    """Number the tree in scope anew from its parents; return what was wrong."""
    with changing_tree():
        found = tree_damages()
        if found:
            _write_numbers()
            audit.record(
                actor=None,
                action="menu.repaired",
                target=None,
                label="menus",
                changes={"menus": len(found)},
            )
    return found


def _write_numbers() -> None:
    rows = renumbered(tree_rows(), tenant_id=required_tenant_id())
    menus = [
        Menu(
            pk=row.id,
            parent_id=row.parent_id,
            tree_id=row.tree_id,
            lft=row.left,
            rght=row.right,
            level=row.level,
        )
        for row in rows
    ]
    Menu.objects.bulk_update(
        menus, ["parent", "tree_id", "lft", "rght", "level"], batch_size=500
    )


def _fresh(menu: Menu | None) -> Menu | None:
    """Read a menu again, now that the lock is held: its place may have changed."""
    return None if menu is None else Menu.objects.get(pk=menu.pk)


def _check_move(menu: Menu, *, parent: Menu | None, before: Menu | None) -> None:
    above = dict(Menu.objects.values_list("pk", "parent_id"))
    node = parent.pk if parent is not None else None
    while node is not None:
        if node == menu.pk:
            raise ValidationError(
                _("%(menu)s cannot hang under itself. Choose a parent outside it.")
                % {"menu": menu},
                code="below-itself",
            )
        node = above[node]
    if before is None:
        return
    if before.pk == menu.pk or before.parent_id != (parent.pk if parent else None):
        raise ValidationError(
            _("%(menu)s is not another child of the chosen parent.") % {"menu": before},
            code="no-sibling",
        )


def _move_to_top(menu: Menu) -> None:
    last = Menu.objects.filter(parent=None).exclude(pk=menu.pk).last()
    if last is not None:
        menu.move_to(last, "right")
    elif menu.parent_id is not None:
        menu.move_to(None)


def _position(menu: Menu) -> int:
    siblings = Menu.objects.filter(parent_id=menu.parent_id)
    return siblings.filter(
        models.Q(tree_id__lt=menu.tree_id)
        | models.Q(tree_id=menu.tree_id, lft__lt=menu.lft)
    ).count()


def _values(menu: Menu) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(menu, name) for name in FIELDS}
    values["screen"] = menu.screen.key if menu.screen is not None else None
    return values

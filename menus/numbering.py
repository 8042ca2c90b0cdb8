"""The numbers of the nested set, computed from parents, and checked. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

# Each tenant numbers its top-level menus in a band of its own: mptt renumbers whole
# tree ids with SQL that knows no tenant, and a shared id would mix two tenants' rows.
BAND = 1_000_000


class Fault(StrEnum):
    """What is wrong with one row."""

    NUMBERS = "numbers"  # tree id, left, right or level contradict the parents
    CIRCLE = "circle"  # the row is its own ancestor, or hangs below one that is
    FOREIGN_PARENT = "foreign-parent"  # the parent is not of this tenant


@dataclass(frozen=True, slots=True)
class Row:
    """One menu as the nested set stores it."""

    id: int
    parent_id: int | None
    tree_id: int
    left: int
    right: int
    level: int


@dataclass(frozen=True, slots=True)
class Damage:
    id: int
    fault: Fault


def first_tree_id(tenant_id: int) -> int:
    """Return the tree id of a tenant's first top-level menu."""
    return tenant_id * BAND + 1


def renumbered(rows: Sequence[Row], *, tenant_id: int) -> tuple[Row, ...]:
    """Number all rows anew from their parents; siblings keep their order.

    A row that hangs in a circle, or under a parent that is not here, goes to the top.
    """
    rows = _without_circles(rows)
    below = _children(rows)
    result: list[Row] = []
    for index, root in enumerate(below[None]):
        tree_id = first_tree_id(tenant_id) + index
        _number(root, tree_id, below, result)
    return tuple(result)


def damages(rows: Sequence[Row], *, tenant_id: int) -> tuple[Damage, ...]:
    """Return what is wrong with a tenant's tree, by row, each row once."""
    present = {row.id for row in rows}
    found: dict[int, Fault] = {}
    for row in rows:
        if row.parent_id is not None and row.parent_id not in present:
            found[row.id] = Fault.FOREIGN_PARENT
    for row in _in_circles(rows):
        found.setdefault(row.id, Fault.CIRCLE)
    for row in _with_wrong_numbers(rows, tenant_id=tenant_id):
        found.setdefault(row.id, Fault.NUMBERS)
    return tuple(Damage(id=key, fault=found[key]) for key in sorted(found))


def _with_wrong_numbers(rows: Sequence[Row], *, tenant_id: int) -> list[Row]:
    right = {row.id: row for row in renumbered(rows, tenant_id=tenant_id)}
    trees = {row.id: row.tree_id for row in rows if row.parent_id is None}
    band = range(first_tree_id(tenant_id), first_tree_id(tenant_id + 1))
    shared = len(set(trees.values())) < len(trees)
    wrong = []
    for row in rows:
        # mptt leaves holes between tree ids after a deletion; they do no harm.
        expected = replace(right[row.id], tree_id=row.tree_id)
        strays = row.tree_id not in band or row.tree_id != _root_tree(row, right, trees)
        if shared or strays or row != expected:
            wrong.append(row)
    return wrong


def _root_tree(row: Row, by_id: dict[int, Row], trees: dict[int, int]) -> int | None:
    node = by_id[row.id]
    while node.parent_id is not None:
        node = by_id[node.parent_id]
    return trees.get(node.id)


def _children(rows: Sequence[Row]) -> defaultdict[int | None, list[Row]]:
    below: defaultdict[int | None, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.tree_id, row.left, row.id)):
        below[row.parent_id].append(row)
    return below


def _number(
    root: Row,
    tree_id: int,
    below: defaultdict[int | None, list[Row]],
    result: list[Row],
) -> None:
    """Walk one tree with a counter, without recursion: depth has no limit."""
    counter = 1
    lefts: dict[int, int] = {}
    levels: dict[int, int] = {root.id: 0}
    waiting: list[tuple[Row, bool]] = [(root, False)]
    while waiting:
        row, leaving = waiting.pop()
        if leaving:
            result.append(
                Row(row.id, row.parent_id, tree_id, lefts[row.id], counter,
                    levels[row.id])
            )  # fmt: skip
        else:
            lefts[row.id] = counter
            waiting.append((row, True))
            for child in reversed(below.get(row.id, [])):
                levels[child.id] = levels[row.id] + 1
                waiting.append((child, False))
        counter += 1


def _in_circles(rows: Sequence[Row]) -> list[Row]:
    below = _children(rows)
    present = {row.id for row in rows}
    roots = [
        row for row in rows if row.parent_id is None or row.parent_id not in present
    ]
    reached: set[int] = set()
    waiting = list(roots)
    while waiting:
        row = waiting.pop()
        reached.add(row.id)
        waiting.extend(below.get(row.id, []))
    return [row for row in rows if row.id not in reached]


def _without_circles(rows: Sequence[Row]) -> list[Row]:
    present = {row.id for row in rows}
    circling = {row.id for row in _in_circles(rows)}
    return [
        replace(row, parent_id=None)
        if row.id in circling
        or (row.parent_id is not None and row.parent_id not in present)
        else row
        for row in rows
    ]

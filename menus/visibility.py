"""Who sees which menu: the rules of inheritance along the tree. Pure.

Everything is computed from ``parent_id``. The numbers of the nested set only order
siblings, so a damaged tree can be drawn in a wrong order, and never widens access.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a menu is."""

    GROUP = "group"
    SCREEN = "screen"
    LINK = "link"


class Grant(StrEnum):
    """What a user or a team was given on one node."""

    ALLOW = "allow"
    DENY = "deny"


class Rule(StrEnum):
    """Why a node is seen, or not."""

    SUPERUSER = "superuser"
    GRANTED = "granted"
    DENIED = "denied"
    NOT_GRANTED = "not-granted"
    CUT_OFF = "cut-off"  # inheritance is broken on the path, and nothing given below
    DISABLED = "disabled"
    EMPTY_GROUP = "empty-group"
    CLOSED_SCREEN = "closed-screen"  # its screen is not published, or retired
    NO_MEMBER = "no-member"  # no active member of the tenant
    UNREACHABLE = "unreachable"  # no path to the top: a damaged or a foreign parent


@dataclass(frozen=True, slots=True)
class Node:
    """What visibility needs of one menu.

    Attributes:
        order: Sorts siblings; says nothing about who is above whom.
        opens: False for a menu whose screen readers cannot open.
    """

    id: int
    parent_id: int | None
    kind: Kind = Kind.GROUP
    enabled: bool = True
    breaks_inheritance: bool = False
    order: tuple[int, ...] = ()
    opens: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """A visible node: where it hangs among the visible, and how deep.

    A node whose parent is hidden hangs under its nearest visible ancestor, so that
    nothing of the hidden one is told.
    """

    id: int
    parent_id: int | None
    depth: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why one node is seen or not, and the node that decided it."""

    rule: Rule
    decided_at: int

    @property
    def visible(self) -> bool:
        return self.rule in {Rule.GRANTED, Rule.SUPERUSER}


def visible(
    nodes: Sequence[Node],
    grants: Mapping[int, frozenset[Grant]],
    *,
    sees_all: bool = False,
) -> tuple[Place, ...]:
    """Return the visible nodes in tree order.

    Args:
        nodes: All nodes of one tenant, in any order.
        grants: What the actor and the actor's teams were given, by node.
        sees_all: A superuser: every enabled node, whatever was granted.
    """
    verdicts = judge(nodes, grants, sees_all=sees_all)
    places: list[Place] = []
    hangs: dict[int | None, tuple[int | None, int]] = {None: (None, 0)}
    for node in _top_down(nodes):
        parent_id, depth = hangs[node.parent_id]
        if verdicts[node.id].visible:
            places.append(Place(node.id, parent_id, depth))
            hangs[node.id] = (node.id, depth + 1)
        else:
            hangs[node.id] = (parent_id, depth)
    return tuple(places)


def judge(
    nodes: Sequence[Node],
    grants: Mapping[int, frozenset[Grant]],
    *,
    sees_all: bool = False,
) -> dict[int, Verdict]:
    """Say of every node why it is seen or not."""
    verdicts = {node.id: Verdict(Rule.UNREACHABLE, node.id) for node in nodes}
    order = _top_down(nodes)
    for node in order:
        above = verdicts[node.parent_id] if node.parent_id is not None else None
        verdicts[node.id] = _own_verdict(node, above, grants, sees_all=sees_all)
    if not sees_all:
        _drop_dead_ends(order, verdicts)
    return verdicts


def _own_verdict(
    node: Node,
    above: Verdict | None,
    grants: Mapping[int, frozenset[Grant]],
    *,
    sees_all: bool,
) -> Verdict:
    if above is not None and above.rule is Rule.DISABLED:
        return above
    if not node.enabled:
        return Verdict(Rule.DISABLED, node.id)
    if sees_all:
        return Verdict(Rule.SUPERUSER, node.id)
    given = grants.get(node.id, frozenset())
    if Grant.DENY in given:
        return Verdict(Rule.DENIED, node.id)
    if Grant.ALLOW in given:
        return Verdict(Rule.GRANTED, node.id)
    if node.breaks_inheritance:
        return Verdict(Rule.CUT_OFF, node.id)
    return above or Verdict(Rule.NOT_GRANTED, node.id)


def _drop_dead_ends(order: Sequence[Node], verdicts: dict[int, Verdict]) -> None:
    """Hide what leads nowhere: closed screens, and groups with nothing beneath."""
    occupied: set[int | None] = set()
    for node in reversed(order):
        if verdicts[node.id].visible and not node.opens:
            verdicts[node.id] = Verdict(Rule.CLOSED_SCREEN, node.id)
        empty = node.kind is Kind.GROUP and node.id not in occupied
        if verdicts[node.id].visible and empty:
            verdicts[node.id] = Verdict(Rule.EMPTY_GROUP, node.id)
        if verdicts[node.id].visible or node.id in occupied:
            occupied.add(node.parent_id)


def _top_down(nodes: Sequence[Node]) -> list[Node]:
    """Depth first from the top; what hangs in a circle is never reached."""
    below: defaultdict[int | None, list[Node]] = defaultdict(list)
    for node in nodes:
        below[node.parent_id].append(node)
    for siblings in below.values():
        siblings.sort(key=lambda node: (node.order, node.id))
    order: list[Node] = []
    waiting = list(reversed(below[None]))
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting.extend(reversed(below.get(node.id, [])))
    return order

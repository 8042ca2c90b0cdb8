"""Visibility is what a naive climb from each node to the top says, at any tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menus.visibility import Grant, Kind, Node, Rule, judge, visible

ALLOW = frozenset({Grant.ALLOW})
DENY = frozenset({Grant.DENY})
BOTH = ALLOW | DENY
Grants = Mapping[int, frozenset[Grant]]


@st.composite
def forests(draw: st.DrawFn) -> list[Node]:
    """Trees, circles and lost parents; sibling orders are scrambled numbers."""
    size = draw(st.integers(0, 14))
    nodes = []
    for key in range(1, size + 1):
        parents = st.one_of(st.none(), st.integers(1, size), st.just(99))
        nodes.append(
            Node(
                id=key,
                parent_id=draw(parents),
                kind=draw(st.sampled_from(Kind)),
                enabled=draw(st.integers(0, 9)) > 0,
                breaks_inheritance=draw(st.integers(0, 4)) == 0,
                order=(draw(st.integers(0, 5)), draw(st.integers(0, 5))),
                opens=draw(st.integers(0, 9)) > 0,
            )
        )
    return draw(st.permutations(nodes))


grants_of_forests = st.dictionaries(
    st.integers(1, 14), st.sampled_from([ALLOW, DENY, BOTH]), max_size=8
)


def path_to_top(node: Node, by_id: Mapping[int, Node]) -> list[Node] | None:
    """The node, its parent, and so on; None when the top is never reached."""
    path = [node]
    while path[-1].parent_id is not None:
        above = by_id.get(path[-1].parent_id)
        if above is None or above in path:
            return None
        path.append(above)
    return path


def granted(path: Sequence[Node], grants: Grants) -> bool:
    for node in path:
        if Grant.DENY in grants.get(node.id, ()):
            return False
        if Grant.ALLOW in grants.get(node.id, ()):
            return True
        if node.breaks_inheritance:
            return False
    return False


def oracle(nodes: Sequence[Node], grants: Grants, *, sees_all: bool) -> set[int]:
    by_id = {node.id: node for node in nodes}
    paths = {node.id: path_to_top(node, by_id) for node in nodes}
    seen = set()
    for node in nodes:
        path = paths[node.id]
        if path is None or not all(above.enabled for above in path):
            continue
        if sees_all or (granted(path, grants) and node.opens):
            seen.add(node.id)
    if sees_all:
        return seen
    ends = {key for key in seen if by_id[key].kind is not Kind.GROUP}
    kept = set(ends)
    for key in seen - ends:
        if any(by_id[key] in (paths[end] or []) for end in ends):
            kept.add(key)
    return kept


@given(nodes=forests(), grants=grants_of_forests, sees_all=st.booleans())
def test_visibility_is_what_a_climb_to_the_top_says(
    nodes: list[Node], grants: Grants, sees_all: bool
) -> None:
    places = visible(nodes, grants, sees_all=sees_all)

    assert {place.id for place in places} == oracle(nodes, grants, sees_all=sees_all)
    assert len({place.id for place in places}) == len(places)


@given(nodes=forests(), grants=grants_of_forests)
def test_a_visible_node_hangs_under_its_nearest_visible_ancestor(
    nodes: list[Node], grants: Grants
) -> None:
    by_id = {node.id: node for node in nodes}

    places = visible(nodes, grants)

    shown = {place.id: place for place in places}
    for index, place in enumerate(places):
        path = path_to_top(by_id[place.id], by_id) or []
        nearest = next((above.id for above in path[1:] if above.id in shown), None)
        assert place.parent_id == nearest
        assert place.depth == (0 if nearest is None else shown[nearest].depth + 1)
        assert nearest is None or nearest in {before.id for before in places[:index]}


@given(nodes=forests(), grants=grants_of_forests, data=st.data())
def test_scrambled_numbers_never_widen_access(
    nodes: list[Node], grants: Grants, data: st.DataObject
) -> None:
    scrambled = [
        Node(
            id=node.id,
            parent_id=node.parent_id,
            kind=node.kind,
            enabled=node.enabled,
            breaks_inheritance=node.breaks_inheritance,
            order=(data.draw(st.integers(0, 9)),),
            opens=node.opens,
        )
        for node in nodes
    ]

    before = {place.id for place in visible(nodes, grants)}
    after = {place.id for place in visible(scrambled, grants)}

    assert before == after


TREE = [
    Node(1, None, order=(1,)),
    Node(2, 1, Kind.GROUP, order=(2,)),
    Node(3, 2, Kind.SCREEN, order=(3,)),
    Node(4, 1, Kind.SCREEN, order=(4,)),
    Node(5, None, Kind.LINK, order=(5,)),
]


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        pytest.param({}, [], id="nothing given shows nothing"),
        pytest.param({1: ALLOW}, [1, 2, 3, 4], id="a grant counts for all below"),
        pytest.param({1: ALLOW, 2: DENY}, [1, 4], id="a denial counts for all below"),
        pytest.param({1: BOTH}, [], id="denied beats allowed on one node"),
        pytest.param({1: DENY, 3: ALLOW}, [3], id="the nearer node beats the farther"),
        pytest.param({2: ALLOW, 3: DENY}, [], id="an empty group vanishes"),
    ],
)
def test_inheritance(grants: Grants, expected: list[int]) -> None:
    assert [place.id for place in visible(TREE, grants)] == expected


def test_breaking_inheritance_cuts_what_comes_from_above() -> None:
    nodes = [
        Node(1, None),
        Node(2, 1, Kind.SCREEN),
        Node(3, 1, Kind.SCREEN, breaks_inheritance=True),
    ]

    assert [place.id for place in visible(nodes, {1: ALLOW})] == [1, 2]
    assert [place.id for place in visible(nodes, {1: ALLOW, 3: ALLOW})] == [1, 2, 3]


def test_a_disabled_menu_takes_its_subtree_with_it_even_for_superusers() -> None:
    nodes = [Node(1, None, enabled=False), Node(2, 1, Kind.SCREEN)]

    assert visible(nodes, {2: ALLOW}) == ()
    assert visible(nodes, {}, sees_all=True) == ()


def test_each_verdict_names_the_node_that_decided_it() -> None:
    nodes = [
        Node(1, None),
        Node(2, 1, Kind.SCREEN),
        Node(3, 1, Kind.SCREEN, opens=False),
        Node(4, None, Kind.SCREEN, breaks_inheritance=True),
        Node(5, 77, Kind.SCREEN),
    ]

    verdicts = judge(nodes, {1: ALLOW})

    assert (verdicts[2].rule, verdicts[2].decided_at) == (Rule.GRANTED, 1)
    assert verdicts[3].rule is Rule.CLOSED_SCREEN
    assert verdicts[4].rule is Rule.CUT_OFF
    assert verdicts[5].rule is Rule.UNREACHABLE

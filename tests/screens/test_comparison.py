"""What differs between two documents, in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from screens.comparison import Change, changes_between
from screens.messages import change
from tests.screens.conftest import block, body

A, B, C = block("a"), block("b"), block("c")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(body(A), body(A), (), id="the same"),
        pytest.param(body(A), body(A, B), (Change("added", "b"),), id="added"),
        pytest.param(body(A, B), body(B), (Change("removed", "a"),), id="removed"),
        pytest.param(
            body(A), body({**A, "width": 3}), (Change("changed", "a", ("width",)),),
            id="changed",
        ),
        pytest.param(
            body(A, B, C), body(C, A, B), (Change("moved", "c"),), id="moved, one only"
        ),
        pytest.param(
            body(A), body(A, deadline_ms=900, title="x"),
            (Change("screen", parts=("title", "deadline_ms")),), id="the screen",
        ),
        pytest.param(
            body(A, B), body(C, {**B, "height": 2}),
            (Change("removed", "a"), Change("added", "c"),
             Change("changed", "b", ("height",))),
            id="all of it",
        ),
    ],
)  # fmt: skip
def test_changes(before: Any, after: Any, expected: tuple[Change, ...]) -> None:
    assert changes_between(before, after) == expected


@given(st.permutations("abcdef"), st.permutations("abcdef"))
def test_blocks_that_did_not_move_stand_in_their_old_order(
    old: list[str], new: list[str]
) -> None:
    moved = {
        each.block
        for each in changes_between(body(*map(block, old)), body(*map(block, new)))
    }

    assert [each for each in old if each not in moved] == [
        each for each in new if each not in moved
    ]
    assert (moved == set()) == (old == new)
    assert len(moved) < len(old)


@pytest.mark.parametrize("broken", [None, [], {}, {"blocks": 3}, {"blocks": [3]}])
def test_what_is_no_document_is_compared_all_the_same(broken: Any) -> None:
    assert Change("removed", "a") in changes_between(body(A), broken)


def test_changes_are_told_in_words() -> None:
    told = [
        change(each)
        for each in changes_between(body(A, B), body({**A, "width": 3}, C, title="x"))
    ]
    with translation.override("ko"):
        korean = change(Change("added", "c"))

    assert told == [
        "The screen changed: title.",
        "Block b was removed.",
        "Block c was added.",
        "Block a changed: width.",
    ]
    assert korean == "블록 c이(가) 추가되었습니다."

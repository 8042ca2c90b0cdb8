"""Edits, their patches, and the only places they may touch."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.outcomes import Json
from copilot import effects
from copilot.compiling import Compiled, CompileFault, compile_edits
from copilot.edits import Edit, EditFault, Kind, edits_as_json, read_edits
from copilot.golden_set import cases, subjects
from screens.patches import Patched, PatchFault, apply_patch, invert_patch, same

SHOP = subjects()["shop"]
GOLDEN = [
    (case.screen, case.expect)
    for case in cases("all")
    if not isinstance(case.expect, str)
]


@pytest.mark.parametrize(
    ("raw", "slot"),
    [
        pytest.param("remove", "edits", id="no list"),
        pytest.param([], "edits", id="none"),
        pytest.param([7], "edit", id="no object"),
        pytest.param([{"kind": "drop_table"}], "kind", id="no kind"),
        pytest.param([{"kind": "remove_block"}], "block", id="no block"),
        pytest.param([{"kind": "remove_block", "block": 7}], "block", id="a number"),
        pytest.param(
            [{"kind": "remove_block", "block": "a", "value": 1}], "value",
            id="a slot the kind has not",
        ),
        pytest.param(
            [{"kind": "remove_block", "block": "a", "path": "/title"}], "path",
            id="a slot nobody has",
        ),
        pytest.param(
            [{"kind": "set_width", "block": "a", "value": 13}], "value", id="too wide"
        ),
        pytest.param(
            [{"kind": "set_width", "block": "a", "value": True}], "value", id="true"
        ),
        pytest.param(
            [{"kind": "set_format", "block": "a", "value": "iframe"}], "value",
            id="no format",
        ),
    ],
)  # fmt: skip
def test_what_is_no_edit_is_named(raw: Any, slot: str) -> None:
    fault = read_edits(raw)

    assert isinstance(fault, EditFault)
    assert fault.slot == slot


@pytest.mark.parametrize(("screen", "edits"), GOLDEN[::7])
def test_edits_are_read_as_they_were_written(
    screen: str, edits: tuple[Edit, ...]
) -> None:
    assert read_edits(edits_as_json(edits)) == edits


@pytest.mark.parametrize(("screen", "edits"), list({
    str(edits): (screen, edits) for screen, edits in GOLDEN
}.values()))  # fmt: skip
def test_a_patch_does_what_its_edits_say_and_can_be_undone(
    screen: str, edits: tuple[Edit, ...]
) -> None:
    subject = subjects()[screen]
    before = copy.deepcopy(dict(subject.body))

    made = compile_edits(edits, subject)

    assert isinstance(made, Compiled), made
    assert dict(subject.body) == before
    done = apply_patch(before, list(made.patch))
    assert done == Patched(made.body)
    assert effects.broken_promise(edits, made.body) is None
    assert effects.outside_footprint(edits, before, made.body) is None
    back = invert_patch(before, list(made.patch))
    assert not isinstance(back, PatchFault)
    restored = apply_patch(made.body, back)
    assert isinstance(restored, Patched)
    assert same(restored.body, before)


def test_every_kind_is_in_the_golden_set() -> None:
    used = {edit.kind for _screen, edits in GOLDEN for edit in edits}

    assert used == set(Kind)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_stale_patch_fails_rather_than_hit_the_neighbour(data: st.DataObject) -> None:
    """A patch made before blocks moved applies to the same block, or not at all."""
    screen, edits = data.draw(st.sampled_from(GOLDEN))
    subject = subjects()[screen]
    made = compile_edits(edits, subject)
    assert isinstance(made, Compiled)
    shuffled = copy.deepcopy(dict(subject.body))
    shuffled["blocks"] = data.draw(st.permutations(shuffled["blocks"]))
    shuffled["blocks"] = shuffled["blocks"][: data.draw(st.integers(1, 9))]

    done = apply_patch(shuffled, list(made.patch))

    if isinstance(done, Patched):
        after: Any = done.body
        assert effects.outside_footprint(edits, shuffled, after) is None
    else:
        assert done.rule in {"test", "path"}


def test_several_edits_see_what_those_before_did() -> None:
    made = compile_edits(
        [
            Edit(Kind.REMOVE_BLOCK, "revenue"),
            Edit(Kind.SET_WIDTH, "trend", value=12),
            Edit(Kind.MOVE_BLOCK, "trend", value="last"),
        ],
        SHOP,
    )

    assert isinstance(made, Compiled)
    assert [each["id"] for each in made.body["blocks"]][-1] == "trend"
    assert made.body["blocks"][-1]["width"] == 12


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (Edit(Kind.REMOVE_BLOCK, "nothing"), "unknown-block"),
        (Edit(Kind.SET_SORT, "trend", "default", value=[]), "wrong-format"),
        (Edit(Kind.SET_CHART_X, "trend", "default", value="nope"), "unknown-column"),
        (Edit(Kind.SET_COLUMNS, "returns", "other", value=["a"]), "unknown-response"),
        (Edit(Kind.SET_DEFAULT, name="nope", value="1"), "unknown-parameter"),
        (Edit(Kind.SET_ARGUMENT, "returns", name="region", value="1"),
         "unknown-argument"),
        (Edit(Kind.ADD_BLOCK, "x", value={"operation": "secret", "format": "table"}),
         "unknown-operation"),
        (Edit(Kind.ADD_BLOCK, "trend", value={"operation": "orders", "format": "grid"}),
         "taken-id"),
        (Edit(Kind.SET_TITLE, "trend", name="fr", value="x"), "unknown-language"),
        (Edit(Kind.SET_LIMIT, "orders", "default", value=900), "page-size"),
        (Edit(Kind.SET_UNIT, "products", "default", name="margin", value="%"),
         "hidden-column"),
    ],
)  # fmt: skip
def test_an_edit_the_document_cannot_take_says_why(edit: Edit, rule: str) -> None:
    fault = compile_edits([edit], SHOP)

    assert isinstance(fault, CompileFault)
    assert fault.rule == rule


def test_overreach_is_seen_wherever_it_is() -> None:
    before = dict(SHOP.body)
    edits = [Edit(Kind.SET_WIDTH, "trend", value=12)]
    made = compile_edits(edits, SHOP)
    assert isinstance(made, Compiled)
    changes: list[tuple[str, Json]] = [
        ("/title/en", "x"),
        ("/blocks/0/title/ko", "x"),
        ("/blocks/1/height", 2),
        ("/blocks/3/responses/default/options/page_size", 10),
        ("/parameters/0/default", "부산"),
    ]
    for path, value in changes:
        more = apply_patch(made.body, [{"op": "add", "path": path, "value": value}])
        assert isinstance(more, Patched)
        body: Any = more.body
        assert effects.outside_footprint(edits, before, body) is not None, path
    moved = apply_patch(
        made.body, [{"op": "move", "from": "/blocks/0", "path": "/blocks/3"}]
    )
    assert isinstance(moved, Patched)
    order: Any = moved.body
    assert effects.outside_footprint(edits, before, order) == ("blocks", "order")


def test_a_missing_effect_is_seen() -> None:
    for _screen, edits in GOLDEN:
        if len(edits) == 1 and edits[0].kind is not Kind.SWAP:
            before = subjects()[_screen].body
            assert effects.broken_promise(edits, before) == edits[0]

"""Every gate stops something, says where, and none can be skipped."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from copilot import gates
from copilot.compiling import Compiled, compile_edits
from copilot.edits import Edit, Kind
from copilot.engine import finished
from copilot.gates import GATES, pass_gates
from copilot.golden_set import subjects
from copilot.proposals import Proposal, Refusal
from screens import runner

SHOP = subjects()["shop"]


def shut(patch: Any, *, edits: tuple[Edit, ...] = ()) -> dict[str, tuple[str, str]]:
    passage = pass_gates(patch, SHOP, edits=edits)
    assert {each.gate for each in passage.results} == set(GATES)
    return {each.gate: (each.rule, each.pointer) for each in passage.shut}


def add(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def test_a_good_patch_passes_all_of_them() -> None:
    passage = pass_gates([add("/blocks/0/width", 6)], SHOP)

    assert passage.open
    assert [each.gate for each in passage.results] == list(GATES)
    assert not passage.risky


def test_size_stops_many_steps_deep_paths_and_large_documents() -> None:
    many = [add("/blocks/0/width", 6)] * 51
    deep = [add("/blocks/0/responses/default/options/columns/0/name/x", 1)]
    deep[0]["path"] += "/y"
    large = [add("/description", {"ko": "가" * 90_000})]

    assert shut(many)["size"][0] == "too-many-steps"
    assert shut(deep)["size"][0] == "too-deep"
    assert shut(large)["size"][0] == "too-large"


@pytest.mark.parametrize(
    ("patch", "rule"),
    [
        ({"op": "add"}, "patch-shape"),
        ([{"op": "remove", "path": "/nowhere"}], "patch-path"),
        ([{"op": "test", "path": "/blocks/0/id", "value": "x"}], "patch-test"),
    ],
)
def test_applies_stops_what_cannot_be_applied(patch: Any, rule: str) -> None:
    found = shut(patch)

    assert found["applies"][0] == rule
    assert found["renders"][0] == "not-reached"


def test_document_stops_what_is_no_document() -> None:
    found = shut([add("/blocks/1/responses/default/options/colour", "red")])

    assert found["document"] == (
        "unknown", "/blocks/1/responses/default/options/colour",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("/blocks/0/source/operation", "no-such", "unknown-operation"),
        ("/blocks/0/source", {"decision_table": "secret"}, "unknown-table"),
        ("/blocks/0/source/arguments", {"nope": 1}, "unknown-argument"),
    ],
)
def test_references_stop_what_is_not_there(path: str, value: Any, rule: str) -> None:
    assert shut([add(path, value)])["references"][0] == rule


def test_references_leave_alone_what_is_not_changed() -> None:
    """An editor may move a block whose operation they may not use."""
    hidden = {k: v for k, v in SHOP.operations.items() if k != "orders"}
    subject = type(SHOP)(SHOP.body, hidden, SHOP.tables)

    assert pass_gates([add("/blocks/3/width", 12)], subject).open
    new = copy.deepcopy(subject.blocks[3]) | {"id": "again"}
    passage = pass_gates([add("/blocks/-", new)], subject)
    assert [each.rule for each in passage.shut] == ["unknown-operation"]


def test_renders_stops_what_cannot_be_drawn() -> None:
    found = shut(
        [add("/blocks/1/responses/default/options/x", "no_such_column_at_all")]
    )

    # A column that only the options name is taken to exist: the operation may send it.
    assert "renders" not in found
    text = add(
        "/blocks/4/responses/default", {"format": "chart", "options": {"y": "reason"}}
    )
    assert shut([text])["renders"] == ("cannot-draw", "/blocks/4/responses/default")


def test_no_operation_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*args: object, **more: object) -> None:
        raise AssertionError("an operation was called")

    monkeypatch.setattr("connectors.services.perform", called)
    monkeypatch.setattr(runner, "perform", called)
    edits = (Edit(Kind.SET_FORMAT, "returns", "default", value="chart"),)

    assert isinstance(finished(edits, SHOP), Proposal)


def test_effect_stops_less_and_more_than_was_asked() -> None:
    edits = (Edit(Kind.SET_WIDTH, "trend", value=12),)
    made = compile_edits(edits, SHOP)
    assert isinstance(made, Compiled)

    less = shut([add("/blocks/1/width", 11)], edits=edits)
    more = shut([*made.patch, add("/blocks/0/width", 1)], edits=edits)

    assert less["effect"][0] == "no-effect"
    assert more["effect"][0] == "overreach"


@pytest.mark.parametrize(
    ("patch", "rule"),
    [
        ([{"op": "remove", "path": "/blocks/5"}] * 1
         + [{"op": "remove", "path": "/blocks/4"}], "removes-many"),
        ([{"op": "remove", "path": "/blocks/1/source/arguments/region"}],
         "drops-binding"),
        ([add("/blocks/1/source/arguments/region", "부산")], "drops-binding"),
    ],
)  # fmt: skip
def test_risk_passes_and_wants_a_confirmation(patch: Any, rule: str) -> None:
    passage = pass_gates(patch, SHOP)

    assert passage.open
    assert passage.risky
    assert [each.rule for each in passage.results if each.gate == "risk"] == [rule]


def test_removing_one_of_many_is_no_risk() -> None:
    assert not pass_gates([{"op": "remove", "path": "/blocks/5"}], SHOP).risky


def test_a_patch_that_changes_nothing_is_no_proposal() -> None:
    found = shut([add("/blocks/0/width", 3)])

    assert found == {"change": ("no-change", "")}
    again = finished((Edit(Kind.SET_WIDTH, "trend", value=9),), SHOP)
    assert isinstance(again, Refusal)
    assert again.rule == "no-change"


def test_the_gates_are_all_named() -> None:
    from copilot.messages import gate_text
    from copilot.proposals import GateResult

    assert all(gate_text(GateResult(name, True)) for name in gates.GATES)

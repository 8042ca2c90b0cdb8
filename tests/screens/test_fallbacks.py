"""Several calls of one decision, and what is shown when calls fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from branching.models import DecisionTable, Rule
from connectors.outcomes import (
    Column,
    ColumnType,
    Failure,
    Origin,
    Outcome,
    Reason,
    Success,
    Table,
)
from renderers.presentation import State
from screens.joining import join_outcomes
from tenants.scope import Actor
from tests.screens.conftest import (
    MakeOperation,
    MakeScreen,
    Upstream,
    block,
    run,
)

pytestmark = pytest.mark.usefixtures("in_acme")


def fallback(kind: str, *on: str, **fields: object) -> dict[str, object]:
    return {"kind": kind, "on": list(on), "response": "default", **fields}


def test_the_next_fallback_answers_when_the_one_before_fails(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("bad", "/broken")
    operation("worse", "/broken")
    steps = [
        fallback("operation", "upstream", operation="worse"),
        fallback("static", "upstream", static=[{"site": "Seoul", "stock": 3}]),
    ]
    DecisionTable.objects.create(key="which", default_operation="bad", fallbacks=steps)
    made = screen(block("a", table="which"))

    drawn = run(made, chief)["a"]

    assert isinstance(drawn.response.outcome, Success)
    assert drawn.response.outcome.origin is Origin.STATIC
    assert (drawn.response.step, drawn.response.because) == (2, "upstream")
    assert "Seoul" in drawn.rendered.html


def test_a_fallback_operation_answers_for_a_broken_one(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("bad", "/broken")
    operation("good", "/rows/good")
    steps = [fallback("operation", "upstream", operation="good")]
    DecisionTable.objects.create(key="which", default_operation="bad", fallbacks=steps)

    drawn = run(screen(block("a", table="which")), chief)["a"]

    assert drawn.rendered.state is State.OK
    assert drawn.response.operations == ("good",)
    assert drawn.response.step == 1


def test_the_last_good_answer_stands_in_and_says_how_old_it_is(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("stock", "/turn/stock", keep_last_good_s=60)
    steps = [fallback("last_good", "upstream", max_age_s=60)]
    DecisionTable.objects.create(
        key="which", default_operation="stock", fallbacks=steps
    )
    made = screen(block("a", table="which"))
    before = run(made, chief)["a"].response.outcome
    upstream.opened["stock"].set()

    drawn = run(made, chief)["a"]

    assert isinstance(before, Success)
    assert isinstance(drawn.response.outcome, Success)
    assert drawn.response.outcome.origin is Origin.LAST_GOOD
    assert drawn.response.outcome.data == before.data
    assert drawn.response.outcome.as_of == before.as_of
    assert (drawn.response.step, drawn.rendered.state) == (1, State.STALE)


def test_when_no_fallback_helps_the_first_fault_is_shown(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("bad", "/broken")
    steps = [fallback("operation", "upstream", operation="gone")]
    DecisionTable.objects.create(key="which", default_operation="bad", fallbacks=steps)
    operation("gone", "/rows/gone")
    made = screen(block("a", table="which"))
    from connectors.models import Operation

    Operation.objects.filter(key="gone").delete()

    response = run(made, chief)["a"].response

    assert isinstance(response.outcome, Failure)
    assert response.outcome.reason is Reason.UPSTREAM
    assert response.step == 0


def test_a_hanging_call_leaves_time_for_its_fallback(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("hang", "/hang/h")
    steps = [fallback("static", "timeout", static="Try later.")]
    DecisionTable.objects.create(key="which", default_operation="hang", fallbacks=steps)
    made = screen(block("a", table="which", deadline_ms=400))

    response = run(made, chief)["a"].response

    assert isinstance(response.outcome, Success)
    assert response.outcome.data == "Try later."
    assert response.because == "timeout"


def test_collect_joins_the_rows_of_every_rule_that_matches(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    table = DecisionTable.objects.create(
        key="all", default_operation="a", hit_policy="collect"
    )
    for name in ("a", "b"):
        operation(name, f"/rows/{name}")
        Rule.objects.create(table=table, key=name, operation=name)

    response = run(screen(block("x", table="all")), chief)["x"].response

    assert isinstance(response.outcome, Success)
    assert isinstance(response.outcome.data, Table)
    names = [row[0] for row in response.outcome.data.rows]
    assert names == ["a", "a", "b", "b"]
    assert response.operations == ("a", "b")


def success(*columns: str, rows: int = 1, **fields: object) -> Success:
    table = Table(
        tuple(Column(name, ColumnType.INTEGER) for name in columns),
        tuple(tuple(range(len(columns))) for _ in range(rows)),
    )
    found = Success(table, 200, datetime(2026, 1, 2, tzinfo=UTC), 5.0)
    return replace(found, **fields)  # type: ignore[arg-type]


def test_rows_with_other_columns_are_not_joined() -> None:
    found = join_outcomes([success("a"), success("b")])

    assert isinstance(found, Failure)
    assert found.reason is Reason.UNREADABLE


def test_one_failure_is_the_outcome_of_the_whole() -> None:
    failure = Failure(Reason.UPSTREAM, "down", 1.0)
    outcomes: list[Outcome] = [success("a"), failure, success("a")]

    assert join_outcomes(outcomes) is failure


def test_a_joined_answer_is_as_old_as_its_oldest_part() -> None:
    old = datetime(2025, 1, 1, tzinfo=UTC)
    kept = success("a", as_of=old, origin=Origin.CACHE, notes=("n",))

    found = join_outcomes([success("a", notes=("n",)), kept])

    assert isinstance(found, Success)
    assert (found.as_of, found.origin, found.notes) == (old, Origin.CACHE, ("n",))


def test_texts_are_joined_by_lines() -> None:
    found = join_outcomes([success(data="one"), success(data="two")])

    assert isinstance(found, Success)
    assert found.data == "one\ntwo"

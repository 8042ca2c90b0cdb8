"""``decide``: total, agreeing with an independent evaluator, and explaining itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from branching.choices import Call, Decision, Event, Fallback, FallbackKind, Verdict
from branching.conditions import (
    MASK,
    Condition,
    Facts,
    Group,
    GroupKind,
    Operand,
    OperandKind,
    Reading,
    Source,
)
from branching.decisions import (
    compile_table,
    decide,
    direct_decision,
    next_step,
    respond,
    static_outcome,
)
from branching.rules import (
    CallTemplate,
    FallbackTemplate,
    HitPolicy,
    Rule,
    TableSpec,
)
from connectors.outcomes import (
    Column,
    ColumnType,
    Failure,
    Origin,
    Reason,
    Success,
    Table,
)
from tests.branching.naive import chosen
from tests.branching.strategies import FACTS, VALUES, tables

PLAN = Operand(OperandKind.FACT, "plan")
SITE = Operand(OperandKind.PARAMETER, "site")
IS_PRO = Condition(PLAN, "eq", "pro")


def rule(key: str, when: Any = IS_PRO, **options: Any) -> Rule:
    options.setdefault("calls", (CallTemplate(f"op-{key}"),))
    return Rule(key, when, response=f"as-{key}", **options)


def decided(*rules: Rule, facts: Facts | None = None, **options: Any) -> Decision:
    default = Rule("default", calls=(CallTemplate("op-default"),), response="usual")
    table = compile_table(TableSpec("t", default, rules, **options))
    return decide(table, facts or Facts({"plan": Reading("pro", Source.DATABASE)}))


@settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(spec=tables(), facts=FACTS)
def test_every_table_decides_on_any_facts_as_an_independent_evaluator_does(
    spec: TableSpec, facts: Facts
) -> None:
    decision = decide(compile_table(spec), facts)

    keys = chosen(spec, facts)
    assert decision.rule == ("+".join(keys) or "default")
    by_key = {each.key: each for each in (*spec.rules, spec.default)}
    winners = [by_key[key] for key in keys or ["default"]]
    assert [c.operation for c in decision.calls] == [
        call.operation for each in winners for call in each.calls
    ]
    assert decision.response == winners[0].response
    assert [each.rule for each in decision.trace.rules] == [r.key for r in spec.rules]


@settings(max_examples=300, deadline=None)
@given(
    value=st.one_of(VALUES, st.integers(), st.text(), st.datetimes(), st.decimals()),
    operator=st.sampled_from(["eq", "lt", "contains", "in", "between", "is_empty"]),
    literal=st.one_of(VALUES, st.integers(), st.text(), st.floats()),
)
def test_deciding_never_raises_whatever_was_found(
    value: Any, operator: str, literal: Any
) -> None:
    condition = Condition(PLAN, operator, literal, ignore_case=True)

    decision = decided(rule("r", condition), facts=Facts({"plan": Reading(value)}))

    assert decision.rule in ("r", "default")


def test_a_value_of_thousands_of_digits_is_traced_and_not_written_out() -> None:
    facts = Facts({"plan": Reading(10**9_000)})

    decision = decided(rule("r", Condition(PLAN, "lt", 1)), facts=facts)

    assert decision.trace.rules[0].found.startswith("2^")


def test_a_group_deeper_than_three_is_refused() -> None:
    inner = Group(GroupKind.ALL, (Group(GroupKind.ANY, (Group(GroupKind.NOT),)),))

    with pytest.raises(ValueError, match="3 deep"):
        Group(GroupKind.ALL, (inner,))


def test_first_takes_the_first_of_several_and_still_traces_the_rest() -> None:
    decision = decided(rule("one"), rule("two"))

    assert (decision.rule, decision.response) == ("one", "as-one")
    verdicts = [each.verdict for each in decision.trace.rules]
    assert verdicts == [Verdict.MATCHED, Verdict.MATCHED]


def test_unique_trusts_neither_of_two_and_says_so() -> None:
    decision = decided(rule("one"), rule("two"), hit_policy=HitPolicy.UNIQUE)

    assert decision.rule == "default"
    assert decision.trace.notes == ("unique-violated",)


def test_unique_takes_the_only_one() -> None:
    none = Condition(PLAN, "eq", "free")

    decision = decided(rule("a", none), rule("b"), hit_policy=HitPolicy.UNIQUE)

    assert decision.rule == "b"


def test_priority_takes_the_highest_and_the_first_of_equals() -> None:
    low, high = rule("low"), rule("high", priority=5)
    equal = rule("equal", priority=5)

    decision = decided(low, high, equal, hit_policy=HitPolicy.PRIORITY)

    assert decision.rule == "high"


def test_collect_calls_all_in_order_and_shows_the_first_response() -> None:
    decision = decided(rule("a"), rule("b"), hit_policy=HitPolicy.COLLECT)

    assert decision.rule == "a+b"
    assert [call.operation for call in decision.calls] == ["op-a", "op-b"]
    assert decision.response == "as-a"


@pytest.mark.parametrize("policy", list(HitPolicy))
def test_when_nothing_matches_the_default_answers(policy: HitPolicy) -> None:
    decision = decided(rule("a", Condition(PLAN, "eq", "x")), hit_policy=policy)

    assert (decision.rule, decision.response) == ("default", "usual")
    assert [call.operation for call in decision.calls] == ["op-default"]


def test_a_rule_that_is_off_never_matches_and_says_so() -> None:
    decision = decided(rule("a", enabled=False))

    assert decision.rule == "default"
    assert decision.trace.rules[0].why == "disabled"


@pytest.mark.parametrize(
    ("reading", "why"),
    [
        pytest.param(Reading("free"), "not-met", id="another value"),
        pytest.param(Reading(None), "missing", id="null"),
        pytest.param(Reading(1), "wrong-type", id="a number"),
        pytest.param(Reading(problem="database"), "database", id="failed"),
    ],
)
def test_the_trace_names_the_first_failing_condition_and_why(
    reading: Reading, why: str
) -> None:
    decision = decided(rule("a"), facts=Facts({"plan": reading}))

    trace = decision.trace.rules[0]
    assert (trace.condition, trace.why) == ("fact plan eq pro", why)
    assert trace.failed == IS_PRO


def test_the_trace_says_that_a_not_held_against_the_rule() -> None:
    decision = decided(rule("a", Group(GroupKind.NOT, (IS_PRO,))))

    trace = decision.trace.rules[0]
    assert (trace.condition, trace.negated) == ("not fact plan eq pro", True)
    assert trace.found == "pro"


def test_an_empty_any_group_is_named_as_the_reason() -> None:
    decision = decided(rule("a", Group(GroupKind.ANY)))

    assert decision.trace.rules[0].why == "empty-group"


def test_secret_facts_appear_nowhere_in_the_trace() -> None:
    facts = Facts({"plan": Reading("s3cret", secret=True)})

    decision = decided(rule("a", Condition(PLAN, "eq", "g7ess")), facts=facts)

    assert "s3cret" not in repr(decision.trace)
    assert "g7ess" not in repr(decision.trace)
    assert decision.trace.facts == {"plan": MASK}


def test_the_trace_says_where_facts_came_from_and_why_one_failed() -> None:
    other = Condition(Operand(OperandKind.FACT, "seats"), "gt", 1)
    facts = Facts({"plan": Reading("pro", Source.CACHE)})

    decision = decided(rule("a"), rule("b", other), facts=facts)

    assert decision.trace.sources == {"plan": "cache", "seats": "failed"}
    assert decision.trace.problems == {"seats": "not-read"}


def test_arguments_are_literals_parameters_and_facts() -> None:
    call = CallTemplate("op", {"days": 7, "site": SITE, "plan": PLAN})
    facts = Facts({"plan": Reading("pro")}, parameters={"site": "seoul"})

    decision = decided(rule("a", calls=(call,)), facts=facts)

    assert decision.calls == (Call("op", {"days": 7, "site": "seoul", "plan": "pro"}),)


def test_a_missing_parameter_is_left_out_of_the_call() -> None:
    decision = decided(rule("a", calls=(CallTemplate("op", {"site": SITE}),)))

    assert decision.calls == (Call("op", {}),)


def test_a_rule_whose_call_needs_a_failed_fact_is_unknown() -> None:
    call = CallTemplate("op", {"plan": PLAN})
    facts = Facts({"plan": Reading(problem="database")})

    decision = decided(rule("a", Group(GroupKind.ALL), calls=(call,)), facts=facts)

    assert decision.rule == "default"
    assert decision.trace.rules[0].verdict is Verdict.UNKNOWN
    assert decision.trace.rules[0].why == "argument"


NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = Success(Table((Column("n"),), ((1,),)), 200, NOW, 1.0)
EMPTY = Success(Table((Column("n"),), ()), 200, NOW, 1.0)


def failure(reason: Reason) -> Failure:
    return Failure(reason, "no", 1.0)


def step(*on: Event, kind: FallbackKind = FallbackKind.LAST_GOOD) -> Fallback:
    return Fallback(frozenset(on), kind, f"as-{kind.value}")


def with_steps(*steps: Fallback) -> Decision:
    return Decision("t", "r", (Call("op"),), "usual", fallbacks=steps)


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        (failure(Reason.UPSTREAM), Event.UPSTREAM),
        (failure(Reason.MISSING), Event.UPSTREAM),
        (failure(Reason.TIMEOUT), Event.TIMEOUT),
        (failure(Reason.CIRCUIT_OPEN), Event.CIRCUIT_OPEN),
        (failure(Reason.UNREADABLE), Event.UNREADABLE),
        (EMPTY, Event.EMPTY),
        (Success(" \n", 200, NOW, 1.0), Event.EMPTY),
    ],
)
def test_each_outcome_finds_the_step_that_answers_it(
    outcome: Any, event: Event
) -> None:
    others = step(*(set(Event) - {event}))
    mine = step(event, kind=FallbackKind.OPERATION)

    assert next_step(with_steps(others, mine), outcome, ()) is mine


@pytest.mark.parametrize(
    "outcome",
    [
        ROWS,
        failure(Reason.INVALID),
        failure(Reason.CANCELLED),
        failure(Reason.INTERNAL),
    ],
)
def test_what_somebody_must_correct_has_no_fallback(outcome: Any) -> None:
    assert next_step(with_steps(step(*Event)), outcome, ()) is None


@pytest.mark.parametrize("reason", [Reason.REFUSED, Reason.DENIED])
def test_a_refused_call_may_only_go_to_a_static_answer(reason: Reason) -> None:
    static = step(*Event, kind=FallbackKind.STATIC)
    steps = with_steps(step(*Event, kind=FallbackKind.OPERATION), step(*Event), static)

    assert next_step(steps, failure(reason), ()) is static


def test_steps_are_tried_in_order_once_each_and_three_at_most() -> None:
    kinds = [FallbackKind.OPERATION, FallbackKind.LAST_GOOD, FallbackKind.STATIC]
    steps = [step(Event.TIMEOUT, kind=kind) for kind in kinds]
    decision = with_steps(*steps, step(Event.TIMEOUT, Event.UPSTREAM))
    tried: list[Fallback] = []

    while (found := next_step(decision, failure(Reason.TIMEOUT), tried)) is not None:
        tried.append(found)

    assert tried == steps


def test_the_response_is_the_decisions_or_that_of_the_step_used() -> None:
    decision = with_steps(step(Event.TIMEOUT), step(Event.EMPTY))

    assert respond(decision, ROWS).name == "usual"
    assert respond(decision, ROWS, step=2).name == "as-last_good"
    assert respond(decision, ROWS, step=2).step == 2
    assert respond(decision, failure(Reason.TIMEOUT)).reason == "timeout"
    assert respond(decision, EMPTY).reason == "empty"
    assert respond(decision, ROWS).reason == ""


def test_a_static_text_is_an_answer_of_its_own_origin() -> None:
    fallback = Fallback(frozenset(Event), FallbackKind.STATIC, "x", static="Sorry.")

    outcome = static_outcome(fallback, now=NOW)

    assert (outcome.data, outcome.origin, outcome.as_of) == (
        "Sorry.",
        Origin.STATIC,
        NOW,
    )


def test_static_objects_become_typed_rows() -> None:
    static: list[Any] = [
        {"n": 1, "x": 0.5, "ok": True, "t": "a", "m": 1},
        {"n": None, "x": 2, "more": {"k": "가"}, "m": "b"},
    ]
    fallback = Fallback(frozenset(Event), FallbackKind.STATIC, "x", static=static)

    table = static_outcome(fallback).data

    assert isinstance(table, Table)
    types = {column.name: column.type for column in table.columns}
    assert types == {
        "n": ColumnType.INTEGER,
        "x": ColumnType.DECIMAL,
        "ok": ColumnType.BOOLEAN,
        "t": ColumnType.TEXT,
        "m": ColumnType.TEXT,
        "more": ColumnType.TEXT,
    }
    assert table.rows[0] == (1, 0.5, True, "a", "1", None)
    assert table.rows[1] == (None, 2, None, None, "b", '{"k": "가"}')


@pytest.mark.parametrize(("static", "text"), [(None, ""), ([1, 2], "[1, 2]")])
def test_other_static_values_are_shown_as_text(static: Any, text: str) -> None:
    fallback = Fallback(frozenset(Event), FallbackKind.STATIC, "x", static=static)

    assert static_outcome(fallback).data == text


def test_fallback_calls_get_their_arguments_when_decided() -> None:
    template = FallbackTemplate(
        step(Event.TIMEOUT, kind=FallbackKind.OPERATION),
        CallTemplate("other", {"site": SITE}),
    )
    last = FallbackTemplate(step(Event.EMPTY))
    facts = Facts(parameters={"site": "seoul"})

    decision = decided(facts=facts, fallbacks=(template, last))

    assert decision.fallbacks[0].call == Call("other", {"site": "seoul"})
    assert decision.fallbacks[1].call is None


def test_a_block_without_a_table_decides_for_its_operation() -> None:
    decision = direct_decision("op", {"n": 1})

    assert (decision.rule, decision.response) == ("direct", "default")
    assert decision.calls == (Call("op", {"n": 1}),)

"""Conformance: every operator by type, null, wrong type, and under NOT."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from branching.conditions import (
    Condition,
    Facts,
    Group,
    GroupKind,
    Operand,
    OperandKind,
    Reading,
    compile_group,
)
from branching.models import Condition as ConditionRow
from branching.operators import OPERATORS, FactType, Shape

T, F, U = True, False, None
D1, D2, D3 = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)
M1 = datetime(2026, 1, 1, tzinfo=UTC)
M1_SEOUL = datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))
M2 = datetime(2026, 1, 1, 1, tzinfo=UTC)
NAIVE = datetime(2026, 1, 1)
GA, GA_JAMO = "\uac00", "\u1100\u1161"

CASES: list[tuple[str, Any, Any, bool | None]] = [
    # operator, found, value, expected
    ("eq", "pro", "pro", T), ("eq", "pro", "Pro", F), ("eq", GA, GA_JAMO, F),
    ("eq", 1, 1, T), ("eq", 1, Decimal("1.0"), T), ("eq", 0.5, Decimal("0.5"), T),
    ("eq", 0.1, Decimal("0.1"), T), ("eq", 1, 2, F), ("eq", 1, True, U),
    ("eq", True, 1, U), ("eq", True, True, T), ("eq", False, True, F),
    ("eq", "1", 1, U), ("eq", 1, "1", U), ("eq", "true", True, U),
    ("eq", D1, D1, T), ("eq", D1, D2, F), ("eq", D1, M1, U), ("eq", M1, D1, U),
    ("eq", M1, M1_SEOUL, T), ("eq", M1, M2, F), ("eq", NAIVE, M1, U),
    ("eq", D1, "2026-01-01", U), ("eq", None, "x", U), ("eq", "x", None, U),
    ("eq", float("nan"), 1, U), ("eq", Decimal("sNaN"), 1, U),
    ("eq", ("a",), "a", U), ("eq", (), (), U), ("eq", 10**40, Decimal("1e40"), T),
    ("ne", "pro", "free", T), ("ne", "pro", "pro", F), ("ne", None, "pro", U),
    ("ne", 1, "1", U), ("ne", True, 1, U), ("ne", 2, Decimal(1), T), ("ne", D1, D2, T),
    ("ne", M1, M1_SEOUL, F), ("ne", ("a",), "a", U), ("ne", False, True, T),
    ("in", "a", ("a", "b"), T), ("in", "c", ("a", "b"), F), ("in", "a", (), F),
    ("in", 1, (Decimal(1), 2), T), ("in", 1, ("1",), U), ("in", 1, ("1", 1), T),
    ("in", True, (1,), U), ("in", None, ("a",), U), ("in", "a", "abc", U),
    ("in", D1, (D1, D2), T), ("in", M1, (M1_SEOUL,), T), ("in", "a", None, U),
    ("in", ("a",), ("a",), U), ("in", "a", ("b", None), U),
    ("not_in", "c", ("a", "b"), T), ("not_in", "a", ("a", "b"), F),
    ("not_in", None, ("a",), U), ("not_in", 1, ("1",), U), ("not_in", "a", (), T),
    ("not_in", 3, (1, Decimal(2)), T), ("not_in", D3, (D1, D2), T),
    ("not_in", True, ("a",), U), ("not_in", "c", ("a", None), U),
    ("contains", "abc", "b", T), ("contains", "abc", "B", F), ("contains", "abc", 1, U),
    ("contains", 123, "2", U), ("contains", None, "a", U), ("contains", "abc", "", T),
    ("contains", ("a",), "a", U), ("contains", "서울시", "울", T),
    ("contains", True, "T", U),
    ("starts_with", "abc", "ab", T), ("starts_with", "abc", "b", F),
    ("starts_with", None, "a", U), ("starts_with", 12, "1", U),
    ("starts_with", "abc", ("a",), U), ("starts_with", "서울시", "서울", T),
    ("ends_with", "abc", "bc", T), ("ends_with", "abc", "b", F),
    ("ends_with", None, "c", U), ("ends_with", 12, "2", U), ("ends_with", D1, "1", U),
    ("lt", 1, 2, T), ("lt", 2, 2, F), ("lt", 1, Decimal("1.5"), T), ("lt", "1", 2, U),
    ("lt", 1, "2", U), ("lt", False, 1, U), ("lt", None, 1, U), ("lt", D1, D2, T),
    ("lt", D2, D1, F), ("lt", M1, M2, T), ("lt", M1_SEOUL, M1, F), ("lt", D1, M2, U),
    ("lt", NAIVE, M2, U), ("lt", "a", "b", U), ("lt", True, True, U),
    ("lt", float("inf"), 1, U), ("lt", ("a",), 1, U),
    ("le", 2, 2, T), ("le", 3, 2, F), ("le", None, 2, U), ("le", "2", 2, U),
    ("le", D1, D1, T), ("le", M1, M1_SEOUL, T), ("le", True, 2, U), ("le", "a", "b", U),
    ("gt", 3, 2, T), ("gt", 2, 2, F), ("gt", Decimal("2.1"), 2, T), ("gt", None, 2, U),
    ("gt", "3", 2, U), ("gt", D2, D1, T), ("gt", M2, M1, T), ("gt", True, 0, U),
    ("gt", M1, D1, U), ("gt", "b", "a", U),
    ("ge", 2, 2, T), ("ge", 1, 2, F), ("ge", None, 2, U), ("ge", "2", 2, U),
    ("ge", D1, D1, T), ("ge", M1_SEOUL, M1, T), ("ge", False, 0, U),
    ("ge", NAIVE, M1, U),
    ("between", 2, (1, 3), T), ("between", 1, (1, 3), T), ("between", 3, (1, 3), T),
    ("between", 4, (1, 3), F), ("between", 0, (1, 3), F), ("between", None, (1, 3), U),
    ("between", "2", (1, 3), U), ("between", 2, (1,), U), ("between", 2, 3, U),
    ("between", 2, ("1", "3"), U), ("between", 0, (1, "3"), F),
    ("between", D2, (D1, D3), T), ("between", M1, (M1, M2), T),
    ("between", Decimal("1.5"), (1, 2), T), ("between", True, (0, 2), U),
    ("between", D1, (M1, M2), U), ("between", 2, (3, 1), F),
    ("is_true", True, None, T), ("is_true", False, None, F), ("is_true", None, None, U),
    ("is_true", 1, None, U), ("is_true", "true", None, U), ("is_true", ("a",), None, U),
    ("is_false", False, None, T), ("is_false", True, None, F), ("is_false", 0, None, U),
    ("is_false", None, None, U), ("is_false", "", None, U),
    ("exists", "x", None, T), ("exists", "", None, T), ("exists", 0, None, T),
    ("exists", False, None, T), ("exists", (), None, T), ("exists", D1, None, T),
    ("exists", M1, None, T), ("exists", None, None, F),
    ("missing", None, None, T), ("missing", "", None, F), ("missing", 0, None, F),
    ("missing", False, None, F), ("missing", (), None, F), ("missing", M1, None, F),
    ("contains_any", ("a", "b"), ("b", "c"), T), ("contains_any", ("a",), ("b",), F),
    ("contains_any", (), ("b",), F), ("contains_any", None, ("b",), U),
    ("contains_any", "ab", ("a",), U), ("contains_any", ("a",), "a", U),
    ("contains_any", ("a",), (), F), ("contains_any", (1,), ("1",), U),
    ("contains_any", (None, "a"), ("a",), T), ("contains_any", (None, "a"), ("b",), U),
    ("contains_all", ("a", "b"), ("a", "b"), T),
    ("contains_all", ("a",), ("a", "b"), F),
    ("contains_all", (), ("a",), F), ("contains_all", None, ("a",), U),
    ("contains_all", ("a",), (), T), ("contains_all", "ab", ("a",), U),
    ("contains_all", (None, "a"), ("a", "b"), U), ("contains_all", (1,), ("a",), U),
    ("is_empty", (), None, T), ("is_empty", ("a",), None, F),
    ("is_empty", None, None, U),
    ("is_empty", "", None, U), ("is_empty", 0, None, U),
    ("no_such_operator", "a", "a", U),
]  # fmt: skip
FOLDED: list[tuple[str, Any, Any, bool | None]] = [
    ("eq", "PRO", "pro", T), ("eq", "Straße", "STRASSE", T), ("eq", GA_JAMO, GA, T),
    ("eq", "a", "b", F), ("eq", 1, 1, T), ("eq", None, "a", U), ("eq", 1, "1", U),
    ("ne", "PRO", "pro", F), ("in", "B", ("a", "b"), T), ("not_in", "B", ("a", "b"), F),
    ("contains", "ABC", "b", T), ("starts_with", "ABC", "a", T),
    ("starts_with", "각", GA, F), ("ends_with", "ABC", "c", T),
    ("contains_any", ("A",), ("a",), T), ("contains_all", ("A", "B"), ("a", "b"), T),
    ("lt", "A", "b", U), ("is_true", True, None, T),
]  # fmt: skip
PLAN = Operand(OperandKind.FACT, "plan")


def truth(member: Condition | Group, reading: Reading) -> bool | None:
    return compile_group(member)(Facts({"plan": reading}))[0]


def opposite(expected: bool | None) -> bool | None:
    return None if expected is None else not expected


def test_the_table_has_enough_cases_and_every_operator_in_it() -> None:
    assert len(CASES) >= 150
    for name in OPERATORS:
        answers = {case[3] for case in CASES if case[0] == name}
        never_unknown = name in ("exists", "missing")
        assert answers == ({T, F} if never_unknown else {T, F, U}), name


@pytest.mark.parametrize(("operator", "found", "value", "expected"), CASES)
def test_an_operator_answers(
    operator: str, found: Any, value: Any, expected: bool | None
) -> None:
    condition = Condition(PLAN, operator, value)

    assert truth(condition, Reading(found)) is expected
    negated = Group(GroupKind.NOT, (condition,))
    assert truth(negated, Reading(found)) is opposite(expected)


@pytest.mark.parametrize(("operator", "found", "value", "expected"), FOLDED)
def test_an_operator_that_ignores_case_answers(
    operator: str, found: Any, value: Any, expected: bool | None
) -> None:
    condition = Condition(PLAN, operator, value, ignore_case=True)

    assert truth(condition, Reading(found)) is expected


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_a_failed_fact_is_unknown_to_every_operator_even_under_not(
    operator: str,
) -> None:
    condition = Condition(PLAN, operator, "x")
    failed = Reading("x", problem="database")

    assert truth(condition, failed) is None
    assert truth(Group(GroupKind.NOT, (condition,)), failed) is None


@pytest.mark.parametrize("kind", ["PARAMETER", "USER", "CONTEXT"])
def test_an_absent_parameter_or_attribute_is_missing(kind: str) -> None:
    operand = Operand(OperandKind[kind], "site")

    assert compile_group(Condition(operand, "missing"))(Facts())[0] is True
    assert compile_group(Condition(operand, "eq", "x"))(Facts())[0] is None


@pytest.mark.parametrize(
    ("kind", "truths", "expected"),
    [
        ("all", "TTT", T), ("all", "TUF", F), ("all", "TUT", U), ("all", "", T),
        ("any", "FFF", F), ("any", "FUT", T), ("any", "FUF", U), ("any", "", F),
        ("not", "FF", T), ("not", "FT", F), ("not", "FU", U), ("not", "UT", F),
        ("not", "", T),
    ],
)  # fmt: skip
def test_groups_follow_kleene(kind: str, truths: str, expected: bool | None) -> None:
    literals: dict[str, Any] = {"T": "pro", "F": "free", "U": 1}
    members = tuple(Condition(PLAN, "eq", literals[each]) for each in truths)

    found = truth(Group(GroupKind(kind), members), Reading("pro"))

    assert found is expected


def test_every_operator_can_be_chosen_and_none_else() -> None:
    assert set(ConditionRow.Operator.values) == set(OPERATORS)


def test_every_type_has_operators_and_presence_is_for_all() -> None:
    for name, operator in OPERATORS.items():
        assert operator.types, name
        if name in ("exists", "missing"):
            assert operator.types == set(FactType)
            assert operator.shape is Shape.NONE

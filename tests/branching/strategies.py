"""Random tables and facts: few names and small values, so that rules do match."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import strategies as st

from branching.conditions import (
    Condition,
    Facts,
    Group,
    GroupKind,
    Operand,
    OperandKind,
    Reading,
)
from branching.operators import OPERATORS
from branching.rules import CallTemplate, HitPolicy, Rule, TableSpec
from connectors.parameters import Argument

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS: st.SearchStrategy[Argument] = st.sampled_from(
    [
        None, True, False, 0, 1, 2, -1, 10**30, 0.5, 1.0, float("nan"), float("inf"),
        Decimal(1), Decimal("0.50"), Decimal("1e50"), Decimal("NaN"), Decimal("sNaN"),
        "", "pro", "PRO", "p", "1", "true", "\uac01", "\u1100\u1161\u11a8",
        date(2026, 1, 1), date(2026, 1, 2),
        datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1),
        datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
    ]
)  # fmt: skip
VALUES: st.SearchStrategy[Argument] = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3).map(tuple),
)
OPERANDS = st.builds(Operand, st.sampled_from(OperandKind), NAMES)
CONDITIONS = st.builds(
    Condition,
    st.one_of(st.builds(Operand, st.just(OperandKind.FACT), NAMES), OPERANDS),
    st.sampled_from([*OPERATORS, "no_such_operator"]),
    VALUES,
    st.booleans(),
)
_KINDS = st.sampled_from(GroupKind)
_FLAT = st.builds(Group, _KINDS, st.lists(CONDITIONS, max_size=3).map(tuple))
_DEEPER = st.builds(
    Group, _KINDS, st.lists(st.one_of(CONDITIONS, _FLAT), max_size=3).map(tuple)
)
GROUPS = st.builds(
    Group, _KINDS, st.lists(st.one_of(CONDITIONS, _DEEPER), max_size=3).map(tuple)
)
READINGS = st.builds(Reading, VALUES, problem=st.sampled_from(["", "", "", "database"]))
FACTS = st.builds(
    Facts,
    facts=st.dictionaries(NAMES, READINGS, max_size=3),
    parameters=st.dictionaries(NAMES, VALUES, max_size=3),
    user=st.dictionaries(NAMES, VALUES, max_size=2),
    context=st.dictionaries(NAMES, VALUES, max_size=2),
)


@st.composite
def tables(draw: st.DrawFn) -> TableSpec:
    whens = draw(st.lists(st.one_of(CONDITIONS, GROUPS), max_size=4))
    rules = tuple(
        Rule(
            f"r{place}",
            when,
            (CallTemplate(f"op{place}"),),
            f"shown{place}",
            priority=draw(st.integers(0, 2)),
            enabled=draw(st.sampled_from([True, True, True, False])),
        )
        for place, when in enumerate(whens)
    )
    default = Rule("default", calls=(CallTemplate("fallback"),))
    return TableSpec("t", default, rules, draw(st.sampled_from(HitPolicy)))

"""Whatever the judge is given, it answers: with a verdict, never with an error."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.query_safety import RULES, Allowed, Refused, judge
from connectors.sql_dialects import DIALECTS
from tests.connectors.sql_corpus import accepted, refused

pytestmark = pytest.mark.pure

EACH = 850  # inputs of each of three kinds, in each of four dialects: over 10,000
TEXTS = [
    case.sql
    for dialect in DIALECTS
    for case in (*accepted(dialect), *refused(dialect))
    if len(case.sql) < 400
]
TOKENS = sorted({token for sql in TEXTS for token in re.findall(r"\w+|\S", sql)})

anything = st.text(max_size=200)
soups = st.lists(st.sampled_from(TOKENS), max_size=30).map(" ".join)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A statement of the corpus with a part of another in its midst."""
    one, other = draw(st.sampled_from(TEXTS)), draw(st.sampled_from(TEXTS))
    first, last = sorted(draw(st.tuples(*[st.integers(0, len(one))] * 2)))
    begin, end = sorted(draw(st.tuples(*[st.integers(0, len(other))] * 2)))
    return one[:first] + other[begin:end] + one[last:]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("inputs", [anything, soups, damaged()])
def test_any_input_gets_a_verdict(inputs: st.SearchStrategy[str], dialect: str) -> None:
    seen = 0

    @settings(
        max_examples=EACH,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(inputs)
    def check(sql: str) -> None:
        nonlocal seen
        seen += 1
        verdict = judge(sql, dialect=dialect)
        if isinstance(verdict, Refused):
            assert verdict.rule in RULES
            return
        # What runs is a fixed point: judged again, it is the same text.
        again = judge(verdict.sql, dialect=dialect)
        assert isinstance(again, Allowed)
        assert again.sql == verdict.sql

    check()
    assert seen >= EACH

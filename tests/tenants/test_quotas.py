"""tenants/quotas.py: how much of a limit is used, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.quotas import Level, Limit, Quota, Use, levels, overrun

counts = st.integers(0, 10**15)
limits = st.none() | counts


@given(queries=counts, rows=counts, most_queries=limits, most_rows=limits)
def test_a_call_is_refused_exactly_where_a_daily_limit_is_reached(
    queries: int, rows: int, most_queries: int | None, most_rows: int | None
) -> None:
    found = overrun(Quota(most_queries, most_rows), Use(queries, rows))

    queries_over = most_queries is not None and queries >= most_queries
    rows_over = most_rows is not None and rows >= most_rows
    assert (found is not None) == (queries_over or rows_over)
    if found is not None:
        assert found.limit is (Limit.QUERIES if queries_over else Limit.ROWS)


@given(used=counts, allowed=counts)
def test_what_is_over_is_near_and_its_percent_is_a_hundred_or_more(
    used: int, allowed: int
) -> None:
    level = Level(Limit.ROWS, used, allowed)

    assert level.is_over == (level.percent >= 100)
    assert level.is_near or not level.is_over


@pytest.mark.parametrize(
    ("used", "near", "over"),
    [(79, False, False), (80, True, False), (99, True, False), (100, True, True)],
)
def test_a_limit_warns_at_four_fifths(used: int, near: bool, over: bool) -> None:
    level = Level(Limit.QUERIES, used, 100)

    assert (level.is_near, level.is_over) == (near, over)


def test_storage_refuses_no_query_and_has_no_level_before_it_is_measured() -> None:
    quota = Quota(storage=10)

    assert overrun(quota, Use(storage=11)) is None
    assert levels(quota, Use()) == ()
    assert levels(quota, Use(storage=11)) == (Level(Limit.STORAGE, 11, 10),)

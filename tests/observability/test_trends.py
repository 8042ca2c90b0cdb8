"""A slope that odd points do not bend, and how long until a limit."""

from __future__ import annotations

from itertools import combinations
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.trends import theil_sen, until

WHOLE = st.integers(-1_000, 1_000)


@given(st.integers(-50, 50), WHOLE, st.sets(WHOLE, min_size=2, max_size=12))
def test_points_on_a_line_give_its_slope(slope: int, start: int, xs: set[int]) -> None:
    points = [(float(x), float(start + slope * x)) for x in xs]

    assert theil_sen(points) == pytest.approx(slope)


@given(st.lists(st.tuples(WHOLE, WHOLE), max_size=12))
def test_it_is_the_median_of_all_pairs(points: list[tuple[int, int]]) -> None:
    slopes = [
        (after[1] - before[1]) / (after[0] - before[0])
        for before, after in combinations(sorted(points), 2)
        if after[0] != before[0]
    ]

    found = theil_sen([(float(x), float(y)) for x, y in points])

    assert found == (pytest.approx(median(slopes)) if slopes else None)


def test_one_odd_month_does_not_bend_it() -> None:
    months = [(float(day), 10.0 * day) for day in range(0, 300, 30)]
    months[4] = (120.0, 1e9)

    assert theil_sen(months) == pytest.approx(10.0)


def test_days_to_a_limit() -> None:
    assert until(100, now=40, slope=2.0) == 30.0
    assert until(100, now=100, slope=None) == 0.0
    assert until(100, now=40, slope=0.0) is None
    assert until(100, now=40, slope=-1.0) is None
    assert until(100, now=40, slope=None) is None

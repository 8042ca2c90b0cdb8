"""Percentiles within one percent, exact merging, and budgets in whole numbers."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.slo import (
    RELATIVE_ERROR,
    Tally,
    burn_rate,
    burns_faster,
    decode_buckets,
    encode_buckets,
    error_budget_left,
    merged,
)

durations = st.lists(st.integers(1, 10**10), min_size=1, max_size=200)
ROUNDING = 1e-9


def tally_of(values: list[int]) -> Tally:
    tally = Tally()
    for value in values:
        tally.add(value)
    return tally


def exact(values: list[int], percent: float) -> int:
    rank = math.ceil(round(percent * 1_000) * len(values) / 100_000)
    return sorted(values)[max(1, rank) - 1]


@given(durations, st.sampled_from([0.1, 1, 25, 50, 90, 95, 99, 99.9, 100]))
def test_a_percentile_is_at_most_one_percent_off(
    values: list[int], percent: float
) -> None:
    answer = tally_of(values).percentile_us(percent)

    truth = exact(values, percent)
    assert answer is not None
    assert abs(answer - truth) <= truth * (RELATIVE_ERROR + ROUNDING)


@given(st.lists(durations, min_size=1, max_size=8))
def test_merging_is_the_same_as_counting_in_one_place(parts: list[list[int]]) -> None:
    together = tally_of([value for part in parts for value in part])

    assert merged(tally_of(part) for part in parts) == together


def test_percentiles_of_eight_workers_stay_within_one_percent() -> None:
    chance = random.Random(7)
    values = [round(chance.lognormvariate(10, 1.5)) + 1 for _ in range(40_000)]

    tally = merged(tally_of(values[worker::8]) for worker in range(8))

    for percent in (50, 95, 99, 99.9):
        truth = exact(values, percent)
        answer = tally.percentile_us(percent)
        assert answer == pytest.approx(truth, rel=RELATIVE_ERROR + ROUNDING)
    assert tally.count == len(values)
    assert tally.max_us == max(values)
    assert tally.sum_us == sum(values)


@given(st.dictionaries(st.integers(0, 2_000), st.integers(1, 10**12), max_size=80))
def test_buckets_are_read_back_as_they_were_written(buckets: dict[int, int]) -> None:
    assert decode_buckets(encode_buckets(buckets)) == buckets


def test_nine_requests_a_minute_take_few_bytes() -> None:
    tally = tally_of([1_200 * 2**step for step in range(9)])

    assert len(encode_buckets(tally.buckets)) <= 20


@pytest.mark.parametrize("blob", [b"\x05", b"\x05\x80", b"\x85"])
def test_a_cut_blob_is_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match="middle of a pair"):
        decode_buckets(blob)


def test_nothing_counted_has_no_percentile() -> None:
    assert Tally().percentile_us(95) is None


def test_a_duration_below_a_microsecond_counts_as_one() -> None:
    assert tally_of([0]).percentile_us(50) == 0.0
    assert tally_of([0, 1]).buckets == {0: 2}


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_a_percentile_outside_its_range_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="percent"):
        tally_of([1]).percentile_us(percent)


@pytest.mark.parametrize(
    ("bad", "total", "expected"),
    [
        pytest.param(0, 0, 0.0, id="no traffic spends nothing"),
        pytest.param(1, 1_000, 1.0, id="exactly on budget"),
        pytest.param(144, 10_000, 14.4, id="two percent of a month in an hour"),
    ],
)
def test_burn_rate(bad: int, total: int, expected: float) -> None:
    assert burn_rate(bad=bad, total=total, objective=0.999) == pytest.approx(expected)


def test_a_point_on_the_threshold_does_not_burn_faster() -> None:
    on = burns_faster(bad=144, total=10_000, objective=0.999, rate_tenths=144)
    above = burns_faster(bad=145, total=10_000, objective=0.999, rate_tenths=144)

    assert (on, above) == (False, True)


@pytest.mark.parametrize(
    ("bad", "total", "expected"),
    [
        pytest.param(0, 0, 1.0, id="no traffic leaves all"),
        pytest.param(5, 10_000, 0.5, id="half is spent"),
        pytest.param(10, 10_000, 0.0, id="spent to the last event"),
        pytest.param(20, 10_000, -1.0, id="twice the budget"),
    ],
)
def test_error_budget_left(bad: int, total: int, expected: float) -> None:
    assert error_budget_left(bad=bad, total=total, objective=0.999) == expected


@pytest.mark.parametrize("objective", [0, 1, 1.5, 0.99999999])
def test_an_objective_without_a_budget_is_refused(objective: float) -> None:
    with pytest.raises(ValueError, match="objective"):
        burn_rate(bad=0, total=1, objective=objective)


@pytest.mark.parametrize(("bad", "total"), [(2, 1), (-1, 1)])
def test_counts_that_contradict_are_refused(bad: int, total: int) -> None:
    with pytest.raises(ValueError, match="bad must lie"):
        error_budget_left(bad=bad, total=total, objective=0.9)

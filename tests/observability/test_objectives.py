"""A generated month against an independent exact calculator, and the exact edges."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.objective_results import results_at, results_in
from observability.objectives import (
    BURN_MINUTES,
    NOTHING,
    Counts,
    Outlook,
    Promise,
    Result,
    burns_faster,
    worst_first,
)
from observability.rollup import fold_days, fold_hours, prune
from observability.slo import Tally
from tenants.models import Tenant, User
from tests.observability.counting import MS, NOON, objective, row, store, tally_of

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Minute:
    at: datetime
    total: int
    bad: int
    slow: int


def month(*, until: datetime, days: int, seed: int) -> list[Minute]:
    """Traffic with quiet nights, gaps of the recorder, and two incidents."""
    dice = random.Random(seed)
    minutes = []
    for number in range(days * 24 * 60):
        at = until - days * DAY + number * MINUTE
        quiet = at.hour < 6
        gap = at.day % 9 == 3 and at.hour == 14
        # One minute in ten carries traffic: a month stays quick to store.
        if gap or number % 10 or (quiet and dice.random() < 0.7):
            continue
        total = dice.randint(1, 3 if quiet else 30)
        incident = at.day % 11 == 5 and 9 <= at.hour < 11
        bad = dice.randint(0, total) if incident else int(dice.random() < 0.02)
        slow = dice.randint(0, total) if incident else int(dice.random() < 0.05)
        minutes.append(Minute(at, total, min(bad, total), min(slow, total)))
    return minutes


def counted(minute: Minute) -> Tally:
    tally = tally_of(total=minute.total - minute.slow)
    tally.merge(tally_of(total=minute.slow, us=900 * MS))
    tally.bad = minute.bad
    return tally


class Exact:
    """The same answers from the raw minutes, in fractions, written on its own."""

    def __init__(self, minutes: list[Minute], *, field: str) -> None:
        self.minutes, self.field = minutes, field

    def window(self, start: datetime, end: datetime) -> tuple[int, int]:
        inside = [each for each in self.minutes if start <= each.at < end]
        return (
            sum(each.total for each in inside),
            sum(getattr(each, self.field) for each in inside),
        )

    def burn(self, start: datetime, end: datetime, target: str) -> Fraction | None:
        total, bad = self.window(start, end)
        if total == 0:
            return None
        return Fraction(bad, total) / (1 - Fraction(target) / 100)

    def left(self, start: datetime, end: datetime, target: str) -> Fraction | None:
        burnt = self.burn(start, end, target)
        return None if burnt is None else 1 - burnt


@pytest.fixture(scope="module")
def minutes() -> list[Minute]:
    return month(until=NOON + timedelta(minutes=37), days=31, seed=20260310)


def store_month(acme: Tenant, minutes: list[Minute]) -> None:
    dice = random.Random(7)
    store(
        row(acme, each.at, counted(each), worker=f"host:{dice.randint(1, 3)}")
        for each in minutes
    )


@pytest.mark.django_db
@pytest.mark.parametrize("folded", [False, True], ids=["minutes", "folded and pruned"])
def test_burn_and_budget_of_a_month_equal_an_exact_calculator(
    acme: Tenant, minutes: list[Minute], folded: bool
) -> None:
    store_month(acme, minutes)
    end = NOON + timedelta(minutes=37)
    if folded:
        fold_hours(now=end)
        fold_days(now=end)
        assert prune(now=end) > 0
    for key, target, days, latency in (
        ("available", "99.9", 30, False),
        ("available-week", "99.95", 7, False),
        ("fast", "97.5", 13, True),
        ("fast-month", "99", 28, True),
    ):
        objective(
            acme,
            key=key,
            target=Decimal(target),
            window_days=days,
            type="latency" if latency else "availability",
            threshold_ms=200 if latency else None,
        )

    # Ends spread over three days: quiet nights, gaps and an incident among them.
    for back in (0, 3, 61, 7 * 60 + 13, 2_000, 4_000):
        at = end - back * MINUTE
        found = results_at(acme.pk, end=at, now=end)
        assert len(found) == 4
        for each in found:
            latency = each.objective.type == "latency"
            exact = Exact(minutes, field="slow" if latency else "bad")
            target = str(each.objective.target)
            for width in BURN_MINUTES:
                wanted = exact.burn(at - width * MINUTE, at, target)
                burn = each.result.burn(width)
                assert (burn is None) == (wanted is None)
                if wanted is not None:
                    assert burn == pytest.approx(float(wanted), rel=1e-12)
            start = at - each.objective.window_days * DAY
            if each.objective.window_days > 13 or start < end - 13 * DAY:
                start = start.replace(minute=0)  # the documented edge
            assert each.result.budget_left == exact.left(start, at, target)


@pytest.mark.django_db
def test_a_late_row_counts_although_its_hour_is_folded(acme: Tenant) -> None:
    objective(acme, window_days=1)
    early = NOON - timedelta(hours=5)
    store([row(acme, early, tally_of(total=10))])
    fold_hours(now=NOON)
    store([row(acme, early, tally_of(total=7, bad=2))])

    [found] = results_at(acme.pk, end=NOON, now=NOON)

    assert found.result.period == Counts(17, 2)
    assert found.result.recent[360] == Counts(17, 2)


@pytest.mark.django_db
def test_the_edges_of_a_window_are_full_minutes(acme: Tenant) -> None:
    objective(acme, window_days=1)
    for offset in (0, 1, 5, 6, 24 * 60, 24 * 60 + 1):
        store([row(acme, NOON - offset * MINUTE, tally_of(total=1))])

    [found] = results_at(acme.pk, end=NOON, now=NOON)

    # 0 has begun with the end, 24 h and a minute is before the start.
    assert found.result.recent[5].total == 2
    assert found.result.recent[30].total == 3
    assert found.result.period.total == 4


@pytest.mark.django_db
def test_a_past_period_is_counted_to_the_hour(acme: Tenant) -> None:
    objective(acme)
    for hours in (0, 1, 47, 48):
        store([row(acme, NOON - timedelta(hours=hours), tally_of(total=1, bad=1))])
    later = NOON + timedelta(days=40)
    fold_hours(now=later)
    fold_days(now=later)

    [found] = results_in(acme.pk, starts=NOON - 2 * DAY, ends=NOON)

    assert found.result.period == Counts(3, 3)
    assert sum(day.total for day in found.daily) == 3
    assert found.result.burn(5) is None
    with pytest.raises(ValueError, match="no full hour"):
        results_in(acme.pk, starts=NOON, ends=NOON)


@pytest.mark.django_db
def test_no_data_is_a_value_of_its_own(acme: Tenant, globex: Tenant) -> None:
    objective(acme)
    store([row(globex, NOON - MINUTE, tally_of(total=5))])

    [found] = results_at(acme.pk, end=NOON, now=NOON)

    result = found.result
    assert result.period == NOTHING
    assert (result.budget_left, result.events_left, result.met) == (None, None, None)
    assert result.period.good_share is None
    assert [result.burn(width) for width in BURN_MINUTES] == [None] * 5
    assert result.outlook() == (Outlook.UNKNOWN, None)


@pytest.mark.django_db
def test_the_worst_budget_comes_first_and_the_unknown_last(
    acme: Tenant, user: User
) -> None:
    for key, bad in (("fine", 0), ("bad", 9), ("spent", 1)):
        objective(acme, key=key, measured_key=key, owner=user)
        store([row(acme, NOON - MINUTE, tally_of(total=1_000, bad=bad), key=key)])
    objective(acme, key="silent", measured_key="silent")
    objective(acme, key="off", enabled=False)

    found = results_at(acme.pk, end=NOON, now=NOON)

    keys = [each.objective.key for each in found]
    assert keys == ["bad", "spent", "fine", "silent"]


@pytest.mark.parametrize(
    ("bad", "rate_tenths", "faster"),
    [
        pytest.param(144, 144, False, id="exactly 14.4"),
        pytest.param(145, 144, True, id="one event more"),
        pytest.param(60, 60, False, id="exactly 6"),
        pytest.param(61, 60, True, id="one more than 6"),
        pytest.param(10, 10, False, id="exactly 1"),
        pytest.param(0, 10, False, id="nothing bad"),
    ],
)
def test_an_event_exactly_on_a_threshold_does_not_pass_it(
    bad: int, rate_tenths: int, faster: bool
) -> None:
    counts = Counts(10_000, bad)

    assert burns_faster(counts, budget_ppm=1_000, rate_tenths=rate_tenths) is faster


@given(
    total=st.integers(1, 10**9),
    share=st.fractions(0, 1),
    target_ppm=st.integers(1, 999_999),
    days=st.integers(1, 90),
    recent_total=st.integers(1, 10**6),
    recent_share=st.fractions(0, 1),
)
def test_budget_and_outlook_equal_fractions(
    total: int,
    share: Fraction,
    target_ppm: int,
    days: int,
    recent_total: int,
    recent_share: Fraction,
) -> None:
    period = Counts(total, int(total * share))
    recent = Counts(recent_total, int(recent_total * recent_share))
    promise = Promise(target_ppm, days)
    result = Result(promise, period, dict.fromkeys(BURN_MINUTES, recent))

    allowed = 1 - Fraction(target_ppm, 1_000_000)
    left = 1 - Fraction(period.bad, period.total) / allowed
    rate = Fraction(recent.bad, recent.total) / allowed
    assert result.budget_left == left
    assert result.events_left == (total * allowed - period.bad) // 1
    outlook, minutes = result.outlook()
    if left <= 0:
        assert (outlook, minutes) == (Outlook.SPENT, 0)
    elif rate <= 1:
        assert (outlook, minutes) == (Outlook.LASTS, None)
    else:
        assert (outlook, minutes) == (Outlook.ENDS, left * days * 24 * 60 // rate)


@given(threshold_ms=st.integers(1, 3_600_000), factor=st.floats(0.5, 2))
def test_slow_is_counted_from_the_buckets_as_documented(
    threshold_ms: int, factor: float
) -> None:
    promise = Promise(999_000, 30, threshold_us=threshold_ms * 1_000)
    took_us = max(1, round(threshold_ms * 1_000 * factor))

    slow = promise.counts(tally_of(total=1, us=took_us)).bad

    if took_us <= threshold_ms * 1_000:
        assert slow == 0
    if took_us > threshold_ms * 1_000 * 1.0203:
        assert slow == 1


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Counts(1, 2), id="more bad than all"),
        pytest.param(lambda: Counts(1, -1), id="less than nothing"),
        pytest.param(lambda: Promise(1_000_000, 30), id="no budget"),
        pytest.param(lambda: Promise(0, 30), id="no promise"),
        pytest.param(lambda: Promise(1, 0), id="no window"),
    ],
)
def test_what_cannot_be_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"must (lie|be)"):
        make()


def test_worst_first_puts_what_is_unknown_behind_a_spent_budget() -> None:
    promise = Promise(999_000, 30)
    spent = Result(promise, Counts(10, 10), {})
    unknown = Result(promise, NOTHING, {})

    assert sorted([unknown, spent], key=worst_first) == [spent, unknown]

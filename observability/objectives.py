"""What an objective promises, what came of it, and how long its budget lasts. Pure.

Everything is compared in whole numbers, so that an event exactly on a threshold is
never decided by a rounded quotient. Floats appear only in what is shown.

"No data" is a value of its own: without one event nothing is known, and every
answer is None or `Outlook.UNKNOWN`, never 100 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from observability.slo import Tally, bucket_of

MILLION = 1_000_000
DAY_MINUTES = 24 * 60
BURN_MINUTES = (5, 30, 60, 360, 3 * DAY_MINUTES)
"""Windows a burn rate is shown over: 5 min, 30 min, 1 h, 6 h and 3 d."""
OUTLOOK_MINUTES = 360


@dataclass(frozen=True, slots=True)
class Counts:
    """Events of one window, and how many of them missed the objective.

    Raises:
        ValueError: not ``0 <= bad <= total``.
    """

    total: int
    bad: int

    def __post_init__(self) -> None:
        if not 0 <= self.bad <= self.total:
            raise ValueError(f"bad must lie in 0..{self.total}, got {self.bad}")

    @property
    def known(self) -> bool:
        """Whether anything was counted at all."""
        return self.total > 0

    @property
    def good_share(self) -> float | None:
        """Share of good events, None without data."""
        return (self.total - self.bad) / self.total if self.known else None


NOTHING = Counts(0, 0)


@dataclass(frozen=True, slots=True)
class Promise:
    """What an objective promises.

    Attributes:
        target_ppm: Good events in a million, ``0 < target_ppm < 1_000_000``.
        window_days: Days of the period the budget is for.
        threshold_us: For latency: longer events are bad. None for availability,
            where failed events are.

    Raises:
        ValueError: the target leaves no budget, or the window is empty.
    """

    target_ppm: int
    window_days: int
    threshold_us: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.target_ppm < MILLION:
            raise ValueError(f"target_ppm must lie in 1..999999, got {self.target_ppm}")
        if self.window_days < 1:
            raise ValueError(f"window_days must be 1 or more, got {self.window_days}")

    @property
    def budget_ppm(self) -> int:
        return MILLION - self.target_ppm

    @property
    def window_minutes(self) -> int:
        return self.window_days * DAY_MINUTES

    def counts(self, tally: Tally) -> Counts:
        """Count what missed the promise.

        Latency is counted from the log buckets: bad is what lies in a bucket above
        the threshold's own. The threshold's bucket ends at most 2.03 % above it, so
        an event no longer than the threshold is never bad, one longer than 1.0203
        times the threshold always is, and in between the promise gets the benefit.
        Whether an event failed does not matter to latency.
        """
        if self.threshold_us is None:
            return Counts(tally.count, tally.bad)
        last_good = bucket_of(self.threshold_us)
        slow = sum(n for bucket, n in tally.buckets.items() if bucket > last_good)
        return Counts(tally.count, slow)


def burns_faster(counts: Counts, *, budget_ppm: int, rate_tenths: int) -> bool | None:
    """Say whether more than `rate_tenths` tenths of a burn rate is spent.

    Exactly the rate is not faster. None without data.
    """
    if not counts.known:
        return None
    return counts.bad * MILLION * 10 > rate_tenths * budget_ppm * counts.total


def burn_rate(counts: Counts, *, budget_ppm: int) -> float | None:
    """Return how fast the budget is spent: 1.0 in one period; None without data."""
    if not counts.known:
        return None
    return counts.bad * MILLION / (counts.total * budget_ppm)


class Outlook(StrEnum):
    """What becomes of an error budget at the present rate."""

    UNKNOWN = "unknown"
    SPENT = "spent"
    LASTS = "lasts"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an objective up to one moment.

    Attributes:
        period: Counts of the whole window of the promise.
        recent: Counts by minutes before the moment, for every one of `BURN_MINUTES`.
    """

    promise: Promise
    period: Counts
    recent: Mapping[int, Counts]

    @property
    def known(self) -> bool:
        return self.period.known

    @property
    def budget_left(self) -> Fraction | None:
        """Share of the error budget left: 1 untouched, 0 spent, negative overspent."""
        if not self.known:
            return None
        budget = self.period.total * self.promise.budget_ppm
        return Fraction(budget - self.period.bad * MILLION, budget)

    @property
    def events_left(self) -> int | None:
        """Bad events still allowed of those counted, rounded down; can be negative."""
        if not self.known:
            return None
        budget = self.period.total * self.promise.budget_ppm
        return (budget - self.period.bad * MILLION) // MILLION

    @property
    def met(self) -> bool | None:
        """Whether the promise is kept; None without data."""
        left = self.budget_left
        return None if left is None else left >= 0

    def burn(self, minutes: int) -> float | None:
        """Return the burn rate of the last `minutes`; None without data."""
        return burn_rate(self.recent[minutes], budget_ppm=self.promise.budget_ppm)

    def outlook(self) -> tuple[Outlook, int | None]:
        """Say what becomes of the budget, and in how many minutes at the earliest.

        The rate is that of the last six hours. A rate of 1 or less spends no more
        than ages out of the window, so the budget lasts. A faster one ends it after
        the returned minutes, rounded down; what ages out meanwhile only delays that.
        """
        left, rate = self.budget_left, self.recent[OUTLOOK_MINUTES]
        if left is None:
            return Outlook.UNKNOWN, None
        if left <= 0:
            return Outlook.SPENT, 0
        faster = burns_faster(rate, budget_ppm=self.promise.budget_ppm, rate_tenths=10)
        if faster is None:
            return Outlook.UNKNOWN, None
        if not faster:
            return Outlook.LASTS, None
        burnt = Fraction(rate.bad * MILLION, rate.total * self.promise.budget_ppm)
        return Outlook.ENDS, int(left * self.promise.window_minutes / burnt)


def worst_first(result: Result) -> tuple[bool, Fraction]:
    """Order results by the budget left, unknown ones last."""
    left = result.budget_left
    return (left is None, left or Fraction(0))

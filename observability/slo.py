"""Percentiles from log buckets, error budgets and burn rates: pure arithmetic.

A duration falls into bucket ``i`` when ``GAMMA ** (i - 1) < value <= GAMMA ** i``.
Whatever is answered for a bucket is at most `RELATIVE_ERROR` away from every value
in it. Buckets are added to merge, so the answer does not depend on how many
processes counted.

Source: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable
Quantile Sketch with Relative-Error Guarantees", PVLDB 12 (2019).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

RELATIVE_ERROR = 0.01
GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = math.log(GAMMA)
_MILLION = 1_000_000


def bucket_of(value_us: float) -> int:
    """Return the bucket of a duration in microseconds; below 1 µs counts as 1 µs."""
    if value_us <= 1:
        return 0
    return math.ceil(math.log(value_us) / _LOG_GAMMA)


def value_of(bucket: int) -> float:
    """Return the microseconds answered for every duration of `bucket`."""
    return float(2 * GAMMA**bucket / (1 + GAMMA))


@dataclass(slots=True)
class Tally:
    """What was counted under one key: how many, how many bad, how long.

    Attributes:
        count: All events; the buckets hold the same number.
        bad: Events that failed, ``0 <= bad <= count``.
        sum_us: Microseconds of all events together.
        max_us: Microseconds of the longest event, exact.
        buckets: Bucket number to number of events.
    """

    count: int = 0
    bad: int = 0
    sum_us: int = 0
    max_us: int = 0
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, value_us: int, *, bad: bool = False) -> None:
        """Count one event that took `value_us` microseconds."""
        self.count += 1
        self.bad += bad
        self.sum_us += value_us
        self.max_us = max(self.max_us, value_us)
        bucket = bucket_of(value_us)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def merge(self, other: Tally) -> None:
        """Add the events of `other`; nothing is lost or rounded."""
        self.count += other.count
        self.bad += other.bad
        self.sum_us += other.sum_us
        self.max_us = max(self.max_us, other.max_us)
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def percentile_us(self, percent: float) -> float | None:
        """Return the duration that `percent` of the events do not exceed.

        The nearest-rank definition, to a thousandth of a percent; at most
        `RELATIVE_ERROR` away from the exact answer for durations of 1 µs and more.

        Returns:
            Microseconds, or None when nothing was counted.

        Raises:
            ValueError: `percent` is not in ``0 < percent <= 100``.
        """
        if not 0 < percent <= 100:
            raise ValueError(f"percent must lie in (0, 100], got {percent!r}")
        if not self.count:
            return None
        rank = max(1, -(-round(percent * 1_000) * self.count // 100_000))
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= rank:
                break
        return min(value_of(bucket), float(self.max_us))


def merged(tallies: Iterable[Tally]) -> Tally:
    """Return one tally that holds the events of all `tallies`."""
    total = Tally()
    for tally in tallies:
        total.merge(tally)
    return total


def encode_buckets(buckets: dict[int, int]) -> bytes:
    """Write buckets as pairs of varints: distance to the bucket before, count."""
    out = bytearray()
    previous = 0
    for bucket in sorted(buckets):
        _write_varint(out, bucket - previous)
        _write_varint(out, buckets[bucket])
        previous = bucket
    return bytes(out)


def decode_buckets(blob: bytes) -> dict[int, int]:
    """Read what `encode_buckets` wrote.

    Raises:
        ValueError: the bytes end in the middle of a pair.
    """
    numbers: list[int] = []
    number = shift = 0
    for byte in blob:
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            numbers.append(number)
            number = shift = 0
    if shift or len(numbers) % 2:
        raise ValueError(f"{len(blob)} bytes of buckets end in the middle of a pair")
    buckets: dict[int, int] = {}
    bucket = 0
    for distance, count in zip(numbers[::2], numbers[1::2], strict=True):
        bucket += distance
        buckets[bucket] = count
    return buckets


def _write_varint(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def burn_rate(*, bad: int, total: int, objective: float) -> float:
    """Say how fast an error budget is being spent.

    1.0 spends the whole budget in exactly one SLO period; 14.4 held for one
    hour spends 2 % of a 30-day budget.

    Args:
        bad: Events that missed the objective, ``0 <= bad <= total``.
        total: All events in the window. With none, nothing is spent.
        objective: Promised share of good events, ``0 < objective < 1``.

    Raises:
        ValueError: ``objective`` leaves no budget, or the counts contradict.

    Source: Google, The Site Reliability Workbook, chapter 5, "Alerting on SLOs".
    """
    budget_ppm = _budget_ppm(objective)
    _check_counts(bad=bad, total=total)
    if total == 0:
        return 0.0
    return bad * _MILLION / (total * budget_ppm)


def burns_faster(*, bad: int, total: int, objective: float, rate_tenths: int) -> bool:
    """Say whether more budget is burnt than `rate_tenths` tenths of a burn rate.

    Compared in whole numbers: events do lie exactly on a threshold, and a rounded
    quotient would decide those by chance.

    Args:
        bad: Events that missed the objective, ``0 <= bad <= total``.
        total: All events in the window. With none, nothing burns.
        objective: Promised share of good events, ``0 < objective < 1``, to a
            millionth.
        rate_tenths: 144 stands for a burn rate of 14.4.

    Raises:
        ValueError: ``objective`` leaves no budget, or the counts contradict.
    """
    budget_ppm = _budget_ppm(objective)
    _check_counts(bad=bad, total=total)
    return bad * _MILLION * 10 > rate_tenths * budget_ppm * total


def error_budget_left(*, bad: int, total: int, objective: float) -> float:
    """Say which share of the error budget of `total` events is left.

    1.0 is an untouched budget, 0.0 a budget spent to the last event; negative
    when more was spent than there was.

    Args:
        bad: Events that missed the objective, ``0 <= bad <= total``.
        total: All events of the SLO period. With none, the budget is untouched.
        objective: Promised share of good events, ``0 < objective < 1``.

    Raises:
        ValueError: ``objective`` leaves no budget, or the counts contradict.

    Source: Google, The Site Reliability Workbook, chapter 2, "Implementing SLOs".
    """
    budget_ppm = _budget_ppm(objective)
    _check_counts(bad=bad, total=total)
    if total == 0:
        return 1.0
    budget = total * budget_ppm
    return (budget - bad * _MILLION) / budget


def _budget_ppm(objective: float) -> int:
    if not 0 < objective < 1:
        raise ValueError(f"objective must lie between 0 and 1, got {objective!r}")
    budget_ppm = _MILLION - round(objective * _MILLION)
    if budget_ppm == 0:
        raise ValueError(f"objective {objective!r} leaves less than one in a million")
    return budget_ppm


def _check_counts(*, bad: int, total: int) -> None:
    if not 0 <= bad <= total:
        raise ValueError(f"bad must lie between 0 and total={total}, got {bad}")

"""How good probabilities were: Brier, calibration error, risk and coverage. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its 95 % Wilson interval."""

    share: float
    low: float
    high: float


def wilson(successes: int, total: int, *, z: float = 1.959963984540054) -> Interval:
    """Return the share of successes and its score interval; 0 to 1 for no trials.

    Raises:
        ValueError: the counts contradict each other.

    Source: E. B. Wilson, JASA 22 (1927), 209-212.
    """
    if not 0 <= successes <= total:
        raise ValueError(f"successes must lie between 0 and {total}, got {successes}")
    if total == 0:
        return Interval(0.0, 0.0, 1.0)
    share = successes / total
    spread = z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    half /= 1 + spread
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def brier(said: Sequence[float], happened: Sequence[bool]) -> float:
    """Return the mean squared distance of what was said from what happened, 0 to 1."""
    _check(said, happened)
    return sum((p - y) ** 2 for p, y in zip(said, happened, strict=True)) / len(said)


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a reliability diagram.

    Attributes:
        low: Lower edge; the upper one is that of the next bin.
        said: Mean of what was said in it.
        happened: Share that happened, with its interval.
        count: Proposals in it.
    """

    low: float
    said: float
    happened: Interval
    count: int


def reliability(
    said: Sequence[float], happened: Sequence[bool], *, bins: int = 10
) -> tuple[Bin, ...]:
    """Group by what was said, in equal steps; empty groups are left out."""
    _check(said, happened)
    groups: dict[int, list[tuple[float, bool]]] = {}
    for p, y in zip(said, happened, strict=True):
        groups.setdefault(min(int(p * bins), bins - 1), []).append((p, y))
    return tuple(
        Bin(
            number / bins,
            sum(p for p, _ in group) / len(group),
            wilson(sum(y for _, y in group), len(group)),
            len(group),
        )
        for number, group in sorted(groups.items())
    )


def ece(said: Sequence[float], happened: Sequence[bool], *, bins: int = 10) -> float:
    """Return the expected calibration error: the mean gap of the bins, weighted."""
    return sum(
        each.count * abs(each.said - each.happened.share)
        for each in reliability(said, happened, bins=bins)
    ) / len(said)


def aurc(said: Sequence[float], happened: Sequence[bool]) -> float:
    """Return the area under the risk-coverage curve; lower is better.

    The mean, over every number of proposals kept, of the share of wrong ones among
    those with the highest confidence. Equal confidences count as their mean.
    """
    _check(said, happened)
    groups: dict[float, list[bool]] = {}
    for p, y in zip(said, happened, strict=True):
        groups.setdefault(p, []).append(y)
    wrong, kept, area = 0.0, 0, 0.0
    for p in sorted(groups, reverse=True):
        share = 1 - sum(groups[p]) / len(groups[p])
        for _each in groups[p]:
            wrong, kept = wrong + share, kept + 1
            area += wrong / kept
    return area / len(said)


def _check(said: Sequence[float], happened: Sequence[bool]) -> None:
    if len(said) != len(happened) or not said:
        raise ValueError(f"{len(said)} numbers for {len(happened)} outcomes")

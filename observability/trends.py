"""The slope of a few points that one odd point does not bend. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def theil_sen(points: Sequence[tuple[float, float]]) -> float | None:
    """Return the median of the slopes between all pairs of points.

    Up to 29 % of the points may be anything at all, and the slope still holds.

    Args:
        points: ``(x, y)``, in any order; pairs of one x say nothing and are left out.

    Returns:
        Change of y for one of x; None when no two points differ in x.

    Source: H. Theil, "A rank-invariant method of linear and polynomial regression
    analysis" (1950); P. K. Sen, "Estimates of the Regression Coefficient Based on
    Kendall's Tau", JASA 63 (1968).
    """
    slopes = [
        (y2 - y1) / (x2 - x1)
        for number, (x1, y1) in enumerate(points)
        for x2, y2 in points[number + 1 :]
        if x1 != x2
    ]
    return median(slopes) if slopes else None


def until(limit: float, *, now: float, slope: float | None) -> float | None:
    """Return how much x until `limit` is reached at `slope`.

    Returns:
        0.0 when it is reached; None when nothing grows towards it, or no slope is
        known.
    """
    if now >= limit:
        return 0.0
    if slope is None or slope <= 0:
        return None
    return (limit - now) / slope

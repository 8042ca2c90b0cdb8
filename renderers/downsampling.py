"""Draw fewer points of a long series, and lose no peak and no gap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_POINTS = 2_000
# The smallest, the largest and one gap of each stretch, and the two ends.
_STRETCHES = (MAX_POINTS - 2) // 3


def kept_points(y: NDArray[Any]) -> NDArray[np.intp]:
    """Return the places of the points to draw, in order.

    All of them up to ``MAX_POINTS``; above, of each of equal stretches the smallest,
    the largest and the first gap (NaN), so that the overall extremes are always in.
    """
    count = len(y)
    if count <= MAX_POINTS:
        return np.arange(count, dtype=np.intp)
    size = -(-count // _STRETCHES)
    padded = np.full(-(-count // size) * size, np.nan)
    padded[:count] = y
    stretches = padded.reshape(-1, size)
    starts = np.arange(len(stretches), dtype=np.intp) * size
    gaps = np.isnan(stretches)
    lowest = starts + np.where(gaps, np.inf, stretches).argmin(axis=1)
    highest = starts + np.where(gaps, -np.inf, stretches).argmax(axis=1)
    gap = (starts + gaps.argmax(axis=1))[gaps.any(axis=1)]
    ends = np.array([0, count - 1], dtype=np.intp)
    kept = np.unique(np.concatenate([lowest, highest, gap, ends]))
    return kept[kept < count]

"""Ticks and scales of the static drawing. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS_MS = tuple(
    1_000 * seconds
    for seconds in (
        1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200,
        86_400, 172_800, 604_800, 1_209_600,
    )
)  # fmt: skip
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 6_000, 12_000)


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps ``low``..``high`` of the data to ``start``..``end`` of the drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        # Halved, so that the distance of two extremes does not overflow.
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return round(self.start + share * (self.end - self.start), 1)


def bounds(values: NDArray[Any], *, zero: bool) -> tuple[float, float]:
    """Return the ends of an axis over `values`: rounded outwards, never equal."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        return (low - 1, high + 1) if abs(low) < 1e15 else (min(low, 0), max(high, 0))
    step = step_of(low, high)
    if not math.isfinite(step):
        return low, high
    outer = math.floor(low / step) * step, math.ceil(high / step) * step
    return outer if outer[1] > outer[0] and all(map(math.isfinite, outer)) else (
        low, high
    )  # fmt: skip


def step_of(low: float, high: float, *, count: int = 5) -> float:
    """Return a step of 1, 2 or 5 times a power of ten, for about `count` ticks."""
    rough = high / count - low / count
    if rough <= 0 or not math.isfinite(rough):
        return math.inf
    power = 10.0 ** math.floor(math.log10(rough))
    if power == 0:
        return math.inf
    factor = next((f for f in (1, 2, 5) if rough <= f * power * 1.0001), 10)
    return factor * power


def number_ticks(low: float, high: float, *, count: int = 5) -> list[float]:
    """Return round numbers between the ends; the ends when there is none."""
    step = step_of(low, high, count=count)
    if not math.isfinite(step):
        return [low, high]
    first = math.ceil(low / step - 1e-9)
    ticks = [(first + place) * step for place in range(count * 3)]
    inside = [tick for tick in ticks if tick <= high + step * 1e-9]
    return [float(f"{tick:.12g}") for tick in inside] or [low, high]


def time_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return moments (ms since 1970) on round clocks or months, with their texts."""
    span = high - low
    step = next((s for s in _STEPS_MS if span / s <= 6), None)
    if step is None:
        return _month_ticks(low, high)
    pattern = (
        "%H:%M:%S" if step < 60_000 else "%m-%d %H:%M" if step < 86_400_000
        else "%Y-%m-%d"
    )  # fmt: skip
    first = math.ceil(low / step) * step
    moments = [first + place * step for place in range(8)]
    return [(m, _clock(m, pattern)) for m in moments if m <= high]


def _month_ticks(low: float, high: float) -> list[tuple[float, str]]:
    months = (high - low) / (30.44 * 86_400_000)
    step = next((m for m in _MONTHS if months / m <= 6), _MONTHS[-1])
    first = np.datetime64(int(low), "ms").astype("datetime64[M]").astype(int)
    start = -(-int(first) // step) * step
    ticks = []
    for place in range(9):
        moment = np.datetime64(start + place * step, "M").astype("datetime64[ms]")
        at = float(moment.astype(int))
        if low <= at <= high:
            ticks.append((at, _clock(at, "%Y" if step >= 12 else "%Y-%m")))
    return ticks


def _clock(moment: float, pattern: str) -> str:
    text = str(np.datetime64(int(moment), "ms"))
    day, clock = text[:-13], text[-12:]
    year, month, number = day[:-6], day[-5:-3], day[-2:]
    parts = {"%Y": year, "%m": month, "%d": number, "%H": clock[:2], "%M": clock[3:5]}
    parts["%S"] = clock[6:8]
    for sign, part in parts.items():
        pattern = pattern.replace(sign, part)
    return pattern

"""Figures below the rows: sum, average, smallest, largest. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from connectors.outcomes import Value

Number: TypeAlias = int | float | Decimal


@dataclass(frozen=True, slots=True)
class Total:
    """One figure; None when there was no number. `count` values went into it."""

    value: Number | None
    count: int


def total(values: Sequence[Value], *, function: str) -> Total:
    """Work out ``sum``, ``avg``, ``min`` or ``max`` of the numbers among `values`.

    Missing values are left out and not counted. Whole numbers and decimals are
    added exactly; with a float among them, as floats (``math.fsum``).
    """
    numbers = [
        value
        for value in values
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    ]
    if not numbers:
        return Total(None, 0)
    if function in {"min", "max"}:
        return Total((min if function == "min" else max)(numbers), len(numbers))
    added = _sum(numbers)
    if function == "avg":
        added = _mean(added, len(numbers))
    return Total(added, len(numbers))


def _sum(numbers: Sequence[Number]) -> Number:
    if any(isinstance(value, float) for value in numbers):
        try:
            return math.fsum(float(value) for value in numbers)
        except OverflowError:
            return math.inf
    return sum(numbers[1:], numbers[0])


def _mean(added: Number, count: int) -> Number:
    if isinstance(added, Decimal):
        return added / count
    try:
        return added / count
    except OverflowError:  # a whole number beyond what a float holds
        return added // count

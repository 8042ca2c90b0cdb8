"""Rows of the dashboard: what was measured in a window, beside the week before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from observability.recorder import Cell
from observability.slo import Tally
from observability.spans import Grain, Span, floor
from observability.windowed import read_windowed

WINDOWS = (1, 24, 7 * 24, 30 * 24)
"""Hours a page can look back."""
ENOUGH = 200
"""Events below which a percentile is not compared."""
BASELINE = timedelta(days=7)
_WORSE_PERCENT = 125
_BETTER_PERCENT = 80


class Word(StrEnum):
    """How a number compares with the week before."""

    TOO_FEW = "too-few"
    NEW = "new"
    SAME = "same"
    MORE = "more"
    LESS = "less"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number beside its baseline.

    Attributes:
        ratio: The number over its baseline; None where `word` says why not.
    """

    value: float | None
    before: float | None
    ratio: float | None
    word: Word


@dataclass(frozen=True, slots=True)
class Row:
    """One kind and key; latencies in ms, errors in percent."""

    kind: str
    key: str
    volume: Figure
    errors: Figure
    p50: Figure
    p95: Figure
    p99: Figure


def window_spans(hours: int, *, now: datetime) -> tuple[Span, Span]:
    """Return the window up to the running minute, and the seven days before it.

    One hour begins at a full minute; longer windows at the full hour of UTC at or
    before. The baseline ends at the full hour at or before the window's start.
    """
    end = floor(now, Grain.MINUTE) + timedelta(minutes=1)
    start = end - timedelta(hours=hours)
    if hours > 1:
        start = floor(start, Grain.HOUR)
    before = floor(start, Grain.HOUR)
    return Span(start, end), Span(before - BASELINE, before)


def dashboard_rows(
    tenant_id: int, *, hours: int, now: datetime, pending: Mapping[Cell, Tally]
) -> list[Row]:
    """Return one row for everything of the tenant that was measured in the window.

    One statement, whatever the number of rows.

    Args:
        pending: Counts of this process that are not written yet.
    """
    window, before = window_spans(hours, now=now)
    windowed = read_windowed(tenant_id, [window, before], pending=pending)
    rows = []
    for kind, key in sorted(windowed.names):
        tally = windowed.tally((kind, key), window)
        if tally.count:
            baseline = windowed.tally((kind, key), before)
            rows.append(_row(kind, key, tally, baseline, share=window_share(window)))
    return rows


def window_share(window: Span) -> float:
    """Return how many baselines long a window is, to compare volumes per time."""
    return (window.end - window.start) / BASELINE


def _row(kind: str, key: str, now: Tally, before: Tally, *, share: float) -> Row:
    few = now.count < ENOUGH or before.count < ENOUGH
    expected = before.count * share
    return Row(
        kind=kind,
        key=key,
        volume=compare(float(now.count), expected or None, few=few),
        errors=compare(_percent(now), _percent(before), few=few),
        p50=compare(_ms(now, 50), _ms(before, 50), few=few),
        p95=compare(_ms(now, 95), _ms(before, 95), few=few),
        p99=compare(_ms(now, 99), _ms(before, 99), few=few),
    )


def compare(value: float | None, before: float | None, *, few: bool) -> Figure:
    """Compare a number with its baseline: more from 1.25 times on, less up to 0.8.

    Args:
        few: Too few events on one of the sides to say anything.
    """
    if before is None:
        return Figure(value, None, None, Word.NEW)
    if few or value is None:
        return Figure(value, before, None, Word.TOO_FEW)
    if before == 0:
        word = Word.MORE if value > 0 else Word.SAME
        return Figure(value, before, None, word)
    ratio = value / before
    word = Word.SAME
    if ratio * 100 >= _WORSE_PERCENT:
        word = Word.MORE
    elif ratio * 100 <= _BETTER_PERCENT:
        word = Word.LESS
    return Figure(value, before, ratio, word)


def _percent(tally: Tally) -> float | None:
    return 100 * tally.bad / tally.count if tally.count else None


def _ms(tally: Tally, percent: float) -> float | None:
    found = tally.percentile_us(percent)
    return None if found is None else found / 1_000


# --- Order ------------------------------------------------------------------------

Order: TypeAlias = Callable[[Row], float | str]

ORDERS: Mapping[str, Order] = {
    "kind": lambda row: row.kind,
    "key": lambda row: row.key,
    "volume": lambda row: row.volume.value or 0.0,
    "errors": lambda row: row.errors.value or 0.0,
    "p50": lambda row: row.p50.value or 0.0,
    "p95": lambda row: row.p95.value or 0.0,
    "p99": lambda row: row.p99.value or 0.0,
}


def ordered(rows: list[Row], order: str) -> list[Row]:
    """Sort rows by a name of `ORDERS`; a minus before it puts the largest first.

    Anything else keeps their order.
    """
    column = ORDERS.get(order.removeprefix("-"))
    if column is None:
        return rows
    return sorted(rows, key=column, reverse=order.startswith("-"))

"""Which stored rows together hold every event of a span of time exactly once. Pure.

Minutes are kept for 14 days, hours for 400, days for five years, and a shorter row
that is folded is also inside a longer one. A span is cut at the full hours and days
of UTC: whole days are read from day rows, whole hours from hour rows, and what sticks
out at both ends from minute rows. Shorter rows that are not folded yet are added
everywhere. So a span is exact to the minute at both ends while its minutes are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

MINUTES_KEPT = timedelta(days=13)
"""One day less than `rollup.KEPT`: pruning runs once a day, at any hour."""


class Grain(IntEnum):
    """How long a stored row is, in order."""

    MINUTE = 0
    HOUR = 1
    DAY = 2


_LENGTH = {
    Grain.MINUTE: timedelta(minutes=1),
    Grain.HOUR: timedelta(hours=1),
    Grain.DAY: timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Span:
    """``start <= moment < end``, both at a full minute of UTC.

    Raises:
        ValueError: an edge lies inside a minute, or the end before the start.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for edge in (self.start, self.end):
            if edge != floor(edge, Grain.MINUTE):
                raise ValueError(f"{edge} is not a full minute of UTC")
        if self.end < self.start:
            raise ValueError(f"the span ends at {self.end}, before {self.start}")


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one length that begin within ``start <= moment < end``.

    Attributes:
        unfolded: Only rows that are in no longer row yet.
    """

    grain: Grain
    start: datetime
    end: datetime
    unfolded: bool = False


def floor(moment: datetime, grain: Grain) -> datetime:
    """Return the full minute, hour or day of UTC at or before `moment`."""
    utc = moment.astimezone(UTC).replace(second=0, microsecond=0)
    if grain >= Grain.HOUR:
        utc = utc.replace(minute=0)
    return utc.replace(hour=0) if grain == Grain.DAY else utc


def ceiling(moment: datetime, grain: Grain) -> datetime:
    """Return the full minute, hour or day of UTC at or after `moment`."""
    below = floor(moment, grain)
    return below if below == moment else below + _LENGTH[grain]


def last_minutes(minutes: int, *, end: datetime, now: datetime) -> Span:
    """Return the span of `minutes` up to `end`.

    A start of which the minutes may be gone at `now` moves back to the full hour.
    """
    start = floor(end, Grain.MINUTE) - timedelta(minutes=minutes)
    if start < now - MINUTES_KEPT:
        start = floor(start, Grain.HOUR)
    return Span(start, floor(end, Grain.MINUTE))


def pieces(span: Span) -> list[Piece]:
    """Cut a span into the pieces that together hold every event in it once."""
    return list(_cut(span.start, span.end, Grain.DAY))


def _cut(start: datetime, end: datetime, grain: Grain) -> Iterator[Piece]:
    if start >= end:
        return
    if grain == Grain.MINUTE:
        yield Piece(Grain.MINUTE, start, end)
        return
    shorter = Grain(grain - 1)
    first, last = ceiling(start, grain), floor(end, grain)
    if first >= last:
        yield from _cut(start, end, shorter)
        return
    yield from _cut(start, first, shorter)
    yield Piece(grain, first, last)
    for below in range(grain):
        yield Piece(Grain(below), first, last, unfolded=True)
    yield from _cut(last, end, shorter)


def all_pieces(spans: Iterable[Span]) -> set[Piece]:
    """Return every piece of several spans, each once."""
    return {piece for span in spans for piece in pieces(span)}

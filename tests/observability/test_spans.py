"""Cutting a span of time: every event in exactly one piece, folded or not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.spans import (
    MINUTES_KEPT,
    Grain,
    Span,
    all_pieces,
    ceiling,
    floor,
    last_minutes,
    pieces,
)

START = datetime(2026, 2, 27, 22, 13, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
minutes = st.integers(0, 5 * 24 * 60)


def copies(
    at: datetime, *, in_hour: bool, in_day: bool
) -> Iterator[tuple[Grain, datetime, bool]]:
    """The stored rows that hold an event of the minute `at`: grain, start, folded."""
    yield Grain.MINUTE, at, in_hour
    if in_hour:
        yield Grain.HOUR, floor(at, Grain.HOUR), in_day
    if in_day:
        yield Grain.DAY, floor(at, Grain.DAY), False


@given(minutes, minutes, minutes, st.booleans(), st.booleans())
def test_an_event_is_counted_once_inside_and_never_outside(
    first: int, length: int, event: int, in_hour: bool, in_day: bool
) -> None:
    span = Span(START + first * MINUTE, START + (first + length) * MINUTE)
    at = START + event * MINUTE

    counted = sum(
        piece.grain == grain
        and piece.start <= starts_at < piece.end
        and not (piece.unfolded and folded)
        for grain, starts_at, folded in copies(
            at, in_hour=in_hour, in_day=in_hour and in_day
        )
        for piece in pieces(span)
    )

    assert counted == (span.start <= at < span.end)


@given(minutes, minutes)
def test_a_long_span_is_read_from_few_rows(first: int, length: int) -> None:
    span = Span(START + first * MINUTE, START + (first + length) * MINUTE)

    whole = [piece for piece in pieces(span) if not piece.unfolded]
    rows = {
        Grain.MINUTE: MINUTE,
        Grain.HOUR: timedelta(hours=1),
        Grain.DAY: timedelta(days=1),
    }
    read = sum((piece.end - piece.start) / rows[piece.grain] for piece in whole)

    assert read <= 2 * 59 + 2 * 23 + 5


def test_pieces_of_spans_with_one_end_are_shared() -> None:
    end = START.replace(hour=12, minute=0)
    spans = [Span(end - timedelta(days=days), end) for days in (1, 2, 3)]

    assert len(all_pieces(spans)) < sum(len(pieces(span)) for span in spans)


def test_a_start_whose_minutes_may_be_gone_is_a_full_hour() -> None:
    now = START

    exact = last_minutes(13 * 24 * 60, end=now, now=now)
    assert exact.start == now - MINUTES_KEPT
    moved = last_minutes(13 * 24 * 60 + 1, end=now, now=now)
    assert moved.start == floor(now - MINUTES_KEPT, Grain.HOUR)
    assert moved.end == now


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(START + timedelta(seconds=1), START + MINUTE, id="seconds"),
        pytest.param(START + MINUTE, START, id="backwards"),
    ],
)
def test_what_is_no_span_is_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match=r"full minute|before"):
        Span(start, end)


def test_full_hours_and_days_are_those_of_utc() -> None:
    seoul = datetime.fromisoformat("2026-03-01T08:30:15+09:00")

    assert floor(seoul, Grain.HOUR) == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert floor(seoul, Grain.DAY) == datetime(2026, 2, 28, tzinfo=UTC)
    assert ceiling(seoul, Grain.DAY) == datetime(2026, 3, 1, tzinfo=UTC)
    assert ceiling(START, Grain.MINUTE) == START

"""Months and quarters of a calendar in one time zone, as moments of UTC. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from observability.review_values import Cadence, Period

# Before and after these, a zone's offset may lead out of what a moment can be.
_FIRST_YEAR, _LAST_YEAR = 1970, 9_990
_MONTHS = {Cadence.MONTHLY: 1, Cadence.QUARTERLY: 3}
_NAMES = {
    Cadence.MONTHLY: re.compile(r"(?P<year>\d{4})-(?P<number>0[1-9]|1[0-2])"),
    Cadence.QUARTERLY: re.compile(r"(?P<year>\d{4})-Q(?P<number>[1-4])"),
}


def parse_period(name: str, cadence: Cadence, *, zone: str) -> Period | None:
    """Read ``2026-10`` or ``2026-Q4``; None when `name` is neither of its cadence.

    Args:
        zone: IANA name of the zone whose calendar counts, such as Asia/Seoul.
    """
    found = _NAMES[cadence].fullmatch(name)
    if found is None or not _FIRST_YEAR <= int(found["year"]) <= _LAST_YEAR:
        return None
    first = (int(found["number"]) - 1) * _MONTHS[cadence]
    return _period(cadence, int(found["year"]) * 12 + first, zone)


def period_name(period: Period, *, zone: str) -> str:
    """Return ``2026-10`` or ``2026-Q4``: what `parse_period` reads."""
    local = period.starts.astimezone(ZoneInfo(zone))
    if period.cadence is Cadence.MONTHLY:
        return f"{local.year:04}-{local.month:02}"
    return f"{local.year:04}-Q{(local.month - 1) // 3 + 1}"


def period_of(moment: datetime, cadence: Cadence, *, zone: str) -> Period:
    """Return the period `moment` lies in."""
    month = _month_of(moment, zone)
    return _period(cadence, month - month % _MONTHS[cadence], zone)


def period_before(period: Period, *, zone: str) -> Period:
    """Return the period that ends where `period` begins."""
    month = _month_of(period.starts, zone) - _MONTHS[period.cadence]
    return _period(period.cadence, month, zone)


def last_ended(moment: datetime, cadence: Cadence, *, zone: str) -> Period:
    """Return the latest period that has ended at `moment`."""
    return period_before(period_of(moment, cadence, zone=zone), zone=zone)


def _month_of(moment: datetime, zone: str) -> int:
    """Count months since year 0: January of year 1 is 12."""
    local = moment.astimezone(ZoneInfo(zone))
    return local.year * 12 + local.month - 1


def _period(cadence: Cadence, month: int, zone: str) -> Period:
    after = month + _MONTHS[cadence]
    return Period(cadence, _first_moment(month, zone), _first_moment(after, zone))


def _first_moment(month: int, zone: str) -> datetime:
    year, number = divmod(month, 12)
    return datetime(year, number + 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)

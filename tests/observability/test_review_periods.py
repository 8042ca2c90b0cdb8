"""Months and quarters follow the calendar of one zone, and leave no moment out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.review_periods import (
    last_ended,
    parse_period,
    period_before,
    period_name,
    period_of,
)
from observability.review_values import Cadence

SEOUL = "Asia/Seoul"
ZONES = st.sampled_from([SEOUL, "UTC", "America/New_York", "Pacific/Apia"])
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
CADENCES = st.sampled_from(Cadence)


def test_a_month_of_seoul_begins_at_its_midnight() -> None:
    october = parse_period("2026-10", Cadence.MONTHLY, zone=SEOUL)

    assert october is not None
    assert october.starts == datetime(2026, 9, 30, 15, tzinfo=UTC)
    assert october.ends == datetime(2026, 10, 31, 15, tzinfo=UTC)


def test_a_quarter_has_three_months() -> None:
    quarter = parse_period("2026-Q4", Cadence.QUARTERLY, zone=SEOUL)

    assert quarter is not None
    assert quarter.starts == datetime(2026, 9, 30, 15, tzinfo=UTC)
    assert quarter.ends == datetime(2026, 12, 31, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "cadence"),
    [
        ("2026-13", Cadence.MONTHLY),
        ("2026-1", Cadence.MONTHLY),
        ("2026-Q1", Cadence.MONTHLY),
        ("2026-01", Cadence.QUARTERLY),
        ("2026-Q5", Cadence.QUARTERLY),
        ("0001-01", Cadence.MONTHLY),
        ("9999-12", Cadence.MONTHLY),
        ("2026-10\n", Cadence.MONTHLY),
        ("", Cadence.MONTHLY),
    ],
)
def test_what_is_no_period_is_none(name: str, cadence: Cadence) -> None:
    assert parse_period(name, cadence, zone=SEOUL) is None


@given(moment=MOMENTS, cadence=CADENCES, zone=ZONES)
def test_every_moment_lies_in_its_period_and_names_are_read_back(
    moment: datetime, cadence: Cadence, zone: str
) -> None:
    period = period_of(moment, cadence, zone=zone)

    assert period.starts <= moment < period.ends
    name = period_name(period, zone=zone)
    assert parse_period(name, cadence, zone=zone) == period


@given(moment=MOMENTS, cadence=CADENCES, zone=ZONES)
def test_periods_touch_and_the_last_one_has_ended(
    moment: datetime, cadence: Cadence, zone: str
) -> None:
    period = period_of(moment, cadence, zone=zone)
    before = period_before(period, zone=zone)

    assert before.ends == period.starts
    assert last_ended(moment, cadence, zone=zone) == before
    assert last_ended(period.ends, cadence, zone=zone) == period
    just_before = period.ends - timedelta(microseconds=1)
    assert last_ended(just_before, cadence, zone=zone) == before

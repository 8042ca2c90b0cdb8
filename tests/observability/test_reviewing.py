"""Figures of a review equal a recount from single events, by other code."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from observability import rollup, storage
from observability.models import Measurement
from observability.review_periods import parse_period, period_before
from observability.review_values import Cadence, Cell, Period, ReviewTable, Section
from observability.reviewing import traffic_part
from observability.services import measured_between, review_section
from observability.slo import Tally, encode_buckets
from tenants.models import Tenant
from tenants.scope import Actor

SEOUL = "Asia/Seoul"


@dataclass(frozen=True)
class Event:
    at: datetime
    kind: str
    key: str
    us: int
    bad: bool


def october() -> Period:
    found = parse_period("2026-10", Cadence.MONTHLY, zone=SEOUL)
    assert found is not None
    return found


def events_of(
    seed: int, *, first: datetime, last: datetime, count: int = 40
) -> list[Event]:
    """Make events at odd hours, most of them far from midnight of UTC."""
    chance = random.Random(seed)
    hours = int((last - first).total_seconds() // 3_600)
    # Few hours, because each is folded in a transaction of its own.
    pool = [chance.randrange(hours) for _number in range(60)]
    names = [("page", "home"), ("page", "menu")]
    names += [("operation", f"op-{number}") for number in range(14)]
    events = []
    for _number in range(count):
        kind, key = chance.choice(names)
        events.append(
            Event(
                first + timedelta(hours=chance.choice(pool)),
                kind,
                key,
                int(math.exp(chance.uniform(5, 14))),
                chance.random() < 0.07,
            )
        )
    return events


def store(events: Sequence[Event], tenant: Tenant | None, *, worker: str) -> None:
    rows = []
    for event in events:
        tally = Tally()
        tally.add(event.us, bad=event.bad)
        rows.append(
            Measurement(
                starts_at=event.at,
                kind=event.kind,
                key=event.key,
                tenant=tenant,
                worker=worker,
                count=1,
                bad=tally.bad,
                sum_us=tally.sum_us,
                max_us=tally.max_us,
                buckets=encode_buckets(tally.buckets),
            )
        )
    Measurement.objects.bulk_create(rows)


@pytest.fixture
def traffic(acme: Tenant, globex: Tenant) -> list[Event]:
    """Events of acme from August to November of Seoul, folded as far as they are."""
    first = datetime(2026, 7, 31, 15, tzinfo=UTC)
    events = events_of(
        7, first=first, last=datetime(2026, 11, 3, tzinfo=UTC), count=900
    )
    edge = october()
    for at in (edge.starts, edge.ends - timedelta(minutes=1), edge.ends):
        events.append(Event(at, "page", "home", 1_000, False))
    store(events, acme, worker="one")
    store(events_of(8, first=first, last=edge.ends), globex, worker="two")
    store(events_of(9, first=first, last=edge.ends), None, worker="three")
    # The last days are not folded into days, the last hours into nothing.
    rollup.fold_hours(now=datetime(2026, 10, 31, 9, 30, tzinfo=UTC))
    rollup.fold_days(now=datetime(2026, 10, 30, 9, 30, tzinfo=UTC))
    return events


def within(events: Sequence[Event], period: Period, **wanted: str) -> list[Event]:
    return [
        event
        for event in events
        if period.starts <= event.at < period.ends
        and all(getattr(event, name) == value for name, value in wanted.items())
    ]


def exact_ms(events: Sequence[Event], percent: int) -> float:
    """The nearest-rank percentile of the single durations."""
    durations = sorted(event.us for event in events)
    return durations[math.ceil(percent / 100 * len(durations)) - 1] / 1_000


def table(section: Section, key: str) -> ReviewTable:
    return next(table for table in section.tables if table.key == key)


def near(found: Cell, exact: float) -> bool:
    return isinstance(found, float) and abs(found - exact) <= 0.0101 * exact + 0.001


def test_figures_equal_a_recount(traffic: list[Event], acme: Tenant) -> None:
    period = october()
    before = within(traffic, period_before(period, zone=SEOUL), kind="page")
    now = within(traffic, period, kind="page")

    section = traffic_part(period, Actor(0, acme.pk))

    figures = {figure.key: figure for figure in section.figures}
    assert figures["requests"].value == len(now)
    assert figures["requests"].before == len(before)
    bad = sum(event.bad for event in now)
    assert figures["failed-requests"].value == bad
    assert figures["error-share"].value == pytest.approx(100 * bad / len(now), abs=1e-3)
    for percent in (50, 95, 99):
        figure = figures[f"p{percent}"]
        assert near(figure.value, exact_ms(now, percent))
        assert near(figure.before, exact_ms(before, percent))
    every = sum(event.bad for event in within(traffic, period))
    assert figures["errors-of-every-kind"].value == every


def test_the_trend_has_three_months_before(traffic: list[Event], acme: Tenant) -> None:
    rows = table(traffic_part(october(), Actor(0, acme.pk)), "trend").rows

    period, expected = october(), []
    for name in ("2026-10", "2026-09", "2026-08"):
        found = within(traffic, period, kind="page")
        expected.append((name, len(found), sum(event.bad for event in found)))
        period = period_before(period, zone=SEOUL)
    assert [row[:3] for row in rows[:3]] == expected
    assert rows[3] == ("2026-07", None, None, None, None, None, None)


def test_the_ten_slowest_operations(traffic: list[Event], acme: Tenant) -> None:
    rows = table(traffic_part(october(), Actor(0, acme.pk)), "slowest-operations").rows

    assert len(rows) == 10
    counts = {
        f"op-{number}": within(traffic, october(), kind="operation", key=f"op-{number}")
        for number in range(14)
    }
    for key, count, p50, p95, p99, longest, _before in rows:
        found = counts[str(key)]
        assert count == len(found)
        assert near(p50, exact_ms(found, 50))
        assert near(p95, exact_ms(found, 95))
        assert near(p99, exact_ms(found, 99))
        assert longest == max(event.us for event in found) / 1_000
    shown = {row[0] for row in rows}
    slowest_left_out = max(
        exact_ms(found, 95) for key, found in counts.items() if key not in shown
    )
    assert all(
        exact_ms(counts[str(key)], 95) > slowest_left_out * 0.97 for key in shown
    )


def test_what_failed_most(traffic: list[Event], acme: Tenant) -> None:
    rows = table(traffic_part(october(), Actor(0, acme.pk)), "failures").rows

    bad: dict[tuple[str, str], int] = {}
    for event in within(traffic, october()):
        name = (event.kind, event.key)
        bad[name] = bad.get(name, 0) + event.bad
    assert [row[3] for row in rows] == sorted(bad.values(), reverse=True)[:10]
    assert all(bad[str(row[0]), str(row[1])] == row[3] for row in rows)


@pytest.mark.parametrize("hours", [(0, 1), (7, 40), (15, 15 + 24), (3, 200), (5, 9)])
def test_any_window_of_full_hours_counts_every_event_once(
    traffic: list[Event], acme: Tenant, hours: tuple[int, int]
) -> None:
    start = datetime(2026, 10, 25, tzinfo=UTC)
    starts, ends = (start + timedelta(hours=hour) for hour in hours)

    found = storage.between(tenant_id=acme.pk, starts=starts, ends=ends)

    expected = [event for event in traffic if starts <= event.at < ends]
    assert sum(tally.count for tally in found.values()) == len(expected)


def test_nothing_measured_is_nothing_told(acme: Tenant) -> None:
    section = review_section(october(), Actor(0, acme.pk))

    told = {figure.key: figure.value for figure in section.figures}
    assert told["requests"] is None
    assert told["p95"] is None
    assert not table(section, "kinds").rows


def calls(count: int, bad: int, us: int, at: datetime) -> Iterator[Event]:
    for number in range(count):
        yield Event(at, "operation", "stock", us, number < bad)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ((40, 0, 1_000), (40, 0, 1_000), []),
        ((40, 0, 1_000), (40, 2, 1_000), []),
        ((40, 0, 1_000), (40, 3, 1_000), ["failing:operation:stock"]),
        ((40, 0, 1_000), (40, 0, 2_000), ["slower:operation:stock"]),
        ((5, 0, 1_000), (40, 0, 2_000), []),
        ((40, 0, 1_000), (5, 5, 2_000), []),
    ],
)
def test_findings_are_what_fails_or_slows_down_often_enough(
    acme: Tenant,
    before: tuple[int, int, int],
    now: tuple[int, int, int],
    expected: list[str],
) -> None:
    store(list(calls(*before, datetime(2026, 9, 9, tzinfo=UTC))), acme, worker="one")
    store(list(calls(*now, datetime(2026, 10, 9, tzinfo=UTC))), acme, worker="one")

    section = traffic_part(october(), Actor(0, acme.pk))

    assert [finding.key for finding in section.findings] == expected
    assert all(
        finding.text["ko"] and finding.text["en"] for finding in section.findings
    )


def test_with_too_many_keys_nobody_is_called_dead(acme: Tenant) -> None:
    at = datetime(2026, 10, 9, tzinfo=UTC)
    period = october()
    window: dict[str, Any] = {
        "tenant_id": acme.pk,
        "starts": period.starts,
        "ends": period.ends,
    }
    store([Event(at, "menu", "home", 1, False)], acme, worker="one")
    assert set(measured_between("menu", **window) or {}) == {"home"}

    store([Event(at, "menu", "__other__", 1, False)], acme, worker="one")

    assert measured_between("menu", **window) is None

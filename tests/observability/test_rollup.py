"""Folding keeps every event exactly once; pruning forgets only what was folded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Sum

from observability.models import Measurement
from observability.rollup import fold_days, fold_hours, prune
from observability.slo import Tally, encode_buckets
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KINDS = Measurement.Granularity


def store(
    starts_at: datetime,
    *,
    key: str = "home",
    ms: int = 10,
    tenant: Tenant | None = None,
) -> None:
    tally = Tally()
    tally.add(ms * 1_000, bad=ms > 100)
    Measurement.objects.create(
        starts_at=starts_at,
        kind="page",
        key=key,
        tenant=tenant,
        worker="host:1",
        count=tally.count,
        bad=tally.bad,
        sum_us=tally.sum_us,
        max_us=tally.max_us,
        buckets=encode_buckets(tally.buckets),
    )


def hours() -> list[tuple[datetime, str, int]]:
    rows = Measurement.objects.filter(granularity=KINDS.HOUR).order_by(
        "starts_at", "key"
    )
    return [(row.starts_at, row.key, row.count) for row in rows]


def test_minutes_of_an_ended_hour_become_one_row_a_key(acme: Tenant) -> None:
    for minute in (0, 1, 59):
        store(NOON + timedelta(minutes=minute), ms=10 * (minute + 1))
    store(NOON, key="other")
    store(NOON, tenant=acme)
    store(NOON + timedelta(hours=1))

    assert fold_hours(now=NOON + timedelta(hours=1, minutes=6)) == 5

    assert sorted(hours()) == [(NOON, "home", 1), (NOON, "home", 3), (NOON, "other", 1)]
    merged = Measurement.objects.get(granularity=KINDS.HOUR, count=3)
    assert (merged.bad, merged.max_us, merged.sum_us) == (1, 600_000, 630_000)
    assert merged.tally().count == sum(merged.tally().buckets.values())


def test_folding_twice_changes_nothing() -> None:
    store(NOON)
    later = NOON + timedelta(hours=2)

    assert (fold_hours(now=later), fold_hours(now=later)) == (1, 0)
    assert hours() == [(NOON, "home", 1)]


def test_a_row_that_arrives_late_is_folded_too() -> None:
    later = NOON + timedelta(hours=2)
    store(NOON)
    fold_hours(now=later)
    store(NOON)

    fold_hours(now=later)

    total = Measurement.objects.filter(granularity=KINDS.HOUR).aggregate(n=Sum("count"))
    assert total == {"n": 2}


def test_an_hour_is_left_alone_until_it_is_settled() -> None:
    store(NOON)

    assert fold_hours(now=NOON + timedelta(minutes=59)) == 0
    assert fold_hours(now=NOON + timedelta(hours=1, minutes=4)) == 0


def test_hours_become_days_and_unfolded_rows_hold_every_event_once() -> None:
    for hour in range(30):
        store(NOON + timedelta(hours=hour))
    now = NOON + timedelta(hours=30, minutes=30)

    fold_hours(now=now)
    fold_days(now=now)

    assert Measurement.objects.get(granularity=KINDS.DAY).count == 12
    kept = Measurement.objects.filter(folded=False).aggregate(n=Sum("count"))
    assert kept == {"n": 30}


def test_pruning_forgets_old_folded_rows_only() -> None:
    store(NOON)
    store(NOON + timedelta(days=20))
    fold_hours(now=NOON + timedelta(hours=2))
    now = NOON + timedelta(days=30)

    assert prune(now=now) == 1
    assert prune(now=now) == 0

    assert Measurement.objects.filter(granularity=KINDS.MINUTE).get().starts_at > NOON
    assert hours() == [(NOON, "home", 1)]


def test_days_are_forgotten_after_five_years() -> None:
    store(NOON)
    fold_hours(now=NOON + timedelta(days=2))
    fold_days(now=NOON + timedelta(days=2))

    prune(now=NOON + timedelta(days=6 * 365))

    assert not Measurement.objects.exists()

"""tenants/metering.py: counts of several processes add up, and nothing is lost."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import DatabaseError
from pytest_django import DjangoAssertNumQueries

from tenants import metering
from tenants.lifecycle import note_storage, use_today
from tenants.metering import Meter, meter, resets_at, today
from tenants.models import AuditEntry, Tenant, TenantUsage
from tenants.quotas import Limit, Quota, Use


def test_what_several_processes_counted_adds_up(acme: Tenant) -> None:
    one, other = Meter(), Meter()
    one.count(acme.pk, queries=2, rows=10)
    other.count(acme.pk, queries=3)

    one.flush()
    other.flush()
    one.count(acme.pk, rows=5)
    one.flush()

    assert use_today(acme) == Use(5, 15)


def test_counting_and_asking_run_no_query(
    acme: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        meter.learn(acme.pk, Quota(queries=2), Use(queries=1))
        before = meter.over(acme.pk)
        meter.count(acme.pk, queries=1)
        after = meter.over(acme.pk)

    assert before is None
    assert after is not None
    assert (after.limit, after.used, after.allowed) == (Limit.QUERIES, 2, 2)


def test_nothing_counted_means_nothing_written(
    acme: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert meter.flush() == 0


def test_what_was_flushed_still_counts_before_the_database_is_read_again(
    acme: Tenant,
) -> None:
    other = Meter()
    other.count(acme.pk, queries=4)
    other.flush()
    meter.learn(acme.pk, Quota(queries=5), Use())
    meter.count(acme.pk, queries=1)

    meter.flush()

    level = meter.over(acme.pk)
    assert level is not None
    assert level.used == 5


def test_counts_that_cannot_be_written_are_kept(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Use:
        raise DatabaseError

    meter.learn(acme.pk, Quota(queries=1), Use())
    meter.count(acme.pk, queries=1)
    with monkeypatch.context() as patched:
        patched.setattr(metering, "_add", away)
        assert meter.flush() == 0

    assert meter.over(acme.pk) is not None
    assert meter.flush() == 1
    assert use_today(acme).queries == 1


def test_a_day_begins_with_nothing_used(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter.learn(acme.pk, Quota(queries=1), Use(queries=1))
    assert meter.over(acme.pk) is not None

    tomorrow = today() + timedelta(days=1)
    monkeypatch.setattr(metering, "today", lambda: tomorrow)

    assert meter.over(acme.pk) is None


def test_the_quota_begins_anew_at_the_next_midnight_of_the_portal() -> None:
    from django.utils import timezone

    moment = timezone.localtime(resets_at(), timezone.get_default_timezone())

    assert moment.date() - date.resolution == today()
    assert (moment.hour, moment.minute) == (0, 0)


def test_a_limit_is_warned_of_once_a_day_and_state(acme: Tenant) -> None:
    Tenant.objects.update(max_queries_per_day=10)
    for queries in (7, 1, 1, 1, 1):
        meter.count(acme.pk, queries=queries)
        meter.flush()

    entries = AuditEntry.all_tenants.filter(action__startswith="quota.")
    told = [(entry.action, entry.changes) for entry in entries.order_by("pk")]
    assert told == [
        ("quota.near", {"limit": "queries", "percent": 80}),
        ("quota.over", {"limit": "queries", "percent": 100}),
    ]


def test_storage_is_warned_of_when_it_is_measured(acme: Tenant) -> None:
    Tenant.objects.update(max_storage_bytes=1_000)
    acme.refresh_from_db()

    note_storage(acme, 900)

    assert use_today(acme).storage == 900
    entry = AuditEntry.all_tenants.get(action="quota.near")
    assert entry.changes == {"limit": "storage", "percent": 90}


def test_the_use_of_a_tenant_that_is_gone_is_dropped(acme: Tenant) -> None:
    meter.count(acme.pk, queries=1)
    acme.delete()

    assert meter.flush() == 1
    assert not TenantUsage.all_tenants.exists()

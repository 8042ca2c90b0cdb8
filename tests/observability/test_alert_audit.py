"""How the rules did in a period: fired, flapped, taken, silent, nobody's."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from observability.alert_audit import alert_audit
from observability.models import Alert, AlertRule, Silence
from tenants.models import Tenant, User
from tests.observability.counting import NOON, burn_rule, limit_rule, objective

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
ENDS = NOON + timedelta(days=30)


def fired(
    rule: AlertRule, at: datetime, *, lasts: timedelta, taken: timedelta | None = None
) -> None:
    Alert.all_tenants.create(
        tenant=rule.tenant,
        rule=rule,
        phase="resolved",
        opened_at=at,
        fired_at=at,
        resolved_at=at + lasts,
        acknowledged_at=at + taken if taken else None,
    )


def silence(tenant: Tenant, start: datetime, days: float, **fields: object) -> None:
    Silence.all_tenants.create(
        tenant=tenant,
        reason="x",
        starts_at=start,
        ends_at=start + timedelta(days=days),
        **fields,
    )


def test_a_rule_is_counted_in_its_period(
    acme: Tenant, globex: Tenant, user: User
) -> None:
    rule = burn_rule(objective(acme, owner=user), "fast")
    fired(rule, NOON - 3 * HOUR, lasts=2 * HOUR + HOUR / 2)  # before, ends 11:30
    fired(rule, NOON, lasts=HOUR, taken=timedelta(minutes=4))  # flaps across the edge
    fired(rule, NOON + 2 * HOUR - timedelta(seconds=1), lasts=HOUR)  # flaps
    fired(rule, NOON + 5 * HOUR, lasts=HOUR, taken=timedelta(minutes=8))
    fired(rule, ENDS, lasts=HOUR)  # after
    fired(burn_rule(objective(globex), "fast"), NOON, lasts=HOUR)

    [found] = alert_audit(acme.pk, starts=NOON, ends=ENDS)

    assert (found.fired, found.flapped, found.acknowledged) == (3, 2, 2)
    assert found.mean_seconds_to_acknowledge == 360
    assert found.owner == "jo"
    assert not found.never_fired
    assert not found.without_owner


def test_an_hour_later_is_no_flap(acme: Tenant) -> None:
    rule = limit_rule(acme)
    fired(rule, NOON, lasts=HOUR)
    fired(rule, NOON + 2 * HOUR, lasts=HOUR)

    [found] = alert_audit(acme.pk, starts=NOON, ends=ENDS)

    assert (found.fired, found.flapped) == (2, 0)
    assert found.mean_seconds_to_acknowledge is None


def test_a_rule_that_never_fired_and_is_nobodys(acme: Tenant) -> None:
    limit_rule(acme)

    [found] = alert_audit(acme.pk, starts=NOON, ends=ENDS)

    assert found.never_fired
    assert found.without_owner
    assert found.silenced == timedelta(0)


def test_overlapping_silences_count_once_and_only_in_the_period(acme: Tenant) -> None:
    rule = limit_rule(acme)
    silence(acme, NOON - timedelta(days=5), 7, rule=rule)  # two days of it inside
    silence(acme, NOON + timedelta(days=1), 4)  # matches everything, one overlaps
    silence(acme, NOON + timedelta(days=28), 7, kind="page")  # two days of it inside
    silence(acme, NOON, 7, kind="screen")  # of something else

    [found] = alert_audit(acme.pk, starts=NOON, ends=ENDS)

    assert found.silenced == timedelta(days=7)
    assert not found.silenced_too_long
    silence(acme, NOON + timedelta(days=10), 0.01)
    [longer] = alert_audit(acme.pk, starts=NOON, ends=ENDS)
    assert longer.silenced_too_long


def test_many_rules_cost_three_statements(
    acme: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        rule = burn_rule(objective(acme, key=f"o{number}"), "slow")
        fired(rule, NOON, lasts=HOUR)

    with django_assert_num_queries(3):
        assert len(alert_audit(acme.pk, starts=NOON, ends=ENDS)) == 12

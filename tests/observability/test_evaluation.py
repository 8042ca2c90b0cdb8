"""Rules evaluated minute by minute: alerts, notifications, silences, catching up."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from observability import evaluation, notifications
from observability.alerts import acknowledge, add_burn_rules
from observability.evaluation import CATCH_UP_MINUTES, evaluate_all
from observability.models import (
    Alert,
    AlertChannel,
    AlertRule,
    Delivery,
    Measurement,
    Silence,
)
from observability.slo import Tally, bucket_of
from tenants.models import AuditEntry, Tenant, User
from tenants.scope import Actor, using_tenant
from tests.observability.counting import (
    MS,
    NOON,
    burn_rule,
    limit_rule,
    objective,
    row,
    store,
    tally_of,
)

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def channel(acme: Tenant) -> AlertChannel:
    made: AlertChannel = AlertChannel.all_tenants.create(
        tenant=acme,
        key="ops",
        kind="email",
        recipients="ops@example.org",
        language="en",
    )
    return made


def traffic(
    tenant: Tenant, first: int, last: int, *, bad: int = 0, total: int = 100
) -> None:
    """Store events in the minutes of number `first` to `last` after noon."""
    store(
        row(tenant, NOON + number * MINUTE, tally_of(total=total, bad=bad))
        for number in range(first, last + 1)
    )


def evaluate(first: int, last: int) -> None:
    """Evaluate each minute of number `first` to `last` as it ends."""
    for number in range(first, last + 1):
        evaluate_all(now=NOON + (number + 1) * MINUTE + timedelta(seconds=35))


def told(tenant: Tenant) -> list[str]:
    rows = Delivery.all_tenants.filter(tenant=tenant).order_by("pk")
    return [
        f"{each.event} {each.alert.rule.pace}".strip() for each in rows if each.alert
    ]


def phases(tenant: Tenant) -> list[str]:
    rows = Alert.all_tenants.filter(tenant=tenant).order_by("pk")
    return [f"{each.rule.key} {each.phase}" for each in rows]


def test_an_incident_is_told_once_and_its_end_once(
    acme: Tenant, channel: AlertChannel
) -> None:
    promised = objective(acme)
    for pace in ("fast", "medium", "slow"):
        burn_rule(promised, pace)
    usual = Tally(400_000, 0, 0, 10 * MS, {bucket_of(10 * MS): 400_000})
    store([row(acme, NOON - 50 * HOUR, usual)])
    traffic(acme, -360, -1)
    evaluate(-2, -1)
    traffic(acme, 0, 9, bad=50)
    traffic(acme, 10, 60)

    evaluate(0, 60)

    # The fast one spoke first; the slower ones fired too and were heard when it ended.
    assert told(acme) == ["fired fast", "eased medium", "eased slow"]
    opened = {alert.rule.pace: alert for alert in Alert.all_tenants.all()}
    assert {pace: alert.phase for pace, alert in opened.items()} == {
        "fast": "resolved",
        "medium": "resolved",
        "slow": "firing",
    }
    # Minutes until 14.4, 6 and 1 times 0.1 % of the long window were bad, 50 a minute.
    fired = {pace: alert.fired_at for pace, alert in opened.items()}
    assert fired == {
        "fast": NOON + 2 * MINUTE,  # 87 of 6,000
        "medium": NOON + 5 * MINUTE,  # 217 of 36,000
        "slow": NOON + 9 * MINUTE,  # 437 of 436,900
    }
    # Bad until minute 9: five minutes are clean at 15:00, thirty at 40:00; then held.
    assert opened["fast"].resolved_at == NOON + (15 + 14) * MINUTE
    assert opened["medium"].resolved_at == NOON + (40 + 14) * MINUTE
    first = Delivery.all_tenants.order_by("pk")[0]
    assert first.payload["severity"] == "page"
    assert [each["pace"] for each in first.payload["alerts"]] == ["fast"]
    assert "orders-available" in first.subject


def test_the_peak_is_the_largest_burn_rate(acme: Tenant) -> None:
    burn_rule(objective(acme), "fast")
    traffic(acme, -10, -1, bad=10)
    evaluate(-1, -1)

    alert = Alert.all_tenants.get()

    assert alert.peak == pytest.approx(100)


def test_without_data_an_alert_neither_fires_nor_ends(
    acme: Tenant, channel: AlertChannel
) -> None:
    rule = burn_rule(objective(acme), "fast")
    evaluate(-1, -1)
    assert phases(acme) == []
    traffic(acme, 0, 4, bad=50)

    evaluate(0, 120)

    assert phases(acme) == ["orders-available-fast firing"]
    rule.refresh_from_db()
    # The last event was in minute 4, which the five minutes ending at 10 do not hold.
    assert rule.no_data_since == NOON + timedelta(minutes=10)
    assert told(acme) == ["fired fast"]

    traffic(acme, 121, 180)
    evaluate(121, 180)
    assert AlertRule.all_tenants.get().no_data_since is None
    assert phases(acme) == ["orders-available-fast resolved"]
    assert told(acme) == ["fired fast", "resolved fast"]


def test_it_repeats_every_four_hours_until_somebody_has_it(
    acme: Tenant, user: User, channel: AlertChannel
) -> None:
    rule = limit_rule(acme, metric="volume", limit=50, window_minutes=1)
    traffic(acme, 0, 500)
    evaluate(0, 0)
    alert = Alert.all_tenants.get()

    def later(minutes: int) -> None:
        AlertRule.all_tenants.update(evaluated_until=NOON + minutes * MINUTE)
        evaluate(minutes, minutes)

    later(239)
    assert told(acme) == ["fired"]
    later(240)
    assert told(acme) == ["fired", "repeated"]

    actor = Actor(user_id=user.pk, tenant_id=acme.pk)
    taken = acknowledge(alert.pk, actor=actor)
    assert taken is not None
    assert taken.acknowledged_by == user
    assert acknowledge(alert.pk, actor=actor) is None
    Alert.all_tenants.update(told_at=NOON)
    later(490)
    assert told(acme) == ["fired", "repeated", "acknowledged"]
    assert "Acknowledged by jo." in Delivery.all_tenants.latest("pk").text
    entry = AuditEntry.all_tenants.get(action="alert.acknowledged")
    assert (entry.user_id, entry.tenant_id) == (user.pk, acme.pk)
    assert entry.label.startswith(rule.key)


def test_an_alert_of_another_tenant_cannot_be_acknowledged(
    acme: Tenant, globex: Tenant, user: User
) -> None:
    burn_rule(objective(globex), "fast")
    traffic(globex, -10, -1, bad=50)
    evaluate(-1, -1)
    alert = Alert.all_tenants.get()

    with pytest.raises(Alert.DoesNotExist):
        acknowledge(alert.pk, actor=Actor(user_id=user.pk, tenant_id=acme.pk))

    assert Alert.all_tenants.get().phase == "firing"


def test_a_silence_holds_its_tongue_and_then_tells(
    acme: Tenant, globex: Tenant, channel: AlertChannel
) -> None:
    promised = objective(acme)
    burn_rule(promised, "fast")
    Silence.all_tenants.create(
        tenant=acme,
        objective=promised,
        reason="maintenance",
        starts_at=NOON - 10 * MINUTE,
        ends_at=NOON + 5 * MINUTE,
    )
    Silence.all_tenants.create(
        tenant=acme,
        kind="screen",
        reason="of something else",
        starts_at=NOON,
        ends_at=NOON + 900 * MINUTE,
    )
    traffic(acme, -5, 20, bad=50)

    evaluate(-1, 3)
    assert phases(acme) == ["orders-available-fast firing"]
    assert told(acme) == []

    evaluate(4, 10)
    assert told(acme) == ["fired fast"]


@pytest.mark.parametrize(
    ("fields", "matches"),
    [
        ({}, True),
        ({"kind": "page"}, True),
        ({"kind": "page", "measured_key": "orders"}, True),
        ({"measured_key": "other"}, False),
        ({"kind": "screen"}, False),
    ],
)
def test_a_silence_matches_by_every_field_that_is_filled(
    acme: Tenant, fields: dict[str, str], matches: bool
) -> None:
    silence = Silence(tenant=acme, reason="x", **fields)

    assert silence.matches(limit_rule(acme)) is matches
    assert silence.matches(burn_rule(objective(acme), "fast")) is matches


def test_missed_minutes_are_replayed_to_the_same_result(
    acme: Tenant, globex: Tenant
) -> None:
    for tenant in (acme, globex):
        burn_rule(objective(tenant), "fast")
        traffic(tenant, -70, -1)
        traffic(tenant, 0, 4, bad=50)
        traffic(tenant, 5, 50)
    evaluate(-1, -1)
    evaluate(0, 0)
    others = AlertRule.all_tenants.filter(tenant=globex)
    others.update(evaluated_until=NOON + 51 * MINUTE)
    evaluate(1, 50)
    with_each = Alert.all_tenants.get(tenant=acme)
    Alert.all_tenants.filter(tenant=globex).delete()

    others.update(evaluated_until=NOON)
    evaluate(50, 50)

    replayed = Alert.all_tenants.get(tenant=globex)
    assert with_each.resolved_at is not None
    for field in ("phase", "opened_at", "fired_at", "resolved_at", "peak"):
        assert getattr(replayed, field) == getattr(with_each, field)


def test_a_long_outage_is_caught_up_for_an_hour_only(acme: Tenant) -> None:
    burn_rule(objective(acme), "fast")
    evaluate(-1, -1)

    done = evaluate_all(now=NOON + timedelta(days=3, seconds=40))

    assert done == CATCH_UP_MINUTES
    assert AlertRule.all_tenants.get().evaluated_until == NOON + timedelta(days=3)


def test_a_minute_is_evaluated_once(acme: Tenant, channel: AlertChannel) -> None:
    limit_rule(acme, pending_minutes=2)
    store(row(acme, NOON, tally_of(total=50, us=900 * MS)) for _ in range(2))

    now = NOON + MINUTE + timedelta(seconds=35)
    assert [evaluate_all(now=now), evaluate_all(now=now)] == [1, 0]
    # A second evaluator that was about to do the same minute finds it done.
    with using_tenant(acme):
        evaluation.evaluate_minute(acme, NOON + MINUTE, last=NOON + MINUTE, now=now)

    alert = Alert.all_tenants.get()
    assert (alert.phase, alert.met_for) == ("pending", 1)
    assert alert.fired_at is None


def test_a_minute_waits_until_every_process_has_written(acme: Tenant) -> None:
    limit_rule(acme)

    evaluate_all(now=NOON + timedelta(seconds=89))
    assert AlertRule.all_tenants.get().evaluated_until == NOON
    evaluate_all(now=NOON + timedelta(seconds=90))
    assert AlertRule.all_tenants.get().evaluated_until == NOON + MINUTE


def test_the_change_and_its_notifications_are_stored_together_or_not_at_all(
    acme: Tenant, channel: AlertChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    burn_rule(objective(acme), "fast")
    traffic(acme, -10, -1, bad=50)
    real = notifications.write_deliveries

    def dies_after_writing(*args: object, **kwargs: object) -> None:
        real(*args, **kwargs)  # type: ignore[arg-type]
        assert Delivery.all_tenants.count() == 1
        raise RuntimeError("power cut")

    monkeypatch.setattr(evaluation, "write_deliveries", dies_after_writing)
    with pytest.raises(RuntimeError, match="power cut"):
        evaluate(-1, -1)

    assert Delivery.all_tenants.count() == 0
    assert Alert.all_tenants.count() == 0
    assert AlertRule.all_tenants.get().evaluated_until is None

    monkeypatch.undo()
    evaluate(-1, -1)
    assert told(acme) == ["fired fast"]


def test_an_alert_is_unique_while_it_is_open(in_acme: Tenant) -> None:
    rule = limit_rule(in_acme)
    values = {"rule": rule, "opened_at": NOON}
    Alert.objects.create(phase="resolved", **values)
    Alert.objects.create(phase="firing", **values)

    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(phase="pending", **values)


def test_a_rule_switched_off_ends_its_alert_quietly(
    acme: Tenant, channel: AlertChannel
) -> None:
    promised = objective(acme)
    burn_rule(promised, "fast")
    traffic(acme, -10, 0, bad=50)
    evaluate(-1, -1)
    promised.enabled = False
    promised.save()

    evaluate(0, 0)

    assert phases(acme) == ["orders-available-fast resolved"]
    assert told(acme) == ["fired fast"]


def test_rules_name_channels_or_reach_every_enabled_one(
    acme: Tenant, globex: Tenant, channel: AlertChannel
) -> None:
    def made(tenant: Tenant, key: str, **fields: object) -> AlertChannel:
        new: AlertChannel = AlertChannel.all_tenants.create(
            tenant=tenant, key=key, kind="email", recipients="a@example.org", **fields
        )
        return new

    made(acme, "second")
    made(acme, "off", enabled=False)
    made(globex, "foreign")
    limit_rule(acme)
    named = limit_rule(acme, key="named")
    named.channels.add(channel)
    store([row(acme, NOON - MINUTE, tally_of(total=50, us=900 * MS))])

    evaluate(-1, -1)

    rows = Delivery.all_tenants.values_list("alert__rule__key", "channel__key")
    assert sorted(rows) == [
        ("named", "ops"),
        ("orders-slow", "ops"),
        ("orders-slow", "second"),
    ]


def test_texts_are_in_the_language_of_the_channel(
    acme: Tenant, channel: AlertChannel
) -> None:
    AlertChannel.all_tenants.create(
        tenant=acme, key="ko", kind="email", recipients="a@example.org", language="ko"
    )
    promised = objective(acme, label={"ko": "주문 화면", "en": "Order\nscreen"})
    burn_rule(promised, "fast")
    traffic(acme, -10, -1, bad=50)

    evaluate(-1, -1)

    english, korean = Delivery.all_tenants.order_by("channel__key").reverse()
    assert english.subject == "[Acme] Alert: Order screen"
    assert korean.subject == "[Acme] 경보: 주문 화면"
    assert "firing since 2026-03-10 12:00 UTC" in english.text


def test_a_volume_of_zero_counts_only_while_anything_is_recorded(acme: Tenant) -> None:
    limit_rule(
        acme, metric="volume", direction="below", limit=Decimal(1), window_minutes=1
    )
    evaluate(-1, -1)
    assert phases(acme) == []

    # A task of the portal itself, of no tenant: so somebody records.
    store([row(None, NOON, tally_of(total=1), kind="task", key="t")])
    evaluate(0, 0)

    assert phases(acme) == ["orders-slow firing"]


def test_the_usual_rules_are_added_once(acme: Tenant, user: User) -> None:
    promised = objective(acme, label={"ko": "주문", "en": "Orders"})
    actor = Actor(user_id=user.pk, tenant_id=acme.pk)

    assert [rule.pace for rule in add_burn_rules(promised, actor=actor)] == [
        "fast",
        "medium",
        "slow",
    ]
    assert add_burn_rules(promised, actor=actor) == []
    with using_tenant(acme):
        rule = AlertRule.objects.get(pace="fast")
    assert rule.label["en"] == "Orders: budget burns fast"
    assert rule.label["ko"].startswith("주문")
    assert AuditEntry.all_tenants.filter(action="alertrule.added").count() == 3


def test_a_quiet_minute_costs_the_same_for_many_rules(
    acme: Tenant,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    def rules(first: int, last: int) -> None:
        for number in range(first, last):
            promised = objective(acme, key=f"o{number}", measured_key=f"k{number}")
            burn_rule(promised, "fast")
            store([row(acme, NOON, tally_of(total=9), key=f"k{number}")])

    rules(0, 1)
    evaluate(-1, -1)
    evaluate(0, 0)
    AlertRule.all_tenants.update(evaluated_until=NOON)
    with django_assert_num_queries(10):
        evaluate(0, 0)
    rules(1, 20)
    AlertRule.all_tenants.update(evaluated_until=NOON)

    with django_assert_num_queries(10):
        evaluate(0, 0)

    assert Measurement.objects.count() == 20

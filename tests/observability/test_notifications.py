"""Who is told of an alert: channels, languages, repeats, silences, acknowledging."""

from __future__ import annotations

from datetime import timedelta

import pytest

from observability import evaluation, notifications
from observability.alerts import acknowledge
from observability.models import (
    Alert,
    AlertChannel,
    AlertRule,
    Delivery,
    Silence,
)
from tenants.models import AuditEntry, Tenant, User
from tenants.scope import Actor
from tests.observability.counting import (
    MS,
    NOON,
    burn_rule,
    evaluate,
    limit_rule,
    objective,
    phases,
    row,
    store,
    tally_of,
    told,
    traffic,
)

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


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

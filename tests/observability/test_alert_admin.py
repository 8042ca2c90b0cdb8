"""Objectives, rules, silences and channels in the admin: faults told, rows apart."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from observability.models import (
    Alert,
    AlertChannel,
    AlertRule,
    Delivery,
    Objective,
    Silence,
)
from tenants.models import AuditEntry, Tenant, User
from tests.observability.counting import NOON, burn_rule, limit_rule, objective

pytestmark = pytest.mark.django_db
BACKEND = "tenants.backends.TenantBackend"
SECRET = "planted-secret-0123456789"
OURS = (Objective, AlertRule, Alert, Silence, AlertChannel, Delivery)


@pytest.fixture
def staff(user: User, client: Client, acme: Tenant) -> User:
    user.is_staff = user.is_superuser = True
    user.save()
    client.force_login(user, backend=BACKEND)
    client.post("/switch-tenant/", {"key": "acme", "next": "/"})
    return user


def page(model: str, name: str, *args: object) -> str:
    return reverse(f"admin:observability_{model}_{name}", args=args)


def faults(client: Client, address: str, values: dict[str, Any]) -> dict[str, str]:
    """Post a form; return what is told, by field ("" for what stands above all)."""
    response = client.post(address, values)
    if response.status_code == 302:
        return {}
    form = response.context["adminform"].form
    return {
        ("" if name == "__all__" else name): " ".join(told)
        for name, told in form.errors.items()
    }


OBJECTIVE = {
    "key": "orders",
    "label": '{"ko": "주문", "en": "Orders"}',
    "kind": "page",
    "measured_key": "orders",
    "type": "availability",
    "threshold_ms": "",
    "target": "99.9",
    "window_days": "30",
    "enabled": "on",
}


def test_an_objective_is_added_with_its_rules(
    client: Client, staff: User, acme: Tenant
) -> None:
    given = {**OBJECTIVE, "with_rules": "on", "owner": staff.pk}

    assert faults(client, page("objective", "add"), given) == {}

    made = Objective.all_tenants.get()
    assert (made.tenant, made.owner) == (acme, staff)
    assert made.promise().target_ppm == 999_000
    assert sorted(AlertRule.all_tenants.values_list("pace", flat=True)) == [
        "fast",
        "medium",
        "slow",
    ]
    actions = AuditEntry.all_tenants.values_list("action", flat=True)
    assert sorted(actions) == ["alertrule.added"] * 3 + ["objective.added"]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"target": "100"}, "target", "leaves no error budget"),
        ({"target": "0"}, "target", ""),
        ({"target": "99.99999"}, "target", "4 decimal places"),
        ({"window_days": "91"}, "window_days", "90"),
        ({"window_days": "0"}, "window_days", "1"),
        ({"threshold_ms": "200"}, "threshold_ms", "availability has none"),
        ({"type": "latency"}, "threshold_ms", "Latency needs a threshold"),
        ({"label": '{"fr": "Commandes"}'}, "label", "is not a name"),
        ({"label": '{"ko": "주문"'}, "label", "This is not JSON"),
        ({"measured_key": ""}, "measured_key", "required"),
        ({"kind": "nonsense"}, "kind", "nonsense"),
        ({"key": "two words"}, "key", ""),
    ],
)
def test_a_wrong_objective_is_told_at_its_field(
    client: Client, staff: User, change: dict[str, str], field: str, words: str
) -> None:
    told = faults(client, page("objective", "add"), {**OBJECTIVE, **change})

    assert words in told[field]
    assert set(told) == {field}
    assert Objective.all_tenants.count() == 0


def test_a_key_is_taken_once_per_tenant(
    client: Client, staff: User, acme: Tenant, globex: Tenant
) -> None:
    objective(globex, key="orders")
    assert faults(client, page("objective", "add"), OBJECTIVE) == {}

    told = faults(client, page("objective", "add"), OBJECTIVE)

    assert told == {"key": "This key is taken. Choose another."}


BURN = {
    "key": "burn",
    "label": "{}",
    "type": "burn",
    "pace": "fast",
    "minimum_bad": "5",
    "direction": "above",
    "window_minutes": "15",
    "minimum_events": "50",
    "pending_minutes": "0",
    "hold_minutes": "15",
    "enabled": "on",
}
LIMIT = {
    **BURN,
    "key": "limit",
    "type": "limit",
    "pace": "",
    "kind": "page",
    "measured_key": "orders",
    "metric": "p95",
    "limit": "500",
}


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (LIMIT, set()),
        ({**LIMIT, "limit": "", "metric": ""}, {"limit", "metric"}),
        ({**LIMIT, "limit": "-1"}, {"limit"}),
        ({**LIMIT, "pace": "slow"}, {"pace"}),
        ({**LIMIT, "window_minutes": "0"}, {"window_minutes"}),
        ({**LIMIT, "window_minutes": "99999"}, {"window_minutes"}),
        (BURN, {"objective"}),
        ({**BURN, "pace": "", "kind": "page"}, {"objective", "pace", "kind"}),
    ],
)
def test_a_wrong_rule_is_told_at_its_fields(
    client: Client, staff: User, given: dict[str, str], wrong: set[str]
) -> None:
    told = faults(client, page("alertrule", "add"), given)

    assert set(told) - {""} == wrong
    assert AlertRule.all_tenants.count() == (0 if wrong else 1)


def test_a_rule_takes_objectives_and_channels_of_its_own_tenant_only(
    client: Client, staff: User, acme: Tenant, globex: Tenant
) -> None:
    foreign = objective(globex)
    hook = AlertChannel.all_tenants.create(
        tenant=globex, key="h", kind="email", recipients="a@example.org"
    )

    told = faults(
        client,
        page("alertrule", "add"),
        {**BURN, "objective": foreign.pk, "channels": [hook.pk]},
    )

    assert {"objective", "channels"} <= set(told)


def silence(hours: int, **change: str) -> dict[str, str]:
    starts = timezone.localtime()
    ends = starts + timedelta(hours=hours)
    return {
        "reason": "maintenance",
        "starts_at_0": f"{starts:%Y-%m-%d}",
        "starts_at_1": f"{starts:%H:%M:%S}",
        "ends_at_0": f"{ends:%Y-%m-%d}",
        "ends_at_1": f"{ends:%H:%M:%S}",
        **change,
    }


def test_a_silence_lasts_a_week_at_most(client: Client, staff: User) -> None:
    address = page("silence", "add")

    assert "at most seven days" in faults(client, address, silence(169))["ends_at"]
    assert "ends after it starts" in faults(client, address, silence(-1))["ends_at"]
    assert "required" in faults(client, address, silence(1, reason=""))["reason"]
    assert faults(client, address, silence(168)) == {}

    made = Silence.all_tenants.get()
    assert made.author == staff
    assert AuditEntry.all_tenants.get().action == "silence.added"

    client.post(
        page("silence", "changelist"),
        {"action": "end_now", "_selected_action": [made.pk]},
    )
    made.refresh_from_db()
    assert made.ends_at <= timezone.now()
    assert AuditEntry.all_tenants.filter(action="silence.changed").count() == 1


WEBHOOK = {
    "key": "hook",
    "label": "{}",
    "kind": "webhook",
    "url": "https://example.org/hook",
    "recipients": "",
    "new_secret": SECRET,
    "language": "en",
    "enabled": "on",
}


def test_the_secret_of_a_channel_is_sealed_and_never_shown(
    client: Client, staff: User
) -> None:
    assert faults(client, page("alertchannel", "add"), WEBHOOK) == {}

    channel = AlertChannel.all_tenants.get()
    assert channel.plain_secret() == SECRET
    assert SECRET not in channel.secret
    shown = client.get(page("alertchannel", "change", channel.pk)).content.decode()
    assert SECRET not in shown
    assert channel.secret not in shown
    entry = AuditEntry.all_tenants.get(action="alertchannel.added")
    assert entry.changes["new_secret"] == "changed"

    # Saved without a new one, the secret stays.
    kept = {**WEBHOOK, "new_secret": "", "url": "https://example.org/other"}
    assert faults(client, page("alertchannel", "change", channel.pk), kept) == {}
    channel.refresh_from_db()
    assert channel.plain_secret() == SECRET


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"new_secret": ""}, "new_secret", "needs a secret"),
        ({"new_secret": "short"}, "new_secret", "at least 16"),
        ({"new_secret": "whsec_no base64!"}, "new_secret", "not base64"),
        (
            {"new_secret": "whsec_" + base64.b64encode(b"short").decode()},
            "new_secret",
            "at least 16",
        ),
        ({"url": ""}, "url", "needs an address"),
        ({"url": "ftp://example.org/"}, "url", "valid URL"),
        ({"recipients": "a@example.org"}, "recipients", "Leave it empty"),
        (
            {"kind": "email", "url": "", "recipients": "a@example.org, nobody"},
            "recipients",
            "nobody is not an e-mail address",
        ),
        ({"kind": "email", "url": "", "recipients": ""}, "recipients", "needs recip"),
    ],
)
def test_a_wrong_channel_is_told_at_its_field(
    client: Client, staff: User, change: dict[str, str], field: str, words: str
) -> None:
    told = faults(client, page("alertchannel", "add"), {**WEBHOOK, **change})

    assert words in told[field]
    assert set(told) - {""} == {field}
    assert AlertChannel.all_tenants.count() == 0


def test_a_channel_is_tried(client: Client, staff: User, acme: Tenant) -> None:
    channel = AlertChannel.all_tenants.create(
        tenant=acme, key="m", kind="email", recipients="a@example.org", language="ko"
    )

    response = client.post(
        page("alertchannel", "changelist"),
        {"action": "test", "_selected_action": [channel.pk]},
        follow=True,
    )

    assert "A test to 1 channel is on its way." in response.content.decode()
    delivery = Delivery.all_tenants.get()
    assert (delivery.event, delivery.state) == ("test", "waiting")
    assert "시험" in delivery.subject


@pytest.fixture
def firing(acme: Tenant) -> Alert:
    made: Alert = Alert.all_tenants.create(
        tenant=acme,
        rule=burn_rule(objective(acme), "fast"),
        phase="firing",
        opened_at=NOON,
        fired_at=NOON,
    )
    return made


def test_an_alert_is_acknowledged_on_its_page(
    client: Client, staff: User, firing: Alert
) -> None:
    address = page("alert", "change", firing.pk)
    take = page("alert", "acknowledge", firing.pk)
    assert f'action="{take}"' in client.get(address).content.decode()
    assert client.get(take).status_code == 404

    told = client.post(take, follow=True).content.decode()

    assert "You have this alert now." in told
    assert f'action="{take}"' not in told
    firing.refresh_from_db()
    assert (firing.phase, firing.acknowledged_by) == ("acknowledged", staff)
    again = client.post(take, follow=True).content.decode()
    assert "somebody has it already" in again
    assert AuditEntry.all_tenants.filter(action="alert.acknowledged").count() == 1


def test_alerts_are_acknowledged_in_the_list(
    client: Client, staff: User, firing: Alert
) -> None:
    ended = Alert.all_tenants.create(
        tenant=firing.tenant, rule=firing.rule, phase="resolved", opened_at=NOON
    )
    told = client.post(
        page("alert", "changelist"),
        {"action": "take", "_selected_action": [firing.pk, ended.pk]},
        follow=True,
    ).content.decode()

    assert "Acknowledged 1 alert." in told
    assert "1 alert is not firing" in told


def test_staff_without_the_permission_cannot_acknowledge(
    client: Client, staff: User, firing: Alert
) -> None:
    staff.is_superuser = False
    staff.save()

    answer = client.post(page("alert", "acknowledge", firing.pk))

    assert answer.status_code == 403
    firing.refresh_from_db()
    assert firing.phase == "firing"


def one_of_each(tenant: Tenant, number: int) -> None:
    promised = objective(tenant, key=f"mark-{number}")
    rule = burn_rule(promised, "fast")
    limit_rule(tenant, key=f"mark-limit-{number}")
    alert = Alert.all_tenants.create(
        tenant=tenant, rule=rule, phase="firing", opened_at=NOON
    )
    Silence.all_tenants.create(
        tenant=tenant,
        rule=rule,
        objective=promised,
        reason=f"mark-{number}",
        ends_at=timezone.now() + timedelta(hours=1),
    )
    channel = AlertChannel.all_tenants.create(
        tenant=tenant, key=f"mark-{number}", kind="email", recipients="a@example.org"
    )
    Delivery.all_tenants.create(
        tenant=tenant, channel=channel, alert=alert, event="fired", subject="mark"
    )


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_lists_cost_the_same_for_twenty_rows_and_hide_other_tenants(
    client: Client, staff: User, acme: Tenant, globex: Tenant, model: type[Any]
) -> None:
    address = page(model._meta.model_name, "changelist")
    one_of_each(acme, 0)
    one_of_each(globex, 100)
    foreign = model.all_tenants.filter(tenant=globex).first()
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(1, 20):
        one_of_each(acme, number)

    with CaptureQueriesContext(connection) as many:
        html = client.get(address).content.decode()

    assert len(many) == len(few)
    assert len(re.findall(r'name="_selected_action"', html)) >= 20
    assert "mark-100" not in html
    change = page(model._meta.model_name, "change", foreign.pk)
    assert client.get(change).status_code == 302


def test_every_page_of_ours_answers_in_both_languages(
    client: Client, staff: User, acme: Tenant
) -> None:
    one_of_each(acme, 0)
    for language in ("ko", "en"):
        staff.language = language
        staff.save()
        for model in OURS:
            name = str(model._meta.model_name)
            pk = model.all_tenants.filter(tenant=acme).values_list("pk", flat=True)[0]
            for address in (page(name, "changelist"), page(name, "change", pk)):
                assert client.get(address).status_code == 200, address
            # Alerts and deliveries are written by the portal alone.
            added_by_hand = name not in {"alert", "delivery"}
            answer = client.get(page(name, "add"))
            assert answer.status_code == (200 if added_by_hand else 403)

"""Channels in the admin: secrets sealed, faults told, a test on its way."""

from __future__ import annotations

import base64

import pytest
from django.test import Client

from observability.models import (
    AlertChannel,
    Delivery,
)
from tenants.models import AuditEntry, Tenant, User
from tests.observability.admin_pages import faults, page

pytestmark = pytest.mark.django_db
SECRET = "planted-secret-0123456789"

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
    client: Client, chief: User
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
    client: Client, chief: User, change: dict[str, str], field: str, words: str
) -> None:
    told = faults(client, page("alertchannel", "add"), {**WEBHOOK, **change})

    assert words in told[field]
    assert set(told) - {""} == {field}
    assert AlertChannel.all_tenants.count() == 0


def test_a_channel_is_tried(client: Client, chief: User, acme: Tenant) -> None:
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

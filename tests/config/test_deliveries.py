"""The outbox is sent for real: signed, retried, given up, and told in the admin."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from config.deliveries import send_deliveries
from config.schedule import enqueue_due
from observability.models import AlertChannel, Delivery
from observability.notifications import write_test
from observability.outbox import (
    KEPT,
    LEASE,
    any_due,
    claim_due,
    prune_deliveries,
    retry_after,
)
from tenants.lifecycle import resume, suspend
from tenants.models import AuditEntry, Tenant, User
from tenants.scope import using_tenant

pytestmark = pytest.mark.django_db
SECRET = "whsec_" + base64.b64encode(b"planted-secret-0123456789").decode()
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@dataclass
class Receiver:
    """A webhook's other side: answers the given statuses, then 204."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=planted-in-url"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.seen.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(told.answers.pop(0) if told.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_address[1]
    settings.SIGNALBOX_INTERNAL_NETWORKS = [f"127.0.0.1:{told.port}"]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def webhook(tenant: Tenant, url: str, **fields: Any) -> AlertChannel:
    channel = AlertChannel(
        tenant=tenant, key="hook", kind="webhook", url=url, language="en", **fields
    )
    channel.put_secret(SECRET)
    channel.save()
    return channel


def email(tenant: Tenant) -> AlertChannel:
    made: AlertChannel = AlertChannel.all_tenants.create(
        tenant=tenant,
        key="mail",
        kind="email",
        recipients="a@example.org, b@example.org",
        language="en",
    )
    return made


def waiting(channel: AlertChannel) -> Delivery:
    with using_tenant(channel.tenant_id):
        return write_test(channel, tenant=channel.tenant)


def send() -> dict[str, int]:
    told: dict[str, int] = send_deliveries.call()
    return told


def test_a_webhook_arrives_signed(acme: Tenant, receiver: Receiver) -> None:
    delivery = waiting(webhook(acme, receiver.url))

    assert send() == {"sent": 1, "failed": 0}

    [(headers, body)] = receiver.seen
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(b"planted-secret-0123456789", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert headers["webhook-id"] == str(delivery.delivery_id)
    age = timezone.now().timestamp() - int(headers["webhook-timestamp"])
    assert 0 <= age < 300
    assert headers["content-type"].startswith("application/json")
    assert json.loads(body) == delivery.payload
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("sent", 1)
    assert send() == {"sent": 0, "failed": 0}


def test_a_failing_receiver_is_asked_again_with_the_same_id(
    acme: Tenant, receiver: Receiver
) -> None:
    receiver.answers = [500, 503, 500]
    with time_machine.travel(NOON) as clock:
        delivery = waiting(webhook(acme, receiver.url))
        for pause in (10, 20, 40):
            assert send() == {"sent": 0, "failed": 1}
            assert send() == {"sent": 0, "failed": 0}
            delivery.refresh_from_db()
            assert delivery.state == "waiting"
            assert timedelta(0) < delivery.due_at - timezone.now()
            assert delivery.due_at - timezone.now() <= timedelta(seconds=pause)
            clock.move_to(delivery.due_at)

        assert send() == {"sent": 1, "failed": 0}

    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("sent", 4, "")
    ids = {headers["webhook-id"] for headers, _body in receiver.seen}
    assert ids == {str(delivery.delivery_id)}
    stamps = [headers["webhook-timestamp"] for headers, _body in receiver.seen]
    assert stamps == sorted(set(stamps))


def test_after_a_day_it_is_given_up_and_can_be_sent_again(
    acme: Tenant, receiver: Receiver, user: User, client: Client
) -> None:
    receiver.answers = [500] * 100
    with time_machine.travel(NOON) as clock:
        delivery = waiting(webhook(acme, receiver.url))
        while delivery.state == "waiting":
            clock.move_to(delivery.due_at)
            send()
            delivery.refresh_from_db()

        assert NOON + timedelta(hours=24) <= timezone.now()
        assert timezone.now() < NOON + timedelta(hours=25)
        # Nine in the first 85 minutes, then hourly, and once at the end of the day.
        assert 30 <= delivery.attempts == len(receiver.seen) <= 36
        assert "500" in delivery.last_error
        assert "planted" not in delivery.last_error
        assert not any_due(now=NOON + timedelta(days=30))

    user.is_staff = user.is_superuser = True
    user.save()
    client.force_login(user, backend="tenants.backends.TenantBackend")
    client.post("/switch-tenant/", {"key": "acme", "next": "/"})
    page = reverse("admin:observability_delivery_changelist")
    shown = client.get(page, {"state__exact": "dead"}).content.decode()
    assert delivery.subject in shown
    assert "500" in shown
    assert "planted" not in shown
    receiver.answers = []
    client.post(page, {"action": "again", "_selected_action": [delivery.pk]})

    assert send() == {"sent": 1, "failed": 0}
    assert AuditEntry.all_tenants.filter(action="delivery.resent").count() == 1


def test_pauses_double_up_to_an_hour() -> None:
    pauses = [retry_after(attempts).total_seconds() for attempts in range(1, 13)]

    assert pauses == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]
    with pytest.raises(ValueError, match="1 or more"):
        retry_after(0)


def test_a_row_of_a_transaction_that_failed_is_never_sent(
    acme: Tenant, receiver: Receiver
) -> None:
    channel = webhook(acme, receiver.url)

    with transaction.atomic():
        waiting(channel)
        assert any_due()
        transaction.set_rollback(True)

    assert send() == {"sent": 0, "failed": 0}
    assert receiver.seen == []


def test_what_a_dead_sender_had_claimed_is_sent_later(
    acme: Tenant, receiver: Receiver
) -> None:
    with time_machine.travel(NOON) as clock:
        waiting(webhook(acme, receiver.url))
        [claimed] = claim_due(by=timezone.now())
        assert claimed.attempts == 1
        assert send() == {"sent": 0, "failed": 0}

        clock.shift(LEASE + timedelta(seconds=1))

        assert send() == {"sent": 1, "failed": 0}


def test_e_mail_goes_to_every_recipient(acme: Tenant) -> None:
    delivery = waiting(email(acme))

    assert send() == {"sent": 1, "failed": 0}

    [message] = mail.outbox
    assert message.to == ["a@example.org", "b@example.org"]
    assert message.subject == "[Signalbox] Test of mail"
    assert "of Acme" in str(message.body)
    assert str(delivery.delivery_id) in message.message()["Message-ID"]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        pytest.param("", "No mail server is set", id="none is set"),
        pytest.param("127.0.0.1", "did not take the message", id="it is away"),
    ],
)
def test_a_mail_server_that_is_not_there_is_told(
    acme: Tenant, settings: Settings, host: str, words: str
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, 1
    delivery = waiting(email(acme))

    assert send() == {"sent": 0, "failed": 1}

    delivery.refresh_from_db()
    assert words in delivery.last_error
    assert delivery.state == "waiting"


def test_what_cannot_be_sent_says_why(
    acme: Tenant, settings: Settings, receiver: Receiver
) -> None:
    channel = webhook(acme, receiver.url)
    off, unopened = waiting(channel), waiting(channel)
    AlertChannel.all_tenants.update(enabled=False)
    Delivery.all_tenants.filter(pk=unopened.pk).update(
        due_at=timezone.now() + timedelta(hours=1)
    )
    send()
    AlertChannel.all_tenants.update(enabled=True, secret="not-a-token")
    Delivery.all_tenants.filter(pk=unopened.pk).update(due_at=timezone.now())
    send()

    off.refresh_from_db()
    unopened.refresh_from_db()
    assert off.last_error == "The channel is switched off."
    assert "No key opens the secret" in unopened.last_error
    assert receiver.seen == []


def test_one_broken_channel_holds_up_no_other(acme: Tenant, receiver: Receiver) -> None:
    unreachable = webhook(acme, "http://10.255.255.1/")
    waiting(unreachable)
    waiting(email(acme))

    assert send() == {"sent": 1, "failed": 1}


def test_the_task_is_enqueued_only_while_something_waits(acme: Tenant) -> None:
    moment = timezone.now()
    assert "send-deliveries" not in enqueue_due(now=moment)

    waiting(email(acme))

    assert "send-deliveries" in enqueue_due(now=timezone.now() + timedelta(seconds=11))


def test_what_is_done_is_forgotten_after_ninety_days(acme: Tenant) -> None:
    channel = email(acme)
    done, undone = waiting(channel), waiting(channel)
    Delivery.all_tenants.filter(pk=done.pk).update(state="dead")

    assert prune_deliveries(now=done.created_at + KEPT) == 0
    assert prune_deliveries(now=undone.created_at + KEPT + timedelta(seconds=1)) == 1
    assert Delivery.all_tenants.get() == undone


def test_what_waits_for_a_suspended_tenant_waits_until_it_is_resumed(
    acme: Tenant, globex: Tenant
) -> None:
    waiting(email(acme))
    waiting(email(globex))
    suspend(acme, reason="unpaid")

    while_suspended = send()
    still_due = any_due()
    resume(acme)

    assert while_suspended == {"sent": 1, "failed": 0}
    assert not still_due
    assert any_due()
    assert send() == {"sent": 1, "failed": 0}

"""Send what waits in the outbox: webhooks through `connectors`, e-mail through Django.

It stands here because `observability`, which writes the outbox, is below the only way
out. Each delivery is sent outside any transaction and in nobody's scope.
"""

from __future__ import annotations

import json
import logging
import time
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django_tasks import task

from connectors.services import Message, Sent, send
from observability.models import AlertChannel, Delivery
from observability.services import claim_due, delivered, failed
from observability.webhooks import signed_headers
from tenants.sealing import Unopened

logger = logging.getLogger(__name__)


@task()
def send_deliveries() -> dict[str, int]:
    """Send every delivery that is due; returns how many arrived, and how many not."""
    counts = {"sent": 0, "failed": 0}
    started = timezone.now()
    # What fails now is due again after this moment, and waits for the next task.
    while claimed := claim_due(by=started):
        for delivery in claimed:
            counts["sent" if _attempt(delivery) else "failed"] += 1
    return counts


def _attempt(delivery: Delivery) -> bool:
    channel = delivery.channel
    with override(channel.language):
        fault = _fault(delivery)
    if fault is None:
        delivered(delivery)
        return True
    if not failed(delivery, fault):
        logger.error(
            "Gave up delivery %s to channel %s of tenant %s after %d attempts.",
            delivery.delivery_id,
            channel.key,
            delivery.tenant.key,
            delivery.attempts,
        )
    return False


def _fault(delivery: Delivery) -> str | None:
    """Send one delivery; return why it did not arrive, or None when it did."""
    channel = delivery.channel
    if not channel.enabled:
        return _("The channel is switched off.")
    if channel.kind == AlertChannel.Kind.EMAIL:
        return _email_fault(delivery)
    return _webhook_fault(delivery)


def _webhook_fault(delivery: Delivery) -> str | None:
    channel = delivery.channel
    try:
        secret = channel.plain_secret()
    except Unopened:
        return _("No key opens the secret of the channel. Set the secret again.")
    body = json.dumps(delivery.payload, ensure_ascii=False, sort_keys=True).encode()
    headers = signed_headers(
        secret=secret,
        delivery_id=str(delivery.delivery_id),
        timestamp=int(time.time()),
        body=body,
    )
    message = Message("webhook", channel.url, body, headers)
    answer = send(message, tenant_id=delivery.tenant_id)
    return None if isinstance(answer, Sent) else answer.message


def _email_fault(delivery: Delivery) -> str | None:
    smtp = settings.EMAIL_BACKEND.endswith(".smtp.EmailBackend")
    if smtp and not settings.EMAIL_HOST:
        return _("No mail server is set. Set SIGNALBOX_EMAIL_URL.")
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    message = EmailMessage(
        delivery.subject,
        delivery.text,
        to=delivery.channel.addresses,
        headers={"Message-ID": f"<{delivery.delivery_id}@{host}>"},
    )
    try:
        message.send()
    except (SMTPException, OSError) as error:
        logger.warning("The mail server refused a message: %s", error)
        # The server's own words may quote an address of the inside.
        return _("The mail server did not take the message (%(kind)s).") % {
            "kind": type(error).__name__
        }
    return None

"""What is told about alerts: outbox rows, written with the change they tell.

Nothing is sent here. A task above hands waiting rows to the door out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from observability.alerting import Event
from observability.models import Alert, AlertChannel, AlertRule, Delivery, Silence
from tenants.models import Tenant

PAYLOAD_VERSION = 1


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification about a group of alerts.

    Attributes:
        about: The alert it is about; its rule's channels are told.
        others: The other alerts of the group that are open or have just ended.
    """

    event: Event
    about: Alert
    others: tuple[Alert, ...]
    at: datetime


def write_deliveries(
    notice: Notice, *, tenant: Tenant, channels: Sequence[AlertChannel]
) -> list[Delivery]:
    """Write one waiting delivery a channel of the alert's rule, in the caller's
    transaction.

    Args:
        channels: The tenant's enabled channels; told are those the rule names, or
            all of them when it names none.
    """
    named = {channel.pk for channel in notice.about.rule.channels.all()}
    told = [channel for channel in channels if not named or channel.pk in named]
    return Delivery.objects.bulk_create(
        [_delivery(notice, channel, tenant) for channel in told]
    )


def write_test(channel: AlertChannel, *, tenant: Tenant) -> Delivery:
    """Write a waiting delivery that tries a channel."""
    with translation.override(channel.language):
        subject = _("[Signalbox] Test of %(channel)s") % {"channel": channel.name}
        text = _(
            "This is a test of the alert channel %(channel)s of %(tenant)s. Nothing "
            "has happened."
        ) % {"channel": channel.name, "tenant": tenant.name}
    payload = {
        "version": PAYLOAD_VERSION,
        "event": Event.TEST.value,
        "tenant": tenant.key,
        "at": timezone.now().isoformat(),
        "text": text,
    }
    return Delivery.objects.create(
        channel=channel,
        event=Event.TEST.value,
        subject=subject[:200],
        text=text,
        payload=payload,
    )


def silenced(rule: AlertRule, silences: Iterable[Silence]) -> bool:
    """Say whether one of the active silences matches a rule."""
    return any(silence.matches(rule) for silence in silences)


def _delivery(notice: Notice, channel: AlertChannel, tenant: Tenant) -> Delivery:
    with translation.override(channel.language):
        subject = _subject(notice, tenant)
        text = _text(notice)
    return Delivery(
        channel=channel,
        alert=notice.about,
        event=notice.event.value,
        subject=subject[:200],
        text=text,
        payload=_payload(notice, tenant, text),
    )


def _subject(notice: Notice, tenant: Tenant) -> str:
    values = {"name": _title(notice.about.rule), "tenant": tenant.name}
    words = {
        Event.FIRED: _("[%(tenant)s] Alert: %(name)s"),
        Event.EASED: _("[%(tenant)s] Eased, not over: %(name)s"),
        Event.RESOLVED: _("[%(tenant)s] Over: %(name)s"),
        Event.ACKNOWLEDGED: _("[%(tenant)s] Acknowledged: %(name)s"),
        Event.REPEATED: _("[%(tenant)s] Still firing: %(name)s"),
    }
    # A label may hold a line break; a header may not.
    return " ".join((words[notice.event] % values).split())


def _title(rule: AlertRule) -> str:
    return rule.objective.name if rule.objective is not None else rule.name


def _text(notice: Notice) -> str:
    lines = [_line(alert) for alert in (notice.about, *notice.others)]
    if notice.event is Event.ACKNOWLEDGED and notice.about.acknowledged_by is not None:
        who = notice.about.acknowledged_by
        lines.append(_("Acknowledged by %(user)s.") % {"user": who.get_username()})
    owner = _owner(notice.about.rule)
    if owner:
        lines.append(_("Owner: %(user)s.") % {"user": owner})
    if settings.SIGNALBOX_PUBLIC_URL:
        lines.append(f"{settings.SIGNALBOX_PUBLIC_URL}{reverse('latency')}")
    return "\n".join(lines)


def _line(alert: Alert) -> str:
    measured = "" if alert.peak is None else f"{alert.peak:.4g}"
    return _("%(rule)s: %(phase)s since %(since)s, peak %(peak)s") % {
        "rule": alert.rule.name,
        "phase": alert.get_phase_display(),
        "since": f"{_since(alert):%Y-%m-%d %H:%M} UTC",
        "peak": measured or "–",
    }


def _since(alert: Alert) -> datetime:
    return alert.resolved_at or alert.fired_at or alert.opened_at


def _owner(rule: AlertRule) -> str:
    owner = rule.owner or (rule.objective.owner if rule.objective else None)
    return owner.get_username() if owner is not None else ""


def _payload(notice: Notice, tenant: Tenant, text: str) -> dict[str, Any]:
    rule = notice.about.rule
    objective = rule.objective
    return {
        "version": PAYLOAD_VERSION,
        "event": notice.event.value,
        "tenant": tenant.key,
        "severity": rule.severity,
        "objective": objective.key if objective is not None else None,
        "target": str(objective.target) if objective is not None else None,
        "kind": objective.kind if objective is not None else rule.kind,
        "key": objective.measured_key if objective is not None else rule.measured_key,
        "owner": _owner(rule),
        "at": notice.at.isoformat(),
        "alerts": [_alert(alert) for alert in (notice.about, *notice.others)],
        "text": text,
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "rule": alert.rule.key,
        "pace": alert.rule.pace or None,
        "phase": alert.phase,
        "fired_at": alert.fired_at.isoformat() if alert.fired_at else None,
        "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at else None,
        "peak": alert.peak,
    }

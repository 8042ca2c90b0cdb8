"""Marked objectives, alerts and what is told of them, in the tenant in scope."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db import models
from django.utils import timezone

from observability.models import (
    Alert,
    AlertChannel,
    AlertRule,
    Delivery,
    Objective,
    Silence,
)
from tenants.models import User


def marked_alerts(mark: str, owner: User) -> list[models.Model]:
    """Make one row of each model that has to do with alerts."""
    label, now = {"ko": mark, "en": mark}, timezone.now()
    objective = Objective.objects.create(
        key=f"{mark}-objective",
        label=label,
        kind="page",
        measured_key=f"{mark}-page",
        target=Decimal("99.9"),
        owner=owner,
    )
    rule = AlertRule.objects.create(
        key=f"{mark}-alert-rule", label=label, objective=objective, pace="fast"
    )
    alert = Alert.objects.create(rule=rule, phase="firing", opened_at=now, fired_at=now)
    silence = Silence.objects.create(
        rule=rule, reason=f"{mark} silence", ends_at=now + timedelta(hours=1)
    )
    channel = AlertChannel(
        key=f"{mark}-channel",
        label=label,
        kind="webhook",
        url=f"https://{mark}.example/hook",
    )
    channel.put_secret(f"{mark} signs with this")
    channel.save()
    delivery = Delivery.objects.create(
        channel=channel,
        alert=alert,
        event="fired",
        subject=f"{mark} delivery",
        text=mark,
        state=Delivery.State.DEAD,
        last_error=mark,
    )
    return [objective, rule, alert, silence, channel, delivery]

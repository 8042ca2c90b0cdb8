"""Alerts, silences, and the outbox of notifications."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from observability.alerting import Event, Phase, State
from observability.channel_models import AlertChannel
from observability.objective_models import MeasuredKind, Objective, user_field
from observability.rule_models import AlertRule
from tenants.models import TenantManager, TenantModel

LONGEST_SILENCE = timedelta(days=7)
RETRIED_FOR = timedelta(hours=24)


class AlertQuerySet(models.QuerySet["Alert"]):
    def unresolved(self) -> Self:
        return self.exclude(phase=Phase.RESOLVED.value)


class Alert(TenantModel):
    """One time a rule was met, from pending to resolved; one a rule at a time."""

    class Phases(models.TextChoices):
        PENDING = Phase.PENDING.value, _("pending")
        FIRING = Phase.FIRING.value, _("firing")
        ACKNOWLEDGED = Phase.ACKNOWLEDGED.value, _("acknowledged")
        RESOLVED = Phase.RESOLVED.value, _("resolved")

    rule = models.ForeignKey(
        AlertRule,
        on_delete=models.CASCADE,
        related_name="alerts",
        verbose_name=_("alert rule"),
    )
    phase = models.CharField(_("phase"), max_length=12, choices=Phases.choices)
    met_for = models.PositiveIntegerField(_("minutes met"), default=0)
    clear_for = models.PositiveIntegerField(_("minutes clear"), default=0)
    opened_at = models.DateTimeField(_("opened"))
    fired_at = models.DateTimeField(_("fired"), null=True, blank=True)
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True, blank=True)
    acknowledged_by = user_field(_("acknowledged by"))
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    told_at = models.DateTimeField(_("last told"), null=True, blank=True)
    peak = models.FloatField(_("peak"), null=True, blank=True)

    objects: ClassVar = TenantManager.from_queryset(AlertQuerySet)()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "rule"],
                condition=~Q(phase="resolved"),
                name="observability_alert_once_while_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} {timezone.localtime(self.opened_at):%Y-%m-%d %H:%M}"

    def state(self) -> State:
        return State(Phase(self.phase), self.met_for, self.clear_for)


class SilenceQuerySet(models.QuerySet["Silence"]):
    def active(self, *, at: datetime) -> Self:
        return self.filter(starts_at__lte=at, ends_at__gt=at)


class Silence(TenantModel):
    """Says nothing of matching alerts for a while; they are kept all the same.

    Every field that is filled must match; with none filled, everything does.
    """

    objective = models.ForeignKey(
        Objective,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="silences",
        verbose_name=_("objective"),
    )
    rule = models.ForeignKey(
        AlertRule,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="silences",
        verbose_name=_("alert rule"),
    )
    kind = models.CharField(
        _("kind"), max_length=20, choices=MeasuredKind.choices, blank=True, default=""
    )
    measured_key = models.CharField(
        _("measured key"), max_length=120, blank=True, default=""
    )
    starts_at = models.DateTimeField(_("starts"), default=timezone.now)
    ends_at = models.DateTimeField(
        _("ends"), help_text=_("At most seven days after the start.")
    )
    reason = models.CharField(
        _("reason"), max_length=200, help_text=_("Such as planned maintenance.")
    )
    author = user_field(_("author"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects: ClassVar = TenantManager.from_queryset(SilenceQuerySet)()

    class Meta:
        ordering = ["-starts_at"]
        verbose_name = _("silence")
        verbose_name_plural = _("silences")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="observability_silence_ends_after_it_starts",
                violation_error_message=_("A silence ends after it starts."),
            )
        ]

    def __str__(self) -> str:
        return self.reason

    def clean(self) -> None:
        starts_at: datetime | None = self.starts_at
        ends_at: datetime | None = self.ends_at  # None while a form lacks it
        if starts_at and ends_at and ends_at > starts_at + LONGEST_SILENCE:
            raise ValidationError(
                {
                    "ends_at": _(
                        "A silence lasts at most seven days. Choose an earlier end, "
                        "or change the rule."
                    )
                },
                code="silence-too-long",
            )

    def matches(self, rule: AlertRule) -> bool:
        kind, key = rule.kind, rule.measured_key
        if rule.objective is not None:
            kind, key = rule.objective.kind, rule.objective.measured_key
        return (
            self.objective_id in (None, rule.objective_id)
            and self.rule_id in (None, rule.pk)
            and self.kind in ("", kind)
            and self.measured_key in ("", key)
        )


def in_a_day() -> datetime:
    return timezone.now() + RETRIED_FOR


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, *, at: datetime) -> Self:
        """What waits to be sent; a suspended tenant's waits until it is resumed."""
        return self.filter(
            state=Delivery.State.WAITING, due_at__lte=at, tenant__is_active=True
        )


class Delivery(TenantModel):
    """One notification to one channel: written with the change it tells, sent later."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        DEAD = "dead", _("given up")

    class Events(models.TextChoices):
        FIRED = Event.FIRED.value, _("fired")
        EASED = Event.EASED.value, _("eased")
        RESOLVED = Event.RESOLVED.value, _("resolved")
        ACKNOWLEDGED = Event.ACKNOWLEDGED.value, _("acknowledged")
        REPEATED = Event.REPEATED.value, _("still firing")
        TEST = Event.TEST.value, _("test")

    channel = models.ForeignKey(
        AlertChannel,
        on_delete=models.CASCADE,
        related_name="deliveries",
        verbose_name=_("alert channel"),
    )
    alert = models.ForeignKey(
        Alert,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="deliveries",
        verbose_name=_("alert"),
    )
    event = models.CharField(_("event"), max_length=12, choices=Events.choices)
    delivery_id = models.UUIDField(_("delivery id"), default=uuid.uuid4)
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"))
    payload = models.JSONField(_("payload"), default=dict)
    state = models.CharField(
        _("state"), max_length=8, choices=State.choices, default=State.WAITING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    retry_until = models.DateTimeField(
        _("retried until"),
        default=in_a_day,
        help_text=_("When it has not arrived by then, it is given up."),
    )
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)

    objects: ClassVar = TenantManager.from_queryset(DeliveryQuerySet)()
    all_tenants: ClassVar = models.Manager.from_queryset(DeliveryQuerySet)()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state="waiting"),
                name="observability_due_idx",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "delivery_id"], name="observability_delivery_id_once"
            )
        ]

    def __str__(self) -> str:
        return self.subject

"""What is stored: measurements and signs of life here, the rest beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from observability.alert_models import Alert, Delivery, Silence
from observability.channel_models import AlertChannel
from observability.log_models import LogLevel, LogLine, StoredTrace
from observability.objective_models import MeasuredKind, Objective
from observability.review_models import (
    Review,
    ReviewFinding,
    ReviewIsFinal,
    ReviewSignature,
)
from observability.rule_models import AlertRule
from observability.slo import Tally, decode_buckets
from tenants.models import Tenant

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertRule",
    "Delivery",
    "Heartbeat",
    "LogLevel",
    "LogLine",
    "MeasuredKind",
    "Measurement",
    "Objective",
    "Review",
    "ReviewFinding",
    "ReviewIsFinal",
    "ReviewSignature",
    "Silence",
    "StoredTrace",
]


class MeasurementQuerySet(models.QuerySet["Measurement"]):
    def for_tenant(self, tenant_id: int | None) -> Self:
        return self.filter(tenant_id=tenant_id)

    def closed(self, granularity: str, *, before: datetime) -> Self:
        """Rows that began before `before` and are not in a longer row yet."""
        return self.filter(
            granularity=granularity, folded=False, starts_at__lt=before
        ).order_by("pk")


class Measurement(models.Model):
    """What one process counted under one key in one minute, hour or day.

    Rows are appended and never changed, but for the mark `folded`: what is in a
    folded row is also in one of the next longer granularity. The rows that are not
    folded hold every event exactly once.

    Not a `TenantModel`: calls outside any tenant are measured too, and the flusher
    writes rows of all tenants at once, outside any scope.
    """

    class Granularity(models.TextChoices):
        MINUTE = "minute", _("Minute")
        HOUR = "hour", _("Hour")
        DAY = "day", _("Day")

    granularity = models.CharField(
        _("granularity"),
        max_length=8,
        choices=Granularity.choices,
        default=Granularity.MINUTE,
    )
    starts_at = models.DateTimeField(_("starts"))
    kind = models.CharField(
        _("kind"),
        max_length=20,
        help_text=_("What was measured: page, menu, screen, block, …"),
    )
    key = models.CharField(_("key"), max_length=120)
    # No constraint in the database: one tenant deleted between counting and writing
    # must not refuse the rows of all others.
    tenant = models.ForeignKey(
        Tenant,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name=_("tenant"),
    )
    worker = models.CharField(
        _("process"),
        max_length=60,
        blank=True,
        help_text=_("Host and process that counted; empty when folded."),
    )
    count = models.PositiveBigIntegerField(_("count"))
    bad = models.PositiveBigIntegerField(_("errors"), default=0)
    sum_us = models.PositiveBigIntegerField(_("total microseconds"))
    max_us = models.PositiveBigIntegerField(_("longest, microseconds"))
    buckets = models.BinaryField(_("buckets"))
    folded = models.BooleanField(_("folded"), default=False)

    objects = MeasurementQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "kind", "key"]
        verbose_name = _("measurement")
        verbose_name_plural = _("measurements")
        indexes = [
            models.Index(
                fields=["tenant", "granularity", "starts_at"],
                name="observability_read_idx",
            ),
            models.Index(
                fields=["granularity", "starts_at"],
                condition=Q(folded=False),
                name="observability_fold_idx",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(bad__lte=F("count")),
                name="observability_measurement_bad_within_count",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} {self.starts_at:%Y-%m-%d %H:%M}"

    def tally(self) -> Tally:
        return Tally(
            count=self.count,
            bad=self.bad,
            sum_us=self.sum_us,
            max_us=self.max_us,
            buckets=decode_buckets(bytes(self.buckets)),
        )


class Heartbeat(models.Model):
    """The last sign of life of a background process, and who holds a role.

    A role such as ``scheduler`` has one holder until `expires_at`; ``worker`` and
    the ``schedule:…`` rows only tell when something was last done.
    """

    role = models.CharField(_("role"), max_length=60, primary_key=True)
    holder = models.CharField(_("process"), max_length=60, blank=True)
    seen_at = models.DateTimeField(_("last seen"))
    expires_at = models.DateTimeField(_("held until"))

    class Meta:
        ordering = ["role"]
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.role

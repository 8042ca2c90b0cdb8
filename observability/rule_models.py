"""Alert rules: when somebody is to be told."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from observability.alerting import Limit, Metric, Pace, Patience
from observability.channel_models import AlertChannel
from observability.objective_models import MeasuredKind, Named, Objective, user_field
from tenants.models import TenantManager


class AlertRuleQuerySet(models.QuerySet["AlertRule"]):
    def watching(self) -> Self:
        """Enabled rules whose objective, if any, is enabled too."""
        on = Q(objective=None) | Q(objective__enabled=True)
        return self.filter(on, enabled=True)


class AlertRule(Named):
    """When somebody is to be told: a budget that burns, or a number beyond a limit."""

    class Type(models.TextChoices):
        BURN = "burn", _("error budget burns")
        LIMIT = "limit", _("number beyond a limit")

    class Paces(models.TextChoices):
        FAST = Pace.FAST.value, _("fast: 14.4 times in 1 h and 5 min")
        MEDIUM = Pace.MEDIUM.value, _("medium: 6 times in 6 h and 30 min")
        SLOW = Pace.SLOW.value, _("slow: once in 3 d and 6 h")

    class Metrics(models.TextChoices):
        P95 = Metric.P95.value, _("p95, ms")
        P99 = Metric.P99.value, _("p99, ms")
        ERROR_SHARE = Metric.ERROR_SHARE.value, _("errors, %")
        VOLUME = Metric.VOLUME.value, _("events")

    class Direction(models.TextChoices):
        ABOVE = "above", _("above the limit")
        BELOW = "below", _("below the limit")

    type = models.CharField(
        _("type"), max_length=8, choices=Type.choices, default=Type.BURN
    )
    objective = models.ForeignKey(
        Objective,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name=_("objective"),
        help_text=_("For a burning budget: whose. Empty otherwise."),
    )
    pace = models.CharField(
        _("pace"),
        max_length=8,
        choices=Paces.choices,
        blank=True,
        default="",
        help_text=_("For a burning budget: both windows must burn faster than this."),
    )
    minimum_bad = models.PositiveIntegerField(
        _("minimum bad events"),
        default=5,
        help_text=_(
            "For a burning budget: bad events in the long window before anybody is "
            "told. A quiet service needs few, but one error should wake nobody."
        ),
    )
    kind = models.CharField(
        _("kind"),
        max_length=20,
        choices=MeasuredKind.choices,
        blank=True,
        default="",
        help_text=_("For a limit: what is measured."),
    )
    measured_key = models.CharField(
        _("measured key"),
        max_length=120,
        blank=True,
        default="",
        help_text=_("For a limit: which of that kind, as the dashboard writes it."),
    )
    metric = models.CharField(
        _("metric"), max_length=12, choices=Metrics.choices, blank=True, default=""
    )
    direction = models.CharField(
        _("direction"),
        max_length=8,
        choices=Direction.choices,
        default=Direction.ABOVE,
        help_text=_("Exactly on the limit is neither."),
    )
    limit = models.DecimalField(
        _("limit"),
        max_digits=12,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("In the unit of the metric: ms, % or events."),
    )
    window_minutes = models.PositiveIntegerField(
        _("window (minutes)"),
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(7 * 24 * 60)],
        help_text=_("For a limit: the number is taken over the last so many minutes."),
    )
    minimum_events = models.PositiveIntegerField(
        _("minimum events"),
        default=50,
        help_text=_("For a limit: with fewer events in the window it is not reached."),
    )
    pending_minutes = models.PositiveSmallIntegerField(
        _("pending (minutes)"),
        default=0,
        validators=[MaxValueValidator(24 * 60)],
        help_text=_("How long the condition must be met before the alert fires."),
    )
    hold_minutes = models.PositiveSmallIntegerField(
        _("hold (minutes)"),
        default=15,
        validators=[MaxValueValidator(24 * 60)],
        help_text=_("How long the condition must be over before the alert ends."),
    )
    owner = user_field(
        _("owner"),
        _("Who answers for it; without one, the owner of the objective does."),
    )
    channels: models.ManyToManyField[AlertChannel, Any] = models.ManyToManyField(
        AlertChannel,
        blank=True,
        related_name="rules",
        verbose_name=_("channels"),
        help_text=_("Where notifications go; none chosen means every enabled channel."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    evaluated_until = models.DateTimeField(
        _("evaluated until"), null=True, blank=True, editable=False
    )
    no_data_since = models.DateTimeField(
        _("no data since"), null=True, blank=True, editable=False
    )

    objects: ClassVar = TenantManager.from_queryset(AlertRuleQuerySet)()

    class Meta:
        ordering = ["key"]
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"], name="observability_rule_key_once_per_tenant"
            ),
            models.CheckConstraint(
                condition=Q(type="limit")
                | Q(type="burn", objective__isnull=False, kind="", measured_key="")
                & ~Q(pace=""),
                name="observability_rule_burn_has_objective_and_pace",
                violation_error_message=_(
                    "A burning budget needs an objective and a pace, and no kind or "
                    "measured key of its own."
                ),
            ),
            models.CheckConstraint(
                condition=Q(type="burn")
                | Q(type="limit", objective__isnull=True, limit__isnull=False, pace="")
                & ~Q(kind="")
                & ~Q(measured_key="")
                & ~Q(metric=""),
                name="observability_rule_limit_has_metric_and_limit",
                violation_error_message=_(
                    "A limit needs kind, measured key, metric and limit, and no "
                    "objective or pace."
                ),
            ),
        ]

    @property
    def rank(self) -> int:
        return Pace(self.pace).rank if self.pace else 0

    @property
    def severity(self) -> str:
        """``page`` wakes somebody, ``ticket`` waits for the morning."""
        return "ticket" if self.pace == Pace.SLOW else "page"

    @property
    def patience(self) -> Patience:
        return Patience(before=self.pending_minutes, after=self.hold_minutes)

    def as_limit(self) -> Limit:
        return Limit(
            metric=Metric(self.metric),
            value_milli=int((self.limit or 0) * 1_000),
            above=self.direction == self.Direction.ABOVE,
            minimum_events=self.minimum_events,
        )

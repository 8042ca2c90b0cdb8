"""Objectives: what is promised of something that is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from observability.objectives import Promise
from tenants.models import TenantManager, TenantModel

LANGUAGES = ("ko", "en")


class MeasuredKind(models.TextChoices):
    """What is counted for a tenant; see ``observability.services.measure``."""

    PAGE = "page", _("page")
    MENU = "menu", _("menu")
    SCREEN = "screen", _("screen")
    BLOCK = "block", _("block")
    DECISION = "decision", _("decision table")
    OPERATION = "operation", _("operation")
    DATA_SOURCE = "data_source", _("data source")
    RENDERER = "renderer", _("renderer")
    OUTGOING = "outgoing", _("message sent")


def validate_label(label: object) -> None:
    """Accept ``{"ko": "...", "en": "..."}``, one of them, or nothing at all."""
    if not isinstance(label, Mapping) or not all(
        language in LANGUAGES and isinstance(text, str) and text.strip()
        for language, text in label.items()
    ):
        raise ValidationError(
            _('%(found)s is not a name. Write {"ko": "…", "en": "…"}, or one of them.'),
            code="label",
            params={"found": str(label)[:80]},
        )


def label_field() -> models.JSONField[Mapping[str, str]]:
    return models.JSONField(
        _("label"),
        default=dict,
        blank=True,
        validators=[validate_label],
        help_text=_(
            'Name for people by language: {"ko": "주문 화면", "en": "Order screen"}.'
        ),
    )


def user_field(name: Any, help_text: Any = "") -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=name,
        help_text=help_text,
    )


class Named(TenantModel):
    """Something with a key for machines and a label for people."""

    key = models.SlugField(
        _("key"),
        max_length=80,
        help_text=_("Name used by reports and messages, such as orders-available."),
    )
    label = label_field()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The label in the active language, else the key."""
        return self.label.get(get_language() or "ko") or self.key


class ObjectiveQuerySet(models.QuerySet["Objective"]):
    def enabled(self) -> Self:
        return self.filter(enabled=True)


class Objective(Named):
    """A promise: this share of events is good, over this many days."""

    class Type(models.TextChoices):
        AVAILABILITY = "availability", _("availability: no error")
        LATENCY = "latency", _("latency: not above the threshold")

    kind = models.CharField(
        _("kind"),
        max_length=20,
        choices=MeasuredKind.choices,
        help_text=_("What is measured."),
    )
    measured_key = models.CharField(
        _("measured key"),
        max_length=120,
        help_text=_(
            "Which of that kind, as the dashboard writes it, such as stock-by-site."
        ),
    )
    type = models.CharField(
        _("type"), max_length=12, choices=Type.choices, default=Type.AVAILABILITY
    )
    threshold_ms = models.PositiveIntegerField(
        _("threshold (ms)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3_600_000)],
        help_text=_(
            "For latency: longer events are bad. Counted in buckets 2 % wide: up to "
            "2.03 % above the threshold may still count as good. Empty otherwise."
        ),
    )
    target = models.DecimalField(
        _("target (%)"),
        max_digits=7,
        decimal_places=4,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Promised share of good events, below 100: 99.9 allows one bad event in a "
            "thousand."
        ),
    )
    window_days = models.PositiveSmallIntegerField(
        _("window (days)"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text=_("The error budget is for the last so many days, 1 to 90."),
    )
    owner = user_field(_("owner"), _("Who answers for it."))
    enabled = models.BooleanField(
        _("enabled"),
        default=True,
        help_text=_("While it is off, it is not on the dashboard and raises no alert."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects: ClassVar = TenantManager.from_queryset(ObjectiveQuerySet)()

    class Meta:
        ordering = ["key"]
        verbose_name = _("objective")
        verbose_name_plural = _("objectives")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"],
                name="observability_objective_key_once_per_tenant",
            ),
            models.CheckConstraint(
                condition=Q(target__gt=0, target__lt=100),
                name="observability_objective_target_leaves_a_budget",
                violation_error_message=_(
                    "A target lies below 100: a promise of everything leaves no error "
                    "budget. Write 99.9, for example."
                ),
            ),
            models.CheckConstraint(
                condition=Q(window_days__gte=1, window_days__lte=90),
                name="observability_objective_window_1_to_90_days",
                violation_error_message=_("Choose a window of 1 to 90 days."),
            ),
            models.CheckConstraint(
                condition=Q(type="latency", threshold_ms__gte=1)
                | Q(type="availability", threshold_ms__isnull=True),
                name="observability_objective_threshold_with_latency",
                violation_error_message=_(
                    "Latency needs a threshold in milliseconds; availability has none."
                ),
            ),
        ]

    def promise(self) -> Promise:
        """Return the promise as a value; the target is exact to one in a million."""
        return Promise(
            target_ppm=int(self.target * 10_000),
            window_days=self.window_days,
            threshold_us=None
            if self.threshold_ms is None
            else self.threshold_ms * 1_000,
        )

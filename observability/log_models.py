"""What is stored of log lines and traces, and levels that somebody changed for a while.

None of the first two is a `TenantModel`: lines and traces outside any tenant are kept,
too, and the writer stores rows of all tenants at once, outside any scope. Pages read
them through `visible_to`, which never gives one tenant's rows to another.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from observability.log_index import remove_pairs
from tenants.models import Tenant

LEVELS = (
    (logging.DEBUG, _("debug")),
    (logging.INFO, _("info")),
    (logging.WARNING, _("warning")),
    (logging.ERROR, _("error")),
    (logging.CRITICAL, _("critical")),
)

LONGEST_LEVEL = timedelta(days=7)


def _tenant_of_many() -> models.ForeignKey[Any, Any]:
    # No constraint in the database: one tenant deleted between happening and writing
    # must not refuse the rows of all others.
    return models.ForeignKey(
        Tenant,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name=_("tenant"),
    )


class OfTenants(models.QuerySet[Any]):
    """Rows of which some belong to a tenant and some to the portal itself."""

    def visible_to(self, tenant_id: int | None, *, portal: bool) -> Self:
        """Rows of one tenant, and with `portal` those of no tenant."""
        own = Q(tenant_id=tenant_id) if tenant_id is not None else Q(pk__in=[])
        return self.filter(own | Q(tenant_id=None) if portal else own)


class LogLine(models.Model):
    """One log line, without secrets, as it was when it was written.

    On SQLite every row also has its pairs of characters in the search index
    ``observability_logpairs``; `observability.log_search` keeps the two together.
    """

    fields_about_people = ("message", "exception", "folded", "data")

    at = models.DateTimeField(_("time"))
    level = models.PositiveSmallIntegerField(_("level"), choices=LEVELS)
    logger = models.CharField(_("logger"), max_length=200)
    message = models.TextField(_("message"))
    exception = models.TextField(_("exception"), blank=True)
    # What a search looks through: message, exception and values, case folded.
    folded = models.TextField(_("searched text"), editable=False)
    status = models.CharField(_("status"), max_length=20, blank=True)
    trace_id = models.CharField(_("trace id"), max_length=32, blank=True)
    tenant = _tenant_of_many()
    user = models.CharField(
        _("user"),
        max_length=12,
        blank=True,
        help_text=_("Twelve digits that stand for one user, and tell no name."),
    )
    labels = models.JSONField(
        _("labels"),
        default=dict,
        help_text=_("What was being done: menu, screen, block, operation, …"),
    )
    data = models.JSONField(_("values"), default=dict)
    worker = models.CharField(_("process"), max_length=60, blank=True)

    objects = OfTenants.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("log line")
        verbose_name_plural = _("log lines")
        indexes = [
            models.Index(fields=["-at", "-id"], name="observability_line_at_idx"),
            models.Index(
                fields=["tenant", "-at", "-id"], name="observability_line_own_idx"
            ),
            models.Index(
                fields=["trace_id"],
                condition=~Q(trace_id=""),
                name="observability_line_trace_idx",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.logger}: {self.message[:80]}"

    @classmethod
    def forget_rows(cls, keys: Collection[int]) -> None:
        """Take rows out of the search index, before they are deleted."""
        rows = cls.objects.filter(pk__in=keys).values_list("pk", "folded")
        remove_pairs(connection, list(rows))


class StoredTrace(models.Model):
    """The spans of one trace that one process saw, when it was worth keeping.

    Another process of the same trace has a row of its own.
    """

    class Kept(models.TextChoices):
        SAMPLED = "sampled", _("sampled")
        ERROR = "error", _("an error")
        SLOW = "slow", _("slow")

    trace_id = models.CharField(_("trace id"), max_length=32)
    started_at = models.DateTimeField(_("started"))
    took_us = models.PositiveBigIntegerField(_("microseconds"))
    kind = models.CharField(_("kind"), max_length=20)
    key = models.CharField(_("key"), max_length=120)
    tenant = _tenant_of_many()
    kept = models.CharField(_("kept because"), max_length=8, choices=Kept.choices)
    failed = models.BooleanField(_("failed"), default=False)
    spans = models.JSONField(
        _("spans"),
        default=list,
        help_text=_("At most 200: id, parent, name, start, end, attributes."),
    )
    left_out = models.PositiveIntegerField(
        _("spans left out"), default=0, help_text=_("Spans beyond the first 200.")
    )
    worker = models.CharField(_("process"), max_length=60, blank=True)

    objects = OfTenants.as_manager()

    class Meta:
        ordering = ["-started_at", "-pk"]
        verbose_name = _("trace")
        verbose_name_plural = _("traces")
        indexes = [
            models.Index(fields=["trace_id"], name="observability_trace_id_idx"),
            models.Index(
                fields=["-started_at", "-id"], name="observability_trace_at_idx"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} {self.trace_id[:8]}"

    @property
    def took_ms(self) -> float:
        return self.took_us / 1_000


class LogLevelQuerySet(models.QuerySet["LogLevel"]):
    def in_force(self, now: datetime) -> Self:
        return self.filter(until__gt=now)


class LogLevel(models.Model):
    """A logger that says more or less than usual, until a moment."""

    logger = models.CharField(
        _("logger"),
        max_length=200,
        validators=[
            RegexValidator(
                r"^[\w.-]+$", _("Use letters, digits, and dots, as in connectors.http.")
            )
        ],
        help_text=_("Such as connectors or connectors.http; root means every logger."),
    )
    level = models.PositiveSmallIntegerField(
        _("level"),
        choices=LEVELS,
        default=logging.DEBUG,
        help_text=_("Lines below this level are not written."),
    )
    until = models.DateTimeField(
        _("until"),
        help_text=_(
            "Every process applies it within ten seconds, and goes back by itself at "
            "this moment: seven days from now at most."
        ),
    )
    reason = models.CharField(
        _("reason"), max_length=200, help_text=_("Why, for those who see it later.")
    )
    by = models.CharField(_("by"), max_length=150, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = LogLevelQuerySet.as_manager()

    class Meta:
        ordering = ["-until", "logger"]
        verbose_name = _("log level")
        verbose_name_plural = _("log levels")

    def __str__(self) -> str:
        return f"{self.logger}: {self.get_level_display()}"

    def clean(self) -> None:
        until: datetime | None = self.until  # None when the form could not read it
        if until and until > timezone.now() + LONGEST_LEVEL:
            raise ValidationError(
                {"until": _("Choose a moment within the next seven days.")}
            )

"""What was refused of saved SQL, counted by day: never the SQL, never a value."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantModel


class RefusalLayer(models.TextChoices):
    """Which wall refused."""

    JUDGE = "judge", _("the judge of saved SQL")
    SCOPE = "scope", _("the limit to one tenant")
    ENGINE = "engine", _("the database itself")


class QueryRefusal(TenantModel):
    """How often one user's query of one operation broke one rule on one day."""

    Layer = RefusalLayer

    day = models.DateField(_("day"), help_text=_("In UTC."))
    rule = models.CharField(_("rule"), max_length=40)
    layer = models.CharField(
        _("refused by"), max_length=8, choices=RefusalLayer.choices
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("user"),
    )
    source_key = models.CharField(_("data source"), max_length=80, blank=True)
    operation_key = models.CharField(
        _("operation"),
        max_length=80,
        blank=True,
        help_text=_("Empty for a statement that was only tested."),
    )
    count = models.PositiveBigIntegerField(_("times"), default=0)
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))

    class Meta:
        ordering = ["-day", "-last_at", "-pk"]
        verbose_name = _("refused query")
        verbose_name_plural = _("refused queries")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "tenant",
                    "day",
                    "rule",
                    "layer",
                    "user",
                    "source_key",
                    "operation_key",
                ],
                name="connectors_refusal_once_a_day",
            )
        ]
        indexes = [models.Index(fields=["day"], name="connectors_refusal_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.rule} {self.operation_key}".rstrip()

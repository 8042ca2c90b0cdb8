"""Reveals of personal data: who saw what, where, why and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.core.validators import MinLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantManager, TenantModel

LEAST_REASON = 10
MOST_REASON = 500


class PersonalRevealQuerySet(models.QuerySet["PersonalReveal"]):
    def live(self, now: datetime) -> Self:
        """Reveals of pages that count at this moment."""
        return self.filter(
            purpose=PersonalReveal.Purpose.PAGE,
            hidden_at=None,
            since__lte=now,
            until__gt=now,
        )

    def at(self, place: str, *, user_id: int) -> Self:
        return self.filter(place=place, user_id=user_id)


class PersonalReveal(TenantModel):
    """One user saw, or exported, personal data of one operation at one place."""

    class Purpose(models.TextChoices):
        PAGE = "page", _("shown on the page")
        EXPORT = "export", _("exported")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("user"),
    )
    operation = models.ForeignKey(
        "connectors.Operation",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("operation"),
    )
    operation_key = models.CharField(
        _("key of the operation"),
        max_length=80,
        help_text=_("Stays when the operation is deleted."),
    )
    place = models.CharField(
        _("screen"),
        max_length=80,
        help_text=_("Key of the screen; the reveal counts on no other."),
    )
    purpose = models.CharField(_("purpose"), max_length=8, choices=Purpose.choices)
    reason = models.CharField(
        _("reason"),
        max_length=MOST_REASON,
        validators=[MinLengthValidator(LEAST_REASON)],
        help_text=_("As the user gave it, such as the number of a request."),
    )
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"))
    hidden_at = models.DateTimeField(
        _("hidden again"),
        null=True,
        blank=True,
        help_text=_("When the user ended it before its time."),
    )
    uses = models.PositiveIntegerField(
        _("uses"), default=0, help_text=_("How often pages showed the data under it.")
    )
    rows = models.PositiveIntegerField(
        _("rows"), null=True, blank=True, help_text=_("Rows that an export held.")
    )

    objects = TenantManager.from_queryset(PersonalRevealQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["-since", "-pk"]
        verbose_name = _("reveal of personal data")
        verbose_name_plural = _("reveals of personal data")
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["tenant", "user", "place", "until"],
                name="connectors_reveal_live",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until__gte=models.F("since")),
                name="connectors_reveal_ends_after_start",
                violation_error_message=_("A reveal ends after it begins."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.operation_key} · {self.place}"

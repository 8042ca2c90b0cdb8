"""What the demo's tenants have bought: the table its decisions look at."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantModel


class Subscription(TenantModel):
    """The plan of a tenant. Decision tables branch on it."""

    class Plan(models.TextChoices):
        FREE = "free", _("Free")
        PRO = "pro", _("Pro")

    plan = models.CharField(
        _("plan"),
        max_length=8,
        choices=Plan.choices,
        default=Plan.FREE,
        help_text=_("Change it, and the Earthquakes screen calls another operation."),
    )
    seats = models.PositiveIntegerField(_("seats"), default=5)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], name="demo_subscription_once_per_tenant"
            )
        ]

    def __str__(self) -> str:
        return self.get_plan_display()

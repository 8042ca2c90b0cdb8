"""What stays of a user's first steps; ``menus.checklist`` writes it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantModel


class FirstStep(TenantModel):
    """When a user first did one thing in a tenant, or put the list of them away."""

    class Step(models.TextChoices):
        OPEN_SCREEN = "open-screen", _("open a screen")
        EXPORT = "export", _("export rows")
        SEE_WHY = "see-why", _("see why a table chose")
        TEST_OPERATION = "test-operation", _("test an operation")
        ADD_MENU = "add-menu", _("add a menu")
        CHANGE_RULE = "change-rule", _("change a rule")
        COPILOT = "copilot", _("accept a proposal of the copilot")
        PUT_AWAY = "put-away", _("put the list away")

    user = models.ForeignKey(
        "tenants.User", on_delete=models.CASCADE, related_name="first_steps"
    )
    step = models.CharField(_("step"), max_length=20, choices=Step.choices)
    at = models.DateTimeField(_("at"))

    class Meta:
        ordering = ["at"]
        verbose_name = _("first step")
        verbose_name_plural = _("first steps")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "user", "step"], name="menus_firststep_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.step}"

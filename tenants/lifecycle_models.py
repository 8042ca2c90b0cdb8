"""What is stored of a tenant's use, and of tenants that are gone."""

from __future__ import annotations

from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.quotas import Use
from tenants.tenant_model import TenantModel


class TenantUsage(TenantModel):
    """What one tenant used on one day, added up over all processes."""

    day = models.DateField(_("day"))
    queries = models.PositiveBigIntegerField(_("queries"), default=0)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    storage_bytes = models.PositiveBigIntegerField(_("bytes stored"), null=True)
    warned = models.JSONField(_("warned of"), default=list)

    class Meta:
        ordering = ["-day"]
        verbose_name = _("use of a day")
        verbose_name_plural = _("use by day")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "day"], name="tenants_usage_once_per_tenant_and_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.day}"

    def use(self) -> Use:
        return Use(self.queries, self.rows, self.storage_bytes)


class TenantErasure(models.Model):
    """What proves that a tenant is gone. It names no tenant: there is none any more."""

    number = models.PositiveBigIntegerField(_("number of the tenant"))
    key = models.CharField(_("key"), max_length=40)
    reason = models.CharField(_("reason"), max_length=300)
    erased_by = models.CharField(_("erased by"), max_length=150)
    begun_at = models.DateTimeField(_("begun"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)
    certificate = models.JSONField(
        _("certificate"), default=dict, encoder=DjangoJSONEncoder
    )
    signature = models.CharField(_("signature"), max_length=100, blank=True)

    class Meta:
        ordering = ["-begun_at", "-pk"]
        verbose_name = _("erased tenant")
        verbose_name_plural = _("erased tenants")

    def __str__(self) -> str:
        return f"{self.key} ({self.number})"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise RuntimeError("The proof of an erasure is kept for good.")

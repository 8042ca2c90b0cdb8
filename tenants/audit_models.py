"""What the audit trail stores; `tenants.audit` writes it."""

from __future__ import annotations

from typing import Any, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.tenant_model import TenantManager


class AuditIsFinal(RuntimeError):
    """An audit entry was about to be changed or deleted: a bug in the caller."""


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def update(self, **kwargs: Any) -> int:
        raise AuditIsFinal("Audit entries are only ever added.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        raise AuditIsFinal("Audit entries are only ever added.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AuditIsFinal("Audit entries are only ever added.")

    def of_chain(self, tenant_id: int | None) -> Self:
        """Entries of one tenant, or with None those of the portal itself."""
        return self.filter(tenant_id=tenant_id)


class AuditEntry(models.Model):
    """Who changed what, for whom, and when. Entries are added and never changed.

    Deleting a user or a tenant leaves its entries as they are, so the references
    have no constraint in the database.
    """

    fields_about_people = ("label", "changes")

    tenant = models.ForeignKey(
        "tenants.Tenant",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("tenant"),
    )
    user = models.ForeignKey(
        "tenants.User",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("user"),
    )
    acting_for = models.ForeignKey(
        "tenants.User",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("real user"),
    )
    action = models.CharField(_("action"), max_length=80)
    target_type = models.CharField(_("type"), max_length=120, blank=True)
    target_id = models.CharField(_("row"), max_length=64, blank=True)
    label = models.CharField(_("label"), max_length=200, blank=True)
    changes = models.JSONField(_("changes"), default=dict, encoder=DjangoJSONEncoder)
    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)
    number = models.PositiveBigIntegerField(_("place in the chain"), null=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, blank=True)

    objects = TenantManager.from_queryset(AuditQuerySet)()
    all_tenants = models.Manager.from_queryset(AuditQuerySet)()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [models.Index(fields=["target_type", "target_id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "number"],
                condition=Q(number__isnull=False),
                name="tenants_auditentry_one_place_in_the_chain",
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.label}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AuditIsFinal("Audit entries are only ever added.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AuditIsFinal("Audit entries are only ever added.")


class AuditChain(models.Model):
    """The head of one chain of sealed entries. Sealers queue here, writers do not."""

    id = models.PositiveBigIntegerField(
        primary_key=True, help_text=_("Number of the tenant; 0 is the portal itself.")
    )
    length = models.PositiveBigIntegerField(default=0)
    last_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("audit chain")
        verbose_name_plural = _("audit chains")

    def __str__(self) -> str:
        return f"{self.pk}: {self.length}"

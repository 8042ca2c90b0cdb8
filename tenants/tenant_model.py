"""The base of every row that belongs to a tenant, and the manager that asks for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.scope import WrongTenant, active_tenant_id, required_tenant_id

_Row = TypeVar("_Row", bound=models.Model, covariant=True)


class TenantManager(models.Manager[_Row]):
    """Rows of the tenant in scope. Without a scope a query raises."""

    def get_queryset(self) -> models.QuerySet[_Row]:
        return super().get_queryset().filter(tenant_id=required_tenant_id())

    def bulk_create(
        self, objs: Iterable[_Row], *args: Any, **kwargs: Any
    ) -> list[_Row]:
        rows = list(objs)
        for row in rows:
            if isinstance(row, TenantModel):
                row.take_scope()
        return super().bulk_create(rows, *args, **kwargs)


class TenantModel(models.Model):
    """Base of everything stored for a tenant.

    ``objects`` sees the tenant in scope and raises outside any scope.
    ``all_tenants`` sees every row: for commands, tasks and migrations, never for a
    page. A row takes the tenant in scope when it is saved without one.
    """

    tenant = models.ForeignKey(
        "tenants.Tenant",
        on_delete=models.CASCADE,
        related_name="+",
        editable=False,
        verbose_name=_("tenant"),
    )

    sealed_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that hold secrets: they are in no export."""
    fields_about_people: ClassVar[tuple[str, ...]] = ()
    """Fields that name or tell of people: they are exported with a reason only."""

    objects = TenantManager()
    all_tenants = models.Manager()

    class Meta:
        abstract = True

    def take_scope(self) -> None:
        """Take the tenant in scope, or check that it is the row's own.

        Raises:
            NoTenantScope: the row has no tenant and no scope is open.
            WrongTenant: the row belongs to another tenant than the one in scope.
        """
        if not self.tenant_id:
            self.tenant_id = required_tenant_id()
        scope = active_tenant_id()
        if scope is not None and scope != self.tenant_id:
            raise WrongTenant(
                f"{type(self).__name__} of tenant {self.tenant_id} was saved in the "
                f"scope of tenant {scope}."
            )

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        # Forms never show the tenant, so Django would leave out every constraint
        # that names it, and a duplicate key would surface as a database error.
        if not self.tenant_id and (tenant_id := active_tenant_id()):
            self.tenant_id = tenant_id
        super().validate_constraints(exclude=set(exclude or ()) - {"tenant"})

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.take_scope()
        super().save(*args, **kwargs)

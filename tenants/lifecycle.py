"""The life of a tenant: create, suspend, resume, limit. Each is audited."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tenants.audit import record
from tenants.metering import today, warn
from tenants.models import Tenant, TenantUsage, User
from tenants.quotas import Level, Quota, Use, levels


@transaction.atomic
def create_tenant(
    key: str, *, name: str, quota: Quota | None = None, by: User | None = None
) -> Tenant:
    """Make a tenant without people or rows.

    Args:
        by: Who makes it; None for the command line.

    Raises:
        ValidationError: the key is reserved, ill-formed or taken, or a name is missing.
    """
    tenant = Tenant(key=key, name=name)
    _limit(tenant, quota or Quota())
    tenant.full_clean()
    tenant.save()
    changes = {"key": key, "name": name}
    _audit("tenant.created", tenant, by, changes)
    return tenant


@transaction.atomic
def suspend(tenant: Tenant, *, reason: str, by: User | None = None) -> bool:
    """Close a tenant to its members, tokens and background work.

    Returns:
        False when it was suspended already: nothing is changed.

    Raises:
        ValidationError: no reason is given.
    """
    if not reason.strip():
        raise ValidationError(
            {"suspension_reason": _("Say why the tenant is suspended.")},
            code="reason-missing",
        )
    here = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if not here.is_active:
        return False
    _write(
        tenant,
        is_active=False,
        suspension_reason=reason.strip(),
        suspended_at=timezone.now(),
        suspended_by=by,
    )
    _audit("tenant.suspended", tenant, by, {"reason": reason.strip()})
    return True


@transaction.atomic
def resume(tenant: Tenant, *, by: User | None = None) -> bool:
    """Open a suspended tenant again; False when it is open."""
    here = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if here.is_active:
        return False
    _write(
        tenant,
        is_active=True,
        suspension_reason="",
        suspended_at=None,
        suspended_by=None,
    )
    reason = here.suspension_reason
    _audit("tenant.resumed", tenant, by, {"was suspended for": reason})
    return True


@transaction.atomic
def set_quota(tenant: Tenant, quota: Quota, *, by: User | None = None) -> None:
    """Limit what a tenant may use from now on; None is no limit."""
    before = tenant.quota()
    _limit(tenant, quota)
    tenant.full_clean()
    tenant.save()
    pairs = zip(asdict(before).items(), asdict(quota).values(), strict=True)
    changes = {name: [old, new] for (name, old), new in pairs if old != new}
    _audit("tenant.limited", tenant, by, changes)


def use_today(tenant: Tenant) -> Use:
    """Return what is written of the tenant's day, and its storage as last measured."""
    rows = TenantUsage.all_tenants.filter(tenant=tenant)
    row = rows.filter(day=today()).first()
    use = row.use() if row else Use()
    return Use(use.queries, use.rows, stored_bytes(tenant.pk))


def stored_bytes(tenant_id: int) -> int | None:
    """Return the storage that was measured last, None before the first time."""
    measured = TenantUsage.all_tenants.filter(tenant_id=tenant_id).exclude(
        storage_bytes=None
    )
    return measured.order_by("-day").values_list("storage_bytes", flat=True).first()


def levels_today(tenant: Tenant) -> tuple[Level, ...]:
    """Return how much of each limit of the tenant is used."""
    return levels(tenant.quota(), use_today(tenant))


@transaction.atomic
def note_storage(tenant: Tenant, size: int) -> None:
    """Write down how many bytes the tenant's rows need; warns when it is near."""
    row, _made = TenantUsage.all_tenants.get_or_create(tenant=tenant, day=today())
    TenantUsage.all_tenants.filter(pk=row.pk).update(storage_bytes=size)
    row.refresh_from_db(from_queryset=TenantUsage.all_tenants.all())
    warn(tenant, row)


def storage_refusal(tenant_id: int | None) -> str:
    """Say why no row can be added to a tenant; "" when one can. At most two queries."""
    if tenant_id is None:
        return ""
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None or tenant.max_storage_bytes is None:
        return ""
    stored = stored_bytes(tenant.pk)
    if stored is None or stored < tenant.max_storage_bytes:
        return ""
    text = _(
        "The storage of this tenant is used up: %(used)s of %(allowed)s bytes. Delete "
        "what is not needed (it is measured again within an hour), or ask a superuser "
        "for more."
    )
    values = {"used": f"{stored:,}", "allowed": f"{tenant.max_storage_bytes:,}"}
    return text % values


def _limit(tenant: Tenant, quota: Quota) -> None:
    tenant.max_queries_per_day = quota.queries
    tenant.max_rows_per_day = quota.rows
    tenant.max_storage_bytes = quota.storage


def _write(tenant: Tenant, **values: Any) -> None:
    for name, value in values.items():
        setattr(tenant, name, value)
    tenant.save(update_fields=list(values))


def _audit(
    action: str, tenant: Tenant, by: User | None, changes: dict[str, Any]
) -> None:
    record(
        actor=None,
        user_id=by.pk if by else None,
        action=action,
        target=tenant,
        changes=changes,
    )

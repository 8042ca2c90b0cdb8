"""Who changed what: entries in the transaction of the change, sealed into a chain.

Writers only insert. A sealer, one at a time, gives each new entry its place and the
SHA-256 over the entry and its predecessor, so that a later change, deletion or
insertion of a sealed entry is found by `verify_chain`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import models, transaction

from tenants.models import AuditChain, AuditEntry, Tenant
from tenants.scope import Actor, active_tenant_id

PORTAL_CHAIN = 0
_BATCH = 500


def record(
    *,
    actor: Actor | None,
    action: str,
    target: models.Model | None,
    label: str = "",
    changes: Mapping[str, object] | None = None,
    user_id: int | None = None,
) -> AuditEntry:
    """Add one entry to the audit trail, in the caller's transaction.

    Args:
        actor: Who acted; None for the portal itself (commands, tasks).
        action: What happened, as ``noun.participle``: ``screen.published``.
        target: The row it happened to. With no actor, its tenant is the entry's.
        label: How people know the target; its text when left out.
        changes: Field name to ``[old, new]`` or to a word. Never a secret.
        user_id: Who acted on the portal itself, where there is no actor's tenant.
    """
    entry = AuditEntry(
        tenant_id=_tenant_of(actor, target),
        user_id=actor.user_id if actor else user_id,
        acting_for_id=actor.acting_for if actor else None,
        action=action,
        target_type=target._meta.label if target is not None else "",
        target_id=str(target.pk) if target is not None else "",
        label=(label or (str(target) if target is not None else ""))[:200],
        changes=dict(changes or {}),
    )
    entry.save()
    return entry


def first_times(actor: Actor, actions: Iterable[str]) -> dict[str, datetime]:
    """Say when the actor first did each of these, by action; one query."""
    entries = AuditEntry.all_tenants.of_chain(actor.tenant_id).filter(
        user_id=actor.user_id, action__in=list(actions)
    )
    times = entries.order_by().values_list("action").annotate(models.Min("at"))
    return dict(times)


def _tenant_of(actor: Actor | None, target: models.Model | None) -> int | None:
    if actor is not None:
        return actor.tenant_id
    if isinstance(target, Tenant):
        return target.pk
    own: int | None = getattr(target, "tenant_id", None)
    return own if own is not None else active_tenant_id()


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where a chain does not hold.

    Attributes:
        number: Place in the chain that is wrong or missing.
        entry_id: Primary key of the entry found there; None when it is gone.
        rule: ``missing-entry``, ``wrong-predecessor``, ``changed-entry`` or
            ``beyond-head``.
    """

    number: int
    entry_id: int | None
    rule: str


def seal(tenant: Tenant | int | None) -> int:
    """Chain the entries that have no place yet; return how many were sealed.

    Args:
        tenant: The tenant, or None for the entries of the portal itself.
    """
    tenant_id = _key(tenant)
    with transaction.atomic():
        AuditChain.objects.get_or_create(pk=tenant_id or PORTAL_CHAIN)
        head = AuditChain.objects.select_for_update().get(pk=tenant_id or PORTAL_CHAIN)
        loose = AuditEntry.all_tenants.of_chain(tenant_id).filter(number=None)
        entries = list(loose.order_by("pk"))
        for entry in entries:
            head.length += 1
            entry.number, entry.previous_hash = head.length, head.last_hash
            entry.hash = head.last_hash = entry_hash(entry)
        # The ordinary managers refuse every change; this is the one there is.
        plain: models.QuerySet[AuditEntry] = models.QuerySet(AuditEntry)
        plain.bulk_update(
            entries, ["number", "previous_hash", "hash"], batch_size=_BATCH
        )
        head.save()
    return len(entries)


def seal_all() -> int:
    """Seal every chain that has new entries; return how many entries were sealed."""
    loose = AuditEntry.all_tenants.filter(number=None).order_by()
    tenant_ids = loose.values_list("tenant_id", flat=True).distinct()
    return sum(seal(tenant_id) for tenant_id in list(tenant_ids))


def verify_chain(tenant: Tenant | int | None) -> Break | None:
    """Recompute a chain; return the first break, or None when it holds."""
    tenant_id = _key(tenant)
    head = AuditChain.objects.filter(pk=tenant_id or PORTAL_CHAIN).first()
    length, last_hash = (head.length, head.last_hash) if head else (0, "")
    previous, expected = "", 1
    sealed = AuditEntry.all_tenants.of_chain(tenant_id).exclude(number=None)
    for entry in sealed.order_by("number").iterator(chunk_size=_BATCH):
        if rule := _fault(entry, number=expected, previous=previous):
            number = expected if rule == "missing-entry" else entry.number or 0
            return Break(number, None if rule == "missing-entry" else entry.pk, rule)
        previous, expected = entry.hash, expected + 1
    if expected <= length:
        return Break(expected, None, "missing-entry")
    if (expected - 1, previous) != (length, last_hash):
        return Break(expected - 1, None, "beyond-head")
    return None


def _fault(entry: AuditEntry, *, number: int, previous: str) -> str | None:
    if entry.number != number:
        return "missing-entry"
    if entry.previous_hash != previous:
        return "wrong-predecessor"
    return "changed-entry" if entry.hash != entry_hash(entry) else None


def entry_hash(entry: AuditEntry) -> str:
    """Return the SHA-256 in hex over everything the entry says and its predecessor."""
    said = [
        entry.number,
        entry.previous_hash,
        entry.pk,
        entry.tenant_id,
        entry.user_id,
        entry.acting_for_id,
        entry.action,
        entry.target_type,
        entry.target_id,
        entry.label,
        entry.changes,
        entry.at.astimezone(UTC).isoformat(),
    ]
    text = json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def chains() -> list[int | None]:
    """Every chain there is or will be: tenant numbers, and None for the portal."""
    heads = set(AuditChain.objects.values_list("pk", flat=True))
    loose = AuditEntry.all_tenants.order_by().values_list("tenant_id", flat=True)
    known = {key or PORTAL_CHAIN for key in loose.distinct()} | heads
    return [key or None for key in sorted(known)]


def unsealed(tenant: Tenant | int | None) -> int:
    entries = AuditEntry.all_tenants.of_chain(_key(tenant))
    return entries.filter(number=None).count()


def _key(tenant: Tenant | int | None) -> int | None:
    return tenant.pk if isinstance(tenant, Tenant) else tenant

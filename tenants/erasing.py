"""Erase a tenant, and prove it: every row, grant, session and cached answer.

Rows that have no constraint in the database (measurements, log lines, traces) may be
many: they go in chunks, each a transaction of its own. The rest goes in one. Whoever is
interrupted runs the same again: the first counts and the end of the audit chain are
kept from the first time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tenants import holdings
from tenants.audit import record, seal
from tenants.leaving import forget_people
from tenants.models import AuditChain, AuditEntry, Tenant, TenantErasure, User

FORMAT = 1
_CHUNK = 1_000
_SALT = "tenants.erasure"
MAY_REMAIN = (
    "backups of the database, until they end",
    "logs, traces and mails that were sent to systems outside of the portal",
    "what the tenant's data sources keep themselves",
    "cached answers and facts, up to the seconds each is kept, where it is not found",
    "results of finished background work, without the tenant's name, for a month",
)


class NotErased(RuntimeError):
    """Rows of the tenant were found after it was erased. Running it again goes on."""


def check_erasable(tenant: Tenant, *, typed: str) -> None:
    """Refuse a key that was not typed as it is, and a tenant people can still enter.

    Raises:
        ValidationError: with the way out.
    """
    if typed != tenant.key:
        raise ValidationError(
            _("Type the key of the tenant to erase it: %(key)s, not “%(typed)s”."),
            code="key-differs",
            params={"key": tenant.key, "typed": typed},
        )
    if tenant.is_active:
        raise ValidationError(
            _("Suspend the tenant first: what is written now would be left behind."),
            code="not-suspended",
        )


def erase_tenant(
    tenant: Tenant, *, typed: str, reason: str, by: User | None = None
) -> TenantErasure:
    """Delete everything of a suspended tenant; return the proof of it.

    Args:
        typed: The key, as somebody has typed it.
        by: Who erases; None for the command line.

    Raises:
        ValidationError: see `check_erasable`; nothing is deleted.
        NotErased: rows were written meanwhile; run it again.
    """
    check_erasable(tenant, typed=typed)
    if not reason.strip():
        raise ValidationError(_("Say why the tenant is erased."), code="no-reason")
    erasure = _begun(tenant, reason=reason.strip(), by=by)
    for model, rows in list(holdings.named_rows(tenant.pk)):
        _count(erasure, model, rows.delete()[0])
    for model in holdings.tenant_models():
        if _is_loose(model):
            _delete_in_chunks(model, tenant.pk)
    with transaction.atomic():
        people = _delete_the_rest(tenant)
        _prove(erasure, tenant, people)
        record(
            actor=None,
            user_id=by.pk if by else None,
            action="tenant.erased",
            target=erasure,
            changes={"certificate": erasure.certificate["sha256"]},
        )
    return erasure


def signature_of(certificate: dict[str, Any]) -> str:
    """Sign a certificate with the secret key of the installation."""
    return Signer(salt=_SALT).signature(_canonical(certificate))


def is_genuine(erasure: TenantErasure) -> bool:
    """Say whether a proof is the one that was written when the tenant was erased."""
    certificate = {**erasure.certificate}
    told = certificate.pop("sha256", "")
    digest = hashlib.sha256(_canonical(certificate).encode()).hexdigest()
    signed = f"{_canonical(erasure.certificate)}:{erasure.signature}"
    try:
        Signer(salt=_SALT).unsign(signed)
    except BadSignature:
        return False
    return hmac.compare_digest(str(told), digest)


def _canonical(value: dict[str, Any]) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, sort_keys=True)


def _begun(tenant: Tenant, *, reason: str, by: User | None) -> TenantErasure:
    """Return the erasure that was interrupted, or begin one with the first counts."""
    found = TenantErasure.objects.filter(number=tenant.pk, ended_at=None).first()
    if found is not None:
        return found
    seal(tenant)
    head = AuditChain.objects.filter(pk=tenant.pk).first()
    counts = {
        model._meta.db_table: holdings.rows_of(model, tenant.pk).count()
        for model in holdings.tenant_models()
    }
    for each in holdings.hanging():
        table = each.model._meta.db_table
        counts[table] = counts.get(table, 0) + each.rows(tenant.pk).count()
    return TenantErasure.objects.create(
        number=tenant.pk,
        key=tenant.key,
        reason=reason,
        erased_by=by.get_username() if by else "",
        certificate={
            "counts_before": counts,
            "audit_chain": {
                "length": head.length if head else 0,
                "last_hash": head.last_hash if head else "",
            },
        },
    )


def _count(erasure: TenantErasure, model: holdings.Model, deleted: int) -> None:
    if deleted:
        counts = erasure.certificate["counts_before"]
        table = model._meta.db_table
        counts[table] = counts.get(table, 0) + deleted
        erasure.save(update_fields=["certificate"])


def _is_loose(model: holdings.Model) -> bool:
    """Say whether nothing in the database holds a model's rows to their tenant."""
    field = holdings.tenant_field(model)
    if field is None or model is AuditEntry:
        return False
    return not getattr(field, "db_constraint", True)


def _delete_in_chunks(model: holdings.Model, tenant_id: int) -> None:
    # A model that keeps more than its rows, such as an index of its own, says how.
    forget = getattr(model, "forget_rows", None)
    while True:
        with transaction.atomic():
            rows = holdings.rows_of(model, tenant_id).order_by()
            keys = list(rows.values_list("pk", flat=True)[:_CHUNK])
            if forget is not None:
                forget(keys)
            holdings.delete_rows(holdings.plain(model).filter(pk__in=keys))
        if len(keys) < _CHUNK:
            return


def _delete_the_rest(tenant: Tenant) -> dict[str, int]:
    """Delete rows that hold each other; constraints are checked at the end."""
    for each in holdings.hanging():
        holdings.delete_rows(each.rows(tenant.pk))
    above = {
        parent: list(holdings.keys_of(parent, tenant.pk).values_list("pk", flat=True))
        for parent in holdings.parents()
    }
    members = list(
        User.objects.filter(memberships__tenant=tenant).values_list("pk", flat=True)
    )
    for model in holdings.tenant_models():
        holdings.delete_rows(holdings.rows_of(model, tenant.pk))
    for parent, keys in above.items():
        holdings.delete_rows(holdings.plain(parent).filter(pk__in=keys))
    AuditChain.objects.filter(pk=tenant.pk).delete()
    people = forget_people(members)
    _forget_sessions(tenant, gone=people.gone)
    forget_cached(tenant)
    holdings.delete_rows(holdings.plain(Tenant).filter(pk=tenant.pk))
    return {"deleted": len(people.gone), "kept": len(people.kept)}


def _forget_sessions(tenant: Tenant, *, gone: frozenset[int]) -> None:
    """End sessions of people who are gone, and others' choice of the tenant."""
    for session in Session.objects.iterator():
        told = session.get_decoded()
        if told.get("_auth_user_id") in {str(pk) for pk in gone}:
            session.delete()
        elif told.pop("tenant_id", None) == tenant.pk:
            session.session_data = SessionStore().encode(told)
            session.save(update_fields=["session_data"])


def forget_cached(tenant: Tenant) -> None:
    """Delete the tenant's last good answers, where the cache can be searched.

    Facts are kept under a hash and cannot be found; they end within their seconds.
    """
    delete_pattern = getattr(cache, "delete_pattern", None)
    if delete_pattern is not None:
        delete_pattern(f"last-good:{tenant.pk}:*")
        return
    held: dict[str, Any] = getattr(cache, "_cache", {})
    for name in list(held):
        bare = name.split(":", 2)[-1]
        if bare.startswith(f"last-good:{tenant.pk}:"):
            cache.delete(bare)


def _prove(erasure: TenantErasure, tenant: Tenant, people: dict[str, int]) -> None:
    """Count again in every table that names tenants, and write the certificate."""
    after = holdings.count_in_tables(tenant)
    left = {table: count for table, count in after.items() if count}
    if left:
        raise NotErased(
            f"Rows of tenant {tenant.key} were found after it was erased: {left}. "
            "Nothing of the last step was done; run it again."
        )
    erasure.ended_at = timezone.now()
    certificate = {
        "format": FORMAT,
        "tenant": {"number": erasure.number, "key": erasure.key, "name": tenant.name},
        "reason": erasure.reason,
        "erased_by": erasure.erased_by or "command line",
        "begun_at": erasure.begun_at.isoformat(),
        "ended_at": erasure.ended_at.isoformat(),
        **erasure.certificate,
        "counts_after": after,
        "people": people,
        "mentioned_elsewhere": holdings.mentions([tenant.key, tenant.name]),
        "may_remain": list(MAY_REMAIN),
    }
    digest = hashlib.sha256(_canonical(certificate).encode()).hexdigest()
    erasure.certificate = {**certificate, "sha256": digest}
    erasure.signature = signature_of(erasure.certificate)
    erasure.save()

"""Tokens of the API: made once, shown once, found by their SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from tenants.models import ApiToken, Membership, Tenant, User
from tenants.scope import using_tenant

_MARK = "sbx_"
_SHOWN = 10
_USE_WRITTEN_EVERY = timedelta(minutes=1)

Refusal = Literal[
    "unknown", "expired", "revoked", "inactive-user", "no-member", "suspended"
]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a token opens nothing."""

    rule: Refusal


def digest(secret: str) -> str:
    # A fast hash is enough: the secret has 256 random bits, nobody guesses it.
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """Return a token of 256 random bits, with a mark that secret scanners know."""
    return _MARK + secrets.token_urlsafe(32)


def put_secret(token: ApiToken) -> str:
    """Give a token that is not saved yet its secret; return it. It is kept nowhere."""
    secret = new_secret()
    token.prefix, token.digest = secret[:_SHOWN], digest(secret)
    return secret


def issue_token(
    user: User,
    *,
    tenant: Tenant,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime,
) -> tuple[ApiToken, str]:
    """Make a token; return it with its secret, which can never be read again.

    Raises:
        django.core.exceptions.ValidationError: an unknown scope, or a life of more
            than 366 days.
    """
    token = ApiToken(
        user=user, tenant=tenant, name=name, scopes=list(scopes), expires_at=expires_at
    )
    secret = put_secret(token)
    with using_tenant(tenant):
        token.full_clean(exclude=["last_used_at", "revoked_at"])
        token.save()
    return token, secret


def check_token(secret: str) -> ApiToken | Refused:
    """Find the usable token of a secret, or say why there is none.

    One query, and one write a minute for the time of its last use. Looking up the
    hash leaks nothing: an attacker cannot steer the hash of a guess.
    """
    member = Membership.objects.filter(
        user=OuterRef("user_id"), tenant=OuterRef("tenant_id")
    )
    tokens = ApiToken.all_tenants.select_related("user", "tenant").annotate(
        may_enter=Exists(member) | Q(user__is_superuser=True)
    )
    token = tokens.filter(digest=digest(secret)).first()
    if token is None:
        return Refused("unknown")
    now = timezone.now()
    if token.revoked_at is not None:
        return Refused("revoked")
    if not token.is_usable(at=now):
        return Refused("expired")
    if not token.user.is_active:
        return Refused("inactive-user")
    if not token.may_enter:
        return Refused("no-member")
    if not token.tenant.is_active:
        return Refused("suspended")
    _note_use(token, at=now)
    return token


def _note_use(token: ApiToken, *, at: datetime) -> None:
    if token.last_used_at is None or token.last_used_at < at - _USE_WRITTEN_EVERY:
        ApiToken.all_tenants.filter(pk=token.pk).update(last_used_at=at)

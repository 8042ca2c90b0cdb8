"""What a review has to know of people, tokens and the audit trail: facts, no words.

The tenant and the period are given; "now" is the end of the period, so that a review
that is collected a day late says the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from tenants.models import ApiToken, AuditEntry, Membership, User
from tenants.scope import using_tenant

DORMANT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Person:
    """One user as a review sees him.

    Attributes:
        seen_at: When he last signed in; None when he never did.
        dormant: Not signed in for `DORMANT` at the end of the period.
    """

    id: int
    username: str
    seen_at: datetime | None
    active: bool
    superuser: bool
    dormant: bool


@dataclass(frozen=True, slots=True)
class IdleToken:
    """A usable token that nobody used for `DORMANT`."""

    name: str
    prefix: str
    username: str
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Accounts:
    """People of one tenant at the end of a period.

    Attributes:
        members: Who belonged to the tenant, by name; also inactive users.
        superusers: Active superusers, who see everything of every tenant, by name.
        tokens: Tokens that could be used.
        joined: Names of those whose membership began in the period.
        actions: What the audit trail counted in the period, by action.
    """

    members: tuple[Person, ...]
    superusers: tuple[Person, ...]
    tokens: int
    idle_tokens: tuple[IdleToken, ...]
    joined: tuple[str, ...]
    actions: Mapping[str, int]


def accounts(tenant_id: int, *, starts: datetime, ends: datetime) -> Accounts:
    """Read the facts of ``starts <= t < ends``; five statements."""
    members = list(
        Membership.objects.filter(tenant_id=tenant_id, joined_at__lt=ends)
        .select_related("user")
        .order_by("user__username")
    )
    superusers = User.objects.filter(is_superuser=True, is_active=True)
    with using_tenant(tenant_id):
        usable = ApiToken.objects.filter(
            Q(revoked_at=None) | Q(revoked_at__gte=ends), expires_at__gt=ends
        ).filter(created_at__lt=ends)
        tokens = list(usable.select_related("user").order_by("name", "prefix"))
    return Accounts(
        members=tuple(_person(row.user, at=ends) for row in members),
        superusers=tuple(
            _person(user, at=ends) for user in superusers.order_by("username")
        ),
        tokens=len(tokens),
        idle_tokens=tuple(_idle(token) for token in tokens if _is_idle(token, at=ends)),
        joined=tuple(
            row.user.get_username() for row in members if row.joined_at >= starts
        ),
        actions=actions(tenant_id, starts=starts, ends=ends),
    )


def actions(tenant_id: int, *, starts: datetime, ends: datetime) -> Mapping[str, int]:
    """Count the audit entries of ``starts <= t < ends`` by action."""
    entries = AuditEntry.all_tenants.of_chain(tenant_id)
    found = entries.filter(at__gte=starts, at__lt=ends).order_by()
    return Counter(found.values_list("action", flat=True))


def made_since(
    model: type[models.Model], since: datetime, *, tenant_id: int
) -> set[str]:
    """Return primary keys, as text, of rows that the audit trail saw come since."""
    came = Q(action__endswith=".added") | Q(action__endswith=".created")
    entries = AuditEntry.all_tenants.of_chain(tenant_id).filter(
        came, target_type=model._meta.label, at__gte=since
    )
    return set(entries.order_by().values_list("target_id", flat=True))


def granted_since(
    model: type[models.Model], since: datetime, *, tenant_id: int
) -> frozenset[tuple[int, int]]:
    """Return ``(user, row)`` of the grants on rows of `model` that users got since."""
    entries = AuditEntry.all_tenants.of_chain(tenant_id).filter(
        action="permission.granted", target_type=model._meta.label, at__gte=since
    )
    return frozenset(
        (int(changes["user_id"]), int(target_id))
        for changes, target_id in entries.order_by().values_list("changes", "target_id")
        if "user_id" in changes
    )


def _person(user: User, *, at: datetime) -> Person:
    return Person(
        id=user.pk,
        username=user.get_username(),
        seen_at=user.last_login,
        active=user.is_active,
        superuser=user.is_superuser,
        dormant=(user.last_login or user.date_joined) < at - DORMANT,
    )


def _is_idle(token: ApiToken, *, at: datetime) -> bool:
    return (token.last_used_at or token.created_at) < at - DORMANT


def _idle(token: ApiToken) -> IdleToken:
    return IdleToken(
        token.name, token.prefix, token.user.get_username(), token.last_used_at
    )

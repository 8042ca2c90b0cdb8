"""Every kind of user a page may be asked by, in a canary tenant.

None of them has a password: the sessions are made here, and nobody can sign in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Permission
from django.utils import timezone
from django.utils.crypto import get_random_string

from config.isolation.door import Visitor
from config.isolation.filling import Rows
from tenants import middleware
from tenants.models import Membership, Team, Tenant, TokenScope, User
from tenants.tokens import issue_token

BACKEND = "tenants.backends.TenantBackend"
SESSION_SECONDS = 3600
SUPERUSER, BOTH = "superuser", "member of both"


@dataclass(frozen=True, slots=True)
class People:
    """The users of a canary tenant.

    Attributes:
        staff: May everything in the tenant that staff may; acts for the builder.
        visitors: Those who ask, the staff first.
        teams: Who is given menus and operations.
    """

    staff: User
    visitors: tuple[Visitor, ...]
    teams: tuple[Team, ...]


def people_of(rows: Rows) -> People:
    """Make staff, staff who may only look, a member with grants and one without, a
    token, and a superuser who is in this tenant."""
    everything = Permission.objects.all()
    looking = everything.filter(codename__startswith="view_")
    powers = _team(rows, everything)
    viewers = _team(rows, looking)
    readers = _team(rows, ())
    staff = _user(rows, powers, is_staff=True)
    member = _user(rows, readers)
    superuser = _user(rows, None, is_staff=True, is_superuser=True)
    kinds = {
        "staff": staff,
        "staff who may look": _user(rows, viewers, is_staff=True),
        "member with grants": member,
        "member without grants": _user(rows, None),
        SUPERUSER: superuser,
    }
    visitors = [
        Visitor(kind, session=_session(user, rows.tenant))
        for kind, user in kinds.items()
    ]
    visitors.insert(-1, Visitor("token", token=_token(rows, member)))
    return People(staff, tuple(visitors), (powers, viewers, readers))


def member_of_both(first: People, here: Rows, there: Rows) -> Visitor:
    """Make staff of two tenants who has the first one open.

    The name is of neither tenant, for the staff of both may read it.
    """
    user = User(
        username=f"canary-both-{get_random_string(12).lower()}",
        is_staff=True,
        language="en",
    )
    user.set_unusable_password()
    user.save()
    for rows in (here, there):
        Membership.objects.create(user=user, tenant=rows.tenant)
        for team in rows.by_label["tenants.Team"][:1]:
            team.add(user)
    return Visitor(BOTH, session=_session(user, here.tenant))


def _team(rows: Rows, permissions: Iterable[Permission]) -> Team:
    word = rows.marks.word("tenants.Team", "label")
    team = Team.objects.create(tenant=rows.tenant, label=word)
    team.permissions.set(permissions)
    rows.add(team)
    return team


def _user(rows: Rows, team: Team | None, **powers: bool) -> User:
    user = User(
        username=f"canary-{rows.marks.word('tenants.User', 'username')}",
        first_name=rows.marks.word("tenants.User", "first_name"),
        last_name=rows.marks.word("tenants.User", "last_name"),
        email=f"{rows.marks.word('tenants.User', 'email')}@canary.invalid",
        language="en",
        **powers,
    )
    user.set_unusable_password()
    user.save()
    rows.add(Membership.objects.create(user=user, tenant=rows.tenant))
    if team is not None:
        team.add(user)
    rows.add(user)
    return user


def _session(user: User, tenant: Tenant) -> str:
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = BACKEND
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store[middleware.SESSION_KEY] = tenant.pk
    store.set_expiry(SESSION_SECONDS)
    store.create()
    return str(store.session_key)


def _token(rows: Rows, user: User) -> str:
    token, secret = issue_token(
        user,
        tenant=rows.tenant,
        name=rows.marks.word("tenants.ApiToken", "name"),
        scopes=list(TokenScope.values),
        expires_at=timezone.now() + timedelta(hours=1),
    )
    rows.add(token)
    return secret

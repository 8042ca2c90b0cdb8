"""Grants on one object: *can*, *why*, *who else*.

A grant is a row of django-guardian, held by a user or by a team. It counts only for
an actor who is an active member of the target's tenant. Superusers may everything
inside the tenant they act in. The words for each rule are in `tenants.messages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from guardian.shortcuts import assign_perm, remove_perm
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from tenants.audit import record
from tenants.models import Membership, Team, User
from tenants.scope import Actor, WrongTenant

Rule = Literal[
    "superuser",
    "granted-to-user",
    "granted-to-team",
    "other-tenant",
    "inactive-user",
    "no-member",
    "no-grant",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether something is allowed, by which rule, and who holds the grant.

    Attributes:
        holder: User name, or label of the team; empty where nothing is held.
    """

    allowed: bool
    rule: Rule
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """A user or a team that was granted something."""

    kind: Literal["user", "team"]
    id: int
    name: str


def can(actor: Actor, codename: str, target: models.Model) -> bool:
    """Say whether the actor may do `codename` (``view_menu``) with this one row."""
    return why(actor, codename, target).allowed


def why(actor: Actor, codename: str, target: models.Model) -> Answer:
    """Say whether, and by which rule. At most three queries."""
    if _tenant_id(target) != actor.tenant_id:
        return Answer(False, "other-tenant")
    if (refusal := _standing(actor)) is not None:
        return refusal
    for grant in _user_grants(codename, target).filter(user_id=actor.user_id):
        return Answer(True, "granted-to-user", grant.user.get_username())
    teams = Team.objects.filter(
        tenant_id=actor.tenant_id,
        user=actor.user_id,
        pk__in=_team_grants(codename, target).values("group_id"),
    )
    for label in teams.order_by("label").values_list("label", flat=True)[:1]:
        return Answer(True, "granted-to-team", label)
    return Answer(False, "no-grant")


def _standing(actor: Actor) -> Answer | None:
    """Answer from who the user is; None when grants have to decide."""
    member = Membership.objects.filter(
        user=OuterRef("pk"), tenant=actor.tenant_id, tenant__is_active=True
    )
    users = User.objects.filter(pk=actor.user_id).annotate(member=Exists(member))
    user = users.values("username", "is_active", "is_superuser", "member").first()
    if user is None or not user["is_active"]:
        return Answer(False, "inactive-user")
    if user["is_superuser"]:
        return Answer(True, "superuser", user["username"])
    return None if user["member"] else Answer(False, "no-member")


def who_else(codename: str, target: models.Model) -> list[Holder]:
    """List the users and teams this was granted to, teams first. Two queries.

    Superusers and grants of people who left the tenant are not listed.
    """
    tenant_id = _tenant_id(target)
    if tenant_id is None:
        return []
    teams = Team.objects.filter(
        tenant_id=tenant_id, pk__in=_team_grants(codename, target).values("group_id")
    )
    users = User.objects.filter(
        is_active=True,
        memberships__tenant_id=tenant_id,
        pk__in=_user_grants(codename, target).values("user_id"),
    )
    return [
        *(Holder("team", team.pk, team.label) for team in teams.order_by("label")),
        *(Holder("user", u.pk, u.username) for u in users.order_by("username")),
    ]


def grant(
    codename: str, target: models.Model, *, to: User | Team, actor: Actor | None
) -> bool:
    """Give a user or team `codename` on this row; return whether that was new.

    Raises:
        WrongTenant: `to` is a team of, or the actor works in, another tenant than
            the target's, or the user is no member there.
    """
    _check_tenants(target, to=to, actor=actor)
    with transaction.atomic():
        if _held(codename, target, to=to).exists():
            return False
        assign_perm(codename, to, target)
        _record("permission.granted", codename, target, to=to, actor=actor)
    return True


def revoke(
    codename: str, target: models.Model, *, to: User | Team, actor: Actor | None
) -> bool:
    """Take `codename` on this row back; return whether it was held.

    Raises:
        WrongTenant: the actor works in another tenant than the target's.
    """
    _check_actor(target, actor=actor)
    with transaction.atomic():
        if not _held(codename, target, to=to).exists():
            return False
        remove_perm(codename, to, target)
        _record("permission.revoked", codename, target, to=to, actor=actor)
    return True


def team_ids(actor: Actor) -> tuple[int, ...]:
    """Return the actor's teams in the actor's tenant, ascending. One query."""
    teams = Team.objects.of(user_id=actor.user_id, tenant_id=actor.tenant_id)
    return tuple(teams.order_by("pk").values_list("pk", flat=True))


def _held(
    codename: str, target: models.Model, *, to: User | Team
) -> models.QuerySet[Any]:
    if isinstance(to, Team):
        return _team_grants(codename, target).filter(group_id=to.pk)
    return _user_grants(codename, target).filter(user_id=to.pk)


def _record(
    action: str,
    codename: str,
    target: models.Model,
    *,
    to: User | Team,
    actor: Actor | None,
) -> None:
    kind = "team" if isinstance(to, Team) else "user"
    changes = {"codename": codename, kind: str(to), f"{kind}_id": to.pk}
    record(actor=actor, action=action, target=target, changes=changes)


def _check_tenants(
    target: models.Model, *, to: User | Team, actor: Actor | None
) -> None:
    _check_actor(target, actor=actor)
    tenant_id = _tenant_id(target)
    if tenant_id is None:
        inside = False
    elif isinstance(to, Team):
        inside = to.tenant_id == tenant_id
    else:
        inside = to.memberships.filter(tenant_id=tenant_id).exists()
    if not inside:
        raise WrongTenant(
            f"{type(to).__name__} {to.pk} is outside tenant {tenant_id}, whose "
            f"{type(target).__name__} {target.pk} was to be granted."
        )


def _check_actor(target: models.Model, *, actor: Actor | None) -> None:
    tenant_id = _tenant_id(target)
    if actor is not None and actor.tenant_id != tenant_id:
        raise WrongTenant(
            f"An actor of tenant {actor.tenant_id} was to change grants on "
            f"{type(target).__name__} {target.pk} of tenant {tenant_id}."
        )


def _tenant_id(target: models.Model) -> int | None:
    tenant_id: int | None = getattr(target, "tenant_id", None)
    return tenant_id


def _user_grants(codename: str, target: models.Model) -> models.QuerySet[Any]:
    grants = _grants(get_user_obj_perms_model(target), codename, target)
    return grants.select_related("user")


def _team_grants(codename: str, target: models.Model) -> models.QuerySet[Any]:
    return _grants(get_group_obj_perms_model(target), codename, target)


def _grants(model: Any, codename: str, target: models.Model) -> models.QuerySet[Any]:
    """Rows of a direct-foreign-key permission model, or of guardian's generic one."""
    content_type = ContentType.objects.get_for_model(target)
    grants: models.QuerySet[Any] = model.objects.filter(
        permission__codename=codename, permission__content_type=content_type
    )
    if model.objects.is_generic():
        return grants.filter(object_pk=str(target.pk), content_type=content_type)
    return grants.filter(content_object=target.pk)

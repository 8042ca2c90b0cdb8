"""What conditions may know of the user and of the moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from branching.conditions import Operand, OperandKind
from branching.operators import FactType
from connectors.parameters import Argument
from tenants.models import Team, Tenant, User
from tenants.scope import Actor

USER_ATTRIBUTES: Mapping[str, FactType] = {
    "id": FactType.INTEGER,
    "username": FactType.TEXT,
    "language": FactType.TEXT,
    "time_zone": FactType.TEXT,
    "is_staff": FactType.BOOLEAN,
    "teams": FactType.LIST,
}
CONTEXT_ATTRIBUTES: Mapping[str, FactType] = {
    "now": FactType.DATETIME,
    "today": FactType.DATE,
    "weekday": FactType.INTEGER,
    "hour": FactType.INTEGER,
    "tenant": FactType.TEXT,
}

_OF_MOMENT: Mapping[str, Callable[[datetime], Argument]] = {
    "now": lambda now: now,
    "today": lambda now: now.date(),
    "weekday": lambda now: now.isoweekday(),
    "hour": lambda now: now.hour,
}


def read_attributes(
    operands: Collection[Operand], *, actor: Actor
) -> tuple[dict[str, Argument], dict[str, Argument]]:
    """Read the attributes of the user and of the context that are looked at.

    Today, weekday and hour are those of the user's own time zone.

    Returns:
        The user's and the context's attributes by name, in at most three queries
        whatever is asked.
    """
    names = {(operand.kind, operand.name) for operand in operands}
    user_names = {name for kind, name in names if kind is OperandKind.USER}
    moments = {name for kind, name in names if kind is OperandKind.CONTEXT}
    context: dict[str, Argument] = {}
    user: dict[str, Argument] = {}
    if user_names - {"id", "teams"} or moments & set(_OF_MOMENT):
        user = _read_user(actor)
        now = timezone.now().astimezone(_zone(user))
        context = {name: read(now) for name, read in _OF_MOMENT.items()}
    user["id"] = actor.user_id
    if "teams" in user_names:
        user["teams"] = _read_teams(actor)
    if "tenant" in moments:
        keys = Tenant.objects.filter(pk=actor.tenant_id).values_list("key", flat=True)
        context["tenant"] = keys.first()
    return user, context


def _read_user(actor: Actor) -> dict[str, Argument]:
    fields = ("username", "language", "time_zone", "is_staff")
    row = User.objects.filter(pk=actor.user_id).values(*fields).first()
    return dict(row or {})


def _zone(user: Mapping[str, Argument]) -> ZoneInfo:
    name = user.get("time_zone")
    default = timezone.get_default_timezone_name()
    return ZoneInfo(name if isinstance(name, str) and name else default)


def _read_teams(actor: Actor) -> tuple[str, ...]:
    teams = Team.objects.filter(tenant_id=actor.tenant_id, user=actor.user_id)
    return tuple(teams.order_by("label").values_list("label", flat=True))

"""Who sees which menu, and by which grant; and grants that nobody needs any more.

Everything is computed with the rules of `menus.visibility` from rows that are read
once, so the number of statements does not depend on how many people or menus there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from menus import visibility
from menus.models import (
    Menu,
    MenuGroupObjectPermission,
    MenuUserObjectPermission,
    RecentVisit,
)
from menus.nodes import GRANTS, menu_nodes
from menus.visibility import Grant, Kind, Node
from tenants.models import Membership, Team, User
from tenants.reviewing import DORMANT, granted_since
from tenants.scope import required_tenant_id


class How(StrEnum):
    """By what somebody sees a menu."""

    SUPERUSER = "superuser"
    OWN = "own"
    TEAM = "team"


class Stale(StrEnum):
    """Why a grant should be looked at."""

    NO_MEMBER = "no-member"  # held by nobody of the tenant
    INACTIVE = "inactive"  # the account is switched off
    DORMANT = "dormant"  # not signed in for DORMANT
    UNUSED = "unused"  # opened nothing of it since the period began
    BESIDE_TEAM = "beside-team"  # a team of the holder gives the same
    NO_MEANING = "no-meaning"  # a permission that no menu knows
    EMPTY_TEAM = "empty-team"  # nobody is on the team


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of the matrix: a user sees a menu.

    Attributes:
        holder: Who holds the grant: the user, or a team.
        given_at: Slug of the menu it was given on; the menu itself, or one above.
    """

    username: str
    slug: str
    how: How
    holder: str
    given_at: str


@dataclass(frozen=True, slots=True)
class StaleGrant:
    """One grant on one menu, and every reason to look at it."""

    slug: str
    holder: str
    reasons: tuple[Stale, ...]


@dataclass(slots=True)
class Access:
    """Everything that decides who sees what in the tenant in scope.

    Attributes:
        bare_nodes: The tree as if everything in it were open: what a grant reaches,
            whatever was closed since.
        own: ``(menu, grant)`` by user, of members and of strangers.
        of_team: ``(menu, grant)`` by group.
        visits: The last visit by user and menu.
        just_given: ``(user, menu)`` of grants too young to have been used.
        teams_of: Teams by user, in the order of their names.
    """

    nodes: list[Node]
    bare_nodes: list[Node]
    slugs: Mapping[int, str]
    users: Mapping[int, User]
    members: frozenset[int]
    team_names: Mapping[int, str]
    group_names: Mapping[int, str]
    teams_of: Mapping[int, list[int]]
    visits: Mapping[tuple[int, int], datetime]
    just_given: frozenset[tuple[int, int]]
    own: dict[int, list[tuple[int, Grant | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    of_team: dict[int, list[tuple[int, Grant | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def read_access(*, since: datetime) -> Access:
    """Read the tenant in scope.

    Args:
        since: Grants that were given after this are young.
    """
    tenant_id = required_tenant_id()
    menus, nodes = menu_nodes()
    own = MenuUserObjectPermission.objects.filter(content_object__tenant_id=tenant_id)
    of_team = MenuGroupObjectPermission.objects.filter(
        content_object__tenant_id=tenant_id
    )
    members = frozenset(
        Membership.objects.filter(tenant_id=tenant_id).values_list("user_id", flat=True)
    )
    superusers = User.objects.filter(is_superuser=True, is_active=True)
    holders = set(own.values_list("user_id", flat=True))
    pks = members | holders | set(superusers.values_list("pk", flat=True))
    teams = Team.objects.filter(tenant_id=tenant_id).order_by("label")
    access = Access(
        nodes=nodes,
        bare_nodes=[
            replace(node, kind=Kind.LINK, enabled=True, opens=True) for node in nodes
        ],
        slugs={menu.pk: menu.slug for menu in menus},
        users=User.objects.in_bulk(pks),
        members=members,
        team_names=dict(teams.values_list("pk", "label")),
        group_names=dict(of_team.values_list("group_id", "group__name")),
        teams_of=_teams_of(tenant_id, members),
        visits=_visits(),
        just_given=granted_since(Menu, since, tenant_id=tenant_id),
    )
    for user_id, menu_id, codename in own.values_list(
        "user_id", "content_object_id", "permission__codename"
    ):
        access.own[user_id].append((menu_id, GRANTS.get(codename)))
    for group_id, menu_id, codename in of_team.values_list(
        "group_id", "content_object_id", "permission__codename"
    ):
        access.of_team[group_id].append((menu_id, GRANTS.get(codename)))
    return access


def _visits() -> Mapping[tuple[int, int], datetime]:
    rows = RecentVisit.objects.values_list("user_id", "menu_id", "visited_at")
    return {(user_id, menu_id): at for user_id, menu_id, at in rows}


def _teams_of(tenant_id: int, members: frozenset[int]) -> Mapping[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    rows = Team.objects.filter(tenant_id=tenant_id, user__isnull=False)
    for team_id, user_id in rows.order_by("label", "user").values_list("pk", "user"):
        if user_id in members:
            found[user_id].append(team_id)
    return found


def matrix(access: Access) -> Iterator[Seen]:
    """Yield who sees what, by user name and then in the order of the tree."""
    for user in sorted(access.users.values(), key=lambda user: user.get_username()):
        if not user.is_active:
            continue
        if not user.is_superuser and user.pk not in access.members:
            continue
        yield from _seen_by(user, access)


def _seen_by(user: User, access: Access) -> Iterator[Seen]:
    grants, sees_all = _grants_of(access, user.pk), user.is_superuser
    verdicts = visibility.judge(access.nodes, grants, sees_all=sees_all)
    places = visibility.visible(access.nodes, grants, sees_all=sees_all)
    name = user.get_username()
    for place in places:
        slug = access.slugs[place.id]
        if user.is_superuser:
            yield Seen(name, slug, How.SUPERUSER, name, slug)
            continue
        at = verdicts[place.id].decided_at
        teams = [
            team
            for team in access.teams_of.get(user.pk, ())
            if (at, Grant.ALLOW) in access.of_team[team]
        ]
        own = (at, Grant.ALLOW) in access.own[user.pk]
        how = How.OWN if own else How.TEAM
        holder = name if own else access.team_names[teams[0]]
        yield Seen(name, slug, how, holder, access.slugs[at])


def stale_grants(
    access: Access, *, starts: datetime, ends: datetime
) -> Iterator[StaleGrant]:
    """Yield grants to look at, of users first; each with every reason.

    Denials are never unused: they are meant to keep somebody out.
    """
    for user_id, given in sorted(
        access.own.items(), key=lambda item: access.users[item[0]].get_username()
    ):
        user = access.users[user_id]
        for menu_id, grant in sorted(given, key=lambda one: access.slugs[one[0]]):
            reasons = tuple(_reasons(user, menu_id, grant, access, starts, ends))
            if reasons:
                yield StaleGrant(access.slugs[menu_id], user.get_username(), reasons)
    for group_id, given in sorted(access.of_team.items()):
        for menu_id, grant in sorted(given, key=lambda one: access.slugs[one[0]]):
            reasons = tuple(_team_reasons(group_id, grant, access))
            if reasons:
                name = access.team_names.get(group_id, access.group_names[group_id])
                yield StaleGrant(access.slugs[menu_id], name, reasons)


def _reasons(
    user: User,
    menu_id: int,
    grant: Grant | None,
    access: Access,
    starts: datetime,
    ends: datetime,
) -> Iterator[Stale]:
    if grant is None:
        yield Stale.NO_MEANING
    if user.pk not in access.members:
        yield Stale.NO_MEMBER
        return
    if not user.is_active:
        yield Stale.INACTIVE
        return
    if (user.last_login or user.date_joined) < ends - DORMANT:
        yield Stale.DORMANT
    if grant is not Grant.ALLOW:
        return
    young = (user.pk, menu_id) in access.just_given
    if not young and not _used(user.pk, menu_id, access, since=starts):
        yield Stale.UNUSED
    if _teams_give(user.pk, menu_id, access):
        yield Stale.BESIDE_TEAM


def _team_reasons(
    group_id: int, grant: Grant | None, access: Access
) -> Iterator[Stale]:
    if grant is None:
        yield Stale.NO_MEANING
    if group_id not in access.team_names:
        yield Stale.NO_MEMBER
    elif not any(
        group_id in teams and access.users[user_id].is_active
        for user_id, teams in access.teams_of.items()
    ):
        yield Stale.EMPTY_TEAM


def _used(user_id: int, menu_id: int, access: Access, *, since: datetime) -> bool:
    """Say whether the user opened the menu, or one that is seen through it."""
    verdicts = visibility.judge(access.bare_nodes, _grants_of(access, user_id))
    through = {pk for pk, verdict in verdicts.items() if verdict.decided_at == menu_id}
    return any(
        access.visits[user_id, pk] >= since
        for pk in through | {menu_id}
        if (user_id, pk) in access.visits
    )


def _teams_give(user_id: int, menu_id: int, access: Access) -> bool:
    grants = _folded(
        one for team in access.teams_of.get(user_id, ()) for one in access.of_team[team]
    )
    return visibility.judge(access.bare_nodes, grants)[menu_id].visible


def _grants_of(access: Access, user_id: int) -> Mapping[int, frozenset[Grant]]:
    teams = access.teams_of.get(user_id, ())
    given = [one for team in teams for one in access.of_team[team]]
    return _folded([*access.own[user_id], *given])


def _folded(
    given: Sequence[tuple[int, Grant | None]] | Iterator[tuple[int, Grant | None]],
) -> Mapping[int, frozenset[Grant]]:
    grants: dict[int, frozenset[Grant]] = {}
    for menu_id, grant in given:
        if grant is not None:
            grants[menu_id] = grants.get(menu_id, frozenset()) | {grant}
    return grants

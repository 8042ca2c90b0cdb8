"""Planted stale grants are all found, none falsely; the matrix is what people see."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from guardian.shortcuts import assign_perm

from menus.access_review import matrix, read_access, stale_grants
from menus.models import Menu, MenuUserObjectPermission, RecentVisit
from menus.services import create_menu, review_section, visible_menus, why
from observability.models import Measurement
from observability.review_periods import last_ended
from observability.review_values import Cadence, Period, ReviewTable, Section
from observability.slo import encode_buckets
from tenants.models import AuditEntry, Membership, Team, Tenant, User
from tenants.permissions import grant
from tenants.scope import Actor, using_tenant
from tests.menus.conftest import MakeMenu, MakeScreen, named

Planted = set[tuple[str, str, tuple[str, ...]]]


@dataclass
class Plant:
    """A tenant with many sound grants and some odd ones."""

    period: Period
    stale: Planted


def quarter() -> Period:
    return last_ended(timezone.now(), Cadence.QUARTERLY, zone="Asia/Seoul")


def person(name: str, *, tenant: Tenant | None, seen: datetime | None = None) -> User:
    user = User.objects.create(
        username=name, last_login=seen, date_joined=datetime(2020, 1, 1, tzinfo=UTC)
    )
    if tenant is not None:
        Membership.objects.create(user=user, tenant=tenant)
    return user


def give(menu: Menu, to: User | Team, codename: str = "view_menu") -> None:
    """Grant below the audit trail: a grant of long ago."""
    assign_perm(codename, to, menu)


def give_many(pairs: list[tuple[User, Menu]], *, at: datetime) -> None:
    """Grant and visit many at once."""
    permission = Permission.objects.get(codename="view_menu")
    MenuUserObjectPermission.objects.bulk_create(
        MenuUserObjectPermission(user=user, content_object=menu, permission=permission)
        for user, menu in pairs
    )
    RecentVisit.objects.bulk_create(
        RecentVisit(user=user, menu=menu, visited_at=at) for user, menu in pairs
    )


def visit(user: User, menu: Menu, at: datetime) -> None:
    RecentVisit.objects.create(user=user, menu=menu, visited_at=at)


@pytest.fixture
def plant(in_acme: Tenant, globex: Tenant, make_menu: MakeMenu) -> Plant:
    """Forty sound people with ten grants each, and 32 grants to look at."""
    period = quarter()
    during = period.starts + timedelta(days=30)
    before = period.starts - timedelta(days=1)
    seen = period.ends - timedelta(days=1)
    menus = [make_menu(f"menu-{number:02}") for number in range(20)]
    chance = random.Random(5)
    given: list[tuple[User, Menu]] = []
    for number in range(40):
        user = person(f"sound-{number:02}", tenant=in_acme, seen=seen)
        given += [(user, menu) for menu in chance.sample(menus, 10)]
    give_many(given, at=during)
    stale: Planted = set()
    for number in range(4):
        menu = menus[number]
        odd = {
            "away": person(f"away-{number}", tenant=in_acme, seen=seen),
            "asleep": person(
                f"asleep-{number}", tenant=in_acme, seen=seen - timedelta(days=90)
            ),
            "off": person(f"off-{number}", tenant=in_acme, seen=seen),
            "stranger": person(f"stranger-{number}", tenant=globex, seen=seen),
            "double": person(f"double-{number}", tenant=in_acme, seen=seen),
            "unseen": person(f"unseen-{number}", tenant=in_acme, seen=seen),
        }
        User.objects.filter(pk=odd["off"].pk).update(is_active=False)
        for name, user in odd.items():
            give(menu, user)
            if name in {"asleep", "double"}:
                visit(user, menu, during)
        visit(odd["away"], menu, before)
        team = Team.objects.create(tenant=in_acme, label=f"Team {number}")
        give(menu, team)
        team.add(odd["double"])
        empty = Team.objects.create(tenant=in_acme, label=f"Empty {number}")
        give(menu, empty)
        outside = Group.objects.create(name=f"outside-{number}")
        assign_perm("view_menu", outside, menu)
        stale |= {
            (menu.slug, f"away-{number}", ("unused",)),
            (menu.slug, f"asleep-{number}", ("dormant",)),
            (menu.slug, f"off-{number}", ("inactive",)),
            (menu.slug, f"stranger-{number}", ("no-member",)),
            (menu.slug, f"double-{number}", ("beside-team",)),
            (menu.slug, f"unseen-{number}", ("unused",)),
            (menu.slug, f"Empty {number}", ("empty-team",)),
            (menu.slug, f"outside-{number}", ("no-member",)),
        }
    return Plant(period, stale)


def found_by(period: Period) -> Planted:
    access = read_access(since=period.starts)
    found = stale_grants(access, starts=period.starts, ends=period.ends)
    return {
        (one.slug, one.holder, tuple(reason.value for reason in one.reasons))
        for one in found
    }


def test_planted_stale_grants_are_all_found_and_none_falsely(plant: Plant) -> None:
    assert len(plant.stale) == 32
    assert found_by(plant.period) == plant.stale


def test_statements_do_not_grow_with_people_and_grants(
    in_acme: Tenant, make_menu: MakeMenu, plant: Plant
) -> None:
    with CaptureQueriesContext(connection) as asked:
        access = read_access(since=plant.period.starts)
        list(matrix(access))
        list(stale_grants(access, starts=plant.period.starts, ends=plant.period.ends))

    assert len(asked) <= 14


def test_what_is_seen_through_a_group_uses_its_grant(
    in_acme: Tenant, make_menu: MakeMenu
) -> None:
    period = quarter()
    seen = period.ends - timedelta(days=1)
    top = make_menu("top")
    below = make_menu("below", parent=top)
    reader = person("reader", tenant=in_acme, seen=seen)
    give(top, reader)
    visit(reader, below, period.starts)

    assert found_by(period) == set()

    cut = make_menu("cut", parent=top, breaks_inheritance=True)
    give(cut, reader)
    assert found_by(period) == {("cut", "reader", ("unused",))}


def test_a_grant_of_this_quarter_had_no_time_to_be_used(
    in_acme: Tenant, make_menu: MakeMenu
) -> None:
    period = quarter()
    reader = person("reader", tenant=in_acme, seen=period.ends)
    menu = make_menu("new")
    grant("view_menu", menu, to=reader, actor=None)

    assert found_by(period) == set()


def test_a_denial_is_not_unused_and_an_unknown_permission_is_told(
    in_acme: Tenant, make_menu: MakeMenu
) -> None:
    period = quarter()
    reader = person("reader", tenant=in_acme, seen=period.ends)
    menu = make_menu("plans")
    give(menu, reader, "hide_menu")
    assert found_by(period) == set()

    give(menu, reader, "change_menu")
    assert found_by(period) == {("plans", "reader", ("no-meaning",))}


def test_a_team_that_is_denied_below_does_not_make_a_grant_double(
    in_acme: Tenant, make_menu: MakeMenu
) -> None:
    period = quarter()
    reader = person("reader", tenant=in_acme, seen=period.ends)
    top = make_menu("top")
    below = make_menu("below", parent=top, breaks_inheritance=True)
    team = Team.objects.create(tenant=in_acme, label="Team")
    team.add(reader)
    give(top, team)
    give(below, reader)
    visit(reader, below, period.starts)
    assert found_by(period) == set()

    give(top, reader)
    visit(reader, top, period.starts)
    assert found_by(period) == {("top", "reader", ("beside-team",))}


def test_the_matrix_is_what_everybody_sees_and_why(
    in_acme: Tenant, globex: Tenant, make_screen: MakeScreen, user: User
) -> None:
    screen, chance = make_screen(), random.Random(11)
    menus: list[Menu] = []
    for number in range(24):
        kind: dict[str, Any] = {"kind": "screen", "screen": screen}
        menus.append(
            create_menu(
                f"m-{number}",
                actor=None,
                label=named(f"M {number}"),
                parent=chance.choice([None, *menus[-6:]]),
                enabled=chance.random() > 0.1,
                breaks_inheritance=chance.random() < 0.2,
                **(kind if chance.random() < 0.6 else {"kind": "group"}),
            )
        )
    teams = [Team.objects.create(tenant=in_acme, label=f"T{one}") for one in range(3)]
    people = [person(f"p-{number}", tenant=in_acme) for number in range(8)]
    people.append(person("stranger", tenant=globex))
    for one in people[:8]:
        for team in chance.sample(teams, 2):
            team.add(one)
    for menu in menus:
        holders: list[User | Team] = [*people, *teams]
        for holder in chance.sample(holders, 3):
            give(menu, holder, chance.choice(["view_menu", "view_menu", "hide_menu"]))

    lines = list(matrix(read_access(since=quarter().starts)))

    seen = {
        (one.username, menu.slug)
        for one in User.objects.all()
        for menu in visible_menus(Actor(one.pk, in_acme.pk))
    }
    assert {(line.username, line.slug) for line in lines} == seen
    assert len(lines) == len(seen) > 40
    names = {menu.slug: menu.name for menu in menus}
    for line in lines:
        reader = User.objects.get(username=line.username)
        told = why(Actor(reader.pk, in_acme.pk), line.slug)
        assert told.rule.value == (
            "superuser" if line.how == "superuser" else "granted"
        )
        assert told.decided_at == names[line.given_at]
        if line.how == "team":
            teams_of = Team.objects.filter(user__username=line.username)
            assert line.holder in set(teams_of.values_list("label", flat=True))
        elif line.how == "own":
            assert line.holder == line.username


def table(section: Section, key: str) -> ReviewTable:
    return next(table for table in section.tables if table.key == key)


def test_the_section_says_all_of_it_in_a_quarter(in_acme: Tenant, plant: Plant) -> None:
    section = review_section(plant.period, Actor(0, in_acme.pk))

    figures = {figure.key: figure.value for figure in section.figures}
    assert figures["stale-grants"] == len(plant.stale)
    assert len(table(section, "stale-grants").rows) == len(plant.stale)
    assert figures["access-lines"] == len(table(section, "access").rows)
    found = {finding.key for finding in section.findings}
    assert {f"stale-grant:{menu}:{who}" for menu, who, _why in plant.stale} <= found
    active = User.objects.filter(is_active=True, username__startswith="sound")
    assert set(active.values_list("pk", flat=True)) <= set(section.subjects)


def test_a_month_leaves_access_to_the_quarter(in_acme: Tenant, plant: Plant) -> None:
    month = last_ended(timezone.now(), Cadence.MONTHLY, zone="Asia/Seoul")

    section = review_section(month, Actor(0, in_acme.pk))

    assert [table.key for table in section.tables] == ["dead-menus"]
    assert section.subjects == ()


def test_a_menu_nobody_opened_is_dead_unless_it_is_new(
    in_acme: Tenant, make_menu: MakeMenu, make_screen: MakeScreen, globex: Tenant
) -> None:
    month = last_ended(timezone.now(), Cadence.MONTHLY, zone="Asia/Seoul")
    screen = make_screen()
    for slug in ("opened", "dead", "new", "off"):
        make_menu(slug, kind="screen", screen=screen, enabled=slug != "off")
    old = Menu.objects.filter(slug__in=["opened", "dead"])
    _forget_when_made(old)
    for tenant, slug in ((in_acme, "opened"), (globex, "dead")):
        Measurement.objects.create(
            starts_at=month.starts, kind="menu", key=slug, tenant=tenant, count=3,
            sum_us=3, max_us=1, buckets=encode_buckets({0: 3}),
        )  # fmt: skip

    section = review_section(month, Actor(0, in_acme.pk))

    assert table(section, "dead-menus").rows == (("dead",),)
    assert [finding.key for finding in section.findings] == ["dead-menu:dead"]
    figures = {figure.key: figure.value for figure in section.figures}
    assert (figures["screen-menus"], figures["opened"]) == (3, 3)


def _forget_when_made(menus: Any) -> None:
    """Let menus be older than the audit trail."""
    pks = [str(pk) for pk in menus.values_list("pk", flat=True)]
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(pks))
        cursor.execute(
            f"DELETE FROM tenants_auditentry WHERE target_id IN ({marks}) "
            "AND action = 'menu.created'",
            pks,
        )
    assert not AuditEntry.objects.filter(target_id__in=pks, action="menu.created")


def test_another_tenant_s_grants_are_not_told(
    acme: Tenant, globex: Tenant, plant: Plant
) -> None:
    with using_tenant(globex):
        lines = list(matrix(read_access(since=plant.period.starts)))

        assert lines == []
        assert found_by(plant.period) == set()

"""Who sleeps, which tokens are idle, who may everything: found, and nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from observability.people_reviewing import people_section
from observability.review_periods import last_ended
from observability.review_values import Cadence, Period, ReviewTable, Section
from tenants.audit import record
from tenants.models import ApiToken, AuditEntry, Membership, Tenant, User
from tenants.scope import Actor


@pytest.fixture
def period() -> Period:
    return last_ended(timezone.now(), Cadence.MONTHLY, zone="Asia/Seoul")


def person(
    name: str, tenant: Tenant | None, *, seen: datetime | None, joined: datetime,
    **fields: bool,
) -> User:  # fmt: skip
    user = User.objects.create(
        username=name, last_login=seen, date_joined=joined, **fields
    )
    if tenant is not None:
        membership = Membership.objects.create(user=user, tenant=tenant)
        Membership.objects.filter(pk=membership.pk).update(joined_at=joined)
    return user


def token(
    name: str, user: User, *, made: datetime, used: datetime | None, **fields: object
) -> None:
    values = {"expires_at": timezone.now() + timedelta(days=90), **fields}
    made_token = ApiToken.objects.create(
        user=user, name=name, prefix=name, digest=name, scopes=["read"],
        last_used_at=used, **values,
    )  # fmt: skip
    ApiToken.objects.filter(pk=made_token.pk).update(created_at=made)


def table(section: Section, key: str) -> list[object]:
    found: ReviewTable = next(one for one in section.tables if one.key == key)
    return [row[0] for row in found.rows]


def test_sleepers_are_found_at_the_end_of_the_period(
    in_acme: Tenant, globex: Tenant, period: Period
) -> None:
    long_ago = period.ends - timedelta(days=400)
    edge = period.ends - timedelta(days=90)
    moment = timedelta(seconds=1)
    person("awake", in_acme, seen=edge, joined=long_ago)
    person("asleep", in_acme, seen=edge - moment, joined=long_ago)
    person("never", in_acme, seen=None, joined=long_ago)
    person("fresh", in_acme, seen=None, joined=period.starts)
    person("later", in_acme, seen=period.ends + moment, joined=long_ago)
    person("off", in_acme, seen=None, joined=long_ago, is_active=False)
    person("theirs", globex, seen=None, joined=long_ago)
    person("root", None, seen=None, joined=long_ago, is_superuser=True)

    section = people_section(period, Actor(0, in_acme.pk))

    assert table(section, "dormant") == ["asleep", "never"]
    assert table(section, "superusers") == ["root"]
    assert {finding.key for finding in section.findings} == {
        "dormant:asleep", "dormant:never", "dormant-superuser:root",
    }  # fmt: skip
    figures = {figure.key: figure.value for figure in section.figures}
    assert (figures["members"], figures["dormant"], figures["joined"]) == (5, 2, 1)
    names = User.objects.filter(pk__in=section.subjects)
    assert set(names.values_list("username", flat=True)) == {
        "asleep", "awake", "fresh", "later", "never",
    }  # fmt: skip


def test_idle_tokens_are_those_that_could_be_used_and_were_not(
    in_acme: Tenant, user: User, period: Period
) -> None:
    long_ago = period.ends - timedelta(days=300)
    lately = period.ends - timedelta(days=5)
    token("idle", user, made=long_ago, used=period.ends - timedelta(days=91))
    token("never", user, made=long_ago, used=None)
    token("used", user, made=long_ago, used=lately)
    token("young", user, made=lately, used=None)
    token("revoked", user, made=long_ago, used=None, revoked_at=lately)
    token("expired", user, made=long_ago, used=None, expires_at=lately)

    section = people_section(period, Actor(0, in_acme.pk))

    assert table(section, "idle-tokens") == ["idle (idle…)", "never (never…)"]
    figures = {figure.key: figure.value for figure in section.figures}
    assert (figures["tokens"], figures["idle-tokens"]) == (4, 2)
    found = {finding.key for finding in section.findings}
    assert {"idle-token:idle", "idle-token:never"} <= found


def test_changes_are_counted_by_action_in_the_period(
    in_acme: Tenant, globex: Tenant, period: Period
) -> None:
    moments = {
        "menu.moved": (period.starts, period.ends - timedelta(seconds=1)),
        "menu.deleted": (period.ends, period.starts - timedelta(seconds=1)),
        "screen.saved": (period.starts + timedelta(days=2),),
    }
    for action, at in moments.items():
        for one in at:
            entry = record(actor=None, action=action, target=in_acme)
            _backdate(entry, one)
    _backdate(record(actor=None, action="menu.moved", target=globex), period.starts)

    section = people_section(period, Actor(0, in_acme.pk))

    found = next(table for table in section.tables if table.key == "changes")
    assert found.rows == (("menu.moved", 2, 0), ("screen.saved", 1, 0))
    figures = {figure.key: figure for figure in section.figures}
    assert (figures["changes"].value, figures["changes"].before) == (3, 1)


def _backdate(entry: AuditEntry, at: datetime) -> None:
    # The managers refuse every change; below them anything goes.
    QuerySet(AuditEntry).filter(pk=entry.pk).update(at=at)

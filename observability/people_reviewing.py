"""The section of a review on people, tokens and changes, out of the facts of `tenants`.

It stands here because `tenants` is below the values a section is made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from observability.review_periods import period_before
from observability.review_values import (
    Cell,
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    Words,
    words,
)
from tenants.reviewing import DORMANT, Accounts, Person, accounts, actions
from tenants.scope import Actor

_DAYS = DORMANT.days


def people_section(period: Period, actor: Actor) -> Section:
    """Say who belongs to the tenant, who sleeps, who may everything, what changed."""
    found = accounts(actor.tenant_id, starts=period.starts, ends=period.ends)
    earlier = period_before(period, zone=settings.TIME_ZONE)
    before = actions(actor.tenant_id, starts=earlier.starts, ends=earlier.ends)
    active = [person for person in found.members if person.active]
    return Section(
        key="people",
        title=words("사람과 권한", "People"),
        figures=tuple(_figures(found, active, sum(before.values()))),
        tables=(
            _people("superusers", words("최고 관리자", "Superusers"), found.superusers),
            _people(
                "dormant",
                words(f"{_DAYS}일 넘게 조용한 사람", f"Dormant for {_DAYS} days"),
                [person for person in active if person.dormant],
            ),
            _tokens(found),
            _changes(found, before),
        ),
        findings=tuple(_findings(found, active)),
        subjects=tuple(person.id for person in active),
    )


def _figures(
    found: Accounts, active: list[Person], changes_before: int
) -> Iterator[Figure]:
    members = "tenants_membership JOIN tenants_user"
    yield Figure(
        "members",
        words("사용 중인 구성원", "Active members"),
        len(active),
        source=f"{members}: is_active",
    )
    yield Figure(
        "dormant",
        words(f"{_DAYS}일 넘게 조용한 구성원", f"Members dormant for {_DAYS} days"),
        sum(person.dormant for person in active),
        source=f"{members}: last_login",
    )
    yield Figure(
        "superusers",
        words("최고 관리자", "Superusers"),
        len(found.superusers),
        source="tenants_user: is_superuser, is_active",
    )
    yield Figure(
        "joined",
        words("새 구성원", "New members"),
        len(found.joined),
        source="tenants_membership: joined_at",
    )
    yield from _token_figures(found)
    yield Figure(
        "changes",
        words("감사 기록된 변경", "Audited changes"),
        sum(found.actions.values()),
        before=changes_before,
        source="tenants_auditentry: at",
    )


def _token_figures(found: Accounts) -> Iterator[Figure]:
    tokens = "tenants_apitoken"
    yield Figure(
        "tokens", words("쓸 수 있는 토큰", "Usable tokens"), found.tokens, source=tokens
    )
    yield Figure(
        "idle-tokens",
        words(f"{_DAYS}일 넘게 쓰지 않은 토큰", f"Tokens unused for {_DAYS} days"),
        len(found.idle_tokens),
        source=f"{tokens}: last_used_at, created_at",
    )


def _people(key: str, title: Words, people: Iterable[Person]) -> ReviewTable:
    return ReviewTable(
        key,
        title,
        (words("사용자", "User"), words("마지막 로그인", "Last sign-in")),
        tuple((person.username, _day(person.seen_at)) for person in people),
    )


def _tokens(found: Accounts) -> ReviewTable:
    return ReviewTable(
        "idle-tokens",
        words(f"{_DAYS}일 넘게 쓰지 않은 토큰", f"Tokens unused for {_DAYS} days"),
        (
            words("토큰", "Token"),
            words("사용자", "User"),
            words("마지막 사용", "Last used"),
        ),
        tuple(
            (
                f"{one.name} ({one.prefix}…)",
                one.username,
                _day(one.last_used_at),
            )
            for one in found.idle_tokens
        ),
    )


def _changes(found: Accounts, before: Mapping[str, int]) -> ReviewTable:
    rows = sorted(found.actions.items(), key=lambda item: (-item[1], item[0]))
    return ReviewTable(
        "changes",
        words("무엇이 바뀌었나", "What was changed"),
        (
            words("행위", "Action"),
            words("건수", "Count"),
            words("지난 기간", "Before"),
        ),
        tuple((action, count, before.get(action, 0)) for action, count in rows),
    )


def _findings(found: Accounts, active: list[Person]) -> Iterator[Finding]:
    members = {person.id for person in found.members}
    for person in active:
        if person.dormant:
            yield Finding(
                f"dormant:{person.username}",
                words(
                    f"{person.username}: {_DAYS}일 넘게 로그인하지 않았습니다. "
                    "계정이 필요한지 확인하십시오.",
                    f"{person.username} has not signed in for {_DAYS} days. "
                    "Check whether the account is needed.",
                ),
            )
    for person in found.superusers:
        if person.dormant and person.id not in members:
            yield Finding(
                f"dormant-superuser:{person.username}",
                words(
                    f"최고 관리자 {person.username}: {_DAYS}일 넘게 로그인하지 "
                    "않았습니다. 권한을 거두십시오.",
                    f"The superuser {person.username} has not signed in for {_DAYS} "
                    "days. Take the right back.",
                ),
            )
    for token in found.idle_tokens:
        yield Finding(
            f"idle-token:{token.prefix}",
            words(
                f"토큰 {token.name} ({token.prefix}…): {_DAYS}일 넘게 쓰이지 "
                "않았습니다. 폐기하십시오.",
                f"The token {token.name} ({token.prefix}…) was not used for {_DAYS} "
                "days. Revoke it.",
            ),
        )


def _day(moment: datetime | None) -> Cell:
    if moment is None:
        return words("없음", "never")
    return f"{moment.astimezone(ZoneInfo(settings.TIME_ZONE)):%Y-%m-%d}"

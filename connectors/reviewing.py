"""The section of a review on data sources and operations: who works, who is dead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings

from connectors.models import (
    DataSource,
    Operation,
    OperationTeamPermission,
    OperationUserPermission,
)
from observability.review_periods import period_before
from observability.review_values import (
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    Words,
    words,
)
from observability.services import measured_between
from observability.slo import Tally
from tenants.models import Membership, Team
from tenants.reviewing import made_since
from tenants.scope import Actor, using_tenant

_TOP = 10
_KEY = words("키", "Key")
_CALLED = "observability_measurement: kind=operation"


@dataclass(frozen=True, slots=True)
class _Used:
    """Enabled rows by key, and which of them were called.

    Attributes:
        calls: None where there were too many keys to tell them apart.
        young: Keys of rows that came in the period: no time to be called yet.
    """

    keys: tuple[str, ...]
    calls: Mapping[str, Tally] | None
    young: frozenset[str]

    @property
    def dead(self) -> tuple[str, ...] | None:
        if self.calls is None:
            return None
        return tuple(
            key for key in self.keys if key not in self.calls and key not in self.young
        )


def review_section(period: Period, actor: Actor) -> Section:
    """Say which operations and sources nobody called, and which fail."""
    with using_tenant(actor.tenant_id):
        operations = _operations(period, actor)
        sources = _sources(period, actor)
        orphans = _orphan_grants(actor)
    before = _calls("operation", period_before(period, zone=settings.TIME_ZONE), actor)
    return Section(
        key="connectors",
        title=words("커넥터", "Connectors"),
        figures=tuple(_figures(operations, sources, before)),
        tables=(
            _names(
                "dead-operations",
                words("호출되지 않은 오퍼레이션", "Operations nobody called"),
                operations.dead or (),
            ),
            _names(
                "dead-sources",
                words("호출되지 않은 데이터 소스", "Data sources nobody called"),
                sources.dead or (),
            ),
            _failing(operations.calls or {}),
        ),
        findings=tuple(_findings(operations, sources, orphans)),
    )


def _operations(period: Period, actor: Actor) -> _Used:
    rows = Operation.objects.enabled().order_by("key").values_list("pk", "key")
    young = made_since(Operation, period.starts, tenant_id=actor.tenant_id)
    return _used(rows, _calls("operation", period, actor), young)


def _sources(period: Period, actor: Actor) -> _Used:
    rows = DataSource.objects.filter(enabled=True).order_by("key")
    young = made_since(DataSource, period.starts, tenant_id=actor.tenant_id)
    calls = _calls("data_source", period, actor)
    return _used(rows.values_list("pk", "key"), calls, young)


def _used(
    rows: Iterable[tuple[int, str]], calls: Mapping[str, Tally] | None, young: set[str]
) -> _Used:
    found = list(rows)
    return _Used(
        tuple(key for _pk, key in found),
        calls,
        frozenset(key for pk, key in found if str(pk) in young),
    )


def _calls(kind: str, period: Period, actor: Actor) -> Mapping[str, Tally] | None:
    return measured_between(
        kind, tenant_id=actor.tenant_id, starts=period.starts, ends=period.ends
    )


def _figures(
    operations: _Used, sources: _Used, before: Mapping[str, Tally] | None
) -> Iterator[Figure]:
    yield Figure(
        "operations",
        words("켜진 오퍼레이션", "Enabled operations"),
        len(operations.keys),
        source="connectors_operation: enabled, source.enabled",
    )
    yield Figure(
        "dead-operations",
        words("호출되지 않은 오퍼레이션", "Operations nobody called"),
        None if operations.dead is None else len(operations.dead),
        source=_CALLED,
    )
    yield Figure(
        "calls",
        words("오퍼레이션 호출", "Calls of operations"),
        _sum(operations.calls),
        before=_sum(before),
        source=_CALLED,
    )
    yield Figure(
        "sources",
        words("켜진 데이터 소스", "Enabled data sources"),
        len(sources.keys),
        source="connectors_datasource: enabled",
    )
    yield Figure(
        "dead-sources",
        words("호출되지 않은 데이터 소스", "Data sources nobody called"),
        None if sources.dead is None else len(sources.dead),
        source="observability_measurement: kind=data_source",
    )


def _sum(calls: Mapping[str, Tally] | None) -> int | None:
    return sum(tally.count for tally in calls.values()) if calls else None


def _names(key: str, title: Words, names: Iterable[str]) -> ReviewTable:
    return ReviewTable(key, title, (_KEY,), tuple((name,) for name in names))


def _failing(calls: Mapping[str, Tally]) -> ReviewTable:
    failing = sorted(
        ((key, tally) for key, tally in calls.items() if tally.bad),
        key=lambda item: (-item[1].bad, item[0]),
    )
    return ReviewTable(
        "failing-operations",
        words("가장 많이 실패한 오퍼레이션", "Operations that failed most"),
        (_KEY, words("건수", "Count"), words("오류", "Errors")),
        tuple((key, tally.count, tally.bad) for key, tally in failing[:_TOP]),
    )


def _orphan_grants(actor: Actor) -> list[tuple[str, str]]:
    """Return ``(operation, holder)`` of grants that no longer lead to a reader."""
    members = Membership.objects.filter(tenant_id=actor.tenant_id)
    inside = members.filter(user__is_active=True).values("user_id")
    teams = Team.objects.filter(tenant_id=actor.tenant_id).values("pk")
    to_users = OperationUserPermission.objects.filter(
        content_object__tenant_id=actor.tenant_id
    ).exclude(user_id__in=inside)
    to_teams = OperationTeamPermission.objects.filter(
        content_object__tenant_id=actor.tenant_id
    ).exclude(group_id__in=teams)
    return sorted(
        [
            *to_users.values_list("content_object__key", "user__username"),
            *to_teams.values_list("content_object__key", "group__name"),
        ]
    )


def _findings(
    operations: _Used, sources: _Used, orphans: Iterable[tuple[str, str]]
) -> Iterator[Finding]:
    for key in operations.dead or ():
        yield Finding(
            f"dead-operation:{key}",
            words(
                f"오퍼레이션 {key}: 아무도 호출하지 않았습니다. 끄거나 지우십시오.",
                f"Nobody called the operation {key}. Disable or delete it.",
            ),
        )
    for key in sources.dead or ():
        yield Finding(
            f"dead-source:{key}",
            words(
                f"데이터 소스 {key}: 아무도 호출하지 않았습니다. "
                "필요한지 확인하십시오.",
                f"Nobody called the data source {key}. Check whether it is needed.",
            ),
        )
    for key, holder in orphans:
        yield Finding(
            f"orphan-grant:{key}:{holder}",
            words(
                f"오퍼레이션 {key}: 구성원이 아니거나 사용하지 않는 {holder}에게 "
                "권한이 남아 있습니다. 거두십시오.",
                f"{holder}, who is no active member, still holds the operation {key}. "
                "Take the grant back.",
            ),
        )

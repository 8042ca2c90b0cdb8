"""The section of a review on decision tables: which were asked, which rules are off.

Which rule of a table was hit is in traces only, and so not told here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.conf import settings

from branching.models import DecisionTable, Rule
from observability.review_periods import period_before
from observability.review_values import (
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    words,
)
from observability.services import measured_between
from observability.slo import Tally
from tenants.reviewing import made_since
from tenants.scope import Actor, using_tenant

_ASKED = "observability_measurement: kind=decision"


def review_section(period: Period, actor: Actor) -> Section:
    """Say which tables nobody asked, and which rules are switched off."""
    asked = _asked(period, actor)
    before = _asked(period_before(period, zone=settings.TIME_ZONE), actor)
    with using_tenant(actor.tenant_id):
        rows = list(DecisionTable.objects.order_by("key").values_list("pk", "key"))
        young = made_since(DecisionTable, period.starts, tenant_id=actor.tenant_id)
        off = list(
            Rule.objects.filter(enabled=False)
            .order_by("table__key", "order", "pk")
            .values_list("table__key", "key")
        )
    dead = None
    if asked is not None:
        dead = [key for pk, key in rows if key not in asked and str(pk) not in young]
    return Section(
        key="branching",
        title=words("분기", "Branching"),
        figures=tuple(_figures(len(rows), asked, before, dead, len(off))),
        tables=(
            ReviewTable(
                "dead-tables",
                words("쓰이지 않은 결정표", "Decision tables nobody asked"),
                (words("키", "Key"),),
                tuple((key,) for key in dead or ()),
            ),
            ReviewTable(
                "rules-off",
                words("꺼진 규칙", "Rules that are off"),
                (words("결정표", "Decision table"), words("규칙", "Rule")),
                tuple(off),
            ),
        ),
        findings=tuple(_findings(dead or [])),
    )


def _asked(period: Period, actor: Actor) -> Mapping[str, Tally] | None:
    return measured_between(
        "decision", tenant_id=actor.tenant_id, starts=period.starts, ends=period.ends
    )


def _figures(
    tables: int,
    asked: Mapping[str, Tally] | None,
    before: Mapping[str, Tally] | None,
    dead: list[str] | None,
    off: int,
) -> Iterator[Figure]:
    yield Figure(
        "tables",
        words("결정표", "Decision tables"),
        tables,
        source="branching_decisiontable",
    )
    yield Figure(
        "decisions",
        words("결정", "Decisions"),
        _sum(asked),
        before=_sum(before),
        source=_ASKED,
    )
    yield Figure(
        "dead-tables",
        words("쓰이지 않은 결정표", "Decision tables nobody asked"),
        None if dead is None else len(dead),
        source=_ASKED,
    )
    yield Figure(
        "rules-off",
        words("꺼진 규칙", "Rules that are off"),
        off,
        source="branching_rule: enabled",
    )


def _sum(asked: Mapping[str, Tally] | None) -> int | None:
    return sum(tally.count for tally in asked.values()) if asked else None


def _findings(dead: list[str]) -> Iterator[Finding]:
    for key in dead:
        yield Finding(
            f"dead-table:{key}",
            words(
                f"결정표 {key}: 아무 화면도 쓰지 않았습니다. 필요한지 확인하십시오.",
                f"No page asked the decision table {key}. Check whether it is needed.",
            ),
        )

"""Parts of a review: which objectives were kept, and in a quarter every alert rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.conf import settings

from observability.alert_audit import FLAPS_WITHIN, LONG_SILENCE, RuleAudit, alert_audit
from observability.models import AlertRule
from observability.objective_results import ObjectiveResult, results_in
from observability.review_periods import period_before, period_name
from observability.review_values import (
    Cadence,
    Cell,
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    Words,
    words,
)
from tenants.scope import Actor, using_tenant

_PERIODS_BEFORE = 3
_OWNER = words("담당자", "Owner")
_NOBODY = words("없음", "nobody")


def objectives_part(period: Period, actor: Actor) -> Section:
    """Say which objectives were kept, with the budget left in three periods before."""
    zone, periods = settings.TIME_ZONE, [period]
    for _number in range(_PERIODS_BEFORE):
        periods.append(period_before(periods[-1], zone=zone))
    by_period = [
        results_in(actor.tenant_id, starts=one.starts, ends=one.ends) for one in periods
    ]
    left = [
        {found.objective.key: _left(found) for found in results}
        for results in by_period
    ]
    now = sorted(by_period[0], key=lambda found: found.objective.key)
    names = [period_name(one, zone=zone) for one in periods]
    return Section(
        key="objectives",
        title=words("서비스 수준 목표", "Objectives"),
        figures=tuple(_objective_figures(by_period[0], by_period[1])),
        tables=(_objectives(now, left, names),),
        findings=tuple(_objective_findings(now)),
    )


def alerts_part(period: Period, actor: Actor) -> Section:
    """Say in a quarter how every alert rule did, and which objectives have none."""
    title = words("알림 감사", "Alert audit")
    if period.cadence is not Cadence.QUARTERLY:
        return Section(key="alerts", title=title)
    rules = alert_audit(actor.tenant_id, starts=period.starts, ends=period.ends)
    with using_tenant(actor.tenant_id):
        watched = set(
            AlertRule.objects.filter(objective__isnull=False).values_list(
                "objective__key", flat=True
            )
        )
    results = results_in(actor.tenant_id, starts=period.starts, ends=period.ends)
    bare = sorted({found.objective.key for found in results} - watched)
    return Section(
        key="alerts",
        title=title,
        figures=tuple(_alert_figures(rules)),
        tables=(_rules(rules),),
        findings=(*_rule_findings(rules), *_bare_findings(bare)),
    )


def _left(found: ObjectiveResult) -> float | None:
    left = found.result.budget_left
    return None if left is None else round(float(100 * left), 3)


def _objective_figures(
    now: Sequence[ObjectiveResult], before: Sequence[ObjectiveResult]
) -> Iterator[Figure]:
    source = "observability.services.results_in"
    yield Figure(
        "objectives", words("목표", "Objectives"), len(now), source="Objective: enabled"
    )
    yield Figure(
        "missed-objectives",
        words("지키지 못한 목표", "Objectives missed"),
        sum(found.result.met is False for found in now),
        before=sum(found.result.met is False for found in before),
        source=source,
    )


def _objectives(
    now: Sequence[ObjectiveResult],
    left: Sequence[Mapping[str, float | None]],
    names: Sequence[str],
) -> ReviewTable:
    return ReviewTable(
        "objectives",
        words("목표와 남은 오류 예산", "Objectives and error budget left"),
        (
            words("목표", "Objective"),
            _OWNER,
            words("건수", "Count"),
            words("나쁜 건수", "Bad"),
            *(words(f"{name} 남은 예산, %", f"Left in {name}, %") for name in names),
        ),
        tuple(
            (
                found.objective.key,
                _owner(found),
                found.result.period.total or None,
                found.result.period.bad if found.result.known else None,
                *(budgets.get(found.objective.key) for budgets in left),
            )
            for found in now
        ),
    )


def _owner(found: ObjectiveResult) -> Cell:
    owner = found.objective.owner
    return owner.get_username() if owner is not None else _NOBODY


def _objective_findings(now: Sequence[ObjectiveResult]) -> Iterator[Finding]:
    for found in now:
        key = found.objective.key
        if found.result.met is False:
            yield Finding(
                f"objective-missed:{key}",
                words(
                    f"목표 {key}을(를) 지키지 못했습니다: 오류 예산이 "
                    f"{_left(found)}% 남았습니다.",
                    f"The objective {key} was missed: {_left(found)} % of its error "
                    "budget is left.",
                ),
            )
        if found.objective.owner is None:
            yield Finding(
                f"objective-without-owner:{key}",
                words(
                    f"목표 {key}에 담당자가 없습니다.",
                    f"The objective {key} has no owner.",
                ),
            )


def _alert_figures(rules: Sequence[RuleAudit]) -> Iterator[Figure]:
    for key, label, value in (
        ("rules", words("알림 규칙", "Alert rules"), len(rules)),
        ("fired", words("발생한 알림", "Alerts fired"), sum(r.fired for r in rules)),
        ("flapped", words("깜박인 알림", "Flapped"), sum(r.flapped for r in rules)),
        (
            "acknowledged",
            words("확인된 알림", "Acknowledged"),
            sum(r.acknowledged for r in rules),
        ),
    ):
        yield Figure(key, label, value, source="observability.services.alert_audit")


def _rules(rules: Sequence[RuleAudit]) -> ReviewTable:
    return ReviewTable(
        "alert-rules",
        words("규칙별 알림", "Alerts by rule"),
        (
            words("규칙", "Rule"),
            _OWNER,
            words("발생", "Fired"),
            words("깜박임", "Flapped"),
            words("확인", "Acknowledged"),
            words("확인까지 평균, 초", "Mean time to acknowledge, s"),
            words("침묵, 일", "Silenced, days"),
        ),
        tuple(
            (
                rule.key,
                rule.owner or _NOBODY,
                rule.fired,
                rule.flapped,
                rule.acknowledged,
                rule.mean_seconds_to_acknowledge,
                round(rule.silenced.total_seconds() / 86_400, 3),
            )
            for rule in rules
        ),
    )


def _rule_findings(rules: Sequence[RuleAudit]) -> Iterator[Finding]:
    for rule in rules:
        for wrong, name, text in _faults(rule):
            if wrong:
                yield Finding(f"{name}:{rule.key}", text)


def _faults(rule: RuleAudit) -> Iterator[tuple[bool, str, Words]]:
    minutes, days, key = FLAPS_WITHIN.seconds // 60, LONG_SILENCE.days, rule.key
    yield (
        rule.without_owner,
        "rule-without-owner",
        words(f"규칙 {key}에 담당자가 없습니다.", f"The rule {key} has no owner."),
    )
    yield (
        rule.silenced_too_long,
        "rule-silenced",
        words(
            f"규칙 {key}이(가) {days}일 넘게 침묵했습니다.",
            f"The rule {key} was silenced for more than {days} days.",
        ),
    )
    yield (
        rule.flapped > 0,
        "rule-flapped",
        words(
            f"규칙 {key}: 끝난 지 {minutes}분 안에 다시 발생한 일이 "
            f"{rule.flapped}번입니다.",
            f"The rule {key} fired again within {minutes} minutes "
            f"({rule.flapped} times).",
        ),
    )
    yield (
        rule.never_fired,
        "rule-never-fired",
        words(
            f"규칙 {key}은(는) 한 번도 발생하지 않았습니다. 조건이 맞는지 "
            "확인하십시오.",
            f"The rule {key} never fired. Check whether it could have.",
        ),
    )


def _bare_findings(keys: Sequence[str]) -> Iterator[Finding]:
    for key in keys:
        yield Finding(
            f"objective-without-rule:{key}",
            words(
                f"목표 {key}을(를) 지켜보는 알림 규칙이 없습니다.",
                f"No alert rule watches the objective {key}.",
            ),
        )

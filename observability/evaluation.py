"""Evaluate alert rules: minute by minute, each exactly once, over all tenants.

One minute of one tenant is one transaction: the alerts that changed, the
notifications about them and the mark "evaluated until" are stored together or not at
all. Minutes missed during an outage are replayed, up to `CATCH_UP_MINUTES`; older
ones count as no data, and so leave every alert as it was.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from observability.alerting import (
    Condition,
    Event,
    Member,
    Metric,
    Pace,
    Phase,
    burn_condition,
    limit_condition,
    notification,
    step,
)
from observability.models import Alert, AlertChannel, AlertRule, Silence
from observability.notifications import Notice, silenced, write_deliveries
from observability.objective_results import settled_minute
from observability.objectives import burn_rate
from observability.slo import Tally
from observability.spans import Span, last_minutes
from observability.windowed import Name, Windowed, anything_recorded, read_windowed
from tenants.models import Tenant
from tenants.scope import using_tenant

CATCH_UP_MINUTES = 60
_MINUTE = timedelta(minutes=1)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a minute says about a rule; `value` is the burn rate or the number."""

    condition: Condition
    value: float | None


def evaluate_all(*, now: datetime | None = None) -> int:
    """Evaluate every minute that is due, in every active tenant; returns how many."""
    moment = now or timezone.now()
    rules = AlertRule.all_tenants.filter(tenant__is_active=True).order_by()
    tenants = Tenant.objects.filter(pk__in=rules.values("tenant_id")).order_by("pk")
    return sum(evaluate_tenant(tenant, now=moment) for tenant in tenants)


def evaluate_tenant(tenant: Tenant, *, now: datetime) -> int:
    """Evaluate the minutes of one tenant that are due; returns how many."""
    last = settled_minute(now)
    with using_tenant(tenant):
        _end_alerts_without_rule(at=last)
        seen = [
            until or last - _MINUTE
            for until in AlertRule.objects.watching().values_list(
                "evaluated_until", flat=True
            )
        ]
        if not seen:
            return 0
        ends = max(min(seen), last - timedelta(minutes=CATCH_UP_MINUTES)) + _MINUTE
        done = 0
        while ends <= last:
            evaluate_minute(tenant, ends, last=last, now=now)
            ends += _MINUTE
            done += 1
    return done


def _end_alerts_without_rule(*, at: datetime) -> None:
    """End what is open of rules that were switched off; nobody is told."""
    watching = AlertRule.objects.watching()
    Alert.objects.unresolved().exclude(rule__in=watching).update(
        phase=Phase.RESOLVED.value, resolved_at=at
    )


@transaction.atomic
def evaluate_minute(
    tenant: Tenant, ends: datetime, *, last: datetime, now: datetime
) -> None:
    """Evaluate the rules of a tenant for the minute that `ends`, in its open scope."""
    rules = [rule for rule in _locked_rules() if _is_due(rule, ends, last)]
    if not rules:
        return
    verdicts = _judge(rules, tenant, ends, now)
    alerts = {
        alert.rule_id: alert
        for alert in Alert.objects.unresolved().select_related("acknowledged_by")
    }
    for rule in rules:
        _advance(rule, alerts, verdicts[rule.pk], at=ends)
        rule.evaluated_until = ends
        if verdicts[rule.pk].condition is not Condition.NO_DATA:
            rule.no_data_since = None
        elif rule.no_data_since is None:
            rule.no_data_since = ends
    AlertRule.objects.bulk_update(rules, ["evaluated_until", "no_data_since"])
    _tell(rules, alerts, tenant, at=ends)


def _locked_rules() -> list[AlertRule]:
    # A second evaluator waits here, and then finds the minute done.
    watching = AlertRule.objects.watching().select_for_update(of=("self",))
    related = watching.select_related("objective__owner", "owner")
    return list(related.prefetch_related("channels").order_by("pk"))


def _is_due(rule: AlertRule, ends: datetime, last: datetime) -> bool:
    return (rule.evaluated_until or last - _MINUTE) < ends


# --- Verdicts ---------------------------------------------------------------------


def _judge(
    rules: Sequence[AlertRule], tenant: Tenant, ends: datetime, now: datetime
) -> dict[int, Verdict]:
    spans = {
        minutes: last_minutes(minutes, end=ends, now=now)
        for rule in rules
        for minutes in _windows(rule)
    }
    windowed = read_windowed(
        tenant.pk, spans.values(), names={_name(rule) for rule in rules}
    )
    return {rule.pk: _verdict(rule, windowed, spans) for rule in rules}


def _windows(rule: AlertRule) -> tuple[int, ...]:
    if rule.objective is None:
        return (rule.window_minutes,)
    pace = Pace(rule.pace)
    return pace.long_minutes, pace.short_minutes


def _name(rule: AlertRule) -> Name:
    if rule.objective is None:
        return rule.kind, rule.measured_key
    return rule.objective.kind, rule.objective.measured_key


def _verdict(rule: AlertRule, windowed: Windowed, spans: Mapping[int, Span]) -> Verdict:
    name = _name(rule)
    if rule.objective is None:
        span = spans[rule.window_minutes]
        return _limit_verdict(rule, windowed.tally(name, span), span)
    pace, promise = Pace(rule.pace), rule.objective.promise()
    long, short = (
        promise.counts(windowed.tally(name, spans[minutes]))
        for minutes in (pace.long_minutes, pace.short_minutes)
    )
    condition = burn_condition(
        pace,
        long=long,
        short=short,
        budget_ppm=promise.budget_ppm,
        minimum_bad=rule.minimum_bad,
    )
    return Verdict(condition, burn_rate(long, budget_ppm=promise.budget_ppm))


def _limit_verdict(rule: AlertRule, tally: Tally, span: Span) -> Verdict:
    limit = rule.as_limit()
    recording = tally.count > 0 or anything_recorded(span)
    condition = limit_condition(limit, tally, recording=recording)
    if limit.metric is Metric.VOLUME:
        return Verdict(condition, float(tally.count))
    if not tally.count:
        return Verdict(condition, None)
    if limit.metric is Metric.ERROR_SHARE:
        return Verdict(condition, 100 * tally.bad / tally.count)
    percent = 95 if limit.metric is Metric.P95 else 99
    found = tally.percentile_us(percent)
    return Verdict(condition, None if found is None else found / 1_000)


# --- Alerts -----------------------------------------------------------------------


def _advance(
    rule: AlertRule, alerts: dict[int, Alert], verdict: Verdict, *, at: datetime
) -> None:
    alert = alerts.get(rule.pk)
    before = alert.state() if alert is not None else None
    after = step(before, verdict.condition, rule.patience)
    if after is None or after == before:
        return
    if alert is None:
        alert = alerts[rule.pk] = Alert(rule=rule, opened_at=at)
    alert.rule = rule
    alert.phase = after.phase.value
    alert.met_for, alert.clear_for = after.met_for, after.clear_for
    if after.phase is Phase.FIRING and alert.fired_at is None:
        alert.fired_at = at
    if after.phase is Phase.RESOLVED:
        alert.resolved_at = at
    if verdict.condition is Condition.MET and verdict.value is not None:
        alert.peak = _worse(rule, alert.peak, verdict.value)
    alert.save()


def _worse(rule: AlertRule, peak: float | None, value: float) -> float:
    if peak is None:
        return value
    below = rule.objective is None and rule.direction == AlertRule.Direction.BELOW
    return min(peak, value) if below else max(peak, value)


# --- Who is told ------------------------------------------------------------------


def _tell(
    rules: Sequence[AlertRule],
    alerts: Mapping[int, Alert],
    tenant: Tenant,
    *,
    at: datetime,
) -> None:
    groups: defaultdict[tuple[str, int], list[Alert]] = defaultdict(list)
    for rule in rules:
        if alert := alerts.get(rule.pk):
            alert.rule = rule
            groups[_group(rule)].append(alert)
    if not groups:
        return
    silences = list(Silence.objects.active(at=at))
    channels: list[AlertChannel] | None = None
    for group in groups.values():
        said = notification([_member(alert, silences, at) for alert in group])
        if said is None:
            continue
        if channels is None:
            channels = list(AlertChannel.objects.filter(enabled=True))
        event, member = said
        about = next(alert for alert in group if alert.pk == member.alert)
        others = tuple(alert for alert in group if _is_other(alert, about))
        notice = Notice(event, about, others, at)
        write_deliveries(notice, tenant=tenant, channels=channels)
        about.told_at = at
        about.save(update_fields=["told_at"])
        logger.info("Alert %s of tenant %s: %s.", about.rule.key, tenant.key, event)


def _group(rule: AlertRule) -> tuple[str, int]:
    if rule.objective_id is not None:
        return "objective", rule.objective_id
    return "rule", rule.pk


def _is_other(alert: Alert, about: Alert) -> bool:
    return alert is not about and alert.fired_at is not None


def _member(alert: Alert, silences: Sequence[Silence], at: datetime) -> Member:
    ago = None
    if alert.told_at is not None:
        ago = int((at - alert.told_at) / _MINUTE)
    return Member(
        alert=alert.pk,
        rank=alert.rule.rank,
        phase=Phase(alert.phase),
        told=alert.told_at is not None,
        silenced=silenced(alert.rule, silences),
        told_minutes_ago=ago,
    )


# --- By hand ----------------------------------------------------------------------


def tell_acknowledged(alert: Alert, *, tenant: Tenant, at: datetime) -> None:
    """Tell the alert's channels that somebody took it, unless it is silenced."""
    if silenced(alert.rule, Silence.objects.active(at=at)):
        return
    channels = list(AlertChannel.objects.filter(enabled=True))
    notice = Notice(Event.ACKNOWLEDGED, alert, (), at)
    write_deliveries(notice, tenant=tenant, channels=channels)

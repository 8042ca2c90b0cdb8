"""How the alert rules of a tenant did in a period, for reviews."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from observability.models import Alert, AlertRule, Silence
from tenants.scope import using_tenant

FLAPS_WITHIN = timedelta(hours=1)
LONG_SILENCE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RuleAudit:
    """One rule in a period.

    Attributes:
        fired: Alerts that began to fire in the period.
        flapped: Of these, how many fired less than an hour after the last one ended.
        acknowledged: Of these, how many somebody took.
        mean_seconds_to_acknowledge: From firing; None when nobody took one.
        silenced: How much of the period silences cover, overlapping ones once.
    """

    key: str
    label: dict[str, str]
    owner: str
    fired: int
    flapped: int
    acknowledged: int
    mean_seconds_to_acknowledge: float | None
    silenced: timedelta

    @property
    def never_fired(self) -> bool:
        return self.fired == 0

    @property
    def without_owner(self) -> bool:
        return not self.owner

    @property
    def silenced_too_long(self) -> bool:
        return self.silenced > LONG_SILENCE


def alert_audit(tenant_id: int, *, starts: datetime, ends: datetime) -> list[RuleAudit]:
    """Return one line a rule, by key, of what happened ``starts <= moment < ends``.

    Three statements, however many rules.
    """
    with using_tenant(tenant_id):
        rules = list(AlertRule.objects.select_related("owner", "objective__owner"))
        alerts: defaultdict[int, list[Alert]] = defaultdict(list)
        # An alert that ended shortly before tells whether the first one flapped.
        fired = Alert.objects.filter(fired_at__lt=ends).exclude(
            resolved_at__lt=starts - FLAPS_WITHIN
        )
        for alert in fired.order_by("fired_at", "pk"):
            alerts[alert.rule_id].append(alert)
        silences = list(Silence.objects.filter(starts_at__lt=ends, ends_at__gt=starts))
    return [
        _audit(
            rule,
            alerts[rule.pk],
            [silence for silence in silences if silence.matches(rule)],
            starts,
            ends,
        )
        for rule in rules
    ]


def _audit(
    rule: AlertRule,
    alerts: Sequence[Alert],
    silences: Sequence[Silence],
    starts: datetime,
    ends: datetime,
) -> RuleAudit:
    inside = [each for each in alerts if each.fired_at and each.fired_at >= starts]
    waits = [
        (each.acknowledged_at - each.fired_at).total_seconds()
        for each in inside
        if each.acknowledged_at and each.fired_at
    ]
    owner = rule.owner or (rule.objective.owner if rule.objective else None)
    return RuleAudit(
        key=rule.key,
        label=dict(rule.label),
        owner=owner.get_username() if owner is not None else "",
        fired=len(inside),
        flapped=_flaps(alerts, starts),
        acknowledged=len(waits),
        mean_seconds_to_acknowledge=sum(waits) / len(waits) if waits else None,
        silenced=_covered(silences, starts, ends),
    )


def _flaps(alerts: Sequence[Alert], starts: datetime) -> int:
    flaps = 0
    for before, after in pairwise(alerts):
        ended, fired = before.resolved_at, after.fired_at
        if ended and fired and fired >= starts and fired - ended < FLAPS_WITHIN:
            flaps += 1
    return flaps


def _covered(
    silences: Sequence[Silence], starts: datetime, ends: datetime
) -> timedelta:
    covered, until = timedelta(), starts
    for silence in sorted(silences, key=lambda each: each.starts_at):
        begin, end = max(silence.starts_at, until), min(silence.ends_at, ends)
        if end > begin:
            covered += end - begin
            until = end
    return covered

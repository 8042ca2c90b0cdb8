"""What came of every objective of a tenant, up to a moment or in a period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from observability.models import Objective
from observability.objectives import (
    BURN_MINUTES,
    DAY_MINUTES,
    NOTHING,
    Counts,
    Result,
    worst_first,
)
from observability.recorder import Cell
from observability.slo import Tally
from observability.spans import Grain, Span, floor, last_minutes
from observability.windowed import Name, read_windowed
from tenants.scope import using_tenant


@dataclass(frozen=True, slots=True)
class ObjectiveResult:
    """One objective with what came of it.

    Attributes:
        daily: Counts of each UTC day that touches the period, oldest first.
    """

    objective: Objective
    result: Result
    daily: tuple[Counts, ...] = ()


def results_at(
    tenant_id: int,
    *,
    end: datetime,
    now: datetime | None = None,
    pending: Mapping[Cell, Tally] | None = None,
) -> list[ObjectiveResult]:
    """Return the results of the tenant's enabled objectives, worst budget first.

    Two statements, however many objectives. Windows end at the full minute `end`;
    burn windows, and objectives of up to 13 days, begin exactly at a full minute;
    longer ones begin at the full hour of UTC at or before.
    """
    moment = now or timezone.now()
    with using_tenant(tenant_id):
        objectives = list(Objective.objects.enabled().select_related("owner"))
    spans = {
        minutes: last_minutes(minutes, end=end, now=moment)
        for minutes in {*BURN_MINUTES, *(_minutes(each) for each in objectives)}
    }
    longest = max((_minutes(each) for each in objectives), default=0)
    days = _days(spans[longest]) if objectives else []
    windowed = read_windowed(
        tenant_id,
        [*spans.values(), *days] if objectives else [],
        names={_name(objective) for objective in objectives},
        pending=pending,
    )
    found = []
    for objective in objectives:
        promise, name = objective.promise(), _name(objective)
        counts = {
            minutes: promise.counts(windowed.tally(name, spans[minutes]))
            for minutes in {*BURN_MINUTES, promise.window_minutes}
        }
        recent = {minutes: counts[minutes] for minutes in BURN_MINUTES}
        result = Result(promise, counts[promise.window_minutes], recent)
        own = days[-promise.window_days - 1 :]
        daily = tuple(promise.counts(windowed.tally(name, day)) for day in own)
        found.append(ObjectiveResult(objective, result, daily))
    return sorted(found, key=lambda each: worst_first(each.result))


def results_in(
    tenant_id: int, *, starts: datetime, ends: datetime
) -> list[ObjectiveResult]:
    """Return the results of the tenant's enabled objectives in a past period.

    ``starts <= event < ends``, both moved back to the full hour of UTC. The error
    budget is that of the events of the period, whatever the objective's window; burn
    rates over the last minutes say nothing about a period and are unknown.

    Raises:
        ValueError: the period is empty.
    """
    span = Span(floor(starts, Grain.HOUR), floor(ends, Grain.HOUR))
    if span.start == span.end:
        raise ValueError(f"no full hour between {starts} and {ends}")
    with using_tenant(tenant_id):
        objectives = list(Objective.objects.enabled().select_related("owner"))
    days = _days(span)
    windowed = read_windowed(
        tenant_id, [span, *days], names={_name(each) for each in objectives}
    )
    found = []
    for objective in objectives:
        promise, name = objective.promise(), _name(objective)
        counts = promise.counts(windowed.tally(name, span))
        daily = tuple(promise.counts(windowed.tally(name, day)) for day in days)
        unknown = dict.fromkeys(BURN_MINUTES, NOTHING)
        result = Result(promise, counts, unknown)
        found.append(ObjectiveResult(objective, result, daily))
    return sorted(found, key=lambda each: worst_first(each.result))


def settled_minute(now: datetime) -> datetime:
    """Return the last full minute of which every process has written its counts.

    Processes write every ten seconds; half a minute after its end a minute is whole.
    """
    return floor(now - timedelta(seconds=30), Grain.MINUTE)


def running_minute_end(now: datetime) -> datetime:
    """Return the end of the running minute, for pages that show all there is."""
    return floor(now, Grain.MINUTE) + timedelta(minutes=1)


def _minutes(objective: Objective) -> int:
    return objective.window_days * DAY_MINUTES


def _name(objective: Objective) -> Name:
    return objective.kind, objective.measured_key


def _days(span: Span) -> Sequence[Span]:
    """Cut a span at midnight of UTC."""
    days = []
    start = span.start
    while start < span.end:
        end = min(floor(start, Grain.DAY) + timedelta(days=1), span.end)
        days.append(Span(start, end))
        start = end
    return days

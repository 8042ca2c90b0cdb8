"""When an alert opens, holds and ends, and when somebody is told. Pure.

One step is one evaluated minute. An alert goes pending, firing, acknowledged,
resolved; without data it stays exactly as it is: a gap neither fires nor resolves.

Source: Google, The Site Reliability Workbook, chapter 5, "Alerting on SLOs".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from observability.objectives import MILLION, Counts, burns_faster
from observability.slo import Tally


class Phase(StrEnum):
    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Condition(StrEnum):
    """What one minute says about a rule."""

    MET = "met"
    CLEAR = "clear"
    NO_DATA = "no-data"


@dataclass(frozen=True, slots=True)
class Patience:
    """Minutes a condition must be met before its alert fires, and clear after.

    0 before means at once; so does 1.
    """

    before: int = 0
    after: int = 15


@dataclass(frozen=True, slots=True)
class State:
    """One alert.

    Attributes:
        met_for: Minutes met in a row while pending; the length of a gap is not in it.
        clear_for: Minutes clear in a row since it was last met.
    """

    phase: Phase
    met_for: int = 0
    clear_for: int = 0


def step(state: State | None, condition: Condition, patience: Patience) -> State | None:
    """Return the alert one minute on; None where there is none and none opens.

    A pending alert whose condition clears is resolved without ever having fired.

    Raises:
        ValueError: the alert is resolved already; the next one is another alert.
    """
    if state is not None and state.phase is Phase.RESOLVED:
        raise ValueError("a resolved alert takes no further step")
    if condition is Condition.NO_DATA:
        return state
    if condition is Condition.MET:
        return _met(state or State(Phase.PENDING), patience)
    if state is None:
        return None
    clear_for = state.clear_for + 1
    if state.phase is Phase.PENDING or clear_for >= patience.after:
        return replace(state, phase=Phase.RESOLVED, clear_for=clear_for)
    return replace(state, clear_for=clear_for)


def _met(state: State, patience: Patience) -> State:
    met_for = state.met_for + 1
    fires = state.phase is Phase.PENDING and met_for >= patience.before
    return State(Phase.FIRING if fires else state.phase, met_for)


def acknowledge(state: State) -> State:
    """Return the alert as acknowledged.

    Raises:
        ValueError: it is not firing.
    """
    if state.phase is not Phase.FIRING:
        raise ValueError(f"only a firing alert is acknowledged, this is {state.phase}")
    return replace(state, phase=Phase.ACKNOWLEDGED)


# --- Conditions -------------------------------------------------------------------


class Pace(StrEnum):
    """The pairs of windows of the workbook, the fastest first."""

    FAST = "fast"
    MEDIUM = "medium"
    SLOW = "slow"

    @property
    def rate_tenths(self) -> int:
        return _PAIRS[self][0]

    @property
    def long_minutes(self) -> int:
        return _PAIRS[self][1]

    @property
    def short_minutes(self) -> int:
        return _PAIRS[self][2]

    @property
    def rank(self) -> int:
        return list(Pace).index(self)


_PAIRS = {
    Pace.FAST: (144, 60, 5),
    Pace.MEDIUM: (60, 360, 30),
    Pace.SLOW: (10, 3 * 24 * 60, 360),
}


def burn_condition(
    pace: Pace, *, long: Counts, short: Counts, budget_ppm: int, minimum_bad: int
) -> Condition:
    """Ask whether both windows burn faster than the pace, with enough bad events.

    Either window without an event is no data. `minimum_bad` counts in the long
    window; it keeps one failure of a quiet service from waking somebody.
    """
    verdicts = [
        burns_faster(counts, budget_ppm=budget_ppm, rate_tenths=pace.rate_tenths)
        for counts in (long, short)
    ]
    if None in verdicts:
        return Condition.NO_DATA
    met = all(verdicts) and long.bad >= minimum_bad
    return Condition.MET if met else Condition.CLEAR


class Metric(StrEnum):
    P95 = "p95"
    P99 = "p99"
    ERROR_SHARE = "error-share"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold.

    Attributes:
        value_milli: Thousandths of the unit people see: of a millisecond for
            percentiles, of a percent for the error share, of an event for volume.
        above: Met above the value; otherwise below it. Exactly on it is not met.
        minimum_events: With fewer events the condition is clear; not for volume.
    """

    metric: Metric
    value_milli: int
    above: bool = True
    minimum_events: int = 1


def limit_condition(limit: Limit, tally: Tally, *, recording: bool) -> Condition:
    """Ask whether what was counted in the window lies beyond the limit.

    Args:
        recording: Whether the portal wrote any measurement in the window. Without,
            even a volume of zero is not known.
    """
    if limit.metric is Metric.VOLUME:
        if not tally.count and not recording:
            return Condition.NO_DATA
        return _beyond(tally.count * 1_000, limit.value_milli, above=limit.above)
    if not tally.count:
        return Condition.NO_DATA
    if tally.count < limit.minimum_events:
        return Condition.CLEAR
    if limit.metric is Metric.ERROR_SHARE:
        found = tally.bad * MILLION
        return _beyond(found, limit.value_milli * 10 * tally.count, above=limit.above)
    percent = 95 if limit.metric is Metric.P95 else 99
    found_us = tally.percentile_us(percent) or 0.0
    return _beyond(found_us, limit.value_milli, above=limit.above)


def _beyond(found: float, limit: int, *, above: bool) -> Condition:
    met = found > limit if above else found < limit
    return Condition.MET if met else Condition.CLEAR


# --- Who is told ------------------------------------------------------------------


class Event(StrEnum):
    """What a notification says."""

    FIRED = "fired"
    EASED = "eased"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    REPEATED = "repeated"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Member:
    """One alert of a group, which is all alerts of one objective.

    Attributes:
        rank: 0 for the fastest rule; slower ones are inhibited by faster ones.
        phase: After this minute's step.
        told: Whether a notification named it as the reason.
        told_minutes_ago: Since the last notification about it; None for never.
    """

    alert: int
    rank: int
    phase: Phase
    told: bool
    silenced: bool
    told_minutes_ago: int | None = None


REPEAT_MINUTES = 4 * 60


def notification(members: Sequence[Member]) -> tuple[Event, Member] | None:
    """Return what to say about a group after a minute, and about which alert.

    At most one notification: the fastest open alert speaks for all. A silenced alert
    says nothing; when its silence ends and it is still open, it does.
    """
    loud = [member for member in members if not member.silenced]
    opened = [each for each in loud if each.phase in _OPEN]
    top = min(opened, key=_rank, default=None)
    ended = [each for each in loud if each.phase is Phase.RESOLVED and each.told]
    fastest_ended = min(ended, key=_rank, default=None)
    if top is None:
        return (Event.RESOLVED, fastest_ended) if fastest_ended else None
    if fastest_ended and fastest_ended.rank < top.rank:
        return Event.EASED, top
    if not top.told:
        return Event.FIRED, top
    ago = top.told_minutes_ago or 0
    if top.phase is Phase.FIRING and ago >= REPEAT_MINUTES:
        return Event.REPEATED, top
    return None


_OPEN: Collection[Phase] = (Phase.FIRING, Phase.ACKNOWLEDGED)


def _rank(member: Member) -> tuple[int, int]:
    return member.rank, member.alert

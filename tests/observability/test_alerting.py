"""The state machine of an alert, its conditions, and who is told: pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.alerting import (
    REPEAT_MINUTES,
    Condition,
    Event,
    Limit,
    Member,
    Metric,
    Pace,
    Patience,
    Phase,
    State,
    acknowledge,
    burn_condition,
    limit_condition,
    notification,
    step,
)
from observability.objectives import Counts
from observability.slo import Tally
from tests.observability.counting import MS, tally_of

OPEN = (Phase.FIRING, Phase.ACKNOWLEDGED)
ORDER = list(Phase)
conditions = st.lists(st.sampled_from(Condition), max_size=120)
patience = st.builds(Patience, st.integers(0, 6), st.integers(0, 6))


def run(minutes: Sequence[Condition], patient: Patience) -> list[State | None]:
    states: list[State | None] = []
    state: State | None = None
    for condition in minutes:
        if state is not None and state.phase is Phase.RESOLVED:
            state = None
        state = step(state, condition, patient)
        states.append(state)
    return states


@given(conditions, patience)
def test_phases_only_go_forward(minutes: list[Condition], patient: Patience) -> None:
    for before, after in pairwise(run(minutes, patient)):
        if before is None or before.phase is Phase.RESOLVED:
            assert after is None or after.phase in (Phase.PENDING, Phase.FIRING)
        else:
            assert after is not None
            assert ORDER.index(after.phase) >= ORDER.index(before.phase)


@given(conditions, patience)
def test_without_data_nothing_changes(
    minutes: list[Condition], patient: Patience
) -> None:
    """Gaps may be put in or taken out anywhere: the rest comes out the same."""
    with_gaps = run(minutes, patient)
    told = [
        state
        for state, condition in zip(with_gaps, minutes, strict=True)
        if condition is not Condition.NO_DATA
    ]
    without = [each for each in minutes if each is not Condition.NO_DATA]

    assert told == run(without, patient)


@given(conditions, patience)
def test_it_fires_and_resolves_exactly_when_it_should(
    minutes: list[Condition], patient: Patience
) -> None:
    """The same told in another way: by looking back at the minutes with data."""
    met: list[bool] = []
    firing = False
    for state, condition in zip(run(minutes, patient), minutes, strict=True):
        if condition is Condition.NO_DATA:
            continue
        met.append(condition is Condition.MET)
        if firing:
            firing = any(met[-max(1, patient.after) :])
        else:
            need = max(1, patient.before)
            firing = len(met) >= need and all(met[-need:])
        assert (state is not None and state.phase in OPEN) == firing


def test_a_pending_alert_that_clears_never_fired() -> None:
    patient = Patience(before=3)

    pending = step(None, Condition.MET, patient)
    assert pending == State(Phase.PENDING, met_for=1)
    ended = step(pending, Condition.CLEAR, patient)

    assert ended is not None
    assert ended.phase is Phase.RESOLVED


def test_it_is_held_a_quarter_of_an_hour() -> None:
    state = step(None, Condition.MET, Patience())
    for _ in range(14):
        state = step(state, Condition.CLEAR, Patience())
        assert state is not None
        assert state.phase is Phase.FIRING

    state = step(state, Condition.CLEAR, Patience())

    assert state is not None
    assert state.phase is Phase.RESOLVED
    with pytest.raises(ValueError, match="no further step"):
        step(state, Condition.MET, Patience())


def test_only_a_firing_alert_is_acknowledged() -> None:
    firing = State(Phase.FIRING, met_for=3)

    taken = acknowledge(firing)

    assert taken == State(Phase.ACKNOWLEDGED, met_for=3)
    assert step(taken, Condition.MET, Patience()) == State(Phase.ACKNOWLEDGED, 4)
    for phase in (Phase.PENDING, Phase.ACKNOWLEDGED, Phase.RESOLVED):
        with pytest.raises(ValueError, match="only a firing alert"):
            acknowledge(State(phase))


# --- Conditions -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pace", "long", "short", "minimum", "wanted"),
    [
        (Pace.FAST, (10_000, 145), (1_000, 15), 5, Condition.MET),
        pytest.param(
            Pace.FAST, (10_000, 144), (1_000, 15), 5, Condition.CLEAR, id="exactly"
        ),
        pytest.param(
            Pace.FAST, (10_000, 145), (1_000, 1), 5, Condition.CLEAR, id="it is over"
        ),
        pytest.param(
            Pace.FAST, (10, 1), (10, 1), 5, Condition.CLEAR, id="one error at night"
        ),
        pytest.param(
            Pace.FAST, (10_000, 145), (0, 0), 5, Condition.NO_DATA, id="a gap"
        ),
        pytest.param(Pace.SLOW, (0, 0), (0, 0), 5, Condition.NO_DATA, id="nothing"),
        (Pace.MEDIUM, (10_000, 61), (100, 1), 5, Condition.MET),
        (Pace.SLOW, (10_000, 11), (1_000, 2), 5, Condition.MET),
    ],
)
def test_a_burn_needs_both_windows_and_enough_events(
    pace: Pace,
    long: tuple[int, int],
    short: tuple[int, int],
    minimum: int,
    wanted: Condition,
) -> None:
    found = burn_condition(
        pace,
        long=Counts(*long),
        short=Counts(*short),
        budget_ppm=1_000,
        minimum_bad=minimum,
    )

    assert found is wanted


def test_the_pairs_are_those_of_the_workbook() -> None:
    pairs = [(p.rate_tenths, p.long_minutes, p.short_minutes) for p in Pace]

    assert pairs == [(144, 60, 5), (60, 360, 30), (10, 4_320, 360)]
    assert [pace.rank for pace in Pace] == [0, 1, 2]
    # The source: the share of a 30-day budget that each spends in its long window.
    spent = [tenths / 10 * long / (30 * 24 * 60) for tenths, long, _short in pairs]
    assert spent == pytest.approx([0.02, 0.05, 0.1])


ERRORS = Limit(Metric.ERROR_SHARE, 2_500, minimum_events=10)


@pytest.mark.parametrize(
    ("limit", "tally", "recording", "wanted"),
    [
        (Limit(Metric.P95, 100 * MS), tally_of(total=20, us=120 * MS), True, "met"),
        (Limit(Metric.P99, 100 * MS), tally_of(total=20, us=80 * MS), True, "clear"),
        (Limit(Metric.P95, 100 * MS), Tally(), True, "no-data"),
        (ERRORS, tally_of(total=1_000, bad=25), True, "clear"),
        (ERRORS, tally_of(total=1_000, bad=26), True, "met"),
        (ERRORS, tally_of(total=9, bad=9), True, "clear"),
        (Limit(Metric.VOLUME, 5_000, above=False), tally_of(total=5), True, "clear"),
        (Limit(Metric.VOLUME, 5_000, above=False), tally_of(total=4), True, "met"),
        (Limit(Metric.VOLUME, 5_000, above=False), Tally(), True, "met"),
        (Limit(Metric.VOLUME, 5_000, above=False), Tally(), False, "no-data"),
        (Limit(Metric.VOLUME, 5_000), tally_of(total=6), True, "met"),
    ],
)
def test_a_limit(limit: Limit, tally: Tally, recording: bool, wanted: str) -> None:
    assert limit_condition(limit, tally, recording=recording) == wanted


# --- Who is told ------------------------------------------------------------------


def member(
    alert: int,
    phase: Phase,
    *,
    rank: int = 0,
    told: bool = False,
    silenced: bool = False,
    ago: int | None = None,
) -> Member:
    return Member(alert, rank, phase, told, silenced, ago)


FIRING, ACKNOWLEDGED, RESOLVED = Phase.FIRING, Phase.ACKNOWLEDGED, Phase.RESOLVED


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([member(1, Phase.PENDING)], None, id="pending"),
        pytest.param([member(1, FIRING)], (Event.FIRED, 1), id="fires"),
        pytest.param([member(1, FIRING, told=True, ago=5)], None, id="told already"),
        pytest.param(
            [member(1, FIRING, told=True, ago=REPEAT_MINUTES)],
            (Event.REPEATED, 1),
            id="four hours later",
        ),
        pytest.param(
            [member(1, ACKNOWLEDGED, told=True, ago=9_999)], None, id="somebody has it"
        ),
        pytest.param(
            [member(1, FIRING, told=True), member(2, FIRING, rank=1)],
            None,
            id="the slower is inhibited",
        ),
        pytest.param(
            [member(1, FIRING, rank=1, told=True), member(2, FIRING)],
            (Event.FIRED, 2),
            id="the faster is told although the slower was",
        ),
        pytest.param(
            [member(1, FIRING), member(2, FIRING, rank=1), member(3, FIRING, rank=2)],
            (Event.FIRED, 1),
            id="three at once are one",
        ),
        pytest.param(
            [member(1, RESOLVED, told=True), member(2, FIRING, rank=1)],
            (Event.EASED, 2),
            id="the faster ends",
        ),
        pytest.param(
            [member(1, FIRING, told=True), member(2, RESOLVED, rank=1, told=True)],
            None,
            id="the slower ends first",
        ),
        pytest.param(
            [member(1, RESOLVED, told=True)], (Event.RESOLVED, 1), id="all over"
        ),
        pytest.param([member(1, RESOLVED)], None, id="it was never told"),
        pytest.param([member(1, FIRING, silenced=True)], None, id="silenced"),
        pytest.param(
            [member(1, FIRING, silenced=True), member(2, FIRING, rank=1)],
            (Event.FIRED, 2),
            id="a silence does not inhibit",
        ),
        pytest.param(
            [member(1, RESOLVED, told=True, silenced=True)], None, id="ends in silence"
        ),
    ],
)
def test_the_fastest_open_alert_speaks_for_its_group(
    members: list[Member], wanted: tuple[Event, int] | None
) -> None:
    said = notification(members)

    assert (said and (said[0], said[1].alert)) == wanted

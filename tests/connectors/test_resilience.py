"""The circuit breaker: every state against every event, and an independent model."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectors.resilience import (
    BreakerRules,
    Circuit,
    Circuits,
    Permit,
    Result,
    State,
    permit,
    settle,
)

RULES = BreakerRules(
    window=4, minimum_calls=2, failure_rate=0.5, open_wait_s=10, probes=2
)
CLOSED = Circuit(State.CLOSED, generation=1, results=(False,))
OPEN = Circuit(State.OPEN, generation=1, opened_at=100)
PROBING = Circuit(State.HALF_OPEN, generation=1, results=(False,), under_way=1)


@pytest.mark.parametrize(
    ("before", "result", "after"),
    [
        (CLOSED, Result.GOOD, State.CLOSED),
        (CLOSED, Result.BAD, State.OPEN),
        (CLOSED, Result.IGNORED, State.CLOSED),
        (OPEN, Result.GOOD, State.OPEN),
        (OPEN, Result.BAD, State.OPEN),
        (PROBING, Result.GOOD, State.CLOSED),
        (PROBING, Result.BAD, State.OPEN),
        (PROBING, Result.IGNORED, State.HALF_OPEN),
    ],
)
def test_a_result_leads_to(before: Circuit, result: Result, after: State) -> None:
    found = settle(before, Permit(1), result, RULES, now=101)

    assert found.state is after


@pytest.mark.parametrize(
    ("before", "now", "allowed", "after"),
    [
        (CLOSED, 100, True, State.CLOSED),
        (OPEN, 109.9, False, State.OPEN),
        (OPEN, 110, True, State.HALF_OPEN),
        (PROBING, 100, False, State.HALF_OPEN),
    ],
)
def test_a_request_is_let_through(
    before: Circuit, now: float, allowed: bool, after: State
) -> None:
    circuit, given = permit(before, RULES, now=now)

    assert (given is not None) is allowed
    assert circuit.state is after


def test_a_late_answer_of_an_old_state_changes_nothing() -> None:
    for circuit in (CLOSED, OPEN, PROBING):
        assert settle(circuit, Permit(0), Result.BAD, RULES, now=200) == circuit


def test_a_cancelled_probe_gives_its_place_back() -> None:
    freed = settle(PROBING, Permit(1), Result.IGNORED, RULES, now=100)

    assert permit(freed, RULES, now=100)[1] is not None


def test_old_results_leave_the_window() -> None:
    circuit = Circuit()
    for _ in range(8):
        circuit = settle(circuit, Permit(0), Result.GOOD, RULES, now=0)

    assert len(circuit.results) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"minimum_calls": 5, "window": 4},
        {"minimum_calls": 0},
        {"probes": 0},
        {"failure_rate": 0.0},
        {"failure_rate": 1.5},
    ],
)
def test_rules_that_contradict_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must lie|expected"):
        BreakerRules(**wrong)  # type: ignore[arg-type]


def test_circuits_are_kept_apart_by_name() -> None:
    now = [0.0]
    circuits = Circuits(RULES, clock=lambda: now[0])
    for _ in range(2):
        given = circuits.permit("a")
        assert given is not None
        circuits.settle("a", given, Result.BAD)

    assert circuits.state("a") is State.OPEN
    assert circuits.permit("a") is None
    assert circuits.state("b") is State.CLOSED
    now[0] = 10
    assert circuits.permit("a") is not None
    circuits.forget()
    assert circuits.state("a") is State.CLOSED
    circuits.settle("a", Permit(0), Result.BAD)


class Model:
    """The same breaker told with mutable lists, as a second opinion."""

    def __init__(self) -> None:
        self.mode = "closed"
        self.window: deque[int] = deque(maxlen=RULES.window)
        self.until = 0.0
        self.out: set[int] = set()
        self.probed: list[int] = []

    def ask(self, ticket: int, now: float) -> bool:
        if self.mode == "open" and now >= self.until:
            self.mode, self.probed = "half_open", []
            self.out = set()
        if self.mode == "open":
            return False
        if self.mode == "half_open" and len(self.out) + len(self.probed) >= 2:
            return False
        self.out.add(ticket)
        return True

    def tell(self, ticket: int, result: Result, now: float) -> None:
        if ticket not in self.out:
            return
        self.out.discard(ticket)
        if result is Result.IGNORED:
            return
        bad = int(result is Result.BAD)
        if self.mode == "closed":
            self.window.append(bad)
            if len(self.window) >= 2 and sum(self.window) * 2 >= len(self.window):
                self.trip(now)
        else:
            self.probed.append(bad)
            if len(self.probed) == 2:
                if sum(self.probed) >= 1:
                    self.trip(now)
                else:
                    self.mode = "closed"
                    self.window.clear()
                    self.out = set()

    def trip(self, now: float) -> None:
        self.mode, self.until = "open", now + 10
        self.window.clear()
        self.out = set()


class BreakerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.circuit = Circuit()
        self.model = Model()
        self.tickets: dict[int, Permit] = {}
        self.count = 0

    @rule(seconds=st.sampled_from([1.0, 5.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def ask(self) -> None:
        self.count += 1
        self.circuit, given = permit(self.circuit, RULES, now=self.now)
        assert (given is not None) == self.model.ask(self.count, self.now)
        if given is not None:
            self.tickets[self.count] = given

    @precondition(lambda self: bool(self.tickets))
    @rule(data=st.data(), result=st.sampled_from(list(Result)))
    def answer(self, data: st.DataObject, result: Result) -> None:
        ticket = data.draw(st.sampled_from(sorted(self.tickets)))
        given = self.tickets.pop(ticket)
        self.circuit = settle(self.circuit, given, result, RULES, now=self.now)
        self.model.tell(ticket, result, self.now)

    @invariant()
    def same_state(self) -> None:
        assert self.circuit.state.value == self.model.mode
        assert 0 <= self.circuit.under_way <= RULES.probes


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = hypothesis_settings(
    max_examples=60, stateful_step_count=40, deadline=None
)

"""Circuit breaker: a pure state machine, and the circuits of this process.

The machine is Resilience4j's with a window of counted calls. Every permit carries
the generation it was given in, so that a late answer of an old state changes nothing.

Source: Resilience4j, "CircuitBreaker"; Nygard, Release It!, "Circuit Breaker".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Result(StrEnum):
    """How a permitted call ended."""

    GOOD = "good"
    BAD = "bad"
    IGNORED = "ignored"  # cancelled, or failed for a reason that is not the source's


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a circuit opens and closes.

    Attributes:
        window: Calls that are remembered while closed.
        minimum_calls: Calls before a rate means anything.
        failure_rate: Share of bad calls that opens, ``0 < failure_rate <= 1``.
        open_wait_s: Seconds an open circuit refuses before it lets probes through.
        probes: Calls let through while half open; their rate decides.
    """

    window: int = 20
    minimum_calls: int = 10
    failure_rate: float = 0.5
    open_wait_s: float = 15.0
    probes: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.minimum_calls <= self.window or self.probes < 1:
            raise ValueError(
                f"expected 1 <= minimum_calls <= window and probes >= 1, got {self}"
            )
        if not 0 < self.failure_rate <= 1:
            raise ValueError(
                f"failure_rate must lie in (0, 1], got {self.failure_rate}"
            )


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to call once, given in one generation of the circuit."""

    generation: int


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit at one moment.

    Attributes:
        generation: Counts the states it has been in.
        results: Results of this state, oldest first; True is bad.
        under_way: Probes given out while half open and not yet settled.
        opened_at: Clock seconds of the last opening.
    """

    state: State = State.CLOSED
    generation: int = 0
    results: tuple[bool, ...] = ()
    under_way: int = 0
    opened_at: float = 0.0


def permit(
    circuit: Circuit, rules: BreakerRules, *, now: float
) -> tuple[Circuit, Permit | None]:
    """Ask for leave to call; None means the circuit refuses."""
    if circuit.state is State.OPEN and now - circuit.opened_at >= rules.open_wait_s:
        circuit = _entered(circuit, State.HALF_OPEN, now)
    match circuit.state:
        case State.OPEN:
            return circuit, None
        case State.HALF_OPEN:
            if len(circuit.results) + circuit.under_way >= rules.probes:
                return circuit, None
            circuit = replace(circuit, under_way=circuit.under_way + 1)
    return circuit, Permit(circuit.generation)


def settle(
    circuit: Circuit, given: Permit, result: Result, rules: BreakerRules, *, now: float
) -> Circuit:
    """Tell how a permitted call ended. Each permit is settled once."""
    if given.generation != circuit.generation:
        return circuit
    if circuit.state is State.HALF_OPEN:
        circuit = replace(circuit, under_way=circuit.under_way - 1)
    if result is Result.IGNORED:
        return circuit
    results = (*circuit.results, result is Result.BAD)[-rules.window :]
    if results == circuit.results and circuit.state is State.CLOSED:
        return circuit  # a full window of the same: nothing can change
    circuit = replace(circuit, results=results)
    half_open = circuit.state is State.HALF_OPEN
    needed = rules.probes if half_open else rules.minimum_calls
    if len(results) < needed:
        return circuit
    if sum(results) / len(results) >= rules.failure_rate:
        return _entered(circuit, State.OPEN, now)
    return _entered(circuit, State.CLOSED, now) if half_open else circuit


def _entered(circuit: Circuit, state: State, now: float) -> Circuit:
    return Circuit(
        state=state,
        generation=circuit.generation + 1,
        opened_at=now if state is State.OPEN else circuit.opened_at,
    )


class Circuits:
    """The circuits of this process, by tenant and data source."""

    def __init__(
        self,
        rules: BreakerRules | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rules = rules or BreakerRules()
        self._clock = clock
        self._circuits: dict[Hashable, Circuit] = {}
        self._lock = threading.Lock()

    def permit(self, name: Hashable) -> Permit | None:
        with self._lock:
            before = self._circuits.get(name) or Circuit()
            circuit, given = permit(before, self.rules, now=self._clock())
            self._circuits[name] = circuit
            return given

    def settle(self, name: Hashable, given: Permit, result: Result) -> None:
        with self._lock:
            circuit = self._circuits.get(name)
            if circuit is not None:
                self._circuits[name] = settle(
                    circuit, given, result, self.rules, now=self._clock()
                )

    def state(self, name: Hashable) -> State:
        with self._lock:
            return self._circuits.get(name, Circuit()).state

    def forget(self) -> None:
        """Close every circuit, such as between tests."""
        with self._lock:
            self._circuits.clear()

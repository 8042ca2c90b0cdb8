"""Run the blocks of one page on the event loop, bounded and before a deadline.

Everything that needs the database is settled before, in the request thread: the
decisions and the operations they name. The loop calls, waits and times; every block
puts one `Finished` into the page's mailbox, whatever happens to it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from branching.decisions import (
    Call,
    Decision,
    Fallback,
    FallbackKind,
    Response,
    event_of,
    next_step,
    respond,
    static_outcome,
)
from connectors.loop import Mailbox, engine
from connectors.outcomes import (
    Failure,
    Outcome,
    Reason,
    Success,
)
from connectors.services import last_good, missing_operation, perform
from connectors.specs import OperationSpec
from observability.services import measure
from screens import messages
from screens.document import Block
from screens.joining import join_outcomes
from tenants.scope import Actor

logger = logging.getLogger(__name__)

GRACE_S = 0.03
"""Seconds after a block's deadline in which its own answer about it still counts."""

GATHER_S = 0.002
"""Seconds a finished block waits for others, so that they are handed over together."""

RESERVE = 0.1
RESERVE_AT_MOST_S = 0.5
"""Share of a block's time kept for its fallbacks, and the most it may be."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One block, and what was decided for it; `refusal` when nothing could be."""

    block: Block
    decision: Decision
    refusal: Failure | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a page's blocks need, settled before they start.

    Attributes:
        key: Key of the screen, for measurements.
        deadline: ``time.monotonic()`` seconds at which the page ends.
        at_once: Blocks of this page that may run at the same time.
        revealed: Keys of the operations whose personal data is shown.
    """

    key: str
    blocks: tuple[Planned, ...]
    operations: Mapping[str, OperationSpec]
    actor: Actor
    started: float
    deadline: float
    at_once: int
    revealed: frozenset[str] = frozenset()

    def deadline_of(self, block: Block) -> float:
        return min(self.deadline, self.started + block.deadline_ms / 1_000)


@dataclass(frozen=True, slots=True)
class BlockResponse(Response):
    """A response, and how its block came to it.

    Attributes:
        decision: What was decided for the block.
        because: Event that the fallback answered; "" when no fallback was used.
        operations: Keys of the operations whose answer is shown.
        elapsed_ms: Milliseconds from the start of the page to this response.
    """

    decision: Decision | None = None
    because: str = ""
    operations: tuple[str, ...] = ()
    elapsed_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Finished:
    """One block is done."""

    block: Block
    response: BlockResponse


def start(plan: Plan, *, mailbox: Mailbox[Finished]) -> concurrent.futures.Future[None]:
    """Start every block; cancelling what is returned cancels them all."""
    return engine().start(_run(plan, mailbox), mailbox=mailbox)


def failed(plan: Plan, planned: Planned, failure: Failure) -> Finished:
    """Say that a block failed outside its operations."""
    response = respond(planned.decision, failure)
    return Finished(planned.block, _block_response(plan, planned, response))


def timed_out(plan: Plan, planned: Planned) -> Finished:
    """Say that a block did not answer before its deadline."""
    elapsed_ms = (time.monotonic() - plan.started) * 1_000
    deadline = plan.deadline_of(planned.block)
    allowed_ms = round((deadline - plan.started) * 1_000)
    message = messages.block_timed_out(allowed_ms)
    return failed(plan, planned, Failure(Reason.TIMEOUT, message, elapsed_ms))


async def _run(plan: Plan, mailbox: Mailbox[Finished]) -> None:
    gate = asyncio.Semaphore(plan.at_once)
    outbox = _Outbox(mailbox, expected=len(plan.blocks))
    guards = [_Guard(plan, planned, outbox) for planned in plan.blocks]
    tasks = [guard.start(gate) for guard in guards]
    try:
        await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()


class _Outbox:
    """Hands finished blocks on, those that finish together at once.

    Every hand-over wakes the thread that draws, and two threads that want the
    interpreter hold each other up: one by one, twelve blocks cost 1 ms more CPU.
    """

    def __init__(self, mailbox: Mailbox[Finished], *, expected: int) -> None:
        self._mailbox = mailbox
        self._expected = expected
        self._finished: list[Finished] = []

    def put(self, finished: Finished) -> None:
        self._expected -= 1
        self._finished.append(finished)
        if not self._expected:
            self._hand_over()
        elif len(self._finished) == 1:
            asyncio.get_running_loop().call_later(GATHER_S, self._hand_over)

    def _hand_over(self) -> None:
        finished, self._finished = self._finished, []
        for each in finished:
            self._mailbox.put(each)


class _Guard:
    """Watches one block: exactly one `Finished` goes out, at the deadline at latest."""

    def __init__(self, plan: Plan, planned: Planned, outbox: _Outbox) -> None:
        self._plan = plan
        self._planned = planned
        self._outbox = outbox
        self._answered = False

    def start(self, gate: asyncio.Semaphore) -> asyncio.Task[BlockResponse]:
        loop = asyncio.get_running_loop()
        task = loop.create_task(_run_block(self._plan, self._planned, gate))
        deadline = self._plan.deadline_of(self._planned.block)
        left = deadline + GRACE_S - time.monotonic()
        alarm = loop.call_later(max(0.0, left), self._give_up, task)
        task.add_done_callback(lambda done: self._take(done, alarm))
        return task

    def _give_up(self, task: asyncio.Task[BlockResponse]) -> None:
        # A task may refuse to stop; the page does not wait for it.
        self._answer(timed_out(self._plan, self._planned))
        task.cancel()

    def _take(
        self, task: asyncio.Task[BlockResponse], alarm: asyncio.TimerHandle
    ) -> None:
        alarm.cancel()
        if task.cancelled():
            failure = Failure(Reason.CANCELLED, messages.block_cancelled(), 0.0)
            self._answer(failed(self._plan, self._planned, failure))
        elif (error := task.exception()) is not None:
            logger.error(
                "Block %s of screen %s raised.",
                self._planned.block.id,
                self._plan.key,
                exc_info=error,
            )
            failure = Failure(Reason.INTERNAL, messages.block_broken(), 0.0)
            self._answer(failed(self._plan, self._planned, failure))
        else:
            self._answer(Finished(self._planned.block, task.result()))

    def _answer(self, finished: Finished) -> None:
        if not self._answered:
            self._answered = True
            self._outbox.put(finished)


async def _run_block(
    plan: Plan, planned: Planned, gate: asyncio.Semaphore
) -> BlockResponse:
    key = f"{plan.key}/{planned.block.id}"
    async with gate:
        with measure("block", key=key, tenant=str(plan.actor.tenant_id)) as timing:
            found = await _answer_of(plan, planned)
            timing.note("step", found.step)
            if isinstance(found.outcome, Failure):
                timing.failed(found.outcome.reason.value)
            return found


async def _answer_of(plan: Plan, planned: Planned) -> BlockResponse:
    """Call what was decided; then step down the fallbacks while one answers."""
    decision = planned.decision
    if planned.refusal is not None:
        response = respond(decision, planned.refusal)
        return _block_response(plan, planned, response)
    deadline = plan.deadline_of(planned.block)
    outcome = await _call_all(plan, decision.calls, deadline=_spared(plan, planned))
    operations = tuple(call.operation for call in decision.calls)
    because, step, latest, tried = "", 0, outcome, list[Fallback]()
    while (fallback := next_step(decision, latest, tried)) is not None:
        tried.append(fallback)
        stepped = await _step(plan, decision, fallback, deadline=deadline)
        latest = stepped or latest
        # A step that has nothing leaves the first fault for the reader to see.
        if isinstance(stepped, Success):
            because = because or event_of(outcome) or ""
            step = decision.fallbacks.index(fallback) + 1
            operations = _operations_of(decision, fallback)
            outcome = stepped
    response = respond(decision, outcome, step=step)
    return _block_response(
        plan, planned, response, because=because, operations=operations
    )


def _block_response(
    plan: Plan,
    planned: Planned,
    response: Response,
    *,
    because: str = "",
    operations: tuple[str, ...] = (),
) -> BlockResponse:
    return BlockResponse(
        name=response.name,
        outcome=response.outcome,
        step=response.step,
        reason=response.reason,
        decision=planned.decision,
        because=because,
        operations=operations,
        elapsed_ms=(time.monotonic() - plan.started) * 1_000,
    )


def _spared(plan: Plan, planned: Planned) -> float:
    """Return the deadline of the first calls: earlier when fallbacks come after."""
    deadline = plan.deadline_of(planned.block)
    if not planned.decision.fallbacks:
        return deadline
    left = max(0.0, deadline - time.monotonic())
    return deadline - min(RESERVE * left, RESERVE_AT_MOST_S)


async def _call_all(plan: Plan, calls: tuple[Call, ...], *, deadline: float) -> Outcome:
    if not calls:
        return Failure(Reason.MISSING, messages.nothing_to_call(), 0.0)
    if len(calls) == 1:
        return await _call(plan, calls[0], deadline=deadline)
    outcomes = await asyncio.gather(
        *(_call(plan, call, deadline=deadline) for call in calls)
    )
    return join_outcomes(outcomes)


async def _call(plan: Plan, call: Call, *, deadline: float) -> Outcome:
    spec = plan.operations.get(call.operation)
    if spec is None:
        return missing_operation(call.operation)
    return await perform(
        spec,
        arguments=call.arguments,
        actor=plan.actor,
        deadline=deadline,
        reveal=call.operation in plan.revealed,
    )


async def _step(
    plan: Plan, decision: Decision, fallback: Fallback, *, deadline: float
) -> Outcome | None:
    """Try one fallback; None when it has nothing to show."""
    match fallback.kind:
        case FallbackKind.STATIC:
            return static_outcome(fallback)
        case FallbackKind.OPERATION if fallback.call is not None:
            return await _call(plan, fallback.call, deadline=deadline)
        case FallbackKind.LAST_GOOD if len(decision.calls) == 1:
            return await _last_good(plan, decision.calls[0], fallback)
        case _:
            return None


async def _last_good(plan: Plan, call: Call, fallback: Fallback) -> Success | None:
    spec = plan.operations.get(call.operation)
    if spec is None:
        return None
    return await last_good(
        spec,
        arguments=call.arguments,
        actor=plan.actor,
        max_age_s=fallback.max_age_s,
    )


def _operations_of(decision: Decision, fallback: Fallback) -> tuple[str, ...]:
    match fallback.kind:
        case FallbackKind.OPERATION if fallback.call is not None:
            return (fallback.call.operation,)
        case FallbackKind.LAST_GOOD:
            return tuple(call.operation for call in decision.calls)
        case _:
            return ()

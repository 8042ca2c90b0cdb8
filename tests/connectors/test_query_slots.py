"""connectors/query_slots.py: how many queries run at once, and who waits."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from connectors.loop import engine
from connectors.outcomes import Failure, Outcome, Reason, Success
from connectors.query_slots import Busy, Slots
from connectors.specs import OperationSpec, SourceSpec
from connectors.sql import SLOTS, run_query
from tests.connectors.external import ACTOR, ENDLESS, External

LIMITS = {"acme": 3, "acme/orders": 2}


def test_a_place_is_taken_under_every_name_or_under_none() -> None:
    async def run() -> None:
        slots = Slots()
        one, two = await slots.take(LIMITS), await slots.take(LIMITS)
        third = asyncio.ensure_future(slots.take(LIMITS))
        other = await slots.take({"acme": 3, "acme/sites": 2})
        assert slots.running("acme") == 3
        assert slots.running("acme/orders") == 2
        assert not third.done()

        one.release()
        one.release()
        last = await third

        assert slots.running("acme/orders") == 2
        for slot in (two, other, last):
            slot.release()
        assert slots.running("acme") == slots.running("acme/orders") == 0

    asyncio.run(run())


def test_who_cannot_go_yet_holds_up_nobody_behind() -> None:
    async def run() -> None:
        slots = Slots()
        held = await slots.take({"a": 1})
        first = asyncio.ensure_future(slots.take({"a": 1}))
        await asyncio.sleep(0)

        passing = await slots.take({"b": 1})

        assert not first.done()
        held.release()
        (await first).release()
        passing.release()

    asyncio.run(run())


def test_who_leaves_while_waiting_takes_no_place_along() -> None:
    async def run() -> None:
        slots = Slots()
        held = await slots.take({"a": 1})
        waiting = asyncio.ensure_future(slots.take({"a": 1}))
        await asyncio.sleep(0)

        held.release()  # given, and in the same moment left
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        assert slots.running("a") == 0
        (await slots.take({"a": 1})).release()

    asyncio.run(run())


def test_too_many_waiting_are_told_at_once() -> None:
    async def run() -> None:
        slots = Slots()
        held = await slots.take({"a": 1})
        waiting = [asyncio.ensure_future(slots.take({"a": 1})) for _ in range(64)]
        await asyncio.sleep(0)

        with pytest.raises(Busy):
            await slots.take({"a": 1})

        for task in waiting:
            task.cancel()
        held.release()

    asyncio.run(run())


def _start(source: SourceSpec, sql: str, seconds: float) -> Any:
    spec = OperationSpec("o", source, sql=sql, timeout_ms=60_000)
    until = time.monotonic() + seconds
    actor = replace(ACTOR, tenant_id=source.tenant_id)
    return engine().start(run_query(spec, arguments={}, actor=actor, deadline=until))


def _until(condition: Any) -> bool:
    until = time.monotonic() + 15
    while not condition() and time.monotonic() < until:
        threading.Event().wait(0.01)
    return bool(condition())


@pytest.mark.parametrize("name", ["SOURCE", "TENANT"])
def test_a_query_waits_for_its_turn_and_is_told_when_none_comes(
    external: External, settings: Any, name: str
) -> None:
    setattr(settings, f"SIGNALBOX_QUERIES_PER_{name}", 1)
    source = replace(external.source, tenant_id=41)
    other = replace(source, key="other")
    endless = _start(source, ENDLESS.format("count(*)"), 60)
    assert _until(lambda: SLOTS.running("41") == 1)

    late: Outcome = _start(source, "SELECT 1 AS one", 0.3).result(30)
    beside: Outcome = _start(other, "SELECT 1 AS one", 0.3).result(30)
    waiting = _start(source, "SELECT 1 AS one", 60)
    endless.cancel()
    served: Outcome = waiting.result(30)

    assert isinstance(late, Failure)
    assert late.reason is Reason.REFUSED
    assert isinstance(beside, Success) is (name == "SOURCE")
    assert isinstance(served, Success)
    assert _until(lambda: SLOTS.running("41") == 0)

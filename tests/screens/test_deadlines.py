"""Deadlines, bugs and readers who leave: what one block may cost its page."""

from __future__ import annotations

import asyncio
import threading
import time
from unittest import mock

import pytest

from connectors.loop import engine
from connectors.outcomes import (
    Failure,
    Outcome,
    Reason,
)
from renderers.presentation import State
from renderers.services import render_outcome
from tenants.scope import Actor
from tests.screens.conftest import (
    BOUND_S,
    MakeOperation,
    MakeScreen,
    Upstream,
    block,
    opened,
    performing,
    run,
)

pytestmark = pytest.mark.usefixtures("in_acme")


def test_a_hanging_block_ends_with_the_page_and_every_healthy_one_is_in_it(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("hang", "/hang/h")
    operation("bad", "/broken")
    for name in ("a", "b", "c"):
        operation(name, f"/rows/{name}")
    blocks = [block(name) for name in ("hang", "a", "bad", "b", "c")]
    made = screen(*blocks, deadline_ms=700)
    run(screen(block("a"), key="warm"), chief)

    started = time.monotonic()
    found = run(made, chief)
    elapsed = time.monotonic() - started

    assert 0.6 <= elapsed <= 0.8
    assert {name: drawn.rendered.state for name, drawn in found.items()} == {
        "hang": State.TIMED_OUT,
        "bad": State.FAILED,
        "a": State.OK,
        "b": State.OK,
        "c": State.OK,
    }


def test_a_blocks_own_deadline_does_not_wait_for_the_page(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("hang", "/hang/h")
    operation("slow", "/gate/slow")
    made = screen(block("hang", deadline_ms=200), block("slow"))

    with opened(made, chief) as page:
        first = next(page)
        upstream.opened["slow"].set()
        second = next(page)

    assert (first.block.id, first.rendered.state) == ("hang", State.TIMED_OUT)
    assert second.rendered.state is State.OK


def test_a_task_that_refuses_to_stop_does_not_hold_the_page(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("a", "/rows/a")
    made = screen(block("a", deadline_ms=100))
    refused = threading.Event()
    release = asyncio.Event()

    async def stubborn(*args: object, **kwargs: object) -> Outcome:
        try:
            await release.wait()
        except asyncio.CancelledError:
            refused.set()
            await release.wait()
        return Failure(Reason.INTERNAL, "late", 0.0)

    async def let_go() -> None:
        release.set()

    with performing(stubborn):
        found = run(made, chief)

    assert found["a"].rendered.state is State.TIMED_OUT
    assert refused.wait(BOUND_S)
    engine().run(let_go())


def test_a_bug_in_a_call_is_logged_and_costs_one_card(
    operation: MakeOperation,
    screen: MakeScreen,
    chief: Actor,
    caplog: pytest.LogCaptureFixture,
) -> None:
    operation("a", "/rows/a")

    async def buggy(*args: object, **kwargs: object) -> Outcome:
        raise ZeroDivisionError("a bug")

    with performing(buggy):
        drawn = run(screen(block("a")), chief)["a"]

    assert isinstance(drawn.response.outcome, Failure)
    assert drawn.response.outcome.reason is Reason.INTERNAL
    assert "a bug" in caplog.text
    assert "a bug" not in drawn.rendered.html


def test_a_bug_in_a_renderer_costs_one_card(
    operation: MakeOperation,
    screen: MakeScreen,
    chief: Actor,
    caplog: pytest.LogCaptureFixture,
) -> None:
    operation("a", "/rows/a")
    operation("b", "/rows/b")
    made = screen(block("a"), block("b"))
    drawing = render_outcome

    def buggy(outcome: Outcome, *rest: object) -> object:
        if rest[1].block_id == "a":  # type: ignore[attr-defined]
            raise ZeroDivisionError("a bug")
        return drawing(outcome, *rest)  # type: ignore[arg-type]

    with mock.patch("screens.pages.render_outcome", buggy):
        found = run(made, chief)

    assert found["a"].rendered.state is State.FAILED
    assert found["b"].rendered.state is State.OK
    assert "could not be drawn" in caplog.text


def own_tasks() -> list[str]:
    async def names() -> list[str]:
        return [
            task.get_coro().__qualname__  # type: ignore[union-attr]
            for task in asyncio.all_tasks()
            if "_run" in task.get_coro().__qualname__  # type: ignore[union-attr]
        ]

    return engine().run(names())


def test_closing_cancels_the_calls_and_leaves_no_task(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("a", "/hang/a")
    operation("b", "/hang/b")
    page = opened(screen(block("a"), block("b")), chief)
    assert all(upstream.started[name].wait(BOUND_S) for name in "ab")

    started = time.monotonic()
    page.close()
    page.close()
    waited = time.monotonic() - started

    assert waited < 0.1
    assert all(upstream.left[name].wait(BOUND_S) for name in "ab")
    assert list(page) == []
    assert own_tasks() == []


def test_a_page_that_was_never_iterated_can_be_closed(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("a", "/hang/a")

    with opened(screen(block("a")), chief):
        assert upstream.started["a"].wait(BOUND_S)

    assert upstream.left["a"].wait(BOUND_S)

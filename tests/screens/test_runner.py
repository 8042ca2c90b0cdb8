"""The run of a page: in parallel, bounded, before its deadline, and cancellable."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from unittest import mock

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branching.models import DecisionTable, Rule
from connectors.loop import engine
from connectors.outcomes import (
    Column,
    ColumnType,
    Failure,
    Origin,
    Outcome,
    Reason,
    Success,
    Table,
)
from connectors.services import perform
from renderers.presentation import State
from renderers.services import render_outcome
from screens.models import Screen
from screens.pages import Drawn, OpenPage
from screens.runner import join_outcomes
from screens.services import NotPublished, UnknownBlock, open_screen
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor, using_tenant
from tests.screens.conftest import BOUND_S, MakeOperation, MakeScreen, Upstream, block

pytestmark = pytest.mark.usefixtures("in_acme")


def opened(screen: Screen, actor: Actor, **arguments: str) -> OpenPage:
    page = open_screen(screen, arguments=arguments, actor=actor)
    assert isinstance(page, OpenPage), page
    return page


def run(screen: Screen, actor: Actor, **arguments: str) -> dict[str, Drawn]:
    with opened(screen, actor, **arguments) as page:
        return {drawn.block.id: drawn for drawn in page}


def test_every_block_comes_out_drawn(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("stock", "/rows/stock")
    operation("empty", "/empty")
    made = screen(block("stock"), block("none", "empty"))

    found = run(made, chief)

    assert found["stock"].rendered.state is State.OK
    assert found["none"].rendered.state is State.EMPTY
    assert found["stock"].response.operations == ("stock",)
    assert found["stock"].response.name == "default"


def test_arguments_of_the_page_reach_the_operation(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("stock", "/rows/{city}", parameters=["city"])
    made = screen(
        block("stock", arguments={"city": {"parameter": "city"}}),
        block("fixed", "stock", arguments={"city": "Busan"}),
        parameters=[{"name": "city", "default": "Seoul"}],
    )

    run(made, chief)
    run(made, chief, city="Jeju")

    assert sorted(upstream.asked) == [
        "/rows/Busan",
        "/rows/Busan",
        "/rows/Jeju",
        "/rows/Seoul",
    ]


def test_wrong_arguments_start_nothing(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("stock", "/rows/stock")
    made = screen(block("stock"), parameters=[{"name": "days", "type": "integer"}])

    found = open_screen(made, arguments={"days": "x", "dais": "1"}, actor=chief)

    assert isinstance(found, tuple)
    assert {(each.name, each.rule) for each in found} == {
        ("days", "type"),
        ("dais", "unknown"),
    }
    assert upstream.asked == []


def test_the_page_number_of_a_grid_is_no_argument(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("stock", "/rows/stock")

    page = opened(screen(block("stock")), chief, page="3")
    page.close()

    assert page.reader.page == 3


@pytest.mark.parametrize("text", ["0", "-1", "x", "", "²", "9" * 5_000])
def test_a_strange_page_number_is_the_first_page(
    text: str, operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("stock", "/rows/stock")

    with opened(screen(block("stock")), chief, page=text) as page:
        assert page.reader.page == 1


def test_only_one_block_runs_when_asked(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("a", "/rows/a")
    operation("b", "/rows/b")
    made = screen(block("a"), block("b"))

    page = open_screen(made, arguments={}, actor=chief, only="b")
    assert isinstance(page, OpenPage)
    found = [drawn.block.id for drawn in page]

    assert found == ["b"]
    assert upstream.asked == ["/rows/b"]
    with pytest.raises(UnknownBlock):
        open_screen(made, arguments={}, actor=chief, only="c")


def test_a_draft_and_a_retired_screen_are_closed(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("a", "/rows/a")
    retired = screen(block("a"), key="old")
    retired.retired = True

    for closed in (retired, Screen.objects.create(key="new")):
        with pytest.raises(NotPublished):
            open_screen(closed, arguments={}, actor=chief)


def test_an_operation_that_went_away_costs_one_card(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("a", "/rows/a")
    gone = operation("b", "/rows/b")
    made = screen(block("a"), block("b"))
    gone.delete()

    found = run(made, chief)

    assert found["a"].rendered.state is State.OK
    outcome = found["b"].response.outcome
    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.MISSING


def test_a_decision_table_that_went_away_costs_one_card(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("a", "/rows/a")
    table = DecisionTable.objects.create(key="which", default_operation="a")
    made = screen(block("a"), block("b", table="which"))
    table.delete()

    found = run(made, chief)

    assert found["a"].rendered.state is State.OK
    outcome = found["b"].response.outcome
    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.MISSING
    assert "which" in outcome.message


def test_a_decision_table_chooses_operation_and_response(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("a", "/rows/a")
    operation("b", "/rows/b")
    table = DecisionTable.objects.create(key="which", default_operation="a")
    Rule.objects.create(table=table, key="always", operation="b", response="loud")
    looks = {
        "default": {"format": "table"},
        "loud": {"format": "text", "options": {}},
    }
    made = screen(block("b", table="which", responses=looks))

    response = run(made, chief)["b"].response

    assert upstream.asked == ["/rows/b"]
    assert (response.name, response.operations) == ("loud", ("b",))
    assert response.decision is not None
    assert response.decision.rule == "always"


def fallback(kind: str, *on: str, **fields: object) -> dict[str, object]:
    return {"kind": kind, "on": list(on), "response": "default", **fields}


def test_the_next_fallback_answers_when_the_one_before_fails(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("bad", "/broken")
    operation("worse", "/broken")
    steps = [
        fallback("operation", "upstream", operation="worse"),
        fallback("static", "upstream", static=[{"site": "Seoul", "stock": 3}]),
    ]
    DecisionTable.objects.create(key="which", default_operation="bad", fallbacks=steps)
    made = screen(block("a", table="which"))

    drawn = run(made, chief)["a"]

    assert isinstance(drawn.response.outcome, Success)
    assert drawn.response.outcome.origin is Origin.STATIC
    assert (drawn.response.step, drawn.response.because) == (2, "upstream")
    assert "Seoul" in drawn.rendered.html


def test_a_fallback_operation_answers_for_a_broken_one(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("bad", "/broken")
    operation("good", "/rows/good")
    steps = [fallback("operation", "upstream", operation="good")]
    DecisionTable.objects.create(key="which", default_operation="bad", fallbacks=steps)

    drawn = run(screen(block("a", table="which")), chief)["a"]

    assert drawn.rendered.state is State.OK
    assert drawn.response.operations == ("good",)
    assert drawn.response.step == 1


def test_when_no_fallback_helps_the_first_fault_is_shown(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("bad", "/broken")
    steps = [fallback("operation", "upstream", operation="gone")]
    DecisionTable.objects.create(key="which", default_operation="bad", fallbacks=steps)
    operation("gone", "/rows/gone")
    made = screen(block("a", table="which"))
    from connectors.models import Operation

    Operation.objects.filter(key="gone").delete()

    response = run(made, chief)["a"].response

    assert isinstance(response.outcome, Failure)
    assert response.outcome.reason is Reason.UPSTREAM
    assert response.step == 0


def test_a_hanging_call_leaves_time_for_its_fallback(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("hang", "/hang/h")
    steps = [fallback("static", "timeout", static="Try later.")]
    DecisionTable.objects.create(key="which", default_operation="hang", fallbacks=steps)
    made = screen(block("a", table="which", deadline_ms=400))

    response = run(made, chief)["a"].response

    assert isinstance(response.outcome, Success)
    assert response.outcome.data == "Try later."
    assert response.because == "timeout"


def test_collect_joins_the_rows_of_every_rule_that_matches(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    table = DecisionTable.objects.create(
        key="all", default_operation="a", hit_policy="collect"
    )
    for name in ("a", "b"):
        operation(name, f"/rows/{name}")
        Rule.objects.create(table=table, key=name, operation=name)

    response = run(screen(block("x", table="all")), chief)["x"].response

    assert isinstance(response.outcome, Success)
    assert isinstance(response.outcome.data, Table)
    names = [row[0] for row in response.outcome.data.rows]
    assert names == ["a", "a", "b", "b"]
    assert response.operations == ("a", "b")


def success(*columns: str, rows: int = 1, **fields: object) -> Success:
    table = Table(
        tuple(Column(name, ColumnType.INTEGER) for name in columns),
        tuple(tuple(range(len(columns))) for _ in range(rows)),
    )
    found = Success(table, 200, datetime(2026, 1, 2, tzinfo=UTC), 5.0)
    return replace(found, **fields)  # type: ignore[arg-type]


def test_rows_with_other_columns_are_not_joined() -> None:
    found = join_outcomes([success("a"), success("b")])

    assert isinstance(found, Failure)
    assert found.reason is Reason.UNREADABLE


def test_one_failure_is_the_outcome_of_the_whole() -> None:
    failure = Failure(Reason.UPSTREAM, "down", 1.0)
    outcomes: list[Outcome] = [success("a"), failure, success("a")]

    assert join_outcomes(outcomes) is failure


def test_a_joined_answer_is_as_old_as_its_oldest_part() -> None:
    old = datetime(2025, 1, 1, tzinfo=UTC)
    kept = success("a", as_of=old, origin=Origin.CACHE, notes=("n",))

    found = join_outcomes([success("a", notes=("n",)), kept])

    assert isinstance(found, Success)
    assert (found.as_of, found.origin, found.notes) == (old, Origin.CACHE, ("n",))


def test_texts_are_joined_by_lines() -> None:
    found = join_outcomes([success(data="one"), success(data="two")])

    assert isinstance(found, Success)
    assert found.data == "one\ntwo"


def test_the_first_block_arrives_while_the_slowest_still_runs(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("slow", "/gate/slow")
    operation("fast", "/rows/fast")
    made = screen(block("slow"), block("fast"))

    with opened(made, chief) as page:
        assert upstream.started["slow"].wait(BOUND_S)
        first = next(page)
        assert not upstream.opened["slow"].is_set()
        upstream.opened["slow"].set()
        second = next(page)

    assert [first.block.id, second.block.id] == ["fast", "slow"]


def test_blocks_run_at_the_same_time(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    names = [f"g{number}" for number in range(12)]
    for name in names:
        operation(name, f"/gate/{name}")
    made = screen(*(block(name) for name in names))

    with opened(made, chief) as page:
        together = all(upstream.started[name].wait(BOUND_S) for name in names)
        for name in names:
            upstream.opened[name].set()
        found = {drawn.block.id: drawn.rendered.state for drawn in page}

    assert together
    assert found == dict.fromkeys(names, State.OK)


def test_at_most_so_many_blocks_of_a_page_run_at_once(
    operation: MakeOperation,
    screen: MakeScreen,
    upstream: Upstream,
    chief: Actor,
    settings: LazySettings,
) -> None:
    settings.SIGNALBOX_BLOCKS_AT_ONCE = 1
    operation("first", "/gate/first")
    operation("second", "/rows/second")
    made = screen(block("first"), block("second"))

    with opened(made, chief) as page:
        assert upstream.started["first"].wait(BOUND_S)
        asked = list(upstream.asked)
        upstream.opened["first"].set()
        found = [drawn.block.id for drawn in page]

    assert asked == ["/gate/first"]
    assert found == ["first", "second"]


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


@contextmanager
def performing(function: object) -> Iterator[None]:
    """Put a broken connector beneath the runner: nothing we ship misbehaves so."""
    with mock.patch("screens.runner.perform", function):
        yield


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


def test_opening_asks_as_many_queries_for_one_block_as_for_ten(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    names = [f"b{number}" for number in range(10)]
    for name in names:
        operation(name, f"/rows/{name}")
        DecisionTable.objects.create(key=f"t-{name}", default_operation=name)
    few = screen(block("b0"), block("t0", table="t-b0"), key="few")
    many = screen(
        *(block(name) for name in names),
        *(block(f"t{name}", table=f"t-{name}") for name in names),
        key="many",
    )
    run(few, chief)
    run(many, chief)

    counts = []
    for made in (few, many):
        with CaptureQueriesContext(connection) as queries:
            opened(made, chief).close()
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= 6


@pytest.mark.django_db(transaction=True)
def test_sixteen_pages_at_once_keep_tenants_apart(
    operation: MakeOperation,
    screen: MakeScreen,
    chief: Actor,
    acme: Tenant,
    globex: Tenant,
    editor: User,
) -> None:
    Membership.objects.create(user=editor, tenant=globex)
    screens = {}
    for tenant in (acme, globex):
        with using_tenant(tenant):
            operation("who", f"/rows/{tenant.key}-{{n}}", parameters=["n"])
            by = Actor(user_id=editor.pk, tenant_id=tenant.pk)
            argument = {"n": {"parameter": "n"}}
            blocks = [block(f"b{each}", "who", arguments=argument) for each in range(4)]
            made = screen(*blocks, by=by, parameters=[{"name": "n"}])
            screens[tenant.key] = (made, by)
    seen: dict[str, set[object]] = {}
    begin = threading.Barrier(16)

    def read(key: str, number: int) -> None:
        made, by = screens[key]
        begin.wait(BOUND_S)
        with using_tenant(by.tenant_id):
            page = opened(made, by, n=str(number))
        values = set[object]()
        for drawn in page:
            assert isinstance(drawn.response.outcome, Success), drawn
            assert isinstance(drawn.response.outcome.data, Table)
            values |= {row[0] for row in drawn.response.outcome.data.rows}
        seen[f"{key}-{number}"] = values
        connection.close()

    readers = [
        threading.Thread(target=read, args=(key, number))
        for key in screens
        for number in range(8)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(BOUND_S)

    assert len(seen) == 16
    assert all(values == {name} for name, values in seen.items())


def test_the_trace_of_the_page_reaches_its_blocks(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    from observability.services import current_trace_id

    operation("a", "/rows/a")
    made = screen(block("a"))
    seen = []
    performing_for_real = perform

    async def noting(*args: object, **kwargs: object) -> Outcome:
        seen.append(current_trace_id())
        return await performing_for_real(*args, **kwargs)  # type: ignore[arg-type]

    with performing(noting), opened(made, chief) as page:
        own = page.in_context(current_trace_id)
        list(page)

    assert own
    assert seen == [own]

"""The run of a page: in parallel, bounded, before its deadline, and cancellable."""

from __future__ import annotations

import threading

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branching.models import DecisionTable, Rule
from connectors.outcomes import (
    Failure,
    Outcome,
    Reason,
    Success,
    Table,
)
from connectors.services import perform
from renderers.presentation import State
from screens.models import Screen
from screens.pages import OpenPage
from screens.services import NotPublished, UnknownBlock, open_screen
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor, using_tenant
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


def test_an_empty_page_number_is_the_first_page(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("stock", "/rows/stock")

    with opened(screen(block("stock")), chief, page="") as page:
        assert page.reader.page == 1


@pytest.mark.parametrize("text", ["0", "-1", "x", "²", "9" * 5_000])
def test_a_strange_page_number_is_told_beside_other_faults(
    text: str, operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("stock", "/rows/stock")

    faults = open_screen(
        screen(block("stock")), arguments={"page": text, "colour": "red"}, actor=chief
    )

    assert isinstance(faults, tuple)
    assert {fault.name for fault in faults} == {"colour", "page"}


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

"""A trace is kept when it failed, was slow, or by chance; the memory is bounded."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from django.db import DataError, OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from pytest_django import DjangoAssertNumQueries

from observability import held_traces, tracing
from observability.held_traces import MOST_OPEN, MOST_SPANS, Held, Kept
from observability.models import StoredTrace
from observability.services import measure, trace_address
from observability.slo import Tally
from observability.slowness import ENOUGH, Slowness
from observability.trace_store import TraceStore
from observability.trace_views import WIDTH, waterfall
from tenants.models import Membership, Tenant, User
from tests.observability.test_logs import PLANTED


@pytest.fixture
def kept() -> list[Held]:
    """Kept traces, of which none is sampled."""
    found: list[Held] = []
    tracing.use_sinks([found.append], share=0.0)
    return found


def page(key: str = "home", *, reason: str = "") -> None:
    with measure("page", key=key), measure("block", key="b") as block:
        if reason:
            block.failed(reason)


# --- What is kept -------------------------------------------------------------------


def test_a_trace_that_ended_well_and_was_not_sampled_is_forgotten(
    kept: list[Held],
) -> None:
    page()

    assert kept == []
    assert held_traces.Process.open == {}


def test_every_trace_with_an_error_is_kept_whole(kept: list[Held]) -> None:
    for _ in range(20):
        page()
        page(reason="timeout")

    assert [held.kept for held in kept] == [Kept.ERROR] * 20
    block, root = kept[0].records()
    assert (block.name, block.reason, root.name) == ("block b", "timeout", "page home")
    assert block.parent_id == root.span_id
    assert root.parent_id == ""


def test_a_slow_trace_is_kept_and_a_fast_one_is_not(
    kept: list[Held], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"slow": 0.0, "fast": 1e12}
    monkeypatch.setattr(
        held_traces.Process, "slow", staticmethod(lambda _kind, key: limits[key])
    )

    page("slow")
    page("fast")

    assert [(held.kept, held.records()[-1].name) for held in kept] == [
        (Kept.SLOW, "page slow")
    ]


def test_slow_is_from_the_95th_percentile_on_once_enough_is_known() -> None:
    tally = Tally()
    asked: list[str] = []

    def total(kind: str, key: str) -> Tally | None:
        asked.append(key)
        return tally if key == "known" else None

    slow = Slowness(total)
    assert slow("page", "unknown") is None
    for milliseconds in range(1, ENOUGH):
        tally.add(milliseconds * 1_000, bad=False)
    assert slow("page", "known") is None

    tally.add(ENOUGH * 1_000, bad=False)
    fresh = Slowness(total)
    assert fresh("page", "known") == pytest.approx(48_000, rel=0.03)
    for _ in range(20):
        fresh("page", "known")
    assert asked.count("known") == 2


def test_the_same_traces_are_sampled_as_opentelemetry_would(kept: list[Held]) -> None:
    share = 0.3
    tracing.use_sinks([kept.append], share=share)
    sampler = TraceIdRatioBased(share)
    expected = 0
    for number in range(400):
        trace_id = random.Random(number).getrandbits(128)
        scope = tracing.enter_request({}, method="GET")
        tracing.leave(scope, attributes={})
        chosen = sampler.should_sample(None, trace_id, "x").decision
        assert (trace_id % (1 << 64) < held_traces.Process.bound) == (
            chosen is Decision.RECORD_AND_SAMPLE
        )
        expected += chosen is Decision.RECORD_AND_SAMPLE

    assert 60 < len(kept) < 200
    assert {held.kept for held in kept} == {Kept.SAMPLED}
    assert 60 < expected < 200


@pytest.mark.parametrize(("flags", "count"), [("01", 1), ("00", 0)])
def test_a_callers_choice_is_followed(kept: list[Held], flags: str, count: int) -> None:
    header = f"00-{'ab' * 16}-{'cd' * 8}-{flags}"

    scope = tracing.enter_request({"traceparent": header}, method="GET")
    tracing.leave(scope, attributes={})

    assert len(kept) == count


def test_an_error_is_kept_although_the_caller_did_not_sample(kept: list[Held]) -> None:
    scope = tracing.enter_request(
        {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-00"}, method="GET"
    )
    tracing.leave(scope, reason="500", attributes={})

    assert kept[0].trace_id == "ab" * 16
    assert kept[0].records()[0].parent_id == "cd" * 8


# --- Bounds -------------------------------------------------------------------------


def test_spans_beyond_the_first_two_hundred_are_counted(kept: list[Held]) -> None:
    with measure("page", key="home") as root:
        for _ in range(MOST_SPANS + 50):
            with measure("block", key="b"):
                pass
        root.failed("x")

    (held,) = kept
    assert len(held.spans) == MOST_SPANS
    assert held.left_out == 51
    assert held.records()[-1].name == "page home"


def test_an_error_among_those_left_out_still_keeps_the_trace(kept: list[Held]) -> None:
    with measure("page", key="home"):
        for number in range(MOST_SPANS + 5):
            with measure("block", key="b") as block:
                if number > MOST_SPANS:
                    block.failed("late")

    assert kept[0].failed


def test_only_so_many_traces_are_open_and_the_oldest_gives_way(
    kept: list[Held],
) -> None:
    before = held_traces.given_up()
    scopes = []
    for _ in range(MOST_OPEN + 3):
        scopes.append(tracing.enter_request({}, method="GET"))
        with measure("block", key="b"):
            pass

    assert len(held_traces.Process.open) == MOST_OPEN
    assert held_traces.given_up() - before == 3
    tracing.leave(scopes[0], reason="late", attributes={})
    (first,) = kept
    assert [span.name for span in first.records()] == ["GET"]
    assert first.left_out == 1


def test_a_trace_that_is_open_for_too_long_gives_its_memory_back(
    kept: list[Held], monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = tracing.enter_request({}, method="GET")
    with measure("block", key="b"):
        pass
    monkeypatch.setattr(held_traces, "LONGEST_HELD_S", -1.0)
    tracing.leave(tracing.enter_request({}, method="GET"), attributes={})

    tracing.leave(scope, reason="late", attributes={})

    assert [len(held.spans) for held in kept] == [1]


def test_a_span_that_ends_after_its_root_is_dropped(kept: list[Held]) -> None:
    root = tracing.enter_request({}, method="GET")
    late = tracing.enter("block b")
    assert late is not None
    tracing.leave(root, reason="x", attributes={})
    tracing.leave(late, attributes={})

    assert [span.name for span in kept[0].records()] == ["GET"]


def test_without_anybody_who_wants_traces_nothing_is_held() -> None:
    tracing.use_sinks([], share=1.0)

    page(reason="x")

    assert held_traces.Process.open == {}


# --- The store ----------------------------------------------------------------------


def a_held(kept_because: Kept = Kept.SAMPLED) -> Held:
    found: list[Held] = []
    tracing.use_sinks([found.append], share=1.0)
    page(reason="x" if kept_because is Kept.ERROR else "")
    return found[0]


def test_in_a_full_store_errors_take_the_place_of_others() -> None:
    store = TraceStore(lambda _traces: None, limit=2)
    fine, broken = a_held(), a_held(Kept.ERROR)

    for held in (fine, fine, broken, broken, broken):
        store.put(held)

    assert len(store) == 2
    assert store.dropped() == 3
    assert store.flush() == 2


def test_traces_wait_while_the_database_is_away_and_refused_ones_are_counted() -> None:
    error: list[type[Exception]] = [OperationalError]
    written: list[Held] = []

    def write(traces: Sequence[Held]) -> None:
        if error:
            raise error[0]("no")
        written.extend(traces)

    store = TraceStore(write)
    store.put(a_held())
    assert store.flush() == 0
    assert len(store) == 1

    error[0] = DataError
    assert store.flush() == 0
    assert store.dropped() == 1

    error.clear()
    store.put(a_held())
    assert store.flush() == 1
    assert len(written) == 1


def test_no_stored_byte_holds_a_planted_secret(db: None) -> None:
    store = TraceStore()
    tracing.use_sinks([store.put], share=1.0)
    with measure("operation", key=f"x?token={PLANTED}", password=PLANTED) as timing:
        timing.note("url", f"https://u:{PLANTED}@example.org/?api_key={PLANTED}")
        timing.failed(f"Bearer {PLANTED}")
    store.flush()

    row = StoredTrace.objects.get()
    assert PLANTED not in repr(StoredTrace.objects.values().get())
    assert row.failed
    assert "example.org" in repr(row.spans)


# --- The pages ----------------------------------------------------------------------


@pytest.fixture
def staff(user: User) -> User:
    user.is_staff = True
    user.save()
    return user


def stored(tenant: Tenant | None, **fields: object) -> StoredTrace:
    spans = [
        {
            "id": "b" * 16, "parent": "a" * 16, "name": "block sales",
            "start_ns": 2_000_000, "end_ns": 3_000_000, "reason": "timeout",
            "attributes": {"rows": 3},
        },
        {
            "id": "a" * 16, "parent": "", "name": "GET menu", "start_ns": 1_000_000,
            "end_ns": 5_000_000, "reason": "", "attributes": {},
        },
    ]  # fmt: skip
    given: dict[str, object] = {
        "trace_id": "ab" * 16, "started_at": timezone.now(), "took_us": 4_000,
        "kind": "page", "key": "menu", "kept": "error", "failed": True, "spans": spans,
        "tenant": tenant,
    }  # fmt: skip
    return StoredTrace.objects.create(**{**given, **fields})


def test_staff_see_traces_of_their_own_tenant(
    client: Client, staff: User, acme: Tenant, globex: Tenant
) -> None:
    stored(acme, key="ours")
    stored(globex, key="theirs", trace_id="cd" * 16)
    stored(None, key="nobodys", trace_id="ef" * 16)
    client.force_login(staff)

    html = client.get(reverse("traces")).content.decode()

    assert "ours" in html
    assert "theirs" not in html
    assert "nobodys" not in html
    assert client.get(reverse("trace", args=["cd" * 16])).status_code == 404
    assert client.get(reverse("trace", args=["ef" * 16])).status_code == 404


def test_the_waterfall_shows_every_part_beneath_its_parent(
    client: Client, staff: User, acme: Tenant
) -> None:
    stored(acme)
    client.force_login(staff)

    html = client.get(reverse("trace", args=["ab" * 16])).content.decode()

    assert html.index("GET menu") < html.index("block sales")
    assert 'class="depth-1"' in html
    assert '<rect x="250.0" y="1" width="250.0" height="10" class="failed">' in html
    assert "timeout" in html
    assert "trace%3A" + "ab" * 16 in html


def test_a_trace_that_was_not_kept_says_so_and_leads_to_its_lines(
    client: Client, staff: User
) -> None:
    client.force_login(staff)

    response = client.get(reverse("trace", args=["12" * 16]))

    assert response.status_code == 404
    assert "This trace was not kept" in response.content.decode()
    assert "trace%3A" + "12" * 16 in response.content.decode()


def test_a_pasted_trace_id_leads_to_the_trace(client: Client, staff: User) -> None:
    client.force_login(staff)

    response = client.get(reverse("traces"), {"q": "AB" * 16})

    assert response["Location"] == reverse("trace", args=["ab" * 16])


def test_the_list_is_filtered_and_paged_with_the_same_queries(
    client: Client,
    staff: User,
    acme: Tenant,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(staff)
    stored(acme)
    with django_assert_max_num_queries(20) as few:
        client.get(reverse("traces"))
    for _ in range(120):
        stored(acme, kept="slow", key="lazy")

    with django_assert_max_num_queries(len(few)):
        html = client.get(reverse("traces"), {"kept": "slow"}).content.decode()

    assert html.count("<td>lazy</td>") == 100
    assert 'rel="next"' in html
    assert (
        "lazy" not in client.get(reverse("traces"), {"kept": "error"}).content.decode()
    )


def test_traces_are_for_staff(client: Client, user: User) -> None:
    client.force_login(user)

    assert client.get(reverse("traces")).status_code == 302
    assert client.get(reverse("trace", args=["ab" * 16])).status_code == 302


def test_readers_who_are_no_staff_get_no_address_of_a_trace() -> None:
    with measure("page", key="home"):
        assert trace_address() == ""


def test_staff_without_a_tenant_see_no_trace(
    client: Client, staff: User, acme: Tenant
) -> None:
    stored(acme, key="ours")
    Membership.objects.all().delete()
    client.force_login(staff)

    assert "ours" not in client.get(reverse("traces")).content.decode()


ids = st.sampled_from([f"{number:016x}" for number in range(1, 6)])


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "id": ids,
                "parent": st.just("") | ids,
                "name": st.just("x"),
                "start_ns": st.integers(0, 10**6),
                "end_ns": st.integers(0, 10**6),
                "reason": st.just(""),
                "attributes": st.just({}),
            }
        ),
        max_size=6,
        unique_by=lambda span: str(span["id"]),
    )
)
def test_a_waterfall_shows_each_span_once_inside_the_drawing(
    spans: list[dict[str, object]],
) -> None:
    steps = list(waterfall(spans))

    assert len(steps) == len(spans)
    assert all(0 <= float(step.x) <= WIDTH for step in steps)

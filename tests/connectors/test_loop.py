"""The engine: contexts, caller-runs, backpressure, cancellation, fork, shutdown."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar, copy_context

import pytest
from django.utils import timezone, translation

from connectors import loop
from connectors.loop import Engine, Mailbox, PoolFull, calling_thread_runs, engine
from tenants.models import Tenant
from tenants.scope import active_tenant_id, using_tenant


@pytest.fixture
def small() -> Engine:
    """An engine with one pool thread."""
    return Engine(threads=1, new_loop=loop.new_event_loop)


def in_pool(function: Callable[[], object], *, of: Engine | None = None) -> object:
    used = of or engine()

    async def run() -> object:
        return await used.in_pool(function)

    return used.run(run())


def test_there_is_one_engine_in_a_process() -> None:
    made: list[Engine] = []

    threads = [threading.Thread(target=lambda: made.append(engine())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(one) for one in made}) == 1


def test_what_a_coroutine_returns_or_raises_comes_back() -> None:
    async def good() -> int:
        return 7

    async def bad() -> int:
        raise KeyError("x")

    assert engine().run(good()) == 7
    with pytest.raises(KeyError):
        engine().run(bad())


def test_the_loop_thread_cannot_wait_for_itself() -> None:
    async def inner() -> None: ...

    async def outer() -> None:
        engine().run(inner())

    with pytest.raises(RuntimeError, match="loop thread"):
        engine().run(outer())


def test_there_is_no_current_engine_elsewhere() -> None:
    with pytest.raises(RuntimeError, match="loop only"):
        Engine.current()


def test_the_scope_follows_onto_the_loop_and_into_the_pool() -> None:
    with using_tenant(41):
        seen = in_pool(active_tenant_id)

    assert seen == 41


@pytest.mark.parametrize("caller", [True, False])
def test_language_and_time_zone_follow_too(caller: bool) -> None:
    def both() -> tuple[str | None, str]:
        zone = timezone.get_current_timezone_name()
        return translation.get_language(), zone

    async def everywhere() -> list[object]:
        return [both(), await asyncio.create_task(engine().in_pool(both))]

    with (
        translation.override("en"),
        timezone.override("Europe/Paris"),
        calling_thread_runs(caller),
    ):
        seen = engine().run(everywhere())
        after = both()

    assert seen == [("en", "Europe/Paris")] * 2
    assert after == ("en", "Europe/Paris")


def test_thirty_two_contexts_at_once_stay_apart() -> None:
    mark: ContextVar[int] = ContextVar("mark")
    found: dict[int, list[int]] = {}

    async def page(number: int) -> list[int]:
        with calling_thread_runs(False):
            jobs = [engine().in_pool(mark.get) for _ in range(2)]
            await asyncio.sleep(0)
            return [mark.get(), *await asyncio.gather(*jobs)]

    def open_page(number: int) -> None:
        mark.set(number)
        while number not in found:
            try:
                found[number] = engine().run(page(number))
            except PoolFull:
                time.sleep(0.005)  # backpressure: the pool is smaller than this test

    threads = [threading.Thread(target=open_page, args=[n]) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert found == {number: [number] * 3 for number in range(32)}


@pytest.mark.django_db
def test_caller_runs_lets_pool_work_see_the_callers_transaction() -> None:
    Tenant.objects.create(key="unseen", name="Unseen")

    seen = in_pool(lambda: Tenant.objects.filter(key="unseen").exists())
    thread = in_pool(threading.current_thread)

    assert seen is True
    assert thread is threading.current_thread()


@pytest.mark.django_db(transaction=True)
def test_the_real_pool_works_on_connections_of_its_own() -> None:
    Tenant.objects.create(key="seen", name="Seen")

    with calling_thread_runs(False):
        seen = in_pool(lambda: Tenant.objects.filter(key="seen").exists())
        thread = in_pool(threading.current_thread)
    loop.shutdown()  # closes the pool's connections before the database is flushed

    assert seen is True
    assert thread is not threading.current_thread()


def test_a_setting_turns_caller_runs_on(settings: object) -> None:
    settings.SIGNALBOX_POOL_CALLER_RUNS = True  # type: ignore[attr-defined]

    def chosen() -> None:
        loop._caller_runs.set(None)
        threads.append(in_pool(threading.current_thread))
        threads.append(threading.current_thread())

    threads: list[object] = []
    copy_context().run(chosen)

    assert threads[0] is threads[1]


def test_a_full_pool_refuses(small: Engine) -> None:
    release = threading.Event()

    async def crowd() -> list[object]:
        jobs = [small.in_pool(release.wait) for _ in range(6)]
        tasks = [asyncio.ensure_future(job) for job in jobs]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        release.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    with calling_thread_runs(False):
        results = small.run(crowd())
    small.shutdown()

    refused = [result for result in results if isinstance(result, PoolFull)]
    assert 3 <= len(refused) <= 4  # one runs, two wait; it may start a turn later
    assert results.count(True) == 6 - len(refused)


def test_a_running_job_is_cancelled_through_its_own_cancel(small: Engine) -> None:
    started, stop = threading.Event(), threading.Event()

    def work() -> bool:
        started.set()
        return stop.wait(5)

    async def wait() -> None:
        await small.in_pool(work, cancel=stop.set)

    with calling_thread_runs(False):
        future = small.start(wait())
        assert started.wait(5)

        future.cancel()

    assert stop.wait(2)
    small.shutdown()


def test_a_job_that_has_not_started_is_dropped(small: Engine) -> None:
    started, release = threading.Event(), threading.Event()
    ran: list[str] = []

    def first() -> None:
        started.set()
        release.wait(5)

    async def both() -> None:
        one = asyncio.ensure_future(small.in_pool(first))
        two = asyncio.ensure_future(
            small.in_pool(
                lambda: ran.append("two"), cancel=lambda: ran.append("cancel")
            )
        )
        await asyncio.to_thread(started.wait, 5)
        two.cancel()
        await asyncio.wait([two])
        release.set()
        await one

    with calling_thread_runs(False):
        small.run(both())
    small.shutdown()

    assert ran == []


def test_a_mailbox_gives_items_in_order_and_times_out() -> None:
    box: Mailbox[int] = Mailbox()
    box.put(1)
    box.put(2)

    assert [box.get(), box.get(0)] == [1, 2]
    with pytest.raises(TimeoutError):
        box.get(0)
    with pytest.raises(TimeoutError):
        box.get(0.01)


def test_shutdown_cancels_what_runs_and_is_quick() -> None:
    held = Engine(threads=1, new_loop=loop.new_event_loop)
    ended = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    future = held.start(forever())
    started = time.monotonic()

    held.shutdown()
    held.shutdown()

    assert ended.wait(1)
    assert future.cancelled()
    assert time.monotonic() - started < 1.2
    with pytest.raises(RuntimeError, match="stopped"):
        held.start(forever())


def test_shutdown_does_not_wait_for_a_long_job(small: Engine) -> None:
    release, begun = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        release.wait(10)

    async def wait() -> None:
        await small.in_pool(work)

    with calling_thread_runs(False):
        small.start(wait())
        assert begun.wait(5)
        started = time.monotonic()

        small.shutdown()

    assert time.monotonic() - started < 1.5
    release.set()


def test_shutdown_closes_what_the_loop_keeps(small: Engine) -> None:
    class Kept:
        closed = False

        async def close(self) -> None:
            self.closed = True

    kept = Kept()
    small.kept["x"] = (1, kept)

    small.shutdown()

    assert kept.closed


def test_the_next_use_after_shutdown_makes_another_engine() -> None:
    before = engine()

    loop.shutdown()

    assert engine() is not before
    assert in_pool(lambda: 3) == 3


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_forked_child_makes_its_own_engine() -> None:
    in_pool(lambda: None)
    parent = engine()
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        answer = b"bad"
        try:
            same = engine() is parent
            answer = b"ok" if not same and in_pool(lambda: 5) == 5 else b"same"
        finally:
            os.write(writing, answer)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)

    assert told == b"ok"
    assert engine() is parent

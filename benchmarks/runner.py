"""Twelve blocks of 100 ms each, against the slowest block and a bare aiohttp loop.

Three ways to open them, one and sixteen at once: the calls alone on a bare loop, the
portal's run without a shell and without drawing, and the whole page over gunicorn. The
upstream is another process. Rounds of the variants alternate.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import portal, report
from benchmarks.servers import free_port, gunicorn, serving
from benchmarks.upstream import DELAY_S

OPENS = (1, 16)
_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Opened:
    """One open of a page.

    Attributes:
        first_ms: Milliseconds until something could be shown; 0 where nothing is.
    """

    ms: float
    first_ms: float = 0.0


@dataclass(slots=True)
class Variant:
    """One way to open a page, and what was seen of it by opens at once.

    Attributes:
        cpu_s: Returns the CPU seconds used so far by what is measured.
    """

    name: str
    open_many: Callable[[int], list[Opened]]
    cpu_s: Callable[[], float] = time.process_time
    opened: dict[int, list[Opened]] = field(default_factory=dict)
    cpu_ms: dict[int, list[float]] = field(default_factory=dict)

    def times_ms(self, opens: int) -> list[float]:
        return [each.ms for each in self.opened[opens]]


def run(*, quick: bool) -> None:
    """Measure, print the table and keep it."""
    rounds = 2 if quick else 12
    with tempfile.TemporaryDirectory() as folder, _upstream(Path(folder)) as address:
        import django

        django.setup()
        cookie = portal.prepare()
        with _bare(address) as (bare, slowest), _page(cookie) as page:
            variants = [
                Variant("bare aiohttp loop", bare),
                Variant("bare run: no shell, no drawing", _runs()),
                page,
            ]
            for variant in variants:
                variant.open_many(1)
                variant.open_many(max(OPENS))
            for _round in range(rounds):
                for opens in OPENS:
                    for variant in variants:
                        _measure(variant, opens)
            text = _text(variants, slowest)
        from connectors.loop import shutdown
        from connectors.sql_engines import dispose_all

        shutdown()
        dispose_all()
    report.keep("runner", "Twelve blocks of 100 ms", text, rounds=rounds, quick=quick)


@contextmanager
def _upstream(folder: Path) -> Iterator[str]:
    port = free_port()
    os.environ.update(portal.environment(folder, upstream_port=port))
    command = [sys.executable, "-m", "benchmarks.upstream", str(port)]
    with serving(command, port=port, environment={}):
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def _bare(address: str) -> Iterator[tuple[Callable[[int], list[Opened]], float]]:
    """Yield a bare opener of pages, and the median ms of one call alone."""
    import aiohttp

    from connectors.loop import new_event_loop

    loop = new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def connect() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0)
        return aiohttp.ClientSession(connector=connector)

    session = asyncio.run_coroutine_threadsafe(connect(), loop).result()

    async def call() -> float:
        started = time.perf_counter()
        async with session.get(address) as answer:
            await answer.read()
        return (time.perf_counter() - started) * 1_000

    async def page() -> Opened:
        started = time.perf_counter()
        await asyncio.gather(*(call() for _ in range(portal.BLOCKS)))
        return Opened((time.perf_counter() - started) * 1_000)

    async def pages(opens: int) -> list[Opened]:
        return await asyncio.gather(*(page() for _ in range(opens)))

    def open_many(opens: int) -> list[Opened]:
        return asyncio.run_coroutine_threadsafe(pages(opens), loop).result(60)

    alone = [asyncio.run_coroutine_threadsafe(call(), loop).result() for _ in range(9)]
    try:
        yield open_many, report.percentile(alone, 0.5)
    finally:
        asyncio.run_coroutine_threadsafe(session.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def _runs() -> Callable[[int], list[Opened]]:
    """Return what runs the blocks of the page, decided and loaded before."""
    from branching.decisions import direct_decision
    from connectors.loop import Mailbox
    from connectors.outcomes import Success
    from connectors.services import load_operations
    from screens import runner
    from screens.models import Screen
    from screens.runner import Finished, Plan, Planned
    from screens.services import published_document
    from tenants.models import Tenant, User
    from tenants.scope import Actor, using_tenant

    tenant = Tenant.objects.get(key="bench")
    actor = Actor(user_id=User.objects.get(username="reader").pk, tenant_id=tenant.pk)
    with using_tenant(tenant):
        screen = Screen.objects.select_related("published").get(key="runner")
        operations = load_operations(["slow"], actor=actor)
    if screen.published is None:
        raise RuntimeError("The screen is not published.")
    blocks = published_document(screen.published).blocks
    planned = tuple(
        Planned(block, direct_decision(block.source.operation, {})) for block in blocks
    )

    def open_one(together: threading.Barrier) -> Opened:
        together.wait(30)
        started = time.perf_counter()
        now = time.monotonic()
        plan = Plan("runner", planned, operations, actor, now, now + _TIMEOUT_S, 16)
        mailbox: Mailbox[Finished] = Mailbox()
        runner.start(plan, mailbox=mailbox)
        done = [mailbox.get(_TIMEOUT_S) for _ in planned]
        spent = (time.perf_counter() - started) * 1_000
        for each in done:
            outcome = each.response.outcome
            if not isinstance(outcome, Success) or outcome.data != "ready":
                raise RuntimeError(f"Block {each.block.id} failed: {outcome}")
        return Opened(spent)

    return _together(open_one)


@contextmanager
def _page(cookie: str) -> Iterator[Variant]:
    """Serve the whole page, and yield what opens it."""
    port = free_port()
    command = gunicorn("config.wsgi:application", port)
    with serving(command, port=port, environment={}) as server:

        def open_one(together: threading.Barrier) -> Opened:
            connection = http.client.HTTPConnection(
                "127.0.0.1", port, timeout=_TIMEOUT_S
            )
            connection.connect()
            together.wait(30)
            return _read_page(connection, cookie)

        yield Variant(
            "whole page, gunicorn, one worker", _together(open_one), server.cpu_s
        )


def _read_page(connection: http.client.HTTPConnection, cookie: str) -> Opened:
    headers = {"Cookie": f"sessionid={cookie}", "Accept-Language": "en"}
    started = time.perf_counter()
    connection.request("GET", "/m/runner/", headers=headers)
    answer = connection.getresponse()
    body = answer.read1()
    first = (time.perf_counter() - started) * 1_000
    body += answer.read()
    spent = (time.perf_counter() - started) * 1_000
    connection.close()
    cells, texts = body.count(b' slot="b-block-'), body.count(b"ready")
    if answer.status != 200 or cells != portal.BLOCKS or texts < portal.BLOCKS:
        raise RuntimeError(
            f"Status {answer.status}, {cells} cells and {texts} answers instead of "
            f"{portal.BLOCKS}."
        )
    return Opened(spent, first)


def _together(
    open_one: Callable[[threading.Barrier], Opened],
) -> Callable[[int], list[Opened]]:
    # Requests wait in threads of the server, which live longer than one page.
    readers = ThreadPoolExecutor(max(OPENS), thread_name_prefix="reader")

    def open_many(opens: int) -> list[Opened]:
        together = threading.Barrier(opens)
        return list(readers.map(open_one, [together] * opens))

    return open_many


def _measure(variant: Variant, opens: int) -> None:
    # The kernel counts another process's CPU in hundredths of a second.
    repeats = max(1, 8 // opens)
    before = variant.cpu_s()
    opened = [each for _ in range(repeats) for each in variant.open_many(opens)]
    used_ms = (variant.cpu_s() - before) * 1_000 / len(opened)
    variant.opened.setdefault(opens, []).extend(opened)
    variant.cpu_ms.setdefault(opens, []).append(used_ms)


def _text(variants: list[Variant], slowest: float) -> str:
    rows = []
    for opens in OPENS:
        bare_ms = report.percentile(variants[0].times_ms(opens), 0.5)
        bare_cpu = report.percentile(variants[0].cpu_ms[opens], 0.5)
        for variant in variants:
            times = variant.times_ms(opens)
            median = report.percentile(times, 0.5)
            cpu = report.percentile(variant.cpu_ms[opens], 0.5)
            first = [each.first_ms for each in variant.opened[opens]]
            rows.append(
                [
                    str(opens), variant.name, report.spread(times, digits=0),
                    f"{report.percentile(times, 0.95):.0f}",
                    f"{report.percentile(first, 0.5):.0f}" if any(first) else "-",
                    report.spread(variant.cpu_ms[opens]),
                    f"{median / slowest:.2f}", f"{median / bare_ms:.2f}",
                    f"{cpu / bare_cpu:.2f}",
                ]
            )  # fmt: skip
    heading = [
        "opens at once", "variant", "ms: min / median / max", "p95 ms",
        "first byte ms", "CPU ms a page: min / median / max",
        "x slowest block", "x bare loop, time", "x bare loop, CPU",
    ]  # fmt: skip
    note = (
        f"{portal.BLOCKS} blocks, each one call of {DELAY_S * 1_000:.0f} ms; one call "
        f"alone takes {slowest:.1f} ms. Rounds interleaved; CPU is that of the process "
        "that makes the calls, shared among the pages of a round."
    )
    return f"{note}\n\n{report.table(heading, rows)}"

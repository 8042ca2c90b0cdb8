"""Twelve blocks of 100 ms each, against the slowest block and a bare aiohttp loop.

One and sixteen opens at once in one process; the upstream is another process. Rounds
of both variants alternate.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import portal, report
from benchmarks.servers import free_port, serving
from benchmarks.upstream import DELAY_S

OPENS = (1, 16)


@dataclass(slots=True)
class Variant:
    """One way to open a page, and what was seen of it by opens at once."""

    name: str
    open_many: Callable[[int], list[float]]
    times_ms: dict[int, list[float]] = field(default_factory=dict)
    cpu_ms: dict[int, list[float]] = field(default_factory=dict)


def run(*, quick: bool) -> None:
    """Measure, print the table and keep it."""
    rounds = 4 if quick else 25
    with tempfile.TemporaryDirectory() as folder, _upstream(Path(folder)) as address:
        import django

        django.setup()
        portal.prepare()
        with _bare(address) as (bare, slowest):
            variants = [
                Variant("bare aiohttp loop", bare),
                Variant("screens.services.open_screen, drawn", _open_screens()),
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
    report.keep("runner", "Twelve blocks of 100 ms", text, quick=quick)


@contextmanager
def _upstream(folder: Path) -> Iterator[str]:
    port = free_port()
    os.environ.update(portal.environment(folder, upstream_port=port))
    command = [sys.executable, "-m", "benchmarks.upstream", str(port)]
    with serving(command, port=port, environment={}):
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def _bare(address: str) -> Iterator[tuple[Callable[[int], list[float]], float]]:
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

    async def page() -> float:
        started = time.perf_counter()
        await asyncio.gather(*(call() for _ in range(portal.BLOCKS)))
        return (time.perf_counter() - started) * 1_000

    async def pages(opens: int) -> list[float]:
        return await asyncio.gather(*(page() for _ in range(opens)))

    def open_many(opens: int) -> list[float]:
        return asyncio.run_coroutine_threadsafe(pages(opens), loop).result(60)

    alone = [asyncio.run_coroutine_threadsafe(call(), loop).result() for _ in range(9)]
    try:
        yield open_many, report.percentile(alone, 0.5)
    finally:
        asyncio.run_coroutine_threadsafe(session.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def _open_screens() -> Callable[[int], list[float]]:
    from concurrent.futures import ThreadPoolExecutor

    from screens.models import Screen
    from screens.services import OpenPage, open_screen
    from tenants.models import Tenant, User
    from tenants.scope import Actor, using_tenant

    tenant = Tenant.objects.get(key="bench")
    actor = Actor(user_id=User.objects.get(username="reader").pk, tenant_id=tenant.pk)
    with using_tenant(tenant):
        screen = Screen.objects.select_related("published").get(key="runner")
    # Requests wait in threads of the server, which live longer than one page.
    readers = ThreadPoolExecutor(max(OPENS), thread_name_prefix="reader")

    def open_one(together: threading.Barrier) -> float:
        together.wait(30)
        started = time.perf_counter()
        with using_tenant(tenant):
            page = open_screen(screen, arguments={}, actor=actor)
            if not isinstance(page, OpenPage):
                raise RuntimeError(f"The screen did not open: {page}")
            with page:
                drawn = list(page)
        if len(drawn) != portal.BLOCKS:
            raise RuntimeError(f"{len(drawn)} of {portal.BLOCKS} blocks arrived.")
        spent = (time.perf_counter() - started) * 1_000
        if not all("ready" in str(block) for block in drawn):
            raise RuntimeError(f"A block failed: {drawn}")
        return spent

    def open_many(opens: int) -> list[float]:
        together = threading.Barrier(opens)
        return list(readers.map(open_one, [together] * opens))

    return open_many


def _measure(variant: Variant, opens: int) -> None:
    before = time.process_time()
    times = variant.open_many(opens)
    used_ms = (time.process_time() - before) * 1_000 / opens
    variant.times_ms.setdefault(opens, []).extend(times)
    variant.cpu_ms.setdefault(opens, []).append(used_ms)


def _text(variants: list[Variant], slowest: float) -> str:
    rows = []
    for opens in OPENS:
        anchor = report.percentile(variants[0].times_ms[opens], 0.5)
        anchor_cpu = report.percentile(variants[0].cpu_ms[opens], 0.5)
        for variant in variants:
            times = variant.times_ms[opens]
            median = report.percentile(times, 0.5)
            cpu = report.percentile(variant.cpu_ms[opens], 0.5)
            rows.append(
                [
                    str(opens), variant.name, f"{median:.0f}",
                    f"{report.percentile(times, 0.95):.0f}", f"{cpu:.1f}",
                    f"{median / slowest:.2f}", f"{median / anchor:.2f}",
                    f"{cpu / anchor_cpu:.2f}",
                ]
            )  # fmt: skip
    heading = [
        "opens at once", "variant", "p50 ms", "p95 ms", "CPU ms a page",
        "x slowest block", "x bare loop, time", "x bare loop, CPU",
    ]  # fmt: skip
    note = (
        f"{portal.BLOCKS} blocks, each one call of {DELAY_S * 1_000:.0f} ms; one call "
        f"alone takes {slowest:.1f} ms. One process; rounds interleaved."
    )
    return f"{note}\n\n{report.table(heading, rows)}"

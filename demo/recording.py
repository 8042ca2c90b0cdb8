"""Record the traffic of the demo: a real run, faster than life.

People open the demo's pages over and over while its API has an incident: for half an
hour its earthquakes are late, and some calls fail. Every duration is as it was
measured; only the clock that says which minute an event belongs to runs faster. What
was counted and logged becomes ``data/traffic.csv`` and ``data/traffic-log.csv``; one
page that failed in the incident becomes ``data/traffic-trace.json``.
"""

from __future__ import annotations

import asyncio
import csv
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from django.test import Client

from demo.api import Handler, make_application
from observability.models import Measurement, StoredTrace
from observability.services import recorder
from observability.services import stop as stop_writing
from tenants.models import Tenant, User
from tenants.scope import active_tenant_id

MINUTES = 120
INCIDENT = range(82, 113)
"""Minutes of the recording in which the demo's API has trouble."""
TRAFFIC_FILE, LOG_FILE = "traffic.csv", "traffic-log.csv"
TRACE_FILE = "traffic-trace.json"
TRACED_TENANT = "hanbit"
COLUMNS = (
    "minute", "tenant", "kind", "key", "count", "bad", "sum_us", "max_us", "buckets",
)  # fmt: skip
_VISITS_A_MINUTE = 8
_PAGES = {
    "operator": ("overview", "weather", "earthquakes", "earthquakes", "inside"),
    "viewer": ("overview", "weather", "earthquakes"),
}
_LANGUAGES = {"operator": "ko", "viewer": "en"}
_REGIONS = ("Alaska", "California", "Hawaii", "Nevada", "Puerto Rico", "Taiwan")


class Line(NamedTuple):
    """One log line: seconds since the recording began, and what it says."""

    second: int
    level: str
    logger: str
    tenant: int | str
    message: str


@dataclass
class Clock:
    """A clock that runs `speed` times as fast from the moment it is made."""

    speed: float
    began: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.began + (time.time() - self.began) * self.speed

    def minute(self) -> int:
        return int((self() - self.began) // 60)


class Lines(logging.Handler):
    """Keeps what is logged while somebody of a tenant looks at pages."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(logging.WARNING)
        self._clock = clock
        self.lines: list[Line] = []

    def emit(self, record: logging.LogRecord) -> None:
        tenant = active_tenant_id()  # of the context, which calls carry along
        if tenant is not None:
            second = int(self._clock() - self._clock.began)
            message = record.getMessage()
            self.lines.append(
                Line(second, record.levelname, record.name, tenant, message)
            )


@contextmanager
def troubled_api(minute: Callable[[], int], port: int) -> Iterator[str]:
    """Serve the demo's API, in trouble while `minute` lies in `INCIDENT`."""
    chance = random.Random(82)  # noqa: S311 - traffic, not a secret

    @web.middleware
    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        if minute() in INCIDENT and request.path == "/earthquakes":
            await asyncio.sleep(chance.uniform(0.6, 2.4))
            if chance.random() < 0.4:
                return web.json_response({"error": "overloaded"}, status=503)
        return await handler(request)

    application = make_application()
    application.middlewares.append(trouble)
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def record(folder: Path, *, clock: Clock, tell: Callable[[int], None]) -> None:
    """Let people look at pages for `MINUTES`, and write what was counted and logged.

    Args:
        folder: Where the two files are written.
        clock: Also decides how long this takes.
        tell: Called with each minute that begins.
    """
    lines = Lines(clock)
    recorder.clock = clock
    logging.getLogger().addHandler(lines)
    stop = threading.Event()
    people = [
        threading.Thread(target=_visit, name=name, args=(name, clock, stop))
        for name in _PAGES
    ]
    try:
        for person in people:
            person.start()
        for minute in range(MINUTES):
            tell(minute)
            while clock.minute() <= minute:
                stop.wait(0.1)
    finally:
        stop.set()
        for person in people:
            person.join()
        logging.getLogger().removeHandler(lines)
        stop_writing()
        recorder.clock = time.time
    _write_traffic(folder, clock)
    _write_lines(folder, lines.lines)
    _write_trace(folder, clock)


def _visit(name: str, clock: Clock, stop: threading.Event) -> None:
    """Open one page after the other, with pauses as people make them."""
    chance = random.Random(name)  # noqa: S311 - traffic, not a secret
    client = Client(SERVER_NAME="localhost")
    user = User.objects.get(username=name)
    User.objects.filter(pk=user.pk).update(language=_LANGUAGES[name])
    client.force_login(user, backend="tenants.backends.TenantBackend")
    mean_s = 60 / _VISITS_A_MINUTE * len(_PAGES) / clock.speed
    while not stop.wait(chance.expovariate(1 / mean_s)):
        page = chance.choice(_PAGES[name])
        query = {"region": chance.choice(_REGIONS)} if page == "earthquakes" else {}
        response = client.get(f"/m/{page}/", query)
        if response.streaming:
            for _chunk in response:
                pass
        response.close()


def _tenants() -> Mapping[int | None, str]:
    return dict(Tenant.objects.values_list("pk", "key"))


def _write_traffic(folder: Path, clock: Clock) -> None:
    tenants = _tenants()
    began = int(clock.began) // 60
    with (folder / TRAFFIC_FILE).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in Measurement.objects.order_by("starts_at", "kind", "key", "tenant"):
            minute = int(row.starts_at.timestamp()) // 60 - began
            if 0 <= minute < MINUTES and row.tenant_id in tenants:
                buckets = bytes(row.buckets).hex()
                table.writerow(
                    [minute, tenants[row.tenant_id], row.kind, row.key, row.count,
                     row.bad, row.sum_us, row.max_us, buckets]
                )  # fmt: skip


def _write_lines(folder: Path, lines: list[Line]) -> None:
    tenants = _tenants()
    with (folder / LOG_FILE).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(Line._fields)
        for line in sorted(lines):
            table.writerow(line._replace(tenant=tenants[int(line.tenant)]))


def _write_trace(folder: Path, clock: Clock) -> None:
    """Write the failed page of the incident with the most spans."""
    failed = [
        trace
        for trace in StoredTrace.objects.filter(
            failed=True, kind="page", tenant__key=TRACED_TENANT
        )
        if any("earthquakes" in str(span["name"]) for span in trace.spans)
    ]
    trace = max(failed, key=lambda found: len(found.spans))
    second = int((trace.started_at.timestamp() - clock.began) * clock.speed)
    told = {
        "second": second,
        "tenant": _tenants()[trace.tenant_id],
        "trace_id": trace.trace_id,
        "kind": trace.kind,
        "key": trace.key,
        "kept": trace.kept,
        "took_us": trace.took_us,
        "spans": trace.spans,
    }
    text = json.dumps(told, indent=1, ensure_ascii=False)
    (folder / TRACE_FILE).write_text(f"{text}\n", encoding="utf-8")

"""A page of one SQL block against a bare Django view that does the same query.

Both run in gunicorn with the portal's settings, one worker each. Rounds alternate, so
that a busy moment of the machine meets every target. CPU is the server's alone.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import portal, report
from benchmarks.servers import ROOT, Server, free_port, gunicorn, serving

CLIENTS = (1, 8)
_TIMEOUT_S = 30


@dataclass(slots=True)
class Target:
    """One address under measurement, and what was seen of it by number of clients."""

    name: str
    server: Server
    path: str
    size: int = 0
    times_ms: dict[int, list[float]] = field(default_factory=dict)
    cpu_ms: dict[int, list[float]] = field(default_factory=dict)


def run(*, quick: bool) -> None:
    """Measure, print the table and keep it."""
    rounds, requests = (1, 8) if quick else (5, 40)
    with ExitStack() as stack:
        targets, cookie = _start(stack)
        for target in targets:
            _read(target, cookie, 10, [])  # warm
        for _round in range(rounds):
            for clients in CLIENTS:
                for target in targets:
                    _measure(target, cookie, clients, requests)
    text = _text(targets)
    report.keep("page", "A page of one SQL block", text, rounds=rounds, quick=quick)


def _start(stack: ExitStack) -> tuple[list[Target], str]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    environment = portal.environment(folder)
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.portal"],
        cwd=ROOT, env={**os.environ, **environment}, check=True, text=True,
        stdout=subprocess.PIPE, timeout=120,
    )  # fmt: skip
    cookie = made.stdout.strip().splitlines()[-1]
    ours, bare = free_port(), free_port()
    page = stack.enter_context(
        serving(
            gunicorn("config.wsgi:application", ours),
            port=ours, environment=environment,
        )
    )  # fmt: skip
    view = stack.enter_context(
        serving(
            gunicorn("benchmarks.bare_wsgi:application", bare), port=bare,
            environment={
                **environment, "DJANGO_SETTINGS_MODULE": "benchmarks.bare_settings",
            },
        )
    )  # fmt: skip
    return [
        Target("bare view, Django template", view, "/plain/"),
        Target("bare view inside the admin's page", view, "/admin-page/"),
        Target("Signalbox page, one SQL block", page, "/m/page/"),
    ], cookie


def _measure(target: Target, cookie: str, clients: int, requests: int) -> None:
    times: list[float] = []
    before = target.server.cpu_s()
    threads = [
        threading.Thread(
            target=_read, args=(target, cookie, requests // clients, times)
        )
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = requests // clients * clients
    if len(times) != done:
        raise RuntimeError(f"{target.name}: {done - len(times)} requests failed.")
    used_ms = (target.server.cpu_s() - before) * 1_000 / done
    target.times_ms.setdefault(clients, []).extend(times)
    target.cpu_ms.setdefault(clients, []).append(used_ms)


def _read(target: Target, cookie: str, requests: int, times: list[float]) -> None:
    connection = http.client.HTTPConnection(
        "127.0.0.1", target.server.port, timeout=_TIMEOUT_S
    )
    headers = {"Cookie": f"sessionid={cookie}", "Accept-Language": "en"}
    for _ in range(requests):
        started = time.perf_counter()
        connection.request("GET", target.path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        spent = (time.perf_counter() - started) * 1_000
        if answer.status != 200 or b"reading 9999" not in body:
            raise RuntimeError(f"{target.name}: status {answer.status}, or no rows.")
        target.size = len(body)
        times.append(spent)
    connection.close()


def _text(targets: list[Target]) -> str:
    rows = []
    for clients in CLIENTS:
        floor = targets[1]
        floor_ms = report.percentile(floor.times_ms[clients], 0.5)
        floor_cpu = report.percentile(floor.cpu_ms[clients], 0.5)
        for target in targets:
            times = target.times_ms[clients]
            median = report.percentile(times, 0.5)
            cpu = report.percentile(target.cpu_ms[clients], 0.5)
            rows.append(
                [
                    str(clients), target.name, f"{target.size / 1000:.1f}",
                    report.spread(times), f"{report.percentile(times, 0.95):.1f}",
                    report.spread(target.cpu_ms[clients]),
                    f"{median / floor_ms:.2f}", _ratio(cpu, floor_cpu),
                ]
            )  # fmt: skip
    heading = [
        "clients", "target", "kB", "ms: min / median / max", "p95 ms",
        "server CPU ms: min / median / max",
        "x time of the admin's page", "x CPU of the admin's page",
    ]  # fmt: skip
    note = (
        f"The newest {portal.SHOWN} of {portal.ROWS:,} rows with ten columns, for a "
        "reader who is signed in; one gunicorn worker per target, rounds interleaved; "
        "CPU is a request's share of its round, and ratios compare medians."
    )
    return f"{note}\n\n{report.table(heading, rows)}"


def _ratio(ours: float, floor: float) -> str:
    """Compare CPU, which the kernel counts in hundredths of a second: few may be 0."""
    return f"{ours / floor:.2f}" if floor else "-"

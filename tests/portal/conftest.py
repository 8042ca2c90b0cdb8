"""A whole portal, started as ``make run`` starts it, and a real browser."""

from __future__ import annotations

import fcntl
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.servers import chromium

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(os.environ.get("SIGNALBOX_SCREENSHOTS", ROOT / "screenshots"))
START_SECONDS = 120


@dataclass
class Portal:
    """A running portal: its address, what it printed, and its logins."""

    process: subprocess.Popen[str]
    address: str
    lines: list[str]
    data: Path
    started_in: float
    reader: threading.Thread
    passwords: dict[str, str] = field(default_factory=dict)


def start_portal(data: Path, *, port: int) -> Portal:
    """Start a portal on SQLite, and wait until it has printed how to end it.

    Raises:
        AssertionError: it ended or stayed silent; the message has what it printed.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SIGNALBOX_", "DJANGO_", "COV"))
    }
    environment |= {"SIGNALBOX_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}
    started = time.monotonic()
    with _one_at_a_time():
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=ROOT, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        output: queue.Queue[str | None] = queue.Queue()
        reader = threading.Thread(target=_read, args=(process, output))
        reader.start()
        lines = _lines_until("Ctrl+C stops everything", output)
    portal = Portal(
        process=process,
        address=_first_address(lines),
        lines=lines,
        data=data,
        started_in=time.monotonic() - started,
        reader=reader,
    )
    for line in lines:
        if found := re.match(r"  (\w+) +(\S{12,}) ", line):
            portal.passwords[found[1]] = found[2]
    return portal


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Start one portal at a time: two would choose the same free port."""
    with (Path(tempfile.gettempdir()) / "signalbox-portal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(process: subprocess.Popen[str], output: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            output.put(line.rstrip("\n"))
    output.put(None)


def _lines_until(last: str, output: queue.Queue[str | None]) -> list[str]:
    lines: list[str] = []
    until = time.monotonic() + START_SECONDS
    while True:
        line = output.get(timeout=max(0.1, until - time.monotonic()))
        assert line is not None, "the portal ended:\n" + "\n".join(lines)
        lines.append(line)
        if last in line:
            return lines


def _first_address(lines: list[str]) -> str:
    found = re.search(r"https?://[^\s]+", "\n".join(lines))
    assert found, lines
    return found[0].rstrip("/")


def stop_portal(portal: Portal) -> int:
    """Press Ctrl+C, and return the exit status."""
    portal.process.send_signal(signal.SIGINT)
    status = portal.process.wait(timeout=20)
    portal.reader.join(timeout=20)
    return status


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal of this test run; its demo is loaded."""
    running = start_portal(tmp_path_factory.mktemp("portal"), port=18_600)
    yield running
    if running.process.poll() is None:
        stop_portal(running)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for one file: while its loop runs, Django's ORM refuses to."""
    path = chromium()
    arguments = [
        "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
        "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update",
    ]  # fmt: skip
    if os.getuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=path, args=arguments)
        yield chrome
        chrome.close()


Login = Callable[..., Page]


@pytest.fixture
def login(browser: Browser, portal: Portal) -> Iterator[Login]:
    """Return a page of a fresh browser window in which somebody has signed in."""
    contexts: list[BrowserContext] = []

    def sign_in(username: str, *, english: bool = True, **options: object) -> Page:
        context = browser.new_context(
            base_url=portal.address,
            locale="en-US" if english else "ko-KR",
            **options,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto("/")
        page.get_by_label(re.compile("Username|사용자")).fill(username)
        page.get_by_label(re.compile("Password|비밀번호")).fill(
            portal.passwords[username]
        )
        page.locator("#login-form [type=submit]").click()
        page.wait_for_url(f"{portal.address}/")
        return page

    yield sign_in
    for context in contexts:
        context.close()

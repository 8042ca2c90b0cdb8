"""The processes of a local portal: choose ports, start, watch, stop together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from django.conf import settings

STOP_SECONDS = 5.0
POLL_SECONDS = 0.1


class PortalDidNotStart(RuntimeError):
    """A process ended, or the portal did not answer, while starting."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process to run: its name for people, and its command line."""

    name: str
    command: tuple[str, ...]


def manage(*arguments: str) -> tuple[str, ...]:
    """Return the command line of one ``manage.py`` command."""
    return (sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments)


def free_port(first: int, *, last: int) -> int:
    """Return the first port from `first` to `last` that nobody listens on.

    Raises:
        PortalDidNotStart: all of them are taken.
    """
    for port in range(first, last + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise PortalDidNotStart(
        f"Every port from {first} to {last} is taken. Free one, or name another first "
        "port with --port."
    )


@contextmanager
def running(
    programs: Sequence[Program],
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Run programs while the block runs; end them all when it is left."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for program in programs:
            # A group of its own: Ctrl+C reaches this process, which ends the rest.
            processes[program.name] = subprocess.Popen(
                program.command, cwd=settings.BASE_DIR, start_new_session=True
            )
        yield processes
    finally:
        stop(processes)


def stop(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask every process to end, wait a little, then end it."""
    for process in processes.values():
        if process.poll() is None:
            process.terminate()
    until = time.monotonic() + STOP_SECONDS
    for process in processes.values():
        try:
            process.wait(timeout=max(0.05, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ended(processes: dict[str, subprocess.Popen[bytes]]) -> str | None:
    """Return the name of a process that has ended, or None."""
    for name, process in processes.items():
        if process.poll() is not None:
            return name
    return None


def wait_until_answering(
    address: str, processes: dict[str, subprocess.Popen[bytes]], *, seconds: float
) -> None:
    """Wait until `address` answers 200.

    Raises:
        PortalDidNotStart: a process ended, or nothing answered in `seconds`.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if name := ended(processes):
            raise PortalDidNotStart(
                f"The process {name} ended while the portal started; its message is "
                "above."
            )
        if _answers(address):
            return
        time.sleep(POLL_SECONDS)
    raise PortalDidNotStart(f"{address} did not answer in {seconds:.0f} s.")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=1) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


class Stopped:
    """Becomes true when the process is asked to end."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def __bool__(self) -> bool:
        return self._asked

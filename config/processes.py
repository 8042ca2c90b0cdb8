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
from dataclasses import dataclass
from types import FrameType
from typing import Self

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


class Processes:
    """Programs that run while the block runs; all of them end when it is left."""

    def __init__(self) -> None:
        self.by_name: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop()

    def start(self, program: Program) -> None:
        # A group of its own: Ctrl+C reaches this process, which ends the rest.
        self.by_name[program.name] = subprocess.Popen(
            program.command, cwd=settings.BASE_DIR, start_new_session=True
        )

    def ended(self) -> str | None:
        """Return the name of a process that has ended, or None."""
        for name, process in self.by_name.items():
            if process.poll() is not None:
                return name
        return None

    def wait_until_answering(self, address: str, *, seconds: float) -> None:
        """Wait until `address` answers 200.

        Raises:
            PortalDidNotStart: a process ended, or nothing answered in `seconds`.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if name := self.ended():
                raise PortalDidNotStart(
                    f"The process {name} ended while the portal started; its message "
                    "is above."
                )
            if _answers(address):
                return
            time.sleep(POLL_SECONDS)
        raise PortalDidNotStart(f"{address} did not answer in {seconds:.0f} s.")

    def _stop(self) -> None:
        """Ask every process to end, wait a little, then end it."""
        for process in self.by_name.values():
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for process in self.by_name.values():
            try:
                process.wait(timeout=max(0.05, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


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

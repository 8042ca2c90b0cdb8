"""The processes of a local portal: choose ports, start, watch, stop together."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn, Protocol, Self

from django.conf import settings

logger = logging.getLogger(__name__)
STOP_SECONDS = 5.0
POLL_SECONDS = 0.1
_ENDING = (signal.SIGINT, signal.SIGTERM)


class PortalDidNotStart(RuntimeError):
    """A process ended, or the portal did not answer, while starting."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process to run.

    Attributes:
        name: For people.
        command: Its command line.
        run: What it does instead, in a copy of this process that has imported
            everything already.
    """

    name: str
    command: tuple[str, ...] = ()
    run: Callable[[], None] | None = None


class Running(Protocol):
    """The part of ``subprocess.Popen`` that is used here."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def terminate(self) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class Forked:
    """A function that runs in a copy of this process: a start without imports.

    Only for a process that has no threads and no open connections yet.
    """

    def __init__(self, run: Callable[[], None]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._status: int | None = None
        # Held back until the copy has let go of this process's handlers: one of them
        # would take a signal to end, and the copy would go on.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        try:
            self.pid = os.fork()
            if self.pid == 0:
                _be(run, held)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)

    def poll(self) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def wait(self, timeout: float | None = None) -> int:
        until = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while (status := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("forked", timeout or 0.0)
            time.sleep(0.02)
        return status


def _be(run: Callable[[], None], mask: Iterable[int]) -> NoReturn:
    """Be the copy: run, and end without the cleaning up that is the parent's.

    Args:
        mask: Signals that are held back while it runs.
    """
    status = 1
    try:
        os.setsid()
        for number in _ENDING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        run()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except Exception:
        logger.exception("A process of the portal ended with a bug.")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


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
        self.by_name: dict[str, Running] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop()

    def start(self, program: Program) -> None:
        if program.run is not None:
            self.by_name[program.name] = Forked(program.run)
            return
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
        for number in _ENDING:
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def __bool__(self) -> bool:
        return self._asked

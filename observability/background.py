"""One thread a process for what must not keep a request waiting.

It writes log lines and traces, and asks for changed log levels. It starts with the
first thing to do, so that a forked worker gets a thread of its own.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

logger = logging.getLogger(__name__)
_here = threading.local()


def is_here() -> bool:
    """Say whether this thread is doing background work: what it logs is not stored."""
    return bool(getattr(_here, "working", False))


@contextmanager
def here() -> Iterator[None]:
    """Mark what this thread does inside as background work."""
    _here.working = True
    try:
        yield
    finally:
        _here.working = False


class Background:
    """Does its jobs again and again.

    Args:
        jobs: Each does what there is to do, and returns.
        release: Frees what the jobs hold for one thread, such as a connection.
        period: Asked once for the seconds between two rounds; 0 starts no thread, and
            nothing is done at exit.
    """

    def __init__(
        self,
        *,
        jobs: Sequence[Callable[[], object]],
        release: Callable[[], None],
        period: Callable[[], float],
    ) -> None:
        self._jobs = jobs
        self._release = release
        self._period = period
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._stopped = False
        self._asked = False
        self._on = False
        self._thread: threading.Thread | None = None

    def start(self) -> bool:
        """Start the thread unless it runs; False where there is to be none."""
        if self._asked:
            return self._on
        with self._lock:
            if not self._asked:
                seconds = self._period()
                self._on = seconds > 0
                self._asked = True
                if self._on:
                    self._thread = threading.Thread(
                        target=self._work,
                        args=(seconds, self._wake),
                        name="signalbox-background",
                        daemon=True,
                    )
                    self._thread.start()
        return self._on

    def wake(self) -> None:
        """Begin the next round now."""
        self._wake.set()

    def _work(self, seconds: float, wake: threading.Event) -> None:
        while not self._stopped:
            wake.wait(seconds)
            wake.clear()
            self.round()

    def round(self) -> None:
        """Do every job once. A bug in one is told, and costs no other."""
        with here():
            for job in self._jobs:
                try:
                    job()
                except Exception:
                    logger.exception("Background work failed.")
            self._release()

    def stop(self) -> None:
        """End the thread, when there is one, and do every job once more."""
        thread = self._thread
        if thread is None or self._stopped:
            return
        self._stopped = True
        self._wake.set()
        thread.join(timeout=5)
        self.round()

    def follow_process(self) -> None:
        """Stop when this process ends, and begin anew in its children."""
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.stop)

"""Counts of this process: kept in a dictionary, written by a thread of their own.

Recording takes a short lock and runs no SQL. The flusher starts with the first
recording of a process, so that a forked worker gets a thread of its own.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from observability.slo import Tally, merged

OTHER_KEY = "__other__"
KEY_LIMIT = 2_000
PENDING_LIMIT = 50_000

logger = logging.getLogger(__name__)


class Cell(NamedTuple):
    """What is counted apart: one minute of one key.

    Attributes:
        minute: Minutes since 1970-01-01 UTC.
        tenant: The tenant's primary key as text, "" for none.
    """

    minute: int
    kind: str
    key: str
    tenant: str


Write = Callable[[Mapping[Cell, Tally]], bool]


def worker_id() -> str:
    """Name this process among all that write: host and process id."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


class Recorder:
    """Counts events, and hands them to `write` when flushed.

    Args:
        write: Stores tallies; False means "not now", and they are kept.
        release: Frees what `write` holds for one thread, such as a connection.
        period: Asked once for the seconds between two flushes in the background;
            0 starts no thread, and nothing is written at exit.
        clock: Seconds since 1970-01-01 UTC; says which minute an event belongs to.
    """

    def __init__(
        self,
        *,
        write: Write,
        release: Callable[[], None],
        period: Callable[[], float],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self._write = write
        self._release = release
        self._period = period
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._asked = False
        self._pending: dict[Cell, Tally] = {}
        self._totals: dict[tuple[str, str], Tally] = {}
        self._keys: dict[tuple[str, str | None], set[str]] = {}
        self._overflow: Counter[str] = Counter()
        self._dropped = 0
        self._away = False

    def after_fork(self) -> None:
        """Begin anew in a child: what was counted so far is the parent's to write."""
        self._reset()

    def record(
        self, kind: str, key: str, tenant: str, *, elapsed_us: int, bad: bool
    ) -> None:
        """Count one event of the current minute."""
        minute = int(self.clock()) // 60
        with self._lock:
            name = key if self._admits(kind, tenant, key) else OTHER_KEY
            cell = Cell(minute, kind, name, tenant)
            tally = self._pending.get(cell)
            if tally is None:
                tally = self._pending[cell] = Tally()
            tally.add(elapsed_us, bad=bad)

            name = key if self._admits(kind, None, key) else OTHER_KEY
            tally = self._totals.get((kind, name))
            if tally is None:
                tally = self._totals[kind, name] = Tally()
            tally.add(elapsed_us, bad=bad)
        if not self._asked:
            self._start()

    def _admits(self, kind: str, scope: str | None, key: str) -> bool:
        # Without a limit, a key made from somebody's input would fill the memory.
        # The scope None stands for the totals, which live as long as the process.
        keys = self._keys.get((kind, scope))
        if keys is None:
            keys = self._keys[kind, scope] = set()
        if key in keys:
            return True
        if len(keys) < KEY_LIMIT:
            keys.add(key)
            return True
        if scope is not None:
            if not self._overflow[kind]:
                logger.warning(
                    "More than %d keys of kind %s: the rest counts as %s.",
                    KEY_LIMIT,
                    kind,
                    OTHER_KEY,
                )
            self._overflow[kind] += 1
        return False

    def _start(self) -> None:
        with self._lock:
            if self._asked:
                return
            self._asked = True
            period = self._period()
            if period <= 0:
                return
            self._thread = threading.Thread(
                target=self._flush_every,
                args=(period, self._stop),
                name="signalbox-flush",
                daemon=True,
            )
            self._thread.start()

    def _flush_every(self, period: float, stop: threading.Event) -> None:
        while not stop.wait(period):
            self.flush()
            self._release()

    def flush(self) -> int:
        """Hand what was counted since the last flush to `write`.

        Returns:
            Rows written; 0 also when `write` could not, and the counts were kept.
        """
        with self._flushing:
            with self._lock:
                taken, self._pending = self._pending, {}
                # Only keys seen since the last flush are live.
                totals = {
                    cell: keys for cell, keys in self._keys.items() if cell[1] is None
                }
                self._keys = totals
            if not taken:
                return 0
            written = False
            try:
                written = self._write(taken)
            finally:
                if not written:
                    self._keep(taken)
            self._away = not written
            return len(taken) if written else 0

    def _keep(self, taken: Mapping[Cell, Tally]) -> None:
        dropped = 0
        with self._lock:
            for cell, tally in taken.items():
                present = self._pending.get(cell)
                if present is not None:
                    present.merge(tally)
                elif len(self._pending) < PENDING_LIMIT:
                    self._pending[cell] = tally
                else:
                    dropped += tally.count
            self._dropped += dropped
        if not self._away:
            # Once an outage, not every ten seconds.
            logger.warning("Measurements cannot be written; they are kept in memory.")
        if dropped:
            logger.error(
                "Dropped %d measurements: the memory for them is full.", dropped
            )

    @contextmanager
    def paused(self) -> Iterator[dict[Cell, Tally]]:
        """Hold back flushing, and see a copy of what is not written yet.

        What is read from the database inside, and this copy, hold every event of
        this process exactly once.
        """
        with self._flushing:
            with self._lock:
                copy = {cell: merged([tally]) for cell, tally in self._pending.items()}
            yield copy

    def totals(self) -> dict[tuple[str, str], Tally]:
        """Return a copy of all counts of this process by kind and key."""
        with self._lock:
            return {name: merged([tally]) for name, tally in self._totals.items()}

    def total(self, kind: str, key: str) -> Tally | None:
        """Return a copy of all counts of one kind and key, None when there are none."""
        with self._lock:
            tally = self._totals.get((kind, key))
            return merged([tally]) if tally is not None else None

    def overflow(self) -> dict[str, int]:
        """Return how many events of each kind went to `OTHER_KEY`."""
        with self._lock:
            return dict(self._overflow)

    def dropped(self) -> int:
        """Return how many events were lost because they could not be written."""
        return self._dropped

    def stop(self) -> None:
        """End the flusher, when there is one, and write what is left."""
        if self._thread is None:
            return
        self._stop.set()
        self.flush()
        self._release()

    def follow_process(self) -> None:
        """Flush when this process ends, and begin anew in its children."""
        os.register_at_fork(after_in_child=self.after_fork)
        atexit.register(self.stop)

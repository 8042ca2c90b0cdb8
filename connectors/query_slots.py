"""How many queries run at once on one data source and for one tenant, in this process.

A query that finds no place waits for its turn on the event loop, where waiting holds
no thread: a tenant with many slow queries does not keep the threads from the others.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Mapping

_MOST_WAITING = 64  # for one name; a page has a dozen blocks


class Busy(RuntimeError):
    """As many wait already as may wait; callers answer REFUSED."""


class Slot:
    """A place that was taken. Giving it back twice gives it back once."""

    def __init__(self, slots: Slots, names: frozenset[str]) -> None:
        self._slots = slots
        self._names = names
        self._held = True

    def release(self) -> None:
        """Give the place to whoever waits. Any thread may call it."""
        self._slots._give_back(self)


class Slots:
    """Places by name. One query takes one of each of its names, or waits for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._waiting: deque[_Waiting] = deque()

    async def take(self, limits: Mapping[str, int]) -> Slot:
        """Wait for a place under every name of `limits`, first come, first served.

        Raises:
            Busy: too many wait for one of the names.
        """
        with self._lock:
            if self._fits(limits):
                return self._taken(limits)
            for name in limits:
                others = sum(name in waiting.limits for waiting in self._waiting)
                if others >= _MOST_WAITING:
                    raise Busy(f"{others} queries wait for {name}.")
            mine = _Waiting(limits)
            self._waiting.append(mine)
        try:
            return await mine.slot
        except asyncio.CancelledError:
            self._leave(mine)
            raise

    def running(self, name: str) -> int:
        """Return how many run under a name."""
        with self._lock:
            return self._running[name]

    def _fits(self, limits: Mapping[str, int]) -> bool:
        return all(self._running[name] < most for name, most in limits.items())

    def _taken(self, limits: Mapping[str, int]) -> Slot:
        self._running.update(limits.keys())
        return Slot(self, frozenset(limits))

    def _leave(self, mine: _Waiting) -> None:
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return
        if mine.given is not None:  # given while its reader was leaving
            mine.given.release()

    def _give_back(self, slot: Slot) -> None:
        with self._lock:
            if not slot._held:
                return
            slot._held = False
            for name in slot._names:
                self._running[name] -= 1
                if not self._running[name]:
                    del self._running[name]
            for waiting in tuple(self._waiting):
                if self._fits(waiting.limits):
                    self._waiting.remove(waiting)
                    waiting.give(self._taken(waiting.limits))


class _Waiting:
    """One query in line, on the loop it waits on."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self.limits = limits
        self.given: Slot | None = None
        self._loop = asyncio.get_running_loop()
        self.slot: asyncio.Future[Slot] = self._loop.create_future()

    def give(self, slot: Slot) -> None:
        self.given = slot
        self._loop.call_soon_threadsafe(self._wake, slot)

    def _wake(self, slot: Slot) -> None:
        if self.slot.done():  # its reader has left
            slot.release()
        else:
            self.slot.set_result(slot)

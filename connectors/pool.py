"""A bounded pool of daemon threads for work that blocks.

Not ``concurrent.futures.ThreadPoolExecutor``: its threads are joined before ``atexit``
runs, so one long statement would hold a stopping process until it is killed, and its
queue has no bound.
"""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Generic, TypeVar

from django.db import close_old_connections, connections

T = TypeVar("T")


class PoolFull(RuntimeError):
    """Too much blocking work is waiting already; callers answer REFUSED."""


class Job(Generic[T]):
    """One function to run once, in its own copy of a context."""

    __slots__ = ("_context", "_function", "future")

    def __init__(self, function: Callable[[], T], *, context: Context) -> None:
        self._function = function
        self._context = context
        self.future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run(self) -> None:
        """Run the function, unless the job was cancelled before it started."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._context.run(self._function)
        except BaseException as error:  # noqa: BLE001 - the waiting caller raises it
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Pool:
    """Threads made on demand, at most `size`; at most `bound` jobs wait."""

    def __init__(self, size: int, *, bound: int, name: str) -> None:
        self._size = size
        self._bound = bound
        self._name = name
        self._waiting: deque[Job[object]] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._stopped = False
        self._changed = threading.Condition()

    def submit(self, job: Job[T]) -> None:
        """Hand a job to a thread.

        Raises:
            PoolFull: the pool is stopped, or `bound` jobs wait for a thread already.
        """
        with self._changed:
            if self._stopped:
                raise PoolFull(f"The pool {self._name} is stopped.")
            if len(self._waiting) - self._idle >= self._bound:
                raise PoolFull(
                    f"The pool {self._name} has {self._size} threads at work and "
                    f"{self._bound} jobs waiting."
                )
            self._waiting.append(job)  # type: ignore[arg-type]
            if self._idle < len(self._waiting) and len(self._threads) < self._size:
                self._grow()
            self._changed.notify()

    def drop(self, job: Job[T]) -> None:
        """Give back the place of a cancelled job that has not started."""
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)  # type: ignore[arg-type]

    def stop(self, *, until: float) -> None:
        """Cancel what waits and join the threads, at most until a monotonic time."""
        with self._changed:
            self._stopped = True
            dropped = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for job in dropped:
            job.future.cancel()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _grow(self) -> None:
        name = f"{self._name}-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            close_old_connections()
            try:
                job.run()
            finally:
                close_old_connections()
                # A waiting thread must not keep the last job's result alive.
                del job
        connections.close_all()

    def _next(self) -> Job[object] | None:
        with self._changed:
            self._idle += 1
            try:
                while not self._waiting:
                    if self._stopped:
                        return None
                    self._changed.wait()
                return self._waiting.popleft()
            finally:
                self._idle -= 1

"""The engine of this process: one event loop on its own thread, and a bounded pool.

Calls wait on the loop, which does nothing that takes CPU; blocking work goes to the
pool. The engine is made on first use, once per process id, and so survives a fork.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, Generic, Protocol, TypeVar

from django.conf import settings
from django.utils import timezone, translation

from connectors.pool import Job, Pool, PoolFull

__all__ = ["Engine", "Mailbox", "PoolFull", "calling_thread_runs", "engine", "shutdown"]

T = TypeVar("T")

_STOP_S = 1.0
_CANCELLERS = 2


class Closable(Protocol):
    """What the loop keeps open between calls, such as a client session."""

    async def close(self) -> None: ...


class Mailbox(Generic[T]):
    """A queue from any thread to one that waits.

    While the owner waits in `get`, it also runs pool jobs that were handed to it in
    caller-runs mode, so that they see its database transaction.
    """

    def __init__(self) -> None:
        self._entries: queue.SimpleQueue[T | Job[Any]] = queue.SimpleQueue()

    def put(self, item: T) -> None:
        self._entries.put(item)

    def put_job(self, job: Job[Any]) -> None:
        """Ask the thread that waits in `get` to run a job."""
        self._entries.put(job)

    def get(self, timeout: float | None = None) -> T:
        """Wait for the next item.

        Args:
            timeout: Seconds to wait at most, 0 for not at all, None for ever.

        Raises:
            TimeoutError: nothing came in time.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            try:
                # SimpleQueue takes a timeout of 0 for "now", also with block=True.
                entry = self._entries.get(timeout=left)
            except queue.Empty:
                raise TimeoutError(f"Nothing came within {timeout} s.") from None
            if not isinstance(entry, Job):
                return entry
            entry.run()


_mailbox: ContextVar[Mailbox[Any] | None] = ContextVar(
    "signalbox_mailbox", default=None
)
_caller_runs: ContextVar[bool | None] = ContextVar(
    "signalbox_caller_runs", default=None
)


@contextmanager
def calling_thread_runs(on: bool = True) -> Iterator[None]:
    """Say whether the thread that waits runs the pool's jobs, for this context.

    Outside, ``settings.SIGNALBOX_POOL_CALLER_RUNS`` says so (default False).
    """
    token = _caller_runs.set(on)
    try:
        yield
    finally:
        _caller_runs.reset(token)


def _calling_thread_runs() -> bool:
    chosen = _caller_runs.get()
    if chosen is not None:
        return chosen
    return bool(getattr(settings, "SIGNALBOX_POOL_CALLER_RUNS", False))


def _carrier() -> Callable[[], None]:
    """Return what gives another thread the language and time zone of this one.

    Both live in ``asgiref.local.Local``, which hides its values from other threads
    even inside a copied context.
    """
    language = translation.get_language()
    zone = timezone.get_current_timezone()

    def carry() -> None:
        if language:
            translation.activate(language)
        else:  # None, whatever its type says: translations are switched off
            translation.deactivate_all()
        timezone.activate(zone)

    return carry


def _chain(task: asyncio.Task[T], future: concurrent.futures.Future[T]) -> None:
    """Let a future of threads and a task of the loop end together."""
    loop = task.get_loop()

    def finish(done: asyncio.Task[T]) -> None:
        error = None if done.cancelled() else done.exception()
        if done.cancelled():
            future.cancel()
        if not future.set_running_or_notify_cancel():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(done.result())

    def stop(ended: concurrent.futures.Future[T]) -> None:
        if ended.cancelled() and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    task.add_done_callback(finish)
    future.add_done_callback(stop)


class Engine:
    """One event loop thread, its pools, and what the loop keeps open.

    Attributes:
        kept: Sessions by name with their fingerprint; touched on the loop only.
    """

    def __init__(
        self, *, threads: int, new_loop: Callable[[], asyncio.AbstractEventLoop]
    ) -> None:
        self.kept: dict[object, tuple[object, Closable]] = {}
        self._pool = Pool(threads, bound=2 * threads, name="signalbox-pool")
        self._cancellers = Pool(_CANCELLERS, bound=10_000, name="signalbox-cancel")
        self._loop = new_loop()
        self._thread = threading.Thread(
            target=self._serve, name="signalbox-loop", daemon=True
        )
        self._stopped = False
        self._thread.start()

    @staticmethod
    def current() -> Engine:
        """Return the engine whose loop runs on this thread.

        Raises:
            RuntimeError: this is no engine's loop thread.
        """
        found: Engine | None = getattr(_thread, "engine", None)
        if found is None:
            raise RuntimeError("This code runs on an engine's loop only.")
        return found

    def start(
        self, coroutine: Coroutine[Any, Any, T], *, mailbox: Mailbox[Any] | None = None
    ) -> concurrent.futures.Future[T]:
        """Run a coroutine on the loop, in a copy of the caller's context.

        Cancelling the future cancels the coroutine.

        Args:
            mailbox: Where caller-runs jobs of this coroutine go; the mailbox of the
                caller's own context when missing.

        Raises:
            RuntimeError: the engine is stopped.
        """
        context = copy_context()
        if mailbox is not None:
            context.run(_mailbox.set, mailbox)
        if self._stopped:
            coroutine.close()
            raise RuntimeError("The engine is stopped.")
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        carry = _carrier()

        def begin() -> None:
            carry()
            _chain(self._loop.create_task(coroutine), future)

        # The task copies the context that `begin` runs in.
        self._loop.call_soon_threadsafe(begin, context=context)
        return future

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for what it returns or raises.

        Raises:
            RuntimeError: called from the loop thread, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("Await the coroutine: this is the loop thread.")
        mailbox: Mailbox[concurrent.futures.Future[T]] = Mailbox()
        future = self.start(coroutine, mailbox=mailbox)
        future.add_done_callback(mailbox.put)
        try:
            return mailbox.get().result()
        except BaseException:
            future.cancel()
            raise

    async def in_pool(
        self, function: Callable[[], T], *, cancel: Callable[[], None] | None = None
    ) -> T:
        """Run blocking work on a pool thread, in a copy of this task's context.

        Args:
            function: The work; it has its own database connections.
            cancel: Called from a second pool when the task is cancelled while the
                work runs, such as a connection's own cancel. Nobody waits for it.

        Raises:
            PoolFull: too much work is waiting already.
        """
        carry = _carrier()

        def work() -> T:
            carry()
            return function()

        job = Job(work, context=copy_context())
        mailbox = _mailbox.get()
        if mailbox is not None and _calling_thread_runs():
            mailbox.put_job(job)
        else:
            self._pool.submit(job)
        try:
            return await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            self._pool.drop(job)
            if cancel is not None and job.future.running():
                self._cancellers.submit(Job(cancel, context=copy_context()))
            raise

    def shutdown(self) -> None:
        """Cancel what runs, close what is kept, join threads: at most one second."""
        if self._stopped:
            return
        self._stopped = True
        until = time.monotonic() + _STOP_S
        asyncio.run_coroutine_threadsafe(self._close(), self._loop)
        if threading.current_thread() is not self._thread:
            self._thread.join(max(0.0, until - time.monotonic()))
        self._pool.stop(until=until)
        self._cancellers.stop(until=until)

    async def _close(self) -> None:
        this = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not this]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_S / 2)
        kept = [closable for _, closable in self.kept.values()]
        self.kept.clear()
        await asyncio.gather(
            *(closable.close() for closable in kept), return_exceptions=True
        )
        # Connections finish closing one turn of the loop later.
        await asyncio.sleep(0)
        self._loop.call_soon(self._loop.stop)

    def _serve(self) -> None:
        _thread.engine = self
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()


_thread = threading.local()
_lock = threading.Lock()
_engine: tuple[int, Engine] | None = None


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make a loop of uvloop, or of asyncio where there is no uvloop."""
    try:
        import uvloop
    except ImportError:  # Windows has none
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def engine() -> Engine:
    """Return the engine of this process; the first call makes it."""
    global _engine  # noqa: PLW0603 - one per process is the point
    found = _engine
    if found is not None and found[0] == os.getpid():
        return found[1]
    with _lock:
        if _engine is None or _engine[0] != os.getpid():
            made = Engine(
                threads=settings.SIGNALBOX_POOL_THREADS, new_loop=new_event_loop
            )
            _engine = (os.getpid(), made)
        return _engine[1]


def shutdown() -> None:
    """Stop the engine of this process, if it has one; the next use makes another.

    For gunicorn's ``worker_exit`` and the end of a test run.
    """
    global _engine
    with _lock:
        found, _engine = _engine, None
    if found is not None and found[0] == os.getpid():
        found[1].shutdown()


def _after_fork() -> None:
    global _engine, _lock  # noqa: PLW0603
    _lock = threading.Lock()  # the parent may have held it
    _engine = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(shutdown)

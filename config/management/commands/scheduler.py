"""Enqueue periodic tasks."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from django.core.management.base import BaseCommand

from config import schedule
from observability.recorder import worker_id


class Command(BaseCommand):
    help = (
        "Enqueue periodic tasks; a worker runs them (with SIGNALBOX_TASKS=immediate "
        "the scheduler itself). Several may be started: one holds the lease, the "
        "others wait. Ends on Ctrl+C and SIGTERM."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="enqueue what is due now, then end"
        )

    def handle(self, *, once: bool, **options: object) -> None:
        stop = threading.Event()
        with _set_by_signals(stop):
            schedule.run(
                holder=worker_id(), stop=stop, tell=self.stdout.write, once=once
            )


@contextmanager
def _set_by_signals(stop: threading.Event) -> Iterator[None]:
    """Set `stop` on SIGINT and SIGTERM; elsewhere than in the main thread, nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {
        number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

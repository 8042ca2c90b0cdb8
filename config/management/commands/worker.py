"""Do the background work."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import ConnectionError as QueueAway

from config import background


class Command(BaseCommand):
    help = (
        "Do the background work, wherever SIGNALBOX_TASKS lets it wait: in the "
        "database or in Redis. Start as many as you need. Ends on Ctrl+C and SIGTERM, "
        "after the task at hand."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--interval",
            type=float,
            default=1.0,
            help="seconds between two looks at the database's queue (default: 1)",
        )
        parser.add_argument(
            "--batch", action="store_true", help="do what is waiting now, then end"
        )

    def handle(self, *, interval: float, batch: bool, **options: object) -> None:
        if interval <= 0:
            raise CommandError(f"--interval {interval:g}: give more than 0 seconds.")
        try:
            background.work(interval=interval, batch=batch)
        except background.NoWorker as error:
            raise CommandError(str(error)) from error
        except QueueAway as error:
            raise CommandError(
                f"The queue does not answer ({type(error).__name__}). Check "
                "SIGNALBOX_TASKS_URL, or SIGNALBOX_CACHE_URL."
            ) from error

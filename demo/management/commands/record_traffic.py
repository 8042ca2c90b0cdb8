"""Record the traffic that a new demo begins with."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from demo.datasets import DATA
from demo.loader import load_demo
from demo.recording import MINUTES, Clock, record, troubled_api
from observability.models import Measurement


class Command(BaseCommand):
    help = (
        "Record two hours of traffic for the demo, faster than life. For developers: "
        "needs an empty database, such as SIGNALBOX_DATA_DIR=/tmp/recording."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--speed", type=float, default=6.0, help="times as fast (default: 6)"
        )
        parser.add_argument(
            "--port", type=int, default=8909, help="of the demo API (default: 8909)"
        )
        parser.add_argument(
            "--out", type=Path, default=DATA, help="folder of the files (default: demo)"
        )

    def handle(self, *, speed: float, port: int, out: Path, **options: object) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        if Measurement.objects.exists():
            raise CommandError(
                "This database has measurements. Name an empty one, such as "
                "SIGNALBOX_DATA_DIR=/tmp/recording."
            )
        clock = Clock(speed)
        with troubled_api(clock.minute, port) as address:
            load_demo(api_address=address)
            clock.began = Clock(speed).began
            record(out, clock=clock, tell=self._tell)
        self.stdout.write(f"Recorded {MINUTES} minutes into {out}.")

    def _tell(self, minute: int) -> None:
        if minute % 10 == 0:
            self.stdout.write(f"minute {minute} of {MINUTES}")
            self.stdout.flush()

"""Receive OpenTelemetry over HTTP and print it."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from observability.otlp import Received, Sink


class Command(BaseCommand):
    help = (
        "Receive traces, logs and metrics over OTLP/HTTP and print one line each, "
        "until Ctrl+C. Start the portal with OTEL_EXPORTER_OTLP_ENDPOINT set to the "
        "address that is printed first."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=4318, help="0 chooses a free one (default 4318)"
        )
        parser.add_argument("--json", action="store_true", help="print JSON lines")
        parser.add_argument(
            "--fail", type=int, default=0, metavar="N",
            help="answer the first N requests with 503, as a broken collector does",
        )  # fmt: skip

    def handle(self, *, port: int, json: bool, fail: int, **options: object) -> None:
        def tell(received: Received) -> None:
            self.stdout.write(received.as_json() if json else received.line())
            self.stdout.flush()

        try:
            sink = Sink(tell, port=port, fail=fail)
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). Give another with "
                "--port, or --port 0 for a free one."
            ) from error
        self.stderr.write(f"Listening on {sink.address}")
        try:
            sink.serve()
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")

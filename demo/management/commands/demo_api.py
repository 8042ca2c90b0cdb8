"""Serve the demo's API on the loopback."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from demo.api import serve


class Command(BaseCommand):
    help = "Serve the demo's API on the loopback until it is interrupted."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8901, help="default: 8901")

    def handle(self, *, port: int, **options: object) -> None:
        serve(port)

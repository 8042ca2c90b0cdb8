"""Serve the demo's API on the loopback."""

from __future__ import annotations

from argparse import ArgumentParser

from aiohttp import web
from django.core.management.base import BaseCommand

from demo.api import make_application


class Command(BaseCommand):
    help = "Serve the demo's API on the loopback until it is interrupted."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8901, help="default: 8901")

    def handle(self, *, port: int, **options: object) -> None:
        web.run_app(
            make_application(),
            host="127.0.0.1",
            port=port,
            access_log=None,
            print=lambda _text: None,
            shutdown_timeout=0.5,
        )

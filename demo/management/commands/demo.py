"""Load the demo, or make new passwords for its logins."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict

from django.core.management.base import BaseCommand

from demo.history import load_history
from demo.loader import DEFAULT_API, load_demo


class Command(BaseCommand):
    help = (
        "Load the demo: two tenants, three logins, menus, screens, data sources and "
        "decision tables; a portal that has measured nothing yet gets two hours of "
        "recorded history. Running it again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--api-address",
            default=DEFAULT_API,
            help=f"where the demo's API answers (default: {DEFAULT_API})",
        )
        parser.add_argument(
            "--reset-passwords",
            action="store_true",
            help="give every login of the demo a new password, and print it",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(
        self, *, api_address: str, reset_passwords: bool, json: bool, **options: object
    ) -> None:
        logins = load_demo(api_address=api_address, reset_passwords=reset_passwords)
        load_history()
        if json:
            self.stdout.write(_as_json([asdict(login) for login in logins]))
            return
        for login in logins:
            self.stdout.write(
                f"  {login.username:<10} {login.password:<18} {login.purpose}"
            )
        if not logins:
            self.stdout.write("The demo is loaded; its logins keep their passwords.")


def _as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)

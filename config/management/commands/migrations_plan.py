"""Say what a deploy would run."""

from __future__ import annotations

import json as json_module
from argparse import ArgumentParser
from dataclasses import asdict

from django.core.management.base import BaseCommand

from config.migrating.plan import PlannedMigration, planned


class Command(BaseCommand):
    help = (
        "Say which migrations a deploy of this code would run on the configured "
        "database: their SQL, the locks they take, and whether each is safe while the "
        "portal is used. Changes nothing."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *, json: bool, **options: object) -> None:
        plan = planned()
        if json:
            body = [{**asdict(entry), "safe": entry.safe} for entry in plan]
            self.stdout.write(json_module.dumps(body, ensure_ascii=False, indent=2))
            return
        for entry in plan:
            self._tell(entry)
        unsafe = sum(not entry.safe for entry in plan)
        self.stdout.write(f"{len(plan)} migrations, {unsafe} with a risk.")

    def _tell(self, entry: PlannedMigration) -> None:
        safe = self.style.SUCCESS("safe") if entry.safe else self.style.WARNING("risk")
        self.stdout.write(f"{safe}  {entry.app}.{entry.name}")
        for lock in entry.locks:
            self.stdout.write(f"      lock  {lock}")
        for risk in entry.risks:
            self.stdout.write(f"      {risk.rule}: {risk.found}")
            self.stdout.write(f"      → {risk.remedy}")
        for statement in entry.sql:
            self.stdout.write(f"        {statement}")

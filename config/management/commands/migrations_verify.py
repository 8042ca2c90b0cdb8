"""Try every migration both ways on databases made for it."""

from __future__ import annotations

import json as json_module
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from config.migrating.scratch import ENGINES, NoScratchDatabase
from config.migrating.verify import (
    EngineReport,
    NotEmpty,
    UnknownApp,
    verify_engine,
    verify_here,
)


class Command(BaseCommand):
    help = (
        "Try every migration of the portal's own apps on scratch databases: forward, "
        "back and forward again, with rows, the catalogues compared; then the rollback "
        "to the last release, and to nothing. Exit status 1 when anything differs or "
        "cannot be taken back. The configured database is not touched."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--engines",
            default="sqlite",
            help=f"separated by commas, of: {', '.join(ENGINES)} (default: sqlite)",
        )
        parser.add_argument(
            "--app", action="append", metavar="LABEL", help="only this app's steps"
        )
        parser.add_argument("--no-data", action="store_true", help="without rows")
        parser.add_argument("--json", action="store_true", help="for machines")
        parser.add_argument(
            "--here",
            action="store_true",
            help="on the configured database itself, which must be empty",
        )

    def handle(
        self,
        *,
        engines: str,
        app: list[str] | None,
        no_data: bool,
        json: bool,
        here: bool,
        **options: object,
    ) -> None:
        names = [name.strip() for name in engines.split(",") if name.strip()]
        if unknown := [name for name in names if name not in ENGINES] or not names:
            raise CommandError(f"--engines {unknown!r}: give {', '.join(ENGINES)}.")
        try:
            if here:
                reports = [verify_here(app, data=not no_data)]
            else:
                reports = [verify_engine(n, app, data=not no_data) for n in names]
        except (NoScratchDatabase, NotEmpty, UnknownApp) as error:
            raise CommandError(str(error)) from error
        if json:
            body = [report.as_json() for report in reports]
            self.stdout.write(json_module.dumps(body, ensure_ascii=False, indent=2))
        else:
            for report in reports:
                self._tell(report)
        if count := sum(report.fault_count for report in reports):
            raise CommandError(f"{count} faults; see above.")

    def _tell(self, report: EngineReport) -> None:
        self.stdout.write(f"{report.engine} ({report.version})")
        for step in report.steps:
            style = self.style.ERROR if step.faults else self.style.SUCCESS
            mark = style(f"{'fault' if step.faults else 'ok':<6}")
            self.stdout.write(
                f"  {mark}{step.name:<58} {step.rows:>4} rows {step.seconds:6.2f} s"
            )
            for fault in step.faults:
                self.stdout.write(f"           {fault}")
        for table, reason in report.without_rows.items():
            self.stdout.write(f"  no row  {table}: {reason}")
        self.stdout.write(
            f"  {len(report.steps)} steps, {report.fault_count} faults, "
            f"{sum(step.seconds for step in report.steps):.1f} s"
        )

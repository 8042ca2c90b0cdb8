"""Prove on this very portal that one tenant sees nothing of another."""

from __future__ import annotations

import json as json_module
import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from config.isolation.erasing import canary_tenants, erase
from config.isolation.filling import NoCanary
from config.isolation.findings import ENOUGH, Report
from config.isolation.proving import prove


class Command(BaseCommand):
    help = (
        "Build two canary tenants with a marked row of every kind, ask every address "
        "of the portal as every kind of user, and fail when a mark of one tenant "
        "reaches the other. Rows of other tenants are neither asked for nor changed, "
        "and the canaries are removed again: safe in production."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only", action="append", default=[], metavar="NAME",
            help="only the URLs of this name, such as logs; coverage is not judged",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="for machines")
        parser.add_argument(
            "--clean",
            action="store_true",
            help="only remove what a run that was broken off left behind",
        )

    def handle(
        self, *, only: list[str], json: bool, clean: bool, **options: object
    ) -> None:
        left = canary_tenants()
        if clean:
            self.stdout.write(f"Removed {len(left)} canary tenants, {erase()} rows.")
            return
        if left:
            raise CommandError(
                f"Canary tenants are there already: {', '.join(left)}. Another run is "
                "under way, or one was broken off: then run prove_isolation --clean."
            )
        try:
            report = prove(only=only)
        except NoCanary as fault:
            raise CommandError(str(fault)) from fault
        if json:
            body = json_module.dumps(report.as_json(), ensure_ascii=False, indent=2)
            self.stdout.write(body)
        else:
            self._tell(report)
        if not report.is_green:
            sys.exit(1)

    def _tell(self, report: Report) -> None:
        for finding in report.findings:
            self.stdout.write(self.style.ERROR(str(finding)))
            self.stdout.write(f"      asked  {finding.address}")
        for one in report.unwalked:
            self.stdout.write(f"not walked  {one.route}: {one.reason}")
        if report.unseen:
            self.stdout.write(f"seen nowhere  {', '.join(report.unseen)}")
        if report.markless:
            self.stdout.write(f"rows without a mark  {', '.join(report.markless)}")
        self.stdout.write(
            f"{report.answered + report.refused} of {report.patterns} URL patterns "
            f"walked ({report.coverage:.1%}; {ENOUGH:.0%} are needed), of them "
            f"{report.refused} refused to everybody; "
            f"{report.requests} requests, {report.marks} marks, {report.elapsed_s} s."
        )
        told = f"{len(report.findings)} findings."
        style = self.style.SUCCESS if report.is_green else self.style.ERROR
        self.stdout.write(style("No mark crossed." if report.is_green else told))

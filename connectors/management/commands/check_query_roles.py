"""Say which data sources read with a database user that may do too much."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from connectors.query_role_checks import RoleReport, role_reports
from connectors.query_role_messages import role_words


class Command(BaseCommand):
    help = (
        "Connect to every SQL data source and refuse database users that may do more "
        "than read, with the SQL that mends it. Changes nothing. Exit 0, or 1 when a "
        "user is too strong or a database could not be asked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data-source", metavar="KEY", default="")
        parser.add_argument("--tenant", metavar="KEY", default="")
        parser.add_argument(
            "--sql",
            action="store_true",
            help="print the SQL that sets such a user up, all of it",
        )

    def handle(self, **options: Any) -> None:
        reports = []
        for report in role_reports(
            tenant=options["tenant"], key=options["data_source"], set_up=options["sql"]
        ):
            self._tell(report)
            reports.append(report)
        if not reports:
            raise CommandError(
                _("No such SQL data source. Give the key of one that is enabled."),
                returncode=2,
            )
        strong = sum(report.too_strong for report in reports)
        unasked = sum(bool(report.fault) for report in reports)
        if strong or unasked:
            raise CommandError(
                _(
                    "Of %(all)d data sources, %(strong)d read with a user that is too "
                    "strong, and %(unasked)d could not be asked."
                )
                % {"all": len(reports), "strong": strong, "unasked": unasked}
            )

    def _tell(self, report: RoleReport) -> None:
        name = f"{report.tenant}/{report.source} ({report.dialect})"
        if report.fault:
            self.stdout.write(f"{self.style.ERROR('fault')} {name}: {report.fault}")
        elif report.too_strong:
            self.stdout.write(f"{self.style.ERROR('too strong')} {name}")
        else:
            self.stdout.write(f"{self.style.SUCCESS('ok')} {name}")
        for finding in report.findings:
            mark = "!" if finding.too_strong else "·"
            self.stdout.write(f"  {mark} {role_words(finding)}")
            for line in finding.remedy:
                self.stdout.write(f"      {line}")
        if report.set_up:
            self.stdout.write("  " + _("Everything a user for reading needs:"))
            for line in report.set_up:
                self.stdout.write(f"      {line}")

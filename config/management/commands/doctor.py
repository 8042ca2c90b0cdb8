"""Say what is missing for production."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import ngettext

from config.doctor import Finding, Level, examine


class Command(BaseCommand):
    help = (
        "Say what is missing for production, and the way out of each. Exit status 1 "
        "when there is an error; warnings alone give 0. Changes nothing."
    )
    # The checks are among the findings: a broken one must not hide the others.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *, json: bool, **options: object) -> None:
        findings = examine(remote=True)
        count = Counter(finding.level for finding in findings)
        if json:
            self.stdout.write(as_json(findings))
        else:
            for finding in findings:
                self._tell(finding)
        if errors := count[Level.ERROR]:
            raise CommandError(
                ngettext(
                    "%(count)d error stands before production.",
                    "%(count)d errors stand before production.",
                    errors,
                )
                % {"count": errors}
            )

    def _tell(self, finding: Finding) -> None:
        style = {
            Level.OK: self.style.SUCCESS,
            Level.WARNING: self.style.WARNING,
            Level.ERROR: self.style.ERROR,
        }[finding.level]
        self.stdout.write(
            f"{style(f'{finding.level:<8}')}{finding.id:<17}{finding.found}"
        )
        if finding.remedy:
            self.stdout.write(f"{'':<25}→ {finding.remedy}")


def as_json(findings: Sequence[Finding]) -> str:
    """Return ``{"ready": bool, "findings": [{"id", "level", "found", "remedy"}]}``."""
    ready = all(finding.level != Level.ERROR for finding in findings)
    body = {"ready": ready, "findings": [asdict(finding) for finding in findings]}
    return json.dumps(body, ensure_ascii=False, indent=2)

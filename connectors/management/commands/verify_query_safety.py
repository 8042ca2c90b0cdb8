"""Try every class of attack on a live data source, harmlessly, and keep the result."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from connectors.models import DataSource, QuerySafetyCheck
from connectors.query_role_facts import READ_ERRORS
from connectors.query_safety_words import attack_words, judge_words, wall_words
from connectors.query_verification import verify
from connectors.sql_failures import failure_of
from connectors.sql_messages import source_words
from connectors.sql_wall import SourceRefusedError


class Command(BaseCommand):
    help = (
        "Try every class of attack on a live SQL data source, in a way that changes "
        "nothing, and store the signed result, which staff read under Query safety "
        "checks. Exit 0 when all held, 1 when something ran or a database did not "
        "answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data-source", metavar="KEY", required=True)
        parser.add_argument("--tenant", metavar="KEY", default="")

    def handle(self, **options: Any) -> None:
        rows = DataSource.all_tenants.filter(
            kind=DataSource.Kind.SQL, enabled=True, key=options["data_source"]
        ).select_related("tenant")
        if options["tenant"]:
            rows = rows.filter(tenant__key=options["tenant"])
        checks = [self._verified(row) for row in rows.order_by("tenant__key")]
        if not checks:
            raise CommandError(
                _("No such SQL data source. Give the key of one that is enabled."),
                returncode=2,
            )
        if not all(check is not None and check.held for check in checks):
            raise CommandError(_("Not everything was stopped, or could be tried."))

    def _verified(self, row: DataSource) -> QuerySafetyCheck | None:
        try:
            check = verify(row)
        except SourceRefusedError as error:
            self.stderr.write(f"{row.tenant.key}/{row.key}: {source_words(error.rule)}")
            return None
        except READ_ERRORS as error:
            failure = failure_of(error, sql="", late=False, cancelled=False)
            self.stderr.write(f"{row.tenant.key}/{row.key}: {failure.message}")
            return None
        self.stdout.write(f"{row.tenant.key}/{row.key} ({check.database})")
        for tried in check.results:
            held = tried["held"]
            mark = self.style.SUCCESS("held") if held else self.style.ERROR("RAN ")
            attack = f"{tried['attack']:>2} {attack_words(tried['attack'])}"
            stopped = f"{judge_words(tried['judge'])} | {wall_words(tried['wall'])}"
            self.stdout.write(f"  {mark} {attack}: {stopped}")
            if not held:
                self.stdout.write(f"         {tried['sql']}")
        return check

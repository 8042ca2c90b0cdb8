"""Collect, freeze and print the review of a month or a quarter."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.reviews import collect, write_review
from observability.review_documents import LANGUAGES, html, markdown
from observability.review_periods import last_ended, parse_period, period_name
from observability.review_snapshots import Snapshot, as_text
from observability.review_values import Cadence, Period
from tenants.models import Tenant

FORMATS: Mapping[str, Callable[[Snapshot, str], str]] = {
    "markdown": markdown,
    "html": html,
    "json": lambda snapshot, _language: as_text(snapshot) + "\n",
}


class Command(BaseCommand):
    help = (
        "Freeze the review of the last month or quarter, or of the one that is named, "
        "and print it. One that is frozen already is printed as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cadence", choices=[one.value for one in Cadence])
        parser.add_argument(
            "--tenant", metavar="KEY", help="only this tenant; else every active one"
        )
        parser.add_argument(
            "--period", metavar="NAME", help="such as 2026-10, or 2026-Q3"
        )
        parser.add_argument("--format", choices=list(FORMATS), default="markdown")
        parser.add_argument("--json", action="store_true", help="as --format json")
        parser.add_argument("--language", choices=LANGUAGES)
        parser.add_argument(
            "--draft", action="store_true", help="collect and print, freeze nothing"
        )

    def handle(
        self,
        *,
        cadence: str,
        tenant: str | None,
        period: str | None,
        format: str,  # noqa: A002 - the option's name
        json: bool,
        language: str | None,
        draft: bool,
        **options: object,
    ) -> None:
        wanted = _period(Cadence(cadence), period, draft=draft)
        for one in _tenants(tenant):
            snapshot = (
                collect(wanted, tenant=one) if draft else self._frozen(wanted, one)
            )
            spoken = language or settings.LANGUAGE_CODE
            write = FORMATS["json" if json else format]
            self.stdout.write(write(snapshot, spoken), ending="")

    def _frozen(self, period: Period, tenant: Tenant) -> Snapshot:
        frozen = write_review(period, tenant=tenant)
        review = frozen.review
        name = period_name(period, zone=settings.TIME_ZONE)
        told = "Frozen now" if frozen.new else "Frozen before, and nothing was changed"
        line = f"{tenant.key} {name}: {told}; {review.state}, SHA-256 {review.digest}"
        self.stderr.write(line)
        if not review.is_sound:
            raise CommandError(
                f"{tenant.key} {name}: the stored snapshot is not the one that was "
                "frozen. Compare it with a backup; do not sign it."
            )
        return review.read()


def _period(cadence: Cadence, name: str | None, *, draft: bool) -> Period:
    zone, now = settings.TIME_ZONE, timezone.now()
    if name is None:
        return last_ended(now, cadence, zone=zone)
    period = parse_period(name, cadence, zone=zone)
    if period is None:
        raise CommandError(
            f"{name!r} is no period of a {cadence} review. Write such as "
            f"{period_name(last_ended(now, cadence, zone=zone), zone=zone)}."
        )
    if period.ends > now and not draft:
        raise CommandError(
            f"{name} has not ended. Wait until it has, or look at it with --draft."
        )
    return period


def _tenants(key: str | None) -> list[Tenant]:
    tenants = Tenant.objects.active().order_by("key")
    if key is not None:
        tenants = tenants.filter(key=key)
        if not tenants:
            raise CommandError(f"No such active tenant: {key}.")
    return list(tenants)

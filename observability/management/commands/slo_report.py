"""List what came of every objective of a tenant."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from observability.dashboard_page import outlook_text
from observability.objectives import BURN_MINUTES
from observability.services import (
    ObjectiveResult,
    results_at,
    settled_minute,
)
from tenants.models import Tenant


class Command(BaseCommand):
    help = (
        "List the objectives of one or all active tenants, worst budget first: share "
        "of good events, error budget left, burn rates. Changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="KEY", help="only this tenant")
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, *, tenant: str | None, **options: Any) -> None:
        found = {each.key: self._results(each) for each in _tenants(tenant)}
        if options["json"]:
            self.stdout.write(_document(found))
            return
        for key, results in found.items():
            self.stdout.write(f"{key}: {len(results)} objectives")
            for each in results:
                self.stdout.write(f"  {_line(each)}")

    def _results(self, tenant: Tenant) -> list[ObjectiveResult]:
        now = timezone.now()
        return results_at(tenant.pk, end=settled_minute(now), now=now)


def _tenants(key: str | None) -> list[Tenant]:
    tenants = Tenant.objects.active().order_by("key")
    if key is None:
        return list(tenants)
    chosen = list(tenants.filter(key=key))
    if not chosen:
        raise CommandError(f"No such active tenant: {key}.")
    return chosen


def _line(found: ObjectiveResult) -> str:
    objective, result = found.objective, found.result
    share, left = result.period.good_share, result.budget_left
    if share is None or left is None:
        return f"{objective.key}: no data in {objective.window_days} d"
    burns = ", ".join(
        f"{minutes} min {_rate(result.burn(minutes))}" for minutes in BURN_MINUTES
    )
    return (
        f"{objective.key}: {100 * share:.4f} % of {objective.target} %, "
        f"budget left {100 * float(left):.1f} % ({result.events_left} events), "
        f"{outlook_text(result)}; burn {burns}"
    )


def _rate(rate: float | None) -> str:
    return "no data" if rate is None else f"{rate:.2f}"


def _document(found: dict[str, list[ObjectiveResult]]) -> str:
    rows = [
        _entry(tenant, each) for tenant, results in found.items() for each in results
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2)


def _entry(tenant: str, found: ObjectiveResult) -> dict[str, Any]:
    objective, result = found.objective, found.result
    left = result.budget_left
    outlook, minutes = result.outlook()
    return {
        "tenant": tenant,
        "objective": objective.key,
        "kind": objective.kind,
        "key": objective.measured_key,
        "type": objective.type,
        "target": str(objective.target),
        "window_days": objective.window_days,
        "owner": objective.owner.get_username() if objective.owner else None,
        "total": result.period.total,
        "bad": result.period.bad,
        "sli": result.period.good_share,
        "met": result.met,
        "budget_left": None if left is None else float(left),
        "events_left": result.events_left,
        "burn_by_minutes": {str(each): result.burn(each) for each in BURN_MINUTES},
        "outlook": outlook.value,
        "spent_in_minutes": minutes,
    }

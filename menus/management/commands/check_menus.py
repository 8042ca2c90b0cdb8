"""Check every tenant's menu tree, and repair it on demand."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from menus.messages import FAULTS
from menus.services import repair_tree, tree_damages
from tenants.models import Tenant
from tenants.scope import using_tenant


class Command(BaseCommand):
    help = (
        "Check that the numbers of every menu tree agree with its parents. "
        "Exit status 1 when damage is left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="number anew")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: object, **options: Any) -> None:
        found = {
            tenant.key: _damages(tenant, repair=options["repair"])
            for tenant in Tenant.objects.order_by("key")
        }
        damaged = sum(len(menus) for menus in found.values())
        if options["json"]:
            answer = {"repaired": options["repair"], "tenants": found}
            self.stdout.write(json.dumps(answer, indent=2))
        else:
            self._tell(found, repaired=options["repair"])
        if damaged and not options["repair"]:
            raise CommandError(
                f"{damaged} menus are damaged. Run: manage.py check_menus --repair"
            )

    def _tell(self, found: dict[str, list[dict[str, Any]]], *, repaired: bool) -> None:
        for key, menus in found.items():
            for menu in menus:
                self.stdout.write(f"{key}: menu {menu['id']}: {menu['words']}")
        verb = "Repaired" if repaired else "Found"
        damaged = sum(len(menus) for menus in found.values())
        self.stdout.write(f"{verb} {damaged} damaged menus in {len(found)} tenants.")


def _damages(tenant: Tenant, *, repair: bool) -> list[dict[str, Any]]:
    with using_tenant(tenant):
        damages = repair_tree() if repair else tree_damages()
    return [
        {"id": each.id, "fault": each.fault.value, "words": str(FAULTS[each.fault])}
        for each in damages
    ]

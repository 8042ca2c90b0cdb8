"""Find names in published screens that lead nowhere."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from screens.services import screen_faults
from tenants.models import Tenant
from tenants.scope import using_tenant


class Command(BaseCommand):
    help = (
        "Check every screen that readers reach: documents that break today's rules, "
        "operations and decision tables that are gone, responses without a look. "
        "Exit status 1 when something is found."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="KEY", help="only this tenant")
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *, tenant: str | None, **options: Any) -> None:
        tenants = Tenant.objects.filter(is_active=True).order_by("key")
        if tenant is not None:
            tenants = tenants.filter(key=tenant)
            if not tenants.exists():
                raise CommandError(f"No active tenant {tenant!r}.")
        checked, found = 0, []
        for each in tenants:
            with using_tenant(each):
                for key, faults in screen_faults().items():
                    checked += 1
                    found += [
                        {
                            "tenant": each.key,
                            "screen": key,
                            "pointer": fault.pointer,
                            "rule": fault.rule,
                            "message": fault.message,
                        }
                        for fault in faults
                    ]
        if options["json"]:
            report = {"checked": checked, "faults": found}
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2))
        else:
            for fault in found:
                self.stdout.write(
                    "{tenant}/{screen}{pointer} ({rule}): {message}".format_map(fault)
                )
            self.stdout.write(f"Checked {checked} screens: {len(found)} faults.")
        if found:
            raise CommandError(f"{len(found)} faults in screens.", returncode=1)

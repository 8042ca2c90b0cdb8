"""Check that no sealed audit entry was changed, deleted or put in later."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from tenants.audit import chains, seal, unsealed, verify_chain
from tenants.messages import break_text
from tenants.models import Tenant


class Command(BaseCommand):
    help = (
        "Verify the hash chain of the audit trail, of every tenant or of one. "
        "Exit status 1 when an entry was changed, deleted or put in later."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="KEY", help="only this tenant")
        parser.add_argument(
            "--seal", action="store_true", help="seal new entries of sound chains"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(
        self, *, tenant: str | None, seal: bool, json: bool, **options: object
    ) -> None:
        names = dict(Tenant.objects.values_list("pk", "key"))
        if tenant is not None and tenant not in names.values():
            raise CommandError(f"No such tenant: {tenant}.")
        wanted = [
            pk for pk in chains() if tenant is None or (pk and names.get(pk) == tenant)
        ]
        reports = [_report(pk, names=names, sealing=seal) for pk in wanted]
        self.stdout.write(_as_json(reports) if json else _as_text(reports))
        if any(report["broken"] for report in reports):
            sys.exit(1)


def _report(
    tenant_id: int | None, *, names: dict[int, str], sealing: bool
) -> dict[str, object]:
    found = verify_chain(tenant_id)
    sealed = seal(tenant_id) if sealing and found is None else 0
    return {
        "chain": names.get(tenant_id, str(tenant_id)) if tenant_id else "(portal)",
        "broken": break_text(found) if found else "",
        "rule": found.rule if found else "",
        "entry": found.entry_id if found else None,
        "newly_sealed": sealed,
        "not_sealed": unsealed(tenant_id),
    }


def _as_json(reports: list[dict[str, object]]) -> str:
    sound = not any(report["broken"] for report in reports)
    return json.dumps({"sound": sound, "chains": reports}, ensure_ascii=False)


def _as_text(reports: list[dict[str, object]]) -> str:
    if not reports:
        return "There are no audit entries yet."
    return "\n".join(
        f"{report['chain']}: {report['broken'] or 'sound'}, "
        f"{report['newly_sealed']} sealed now, {report['not_sealed']} not sealed yet."
        for report in reports
    )

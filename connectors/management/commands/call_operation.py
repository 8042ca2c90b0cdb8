"""Call one operation from the command line."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from connectors import messages
from connectors.cells import as_text
from connectors.outcomes import Failure, Outcome, Success, Table
from connectors.services import call_operation
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor, using_tenant

_WIDEST_CELL = 40


class Command(BaseCommand):
    help = "Call one operation and print what came back. Exit 0, or 1 when it failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY", help="key of the operation")
        parser.add_argument("--tenant", required=True, help="key of the tenant")
        parser.add_argument("--user", help="who calls; a member of the tenant")
        parser.add_argument(
            "--arg", action="append", default=[], metavar="NAME=VALUE", dest="arguments"
        )
        parser.add_argument("--limit", type=int, default=20, help="rows printed")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *, key: str, **options: Any) -> None:
        actor = _actor(options["tenant"], options["user"])
        arguments = _arguments(options["arguments"])
        limit = options["limit"]
        if limit < 0:
            raise CommandError(f"--limit {limit}: expected 0 or more.", returncode=2)
        language = translation.get_language() or "en"
        with using_tenant(actor.tenant_id), translation.override(language):
            outcome = call_operation(key, arguments=arguments, actor=actor)
        if options["json"]:
            told = json.dumps(_as_json(outcome, limit), ensure_ascii=False, indent=2)
            self.stdout.write(told)
        elif isinstance(outcome, Success):
            self._print(outcome, limit)
        else:
            self.stderr.write(f"{outcome.reason.value}: {outcome.message}")
        if isinstance(outcome, Failure):
            sys.exit(1)

    def _print(self, outcome: Success, limit: int) -> None:
        if isinstance(outcome.data, str):
            self.stdout.write(outcome.data)
        else:
            for line in _lines(outcome.data, limit):
                self.stdout.write(line)
        for note in outcome.notes:
            self.stderr.write(messages.note_text(note))


def _actor(tenant_key: str, username: str | None) -> Actor:
    tenant = Tenant.objects.filter(key=tenant_key).first()
    if tenant is None:
        raise CommandError(f"No such tenant: {tenant_key}.", returncode=2)
    if username is None:
        return Actor(user_id=0, tenant_id=tenant.pk)
    user = User.objects.filter(username=username).first()
    member = (
        user is not None
        and Membership.objects.filter(user=user, tenant=tenant).exists()
    )
    if user is None or not (member or user.is_superuser):
        raise CommandError(f"No such member of {tenant_key}: {username}.", returncode=2)
    return Actor(user_id=user.pk, tenant_id=tenant.pk)


def _arguments(texts: list[str]) -> dict[str, str | list[str]]:
    given: dict[str, list[str]] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise CommandError(f"--arg {text}: expected NAME=VALUE.", returncode=2)
        given.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values
            for name, values in given.items()}  # fmt: skip


def _lines(table: Table, limit: int) -> list[str]:
    """Return a table as aligned lines, long cells cut."""
    heading = [column.name for column in table.columns]
    body = [["" if cell is None else as_text(cell) for cell in row]
            for row in table.rows[:limit]]  # fmt: skip
    cells = [[_short(cell) for cell in row] for row in [heading, *body]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(row, widths) for row in cells]
    if lines:
        lines.insert(1, "  ".join("-" * width for width in widths))
    shown = min(limit, len(table.rows))
    more = "+" if table.cuts else ""
    return [*lines, f"{shown} of {len(table.rows)}{more} rows."]


def _line(row: list[str], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join(padded).rstrip()


def _short(cell: str) -> str:
    plain = " ".join(cell.split())
    return plain if len(plain) <= _WIDEST_CELL else plain[: _WIDEST_CELL - 1] + "…"


def _as_json(outcome: Outcome, limit: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ok": isinstance(outcome, Success),
        "status": outcome.status,
        "elapsed_ms": round(outcome.elapsed_ms, 1),
    }
    if isinstance(outcome, Failure):
        return {**told, "reason": outcome.reason.value, "message": outcome.message}
    told |= {
        "origin": outcome.origin.value,
        "as_of": outcome.as_of.isoformat(),
        "notes": list(outcome.notes),
    }
    if isinstance(outcome.data, str):
        return {**told, "text": outcome.data}
    columns = [{"name": column.name, "type": column.type.value}
               for column in outcome.data.columns]  # fmt: skip
    rows = [[cell if isinstance(cell, (bool, int, float, str, type(None)))
             else as_text(cell) for cell in row]
            for row in outcome.data.rows[:limit]]  # fmt: skip
    cuts = [{"limit": cut.limit.value, "at": cut.at, "total": cut.total}
            for cut in outcome.data.cuts]  # fmt: skip
    return {**told, "columns": columns, "rows": rows, "cuts": cuts}

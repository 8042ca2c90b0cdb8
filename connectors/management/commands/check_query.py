"""Judge statements in bulk, so that a repository of SQL can be checked in CI."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connectors.models import DataSource, RegisteredTable
from connectors.query_safety import Allowed, Refused, judge
from connectors.rules import dialect_of
from connectors.specs import TableSpec
from connectors.sql_dialects import DIALECTS
from connectors.sql_messages import refusal_words
from connectors.tenant_scope import scope_query
from tenants.models import Tenant


class Command(BaseCommand):
    help = (
        "Judge statements without running them. Reads JSON lines "
        '{"id": …, "sql": …}, or one plain statement, from FILE or standard input, and '
        "answers JSON lines. Exit status: 0 all allowed, 1 some refused, 2 bad input."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", nargs="?", metavar="FILE", help="standard input when left out"
        )
        parser.add_argument("--dialect", required=True, choices=DIALECTS)
        parser.add_argument(
            "--data-source",
            metavar="KEY",
            help="also limit each statement to the registered tables of this source",
        )
        parser.add_argument(
            "--tenant", metavar="KEY", help="the tenant whose data source it is"
        )

    def handle(
        self,
        *,
        file: str | None,
        dialect: str,
        data_source: str | None,
        tenant: str | None,
        **options: object,
    ) -> None:
        tables = _tables(data_source, tenant, dialect)
        text = _read(file)
        refused = bad = 0
        for number, row in _rows(text):
            if isinstance(row, str):
                self.stderr.write(f"Line {number}: {row}")
                bad += 1
                continue
            answer = _answer(row, dialect, tables)
            refused += not answer["allowed"]
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        if bad or refused:
            raise SystemExit(2 if bad else 1)


def _read(file: str | None) -> str:
    try:
        if file is None:
            return sys.stdin.read()
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        text = f"{file or 'standard input'} cannot be read: {error}. Give a UTF-8 file."
        raise CommandError(text, returncode=2) from error


def _rows(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield each line's number with its row, or with what is wrong with it."""
    if not text.lstrip().startswith("{"):
        yield 1, {"id": 1, "sql": text}
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _row(line)


def _row(line: str) -> dict[str, Any] | str:
    try:
        row = json.loads(line)
    except ValueError as error:
        return f'not JSON ({error}). Write {{"id": 1, "sql": "SELECT 1"}}.'
    if not isinstance(row, dict) or not isinstance(row.get("sql"), str):
        return 'no text under "sql". Write {"id": 1, "sql": "SELECT 1"}.'
    return row


def _tables(
    key: str | None, tenant_key: str | None, dialect: str
) -> tuple[TableSpec, ...] | None:
    """Return the registered tables of the data source; None when none is named."""
    sources = DataSource.all_tenants.select_related("tenant")
    if tenant_key is not None:
        if not Tenant.objects.filter(key=tenant_key).exists():
            known = ", ".join(Tenant.objects.values_list("key", flat=True)) or "none"
            text = f"There is no tenant {tenant_key!r}. Use one of: {known}."
            raise CommandError(text, returncode=2)
        sources = sources.filter(tenant__key=tenant_key)
    if key is None:
        return None
    found = list(sources.filter(key=key, kind=DataSource.Kind.SQL)[:2])
    if len(found) != 1:
        text = (
            f"Several tenants have a data source {key!r}. Add --tenant KEY."
            if found
            else f"There is no SQL data source {key!r}. Check the key and --tenant."
        )
        raise CommandError(text, returncode=2)
    source = found[0]
    if (spoken := dialect_of(source)) != dialect:
        text = f"The data source {key!r} speaks {spoken}. Use --dialect {spoken}."
        raise CommandError(text, returncode=2)
    rows = RegisteredTable.all_tenants.filter(source=source)
    return tuple(row.spec() for row in rows)


def _verdict(
    sql: str, dialect: str, tables: tuple[TableSpec, ...] | None
) -> Allowed | Refused:
    if tables is None:
        return judge(sql, dialect=dialect)
    scoped = scope_query(sql, dialect=dialect, tables=tables)
    return scoped if isinstance(scoped, Refused) else scoped.allowed


def _answer(
    row: dict[str, Any], dialect: str, tables: tuple[TableSpec, ...] | None
) -> dict[str, Any]:
    verdict = _verdict(row["sql"], dialect, tables)
    if isinstance(verdict, Refused):
        return {
            "id": row.get("id"),
            "allowed": False,
            "rule": verdict.rule,
            "line": verdict.line,
            "column": verdict.column,
            "message": refusal_words(verdict),
            "sql": row["sql"],
        }
    return {
        "id": row.get("id"),
        "allowed": True,
        "rule": None,
        "line": None,
        "column": None,
        "message": "",
        "sql": verdict.sql,
    }

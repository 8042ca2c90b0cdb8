"""Judge statements in bulk, so that a repository of SQL can be checked in CI."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connectors.query_safety import Refused, judge
from connectors.sql_dialects import DIALECTS
from connectors.sql_messages import refusal_words


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

    def handle(self, *, file: str | None, dialect: str, **options: object) -> None:
        text = _read(file)
        refused = bad = 0
        for number, row in _rows(text):
            if isinstance(row, str):
                self.stderr.write(f"Line {number}: {row}")
                bad += 1
                continue
            answer = _answer(row, dialect)
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


def _answer(row: dict[str, Any], dialect: str) -> dict[str, Any]:
    verdict = judge(row["sql"], dialect=dialect)
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

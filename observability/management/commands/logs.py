"""Search log lines from the command line."""

from __future__ import annotations

import json
import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from observability.log_index import create_index
from observability.log_messages import fault_text
from observability.log_query import QueryFault, parse
from observability.log_search import Reach, search
from observability.models import LogLine


class Command(BaseCommand):
    help = (
        "Search stored log lines of every tenant, in the language of the log page. "
        "The oldest of the lines found comes first, as in a file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "query", nargs="?", default="",
            help="such as: 'level>=warning since:2h \"connection refused\"'",
        )  # fmt: skip
        parser.add_argument("--limit", type=int, default=100, help="newest N lines")
        parser.add_argument("--json", action="store_true", help="print JSON lines")
        parser.add_argument(
            "--make-index", action="store_true",
            help="make the text index that a migration could not make, and end",
        )  # fmt: skip

    def handle(
        self,
        *,
        query: str,
        limit: int,
        json: bool,
        make_index: bool,
        **options: object,
    ) -> None:
        if make_index:
            if not create_index(connection):
                raise CommandError("The index could not be made; the reason is above.")
            self.stdout.write("The text index is there.")
            return
        if not 1 <= limit <= 100_000:
            raise CommandError(f"--limit {limit}: give a number from 1 to 100000.")
        node = parse(query)
        if isinstance(node, QueryFault):
            mark = " " * (node.column - 1) + "^"
            raise CommandError(f"{fault_text(node)}\n  {query}\n  {mark}")
        lines = search(node, reach=Reach(everything=True), limit=limit)
        for line in reversed(lines):
            self.stdout.write(_as_json(line) if json else _as_text(line))


def _as_text(line: LogLine) -> str:
    at = timezone.localtime(line.at)
    tenant = f" {line.tenant.key}" if line.tenant is not None else ""
    trace = f" {line.trace_id[:8]}" if line.trace_id else ""
    level = logging.getLevelName(line.level)
    text = f"{at:%Y-%m-%d %H:%M:%S} {level:<7} {line.message}  [{line.logger}"
    text += f"{tenant}{trace}]"
    return f"{text}\n{line.exception}" if line.exception else text


def _as_json(line: LogLine) -> str:
    told: dict[str, Any] = {
        "time": line.at.isoformat(timespec="milliseconds"),
        "level": logging.getLevelName(line.level),
        "logger": line.logger,
        "message": line.message,
        "trace_id": line.trace_id,
        "tenant": line.tenant.key if line.tenant is not None else "",
        "user": line.user,
        "status": line.status,
        "exception": line.exception,
        "process": line.worker,
        **line.labels,
    }
    kept = {name: value for name, value in told.items() if value != ""}
    return json.dumps({**line.data, **kept}, ensure_ascii=False)

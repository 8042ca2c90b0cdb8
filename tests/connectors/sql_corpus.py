"""Statements that must be refused, and plain reads that must be accepted and run.

Two corpora live in ``sql/``. The large one is of other projects and of manuals, with a
source and a licence for each line (``sql/SOURCES.md``): `refused` and `accepted`. The
small one is our own: its plain reads fit the tables of ``SCHEMA``, which the engines
understand: `hostile` and `plain`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "sql"
SCHEMA = (
    "CREATE TABLE sites (id INTEGER PRIMARY KEY, name TEXT NOT NULL, region TEXT)",
    (
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, site_id INTEGER,"
        " amount NUMERIC(10,2), status TEXT, placed_on DATE, note TEXT)"
    ),
    (
        "INSERT INTO sites VALUES (1, 'Busan', 'south'), (2, 'Seoul', 'north'),"
        " (3, 'Jeju', NULL)"
    ),
    (
        "INSERT INTO orders VALUES (1, 1, 10.50, 'open', '2026-01-05', 'a:b'),"
        " (2, 1, 99.90, 'closed', '2026-02-07', NULL),"
        " (3, 2, 5, 'open', '2026-02-07', 'it''s'), (4, 3, 0, 'lost', '2026-03-01', '')"
    ),
)

DIALECTS = ("postgresql", "sqlite")
ALL_DIALECTS = ("postgresql", "mysql", "mariadb", "sqlite")


@dataclass(frozen=True, slots=True)
class Case:
    """One statement of the large corpus.

    Attributes:
        id: Stays the same while the statement does; one for all dialects of a line.
        rules: Ids of the rules of which one must refuse it; empty when it is a plain
            read. Two only where two honestly apply.
        attack_class: Class 1 to 18 of ``sql/SOURCES.md``, or None.
        source: Project, version and path.
        licence: SPDX identifier, or ``Public domain``.
    """

    id: str
    dialect: str
    sql: str
    rules: frozenset[str]
    attack_class: int | None
    source: str
    licence: str


def refused(dialect: str) -> list[Case]:
    """Return every statement that `dialect` must refuse, with the rules for it."""
    own = [
        case
        for line in _records("refused-signalbox")
        if dialect in line["dialects"]
        for case in [_case(line, dialect)]
    ]
    return [*own, *(_case(line, dialect) for line in _records(f"refused-{dialect}"))]


def accepted(dialect: str) -> list[Case]:
    """Return every harmless read of `dialect`, those that are refused included."""
    return [_case(line, dialect) for line in _records(f"accepted-{dialect}")]


def false_alarms() -> dict[tuple[str, str], str]:
    """Return why a harmless read is refused all the same, by dialect and id."""
    return {
        (line["dialect"], line["id"]): line["reason"]
        for line in _records("false-alarms")
    }


def _case(line: dict[str, Any], dialect: str) -> Case:
    return Case(
        id=line["id"],
        dialect=dialect,
        sql=line["sql"],
        rules=frozenset(line.get("rules", ())),
        attack_class=line.get("attack_class"),
        source=line["source"],
        licence=line["licence"],
    )


@cache
def _records(name: str) -> list[dict[str, Any]]:
    text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def _lines(name: str) -> list[str]:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("\n")[:-1]


def hostile(dialect: str) -> list[str]:
    """Return every statement of ours that `dialect` must refuse."""
    return [*_lines("hostile"), *_lines(f"hostile-{dialect}")]


def plain(dialect: str) -> list[str]:
    """Return every read of ours that `dialect` must accept, and its engine must run."""
    return [*_lines("plain"), *_lines(f"plain-{dialect}")]


def personal(dialect: str) -> list[str]:
    """Return reads of people and goods, nearly all of which carry personal values."""
    return [*_lines("personal"), *_lines(f"personal-{dialect}")]

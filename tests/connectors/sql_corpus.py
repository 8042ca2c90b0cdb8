"""Statements that must be refused, and plain reads that must be accepted and run.

One statement is one line of a file in ``sql/``. The plain reads fit the tables of
``SCHEMA``, which both engines understand.
"""

from __future__ import annotations

from pathlib import Path

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


def _lines(name: str) -> list[str]:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("\n")[:-1]


def hostile(dialect: str) -> list[str]:
    """Return every statement that `dialect` must refuse."""
    return [*_lines("hostile"), *_lines(f"hostile-{dialect}")]


def plain(dialect: str) -> list[str]:
    """Return every read that `dialect` must accept, and its engine must run."""
    return [*_lines("plain"), *_lines(f"plain-{dialect}")]


def personal(dialect: str) -> list[str]:
    """Return reads of people and goods, nearly all of which carry personal values."""
    return [*_lines("personal"), *_lines(f"personal-{dialect}")]

"""SQLite's wall: a file opened to be read, and a look at all a statement does."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy
from django.conf import settings
from sqlalchemy import URL
from sqlalchemy.engine import Engine

from connectors.specs import SourceSpec
from connectors.sql_grammar import CATALOG_TABLES
from connectors.sql_wall import SourceRefusedError, Terms

LONGEST_VALUE = 5_000_000  # bytes of one value or row
_POOL_SIZE = 4
_BUSY_S = 2.0
_CHECK_EVERY = 5_000  # instructions between two looks at the clock

_DENIED_FUNCTIONS = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "regexp"}
)


class SQLiteWall:
    """A file that is opened to be read, through an authorizer of every action."""

    errors: tuple[type[Exception], ...] = (sqlite3.Error,)

    def checked_url(self, url: URL) -> URL:
        if url.query:
            raise SourceRefusedError("option", min(url.query))
        return url

    def is_portal(self, url: URL, portal: Mapping[str, Any]) -> bool:
        return _is_same_file(str(url.database or ""), str(portal["NAME"]))

    def fingerprint(self, url: URL, source: SourceSpec) -> object:
        try:
            status = Path(url.database or "").stat()
        except (OSError, ValueError):
            raise SourceRefusedError("missing-file") from None
        return status.st_dev, status.st_ino

    def make_engine(self, url: URL, source: SourceSpec) -> Engine:
        path = Path(url.database or "").resolve()
        if not path.is_file():
            raise SourceRefusedError("missing-file")
        return sqlalchemy.create_engine(
            "sqlite://",
            creator=lambda: open_sqlite(path),
            poolclass=sqlalchemy.QueuePool,
            pool_size=_POOL_SIZE,
            max_overflow=settings.SIGNALBOX_POOL_THREADS,
            hide_parameters=True,
        )

    def begin(self, driver: sqlite3.Connection, terms: Terms) -> None:
        driver.set_progress_handler(terms.is_over, _CHECK_EVERY)

    def end(self, driver: sqlite3.Connection) -> None:
        driver.set_progress_handler(None, 0)

    def cancel(self, driver: sqlite3.Connection) -> None:
        driver.interrupt()


def open_sqlite(path: Path) -> sqlite3.Connection:
    """Open a SQLite file that this connection can only read, however it is asked."""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro",
        uri=True,
        timeout=_BUSY_S,
        check_same_thread=False,  # the canceller interrupts from its own thread
        isolation_level=None,
    )
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA trusted_schema=OFF")
    # The first use of these in a connection looks like a change of the schema.
    connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')").fetchall()
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.set_authorizer(_only_reads)
    return connection


def _only_reads(
    action: int, first: str | None, second: str | None, *_: str | None
) -> int:
    match action:
        case sqlite3.SQLITE_SELECT | sqlite3.SQLITE_RECURSIVE:
            allowed = True
        case sqlite3.SQLITE_READ:
            name = (first or "").lower()
            allowed = not name.startswith(CATALOG_TABLES["sqlite"])
        case sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            allowed = name not in _DENIED_FUNCTIONS and not name.startswith("sqlite_")
        case sqlite3.SQLITE_PRAGMA:
            # SQLAlchemy asks this of its first connection.
            allowed = first == "read_uncommitted" and second is None
        case _:
            allowed = False
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _is_same_file(left: str, right: str) -> bool:
    if ":memory:" in {left, right} or not left or not right:
        return left == right
    one, two = Path(left).resolve(), Path(right).resolve()
    try:
        return one.samefile(two)  # sees links, hard ones too
    except OSError:
        return one == two

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
from connectors.sql_sqlite_wall import raise_wall
from connectors.sql_wall import SourceRefusedError, Terms

_POOL_SIZE = 4
_BUSY_S = 2.0
_CHECK_EVERY = 5_000  # instructions between two looks at the clock


class SQLiteWall:
    """A file that is opened to be read, through an authorizer of every action."""

    # A second statement is a Warning until Python 3.11, which is no Error.
    errors: tuple[type[Exception], ...] = (sqlite3.Error, sqlite3.Warning)

    def checked_url(self, url: URL) -> URL:
        if url.query:
            raise SourceRefusedError("option", min(url.query))
        name = url.database or ""
        if name and name != ":memory:" and not is_allowed(Path(name)):
            raise SourceRefusedError("folder")
        return url

    def is_portal(self, url: URL, portal: Mapping[str, Any]) -> bool:
        return _is_same_file(str(url.database or ""), str(portal["NAME"]))

    def fingerprint(self, url: URL, source: SourceSpec) -> object:
        try:
            status = Path(url.database or "").stat()
        except (OSError, ValueError):
            raise SourceRefusedError("missing-file") from None
        # The views of a connection hold the tables and the tenant they were made for.
        tenant = source.tenant_id, source.tenant_key
        return status.st_dev, status.st_ino, source.tables, tenant

    def make_engine(self, url: URL, source: SourceSpec) -> Engine:
        path = Path(url.database or "").resolve()
        if not path.is_file():
            raise SourceRefusedError("missing-file")
        return sqlalchemy.create_engine(
            "sqlite://",
            creator=lambda: open_sqlite(path, source),
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


def open_sqlite(path: Path, source: SourceSpec | None = None) -> sqlite3.Connection:
    """Open a SQLite file that this connection can only read, however it is asked.

    Args:
        source: Whose registered tables, and whose rows of them, may be read.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro",
        uri=True,
        timeout=_BUSY_S,
        check_same_thread=False,  # the canceller interrupts from its own thread
        isolation_level=None,
    )
    raise_wall(connection, source)
    return connection


def is_allowed(path: Path) -> bool:
    """Tell whether the settings let data sources name this file."""
    places = [Path(place).resolve() for place in settings.SIGNALBOX_SQLITE_PATHS]
    return any(path.resolve().is_relative_to(place) for place in places)


def _is_same_file(left: str, right: str) -> bool:
    if ":memory:" in {left, right} or not left or not right:
        return left == right
    one, two = Path(left).resolve(), Path(right).resolve()
    try:
        return one.samefile(two)  # sees links, hard ones too
    except OSError:
        return one == two

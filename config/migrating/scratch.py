"""Databases that are made to be thrown away."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ENGINES = ("sqlite", "postgresql")
_POSTGRESQL_SCHEMES = {"postgresql", "postgres"}


class NoScratchDatabase(RuntimeError):
    """There is nowhere to make a database of this engine."""


@contextmanager
def scratch_database(engine: str) -> Iterator[str]:
    """Make an empty database, yield its address, and drop it.

    On PostgreSQL it is made beside the database of ``SIGNALBOX_TEST_DATABASE_URL``,
    or else beside the configured one, whose rows are never touched.

    Raises:
        NoScratchDatabase: no PostgreSQL is configured, or it refuses.
    """
    if engine == "sqlite":
        with tempfile.TemporaryDirectory(prefix="signalbox-migrations-") as folder:
            yield f"sqlite:///{Path(folder) / 'scratch.sqlite3'}"
        return
    server = _postgresql()
    name = f"signalbox_scratch_{token_hex(6)}"
    _say(server, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", name)
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        _say(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _postgresql() -> str:
    for name in ("SIGNALBOX_TEST_DATABASE_URL", "SIGNALBOX_DATABASE_URL"):
        url = os.environ.get(name, "")
        if urlsplit(url).scheme in _POSTGRESQL_SCHEMES:
            return url
    raise NoScratchDatabase(
        "No PostgreSQL is configured. Set SIGNALBOX_TEST_DATABASE_URL to a server on "
        "which a database may be created, or leave it out: --engines sqlite"
    )


def _say(server: str, statement: str, name: str) -> None:
    command = sql.SQL(statement).format(sql.Identifier(name))
    try:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(command)
    except psycopg.Error as error:
        # The address may hold a password, so only the kind of the fault is told.
        raise NoScratchDatabase(
            f"PostgreSQL does not let a scratch database come or go "
            f"({type(error).__name__}). Give its role CREATEDB, or name another server "
            "with SIGNALBOX_TEST_DATABASE_URL."
        ) from error

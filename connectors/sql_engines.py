"""Engines of external databases: small pools of connections that can only read.

One engine per data source and process. It is replaced, and its connections closed,
when the data source's address changes or the file beneath it is another one.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import sqlalchemy
from django.conf import settings
from django.db import connections
from sqlalchemy import URL, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError

from connectors.specs import SourceSpec
from connectors.sql_grammar import CATALOG_TABLES

MOST_ENGINES = 64
LONGEST_VALUE = 5_000_000  # bytes of one value or row of SQLite
_POOL_SIZE = 4
_RECYCLE_S = 300
_BUSY_S = 2.0

# Anything else could name another database than the checked one, or change the session.
_POSTGRESQL_OPTIONS = frozenset(
    {"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding"}
)
_DENIED_FUNCTIONS = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "regexp"}
)

_Key: TypeAlias = tuple[int, str]
_engines: OrderedDict[_Key, tuple[object, Engine]] = OrderedDict()
_lock = threading.Lock()


class SourceRefusedError(Exception):
    """A data source whose address may not be used.

    Attributes:
        rule: Rule id of ``connectors.sql_messages``: ``address``, ``option``,
            ``portal-database``, ``missing-file`` or ``dialect``.
        found: What was found; never an address.
    """

    def __init__(self, rule: str, found: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.found = found


def engine_for(source: SourceSpec) -> Engine:
    """Return the engine of a data source; the first call makes it.

    Raises:
        SourceRefusedError: the address is unreadable, not allowed, the portal's own
            database, or a file that is not there.
    """
    url = read_url(source)
    fingerprint = _fingerprint(source, url)
    key = (source.tenant_id, source.key)
    with _lock:
        found = _engines.get(key)
        if found is not None and found[0] == fingerprint:
            _engines.move_to_end(key)
            return found[1]
        if is_portal_database(url):
            raise SourceRefusedError("portal-database")
        made = _MAKERS[source.dialect](url, source)
        _engines[key] = (fingerprint, made)
        retired = [found[1]] if found is not None else []
        while len(_engines) > MOST_ENGINES:
            retired.append(_engines.popitem(last=False)[1][1])
    for engine in retired:
        engine.dispose()
    return made


def dispose_all() -> None:
    """Close every connection; the next query opens new ones. For shutdown."""
    with _lock:
        retired = [engine for _, engine in _engines.values()]
        _engines.clear()
    for engine in retired:
        engine.dispose()


def read_url(source: SourceSpec) -> URL:
    """Read the address of a SQL data source, or refuse it."""
    try:
        url = sqlalchemy.make_url(source.base_url)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        raise SourceRefusedError("address") from None
    if source.dialect not in _MAKERS:
        raise SourceRefusedError("dialect", source.dialect)
    if backend != source.dialect:
        raise SourceRefusedError("dialect", backend)
    if source.dialect == "sqlite":
        if url.query:
            raise SourceRefusedError("option", min(url.query))
        return url
    if unknown := sorted(set(url.query) - _POSTGRESQL_OPTIONS):
        raise SourceRefusedError("option", unknown[0])
    return url.set(drivername="postgresql+psycopg")


def is_portal_database(url: URL | str) -> bool:
    """Tell whether an address leads to a database Django itself uses.

    Django's connections own their tables and may change them, so saved SQL never runs
    there, under no other spelling of the address either. Local addresses (a socket,
    ``localhost``, ``127.0.0.1``) count as one host.
    """
    if isinstance(url, str):
        url = sqlalchemy.make_url(url)
    engine = url.get_backend_name()
    return any(
        _is_same(url, connections[alias].settings_dict)
        for alias in connections
        if connections[alias].vendor == engine
    )


def _is_same(url: URL, portal: dict[str, Any]) -> bool:
    if url.get_backend_name() == "sqlite":
        return _is_same_file(str(url.database or ""), str(portal["NAME"]))
    options = {**portal.get("OPTIONS", {})}
    name = url.database or url.username or ""
    if name != str(portal["NAME"]):
        return False
    theirs = _option(url, "port") or url.port or 5432
    ours = options.get("port") or portal.get("PORT") or 5432
    if str(theirs) != str(ours):
        return False
    hosts = _hosts(_option(url, "host") or url.host or "")
    return bool(hosts & _hosts(str(options.get("host") or portal.get("HOST") or "")))


def _option(url: URL, name: str) -> str:
    value = url.query.get(name, "")
    return value if isinstance(value, str) else ",".join(value)


def _hosts(text: str) -> set[str]:
    def plain(host: str) -> str:
        host = host.strip().strip("[]").rstrip(".").lower()
        local = not host or host.startswith(("/", "@", "127.", "localhost"))
        return "" if local or host == "::1" else host

    return {plain(host) for host in text.split(",")}


def _is_same_file(left: str, right: str) -> bool:
    if ":memory:" in {left, right} or not left or not right:
        return left == right
    one, two = Path(left).resolve(), Path(right).resolve()
    try:
        return one.samefile(two)  # sees links, hard ones too
    except OSError:
        return one == two


def _fingerprint(source: SourceSpec, url: URL) -> object:
    spelled = (source.dialect, source.base_url, source.connect_timeout_ms, os.getpid())
    if source.dialect != "sqlite":
        return spelled
    try:
        status = Path(url.database or "").stat()
    except (OSError, ValueError):
        raise SourceRefusedError("missing-file") from None
    return (*spelled, status.st_dev, status.st_ino)


def _postgresql(url: URL, source: SourceSpec) -> Engine:
    engine = sqlalchemy.create_engine(
        url,
        pool_size=_POOL_SIZE,
        max_overflow=settings.SIGNALBOX_POOL_THREADS,
        pool_pre_ping=True,
        pool_recycle=_RECYCLE_S,
        hide_parameters=True,
        connect_args={
            "connect_timeout": max(2, source.connect_timeout_ms // 1000),
            "application_name": "signalbox",
            # Behind a pooler the next statement may reach another server process.
            "prepare_threshold": None,
        },
    )

    @event.listens_for(engine, "connect")
    def read_only(connection: Any, record: object) -> None:
        connection.read_only = True  # every transaction opens with BEGIN READ ONLY

    return engine


def _sqlite(url: URL, source: SourceSpec) -> Engine:
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


_MAKERS = {"postgresql": _postgresql, "sqlite": _sqlite}


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

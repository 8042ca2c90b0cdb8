"""Engines of external databases: small pools of connections that can only read.

One engine per data source and process. It is replaced, and its connections closed,
when the data source's address changes or the database beneath it is another one.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TypeAlias

import sqlalchemy
from django.db import connections
from sqlalchemy import URL
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError

from connectors.specs import SourceSpec
from connectors.sql_mysql import MySQLWall
from connectors.sql_postgresql import PostgreSQLWall
from connectors.sql_sqlite import SQLiteWall
from connectors.sql_wall import SourceRefusedError, Wall

MOST_ENGINES = 64
WALLS: dict[str, Wall] = {
    "postgresql": PostgreSQLWall(),
    "sqlite": SQLiteWall(),
    "mysql": MySQLWall("mysql"),
    "mariadb": MySQLWall("mariadb"),
}
DRIVER_ERRORS: tuple[type[Exception], ...] = tuple(
    error for wall in WALLS.values() for error in wall.errors
)

_Key: TypeAlias = tuple[int, str]
_engines: OrderedDict[_Key, tuple[object, Engine]] = OrderedDict()
_lock = threading.Lock()


def engine_for(source: SourceSpec) -> Engine:
    """Return the engine of a data source; the first call makes it.

    Raises:
        SourceRefusedError: the address is unreadable, not allowed, the portal's own
            database, or a file that is not there.
    """
    url = read_url(source)
    wall = WALLS[source.dialect]
    fingerprint = (
        source.dialect,
        source.base_url,
        source.connect_timeout_ms,
        os.getpid(),
        wall.fingerprint(url, source),
    )
    key = (source.tenant_id, source.key)
    with _lock:
        found = _engines.get(key)
        if found is not None and found[0] == fingerprint:
            _engines.move_to_end(key)
            return found[1]
        if is_portal_database(url):
            raise SourceRefusedError("portal-database")
        made = wall.make_engine(url, source)
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
    if source.dialect not in WALLS:
        raise SourceRefusedError("dialect", source.dialect)
    if backend != source.dialect:
        raise SourceRefusedError("dialect", backend)
    return WALLS[source.dialect].checked_url(url)


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
        WALLS[engine].is_portal(url, connections[alias].settings_dict)
        for alias in connections
        if connections[alias].vendor == engine
    )

"""MySQL's and MariaDB's wall: a transaction that reads, limits, and a second line.

The driver binds values on its own side, so the session is told how to read text before
every statement: the same way in which the judge reads it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from typing import Any

import pymysql
import sqlalchemy
from django.conf import settings
from pymysql.constants import ER, FIELD_TYPE
from pymysql.converters import conversions
from pymysql.cursors import Cursor, SSCursor
from sqlalchemy import URL
from sqlalchemy.engine import Engine

from connectors.specs import SourceSpec
from connectors.sql_wall import SourceRefusedError, Terms

_POOL_SIZE = 4
_RECYCLE_S = 300
_CANCEL_S = 5.0
_GRACE_S = 2.0  # the server's own time limit speaks first
_DRAINED_ROWS = 200  # rows left unread that cost less than a second connection
_RESET_CONNECTION = 0x1F  # COM_RESET_CONNECTION, of which the driver has no name

# Anything else could name another server than the checked one, or change the session.
_OPTIONS = frozenset({"unix_socket", "ssl_ca", "ssl_cert", "ssl_key"})
# Written out, so that no default of the server makes it read text otherwise than the
# judge does: backslashes escape, double quotes make texts, || is OR.
_SQL_MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
_ENDLESS = 4_294_967_295
_SESSION: dict[str, int | str] = {
    "sql_mode": f"'{_SQL_MODE}'",
    "time_zone": "'+00:00'",
    "group_concat_max_len": 1_048_576,
}
# A recursion that is cut without a word is a wrong answer: time and space end it.
_MARIADB: dict[str, int | str] = {
    "tx_read_only": 1,
    "max_recursive_iterations": _ENDLESS,
    "tmp_disk_table_size": 1 << 30,
    "max_session_mem_used": 256 << 20,
}
_MYSQL: dict[str, int | str] = {
    "transaction_read_only": 1,
    "cte_max_recursion_depth": _ENDLESS,
}
_NAMES = {"mysql": "MySQL", "mariadb": "MariaDB"}


class MySQLWall:
    """Every statement in a read-only transaction, unbuffered, ended by a second line.

    Args:
        dialect: ``mysql`` or ``mariadb``; a server of the other kind is refused, as
            its SQL is another.
    """

    errors: tuple[type[Exception], ...] = (pymysql.MySQLError,)

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect

    def checked_url(self, url: URL) -> URL:
        if unknown := sorted(set(url.query) - _OPTIONS):
            raise SourceRefusedError("option", unknown[0])
        if several := sorted(
            name for name, value in url.query.items() if not isinstance(value, str)
        ):
            raise SourceRefusedError("option", several[0])
        return url.set(drivername=f"{self._dialect}+pymysql")

    def is_portal(self, url: URL, portal: Mapping[str, Any]) -> bool:
        """Return False: Django's own database is PostgreSQL or SQLite."""
        return False

    def fingerprint(self, url: URL, source: SourceSpec) -> object:
        return None

    def make_engine(self, url: URL, source: SourceSpec) -> Engine:
        arguments = _arguments(url, source)
        return sqlalchemy.create_engine(
            "mysql+pymysql://",
            creator=lambda: _open(arguments, self._dialect),
            pool_size=_POOL_SIZE,
            max_overflow=settings.SIGNALBOX_POOL_THREADS,
            pool_pre_ping=True,
            pool_recycle=_RECYCLE_S,
            pool_reset_on_return=None,  # `end` has undone everything
            hide_parameters=True,
        )

    def begin(self, driver: _Connection, terms: Terms) -> None:
        left = max(0.001, terms.until - time.monotonic())
        driver.wait_at_most(left + _GRACE_S)
        limits = _SESSION | self._limits(left)
        told = ", ".join(f"SESSION {name} = {value}" for name, value in limits.items())
        driver.query(f"SET NAMES utf8mb4, {told}")
        driver.query("START TRANSACTION READ ONLY")

    def end(self, driver: _Connection) -> None:
        driver.wait_at_most(_GRACE_S)
        driver.reset()

    def cancel(self, driver: _Connection) -> None:
        driver.kill_query()

    def _limits(self, left: float) -> dict[str, int | str]:
        memory = settings.SIGNALBOX_QUERY_WORK_MEM_MB << 20
        limits: dict[str, int | str] = {
            "lock_wait_timeout": max(1, round(left)),
            "tmp_table_size": memory,
            "max_heap_table_size": memory,
        }
        if self._dialect == "mariadb":
            return limits | _MARIADB | {"max_statement_time": f"{left:.6f}"}
        return limits | _MYSQL | {"max_execution_time": max(1, round(left * 1_000))}


class _Connection(pymysql.Connection):  # type: ignore[misc]  # ships no types
    """A connection that can be stopped from another thread."""

    def __init__(self, **arguments: Any) -> None:
        self._given = arguments
        super().__init__(**arguments)

    def cursor(self, cursor: type[Cursor] | None = None) -> Cursor:
        return super().cursor(_Cursor if cursor is SSCursor else cursor)

    def wait_at_most(self, seconds: float) -> None:
        """Bound every later wait for the server, whose own limit should come first."""
        self._read_timeout = seconds
        self._write_timeout = seconds

    def kill_query(self) -> None:
        """End the running statement through a second connection of the same user."""
        given = self._given | {"connect_timeout": _CANCEL_S, "read_timeout": _CANCEL_S}
        with pymysql.Connection(**given) as second:
            second.query(f"KILL QUERY {self.thread_id()}")

    def reset(self) -> None:
        """Undo the transaction, temporary tables, locks, variables and statements."""
        self._execute_command(_RESET_CONNECTION, b"")
        self._read_ok_packet()


class _Cursor(SSCursor):  # type: ignore[misc]  # ships no types
    """Rows as they come. The driver reads an answer to its end; this one ends it."""

    def close(self) -> None:
        result = self._result
        connection = self.connection
        if connection is not None and result is not None and result.unbuffered_active:
            for _ in range(_DRAINED_ROWS):
                if result._read_rowdata_packet_unbuffered() is None:
                    break
            else:
                connection.kill_query()
                try:
                    result._finish_unbuffered_query()
                except pymysql.OperationalError as error:
                    if error.args[0] != ER.QUERY_INTERRUPTED:
                        raise
        super().close()


def _arguments(url: URL, source: SourceSpec) -> dict[str, Any]:
    return {
        "host": url.host or "localhost",
        "port": url.port or 3306,
        "user": url.username or "",
        # The driver would write a text in Latin-1.
        "password": str(url.password or "").encode(),
        "database": url.database,
        "unix_socket": url.query.get("unix_socket"),
        "ssl": _tls(url),
        "charset": "utf8mb4",
        "autocommit": None,  # what the server does; every query has its transaction
        "connect_timeout": max(1.0, source.connect_timeout_ms / 1_000),
        "local_infile": False,
        "conv": conversions | {FIELD_TYPE.BIT: _bits},
        "program_name": "signalbox",
    }


def _tls(url: URL) -> ssl.SSLContext | None:
    """Return how TLS is verified; without options it is used when it is offered."""
    options = {name: str(value) for name, value in url.query.items()}
    if not options.keys() & {"ssl_ca", "ssl_cert", "ssl_key"}:
        return None
    authority = options.get("ssl_ca", "system")
    try:
        context = ssl.create_default_context(
            cafile=None if authority == "system" else authority
        )
        if "ssl_cert" in options:
            context.load_cert_chain(options["ssl_cert"], options.get("ssl_key"))
    except OSError:
        raise SourceRefusedError("certificate") from None
    return context


def _open(arguments: Mapping[str, Any], dialect: str) -> _Connection:
    connection = _Connection(**arguments)
    found = "mariadb" if "mariadb" in connection.server_version.lower() else "mysql"
    if found != dialect:
        connection.close()
        raise SourceRefusedError("server-kind", _NAMES[found])
    return connection


def _bits(value: bytes) -> int:
    return int.from_bytes(value, "big")

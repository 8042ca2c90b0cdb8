"""What a database error means to the reader. No value and no address gets through."""

from __future__ import annotations

import re
import sqlite3

import psycopg
import pymysql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connectors.outcomes import Failure, Reason
from connectors.sql_messages import failure_words
from connectors.sql_mysql_faults import mysql_fault

# SQLSTATE of PostgreSQL, whole or its class, to (reason, rule).
_STATES = {
    "57014": (Reason.TIMEOUT, "timeout"),
    "55P03": (Reason.TIMEOUT, "timeout"),
    "25P03": (Reason.TIMEOUT, "timeout"),
    "42501": (Reason.DENIED, "permission"),
    "25006": (Reason.REFUSED, "read-only"),
    "42": (Reason.UPSTREAM, "statement"),
    "22": (Reason.UPSTREAM, "value"),
    "08": (Reason.UPSTREAM, "unreachable"),
    "28": (Reason.UPSTREAM, "login"),
    "3D": (Reason.UPSTREAM, "unreachable"),
    "53": (Reason.UPSTREAM, "overloaded"),
    "57": (Reason.UPSTREAM, "unreachable"),
}
_SQLITE = {
    sqlite3.SQLITE_INTERRUPT: (Reason.TIMEOUT, "timeout"),
    sqlite3.SQLITE_AUTH: (Reason.REFUSED, "read-only"),
    sqlite3.SQLITE_READONLY: (Reason.REFUSED, "read-only"),
    sqlite3.SQLITE_CANTOPEN: (Reason.UPSTREAM, "file"),
    sqlite3.SQLITE_NOTADB: (Reason.UPSTREAM, "file"),
    sqlite3.SQLITE_CORRUPT: (Reason.UPSTREAM, "file"),
    sqlite3.SQLITE_IOERR: (Reason.UPSTREAM, "file"),
    sqlite3.SQLITE_BUSY: (Reason.UPSTREAM, "overloaded"),
    sqlite3.SQLITE_LOCKED: (Reason.UPSTREAM, "overloaded"),
    sqlite3.SQLITE_TOOBIG: (Reason.UPSTREAM, "too-big"),
    sqlite3.SQLITE_NOMEM: (Reason.UPSTREAM, "too-big"),
}
# Texts of SQLite that quote the statement only, never a value.
_SQLITE_STATEMENT = re.compile(
    r"no such (?:table|column|function|collation sequence): (?P<name>.+)"
    r"|near \"(?P<near>.+)\": syntax error"
    r"|ambiguous column name: (?P<twice>.+)"
    r"|misuse of (?:aggregate|window function).*"
    r"|wrong number of arguments to function (?P<function>\w+)\(\)"
    r"|SELECTs to the left and right of .* do not have the same number of .*"
)
# A name in a message: quoted, or a column of PostgreSQL with its table.
_NAMED = re.compile(
    r'"(?P<quoted>[^"]+)"|column (?P<column>\S+) does not exist'
    r"|(?:column|table|function|^) ?'(?P<single>[^']+)'"
)
# A server that turns a login away sends no SQLSTATE through the driver.
_LOGIN = re.compile(r"password|authentication|role \"|pg_hba|no password supplied")


def failure_of(error: Exception, *, sql: str, late: bool, cancelled: bool) -> Failure:
    """Turn an error of SQLAlchemy or a driver into a failure with plain words.

    Args:
        sql: What the writer wrote; a name the database quotes is located in it.
        late: The deadline has passed.
        cancelled: The reader left.
    """
    original = error.orig if isinstance(error, DBAPIError) else error
    detail = ""
    match original:
        case PoolTimeout():
            reason, rule = Reason.UPSTREAM, "overloaded"
        case psycopg.Error():
            reason, rule, detail = _postgresql(original)
        case sqlite3.Error():
            reason, rule, detail = _sqlite(original)
            if _named(detail) and _place(detail, sql) is None:
                detail = ""  # a name that nobody wrote: a value, as of MATCH
        case pymysql.MySQLError():
            reason, rule, detail = mysql_fault(original)
        case sqlite3.Warning():  # a second statement
            reason, rule = Reason.REFUSED, "read-only"
        case _:
            reason, rule = Reason.UPSTREAM, "other"
    if cancelled:
        reason, rule = Reason.CANCELLED, "cancelled"
    elif late and rule == "unreachable":
        reason, rule = Reason.TIMEOUT, "timeout"
    words = failure_words(rule, detail=detail, place=_place(detail, sql))
    return Failure(reason, words, 0.0)


def _postgresql(error: psycopg.Error) -> tuple[Reason, str, str]:
    state = error.sqlstate or ""
    if not state:
        # No answer of a server: the connection, or a value Python cannot hold.
        if isinstance(error, psycopg.DataError):
            return Reason.UNREADABLE, "value", ""
        if _LOGIN.search(str(error)):
            return Reason.UPSTREAM, "login", ""
        return Reason.UPSTREAM, "unreachable", ""
    reason, rule = (
        _STATES.get(state) or _STATES.get(state[:2]) or (Reason.UPSTREAM, "other")
    )
    # A place in the statement says that its text is wrong. Without one, a function was
    # given text that it could not read (to_tsquery), and the message quotes a value.
    if state[:2] == "42" and error.diag.statement_position:
        return reason, rule, (error.diag.message_primary or "")[:200]
    return reason, rule, ""


def _sqlite(error: sqlite3.Error) -> tuple[Reason, str, str]:
    text = str(error)
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int) and code & 0xFF in _SQLITE:
        return *_SQLITE[code & 0xFF], ""
    if _SQLITE_STATEMENT.fullmatch(text):
        return Reason.UPSTREAM, "statement", text[:200]
    if "too big" in text:
        return Reason.UPSTREAM, "too-big", ""
    if "decode" in text:
        return Reason.UNREADABLE, "encoding", ""
    return Reason.UPSTREAM, "value", ""


def _named(detail: str) -> str:
    """Return the name that the database complains about, or an empty text."""
    found = _SQLITE_STATEMENT.fullmatch(detail) or _NAMED.search(detail)
    name = next(filter(None, found.groups()), "") if found else ""
    return name.rpartition(".")[2].strip('"')


def _place(detail: str, sql: str) -> tuple[int, int] | None:
    """Return line and column, from 1, of the name the database complains about."""
    name = _named(detail)
    if not name:
        return None
    seen = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE)
    if seen is None:
        return None
    at = seen.start()
    return sql.count("\n", 0, at) + 1, at - sql.rfind("\n", 0, at)

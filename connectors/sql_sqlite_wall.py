"""What a statement may touch in a SQLite file: registered tables, one tenant's rows.

A table with a tenant column is hidden behind a temporary view of its own name that
holds the tenant's rows alone. The table itself may be read only from inside that view,
and the authorizer knows the view by a name nobody can guess: SQLite names the innermost
view of each read, but a WITH of the same name would be named as well.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot.dialects import SQLite
from sqlglot.errors import TokenError

from connectors.specs import SourceSpec, TableSpec, TenantValue
from connectors.sql_grammar import CATALOG_TABLES

LONGEST_VALUE = 5_000_000  # bytes of one value or row
LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LONGEST_VALUE,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 512 * 1024,
    sqlite3.SQLITE_LIMIT_COLUMN: 1_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 500,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 200,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 1_000_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 100,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 10_000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}

_DENIED_FUNCTIONS = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "regexp"}
)
_TABLE_FUNCTIONS = frozenset({"json_each", "json_tree"})


@dataclass(frozen=True, slots=True)
class Guard:
    """The authorizer of one connection. Names are in lower case.

    Attributes:
        present: Every table and view of the file.
        scoped: Registered tables with a tenant column, to the one view that may read
            them.
        shared: Registered tables whose rows everybody may read, with the tables a
            virtual one keeps its rows in.
        inner: Views of ours, under names nobody can guess.
        copies: Those of them that stand for a registered view: they read what the view
            reads.
        everything: Every table of the file may be read; for no data source.
    """

    present: frozenset[str] = frozenset()
    scoped: dict[str, str] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    inner: frozenset[str] = frozenset()
    copies: frozenset[str] = frozenset()
    everything: bool = False

    def __call__(
        self,
        action: int,
        first: str | None,
        second: str | None,
        database: str | None,
        inside: str | None,
    ) -> int:
        """Say whether SQLite may do this; `inside` names the innermost view."""
        match action:
            case sqlite3.SQLITE_SELECT | sqlite3.SQLITE_RECURSIVE:
                allowed = True
            case sqlite3.SQLITE_READ:
                allowed = self._may_read(
                    *((name or "").lower() for name in (first, database, inside))
                )
            case sqlite3.SQLITE_FUNCTION:
                name = (second or "").lower()
                allowed = not name.startswith("sqlite_")
                allowed = allowed and name not in _DENIED_FUNCTIONS
            case sqlite3.SQLITE_PRAGMA:
                # What SQLAlchemy asks of its first connection, and a full-text search.
                allowed = first in {"read_uncommitted", "data_version"}
                allowed = allowed and second is None
            case _:
                allowed = False
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    def _may_read(self, table: str, database: str, inside: str) -> bool:
        if table.startswith(CATALOG_TABLES["sqlite"]):
            return False
        if self.everything:
            return True
        if database == "temp":
            return table in self.inner or table in self.scoped or table in self.shared
        if table in self.shared or inside in self.copies:
            return True
        if table in self.scoped:
            # Without a database the name was written alone: then it is the view.
            return not database or inside == self.scoped[table]
        if not database:
            # No column is read: count(*) of a table, or of a name that a WITH made.
            return table not in self.present
        return table in _TABLE_FUNCTIONS and table not in self.present


def raise_wall(connection: sqlite3.Connection, source: SourceSpec | None) -> None:
    """Leave a fresh connection nothing but reads of what the data source registers.

    Args:
        connection: Opened with ``mode=ro``, outside a transaction.
        source: Whose tables and tenant; None for a file of which all may be read.
    """
    connection.execute("PRAGMA trusted_schema=OFF")
    # The first use of these in a connection looks like a change of the schema.
    connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')").fetchall()
    guard = _Builder(connection, source).guard() if source else Guard(everything=True)
    connection.execute("PRAGMA query_only=ON")
    for limit, most in LIMITS.items():
        connection.setlimit(limit, most)
    connection.set_authorizer(guard)


class _Builder:
    """Makes the views of a connection, and the guard that knows them."""

    def __init__(self, connection: sqlite3.Connection, source: SourceSpec) -> None:
        self._connection = connection
        self._source = source
        self._prefix = f"_{secrets.token_hex(16)}"
        self._names: list[str] = []
        rows = connection.execute(
            "SELECT lower(name), type, sql FROM sqlite_master"
            " WHERE type IN ('table', 'view')"
        )
        self._present: dict[str, tuple[str, str]] = {
            name: (kind, sql or "") for name, kind, sql in rows
        }

    def guard(self) -> Guard:
        scoped: dict[str, str] = {}
        shared: set[str] = set()
        copies: set[str] = set()
        for table in self._source.tables:
            name = table.name.lower()
            origin = f"main.{_quoted(table.name)}"
            kind, sql = self._present.get(name, ("", ""))
            if kind == "view":
                copy = self._copy_of_view(sql)
                if copy is None:
                    continue  # stays unreadable
                copies.add(copy)
                origin = f"temp.{_quoted(copy)}"
            if table.tenant_column:
                scoped[name] = self._view_of_rows(table, origin)
                origin = f"temp.{_quoted(scoped[name])}"
            else:
                shared |= {name, *self._kept_by(name, sql)}
            if origin.startswith("temp."):
                self._view(table.name, origin)
        return Guard(
            present=frozenset(self._present),
            scoped=scoped,
            shared=frozenset(shared),
            inner=frozenset(self._names),
            copies=frozenset(copies),
        )

    def _view_of_rows(self, table: TableSpec, origin: str) -> str:
        by_key = table.tenant_value is TenantValue.KEY
        tenant = _text(self._source.tenant_key) if by_key else self._source.tenant_id
        # Through t, for "column" alone is a text when there is no such column.
        column = f"t.{_quoted(table.tenant_column)}"
        name = self._own_name()
        self._view(name, f"{origin} AS t WHERE {column} = {tenant}")
        return name

    def _copy_of_view(self, sql: str) -> str | None:
        """Make a view like one of the file; its own name is anybody's to use."""
        try:
            tokens = SQLite().tokenize(sql)
        except TokenError:
            return None
        words = [token.text.upper() for token in tokens]
        if words[:2] != ["CREATE", "VIEW"] or "AS" not in words[3:]:
            return None
        columns = sql[tokens[2].end + 1 :]
        name = self._own_name()
        self._connection.execute(f"CREATE TEMP VIEW {_quoted(name)} {columns}")
        return name

    def _kept_by(self, name: str, sql: str) -> Iterable[str]:
        """Return the tables in which a virtual table keeps its rows."""
        if not sql.upper().startswith("CREATE VIRTUAL"):
            return ()
        # Its first use in a connection prepares statements that the guard would deny.
        self._connection.execute(f"SELECT 1 FROM {_quoted(name)} LIMIT 0")  # noqa: S608
        return (other for other in self._present if other.startswith(f"{name}_"))

    def _own_name(self) -> str:
        name = f"{self._prefix}_{len(self._names)}"
        self._names.append(name)
        return name

    def _view(self, name: str, rows: str) -> None:
        made = f"CREATE TEMP VIEW {_quoted(name)} AS SELECT * FROM {rows}"  # noqa: S608 - quoted
        self._connection.execute(made)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

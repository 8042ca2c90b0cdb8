"""Which tables a database really has, for the person who registers them.

Read by statements of our own on a connection that can only read. Nothing is kept and
nothing is registered here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from connectors.loop import PoolFull, engine
from connectors.specs import SourceSpec, TenantValue
from connectors.sql_engines import DRIVER_ERRORS, engine_for, read_url
from connectors.sql_failures import failure_of
from connectors.sql_messages import failure_words, source_words
from connectors.sql_sqlite import open_sqlite
from connectors.sql_wall import SourceRefusedError

MOST_COLUMNS = 20_000

_READ_ERRORS: tuple[type[Exception], ...] = (SQLAlchemyError, *DRIVER_ERRORS)

_Column: TypeAlias = tuple[str, str, str, str]
"""Schema, table, kind of the table, column."""

# Names that often tell whose a row is, the likeliest first, and what they hold.
_GUESSES = {
    "tenant_key": TenantValue.KEY,
    "tenant": TenantValue.KEY,
    "tenant_slug": TenantValue.KEY,
    "tenant_id": TenantValue.ID,
    "tenantid": TenantValue.ID,
    "org_id": TenantValue.ID,
    "organization_id": TenantValue.ID,
    "organisation_id": TenantValue.ID,
    "account_id": TenantValue.ID,
    "customer_id": TenantValue.ID,
    "org": TenantValue.KEY,
    "organization": TenantValue.KEY,
    "organisation": TenantValue.KEY,
}
_OF_SERVERS = (
    "SELECT c.table_schema, c.table_name, t.table_type, c.column_name"
    " FROM information_schema.columns c JOIN information_schema.tables t"
    " ON t.table_schema = c.table_schema AND t.table_name = c.table_name"
    " WHERE {where} ORDER BY c.table_schema, c.table_name, c.ordinal_position"
)
_WHERE = {
    "postgresql": "c.table_schema NOT IN ('pg_catalog', 'information_schema')",
    "mysql": "c.table_schema = DATABASE()",
    "mariadb": "c.table_schema = DATABASE()",
}
_OF_A_FILE = (
    "SELECT '', t.name, t.type, c.name"
    " FROM sqlite_master t, pragma_table_info(t.name) c"
    " WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " ORDER BY t.name, c.cid"
)


@dataclass(frozen=True, slots=True)
class LiveTable:
    """One table or view of a database.

    Attributes:
        schema: Its schema; empty where the connection finds one only.
        is_view: It shows other tables, with the rights of its owner.
        tenant_column: The column that may tell whose a row is; empty without a guess.
    """

    schema: str
    name: str
    is_view: bool
    columns: tuple[str, ...]
    tenant_column: str
    tenant_value: TenantValue


def read_tables(source: SourceSpec) -> tuple[LiveTable, ...] | str:
    """Return the tables a SQL data source shows to its user, or say why not."""
    try:
        columns = engine().run(engine().in_pool(lambda: _read(source)))
    except PoolFull:
        return failure_words("busy")
    except SourceRefusedError as error:
        return source_words(error.rule, error.found)
    except _READ_ERRORS as error:
        return failure_of(error, sql="", late=False, cancelled=False).message
    return tuple(
        _table(schema, name, kind, [row[3] for row in rows])
        for (schema, name, kind), rows in groupby(columns, lambda row: row[:3])
    )


def _read(source: SourceSpec) -> list[_Column]:
    if source.dialect == "sqlite":
        engine_for(source)  # refuses what may not be opened
        path = Path(read_url(source).database or "")
        with closing(open_sqlite(path)) as connection:
            # The authorizer hides the catalog from what people write; this is ours.
            connection.set_authorizer(None)
            until = time.monotonic() + source.read_timeout_ms / 1_000
            connection.set_progress_handler(lambda: time.monotonic() >= until, 5_000)
            return connection.execute(_OF_A_FILE).fetchmany(MOST_COLUMNS)
    text = _OF_SERVERS.format(where=_WHERE[source.dialect])
    with engine_for(source).connect() as connection:
        if source.dialect == "postgresql":
            limit = f"SET LOCAL statement_timeout = {int(source.read_timeout_ms)}"
            connection.execute(sqlalchemy.text(limit))
        rows = connection.execute(sqlalchemy.text(text)).fetchmany(MOST_COLUMNS)
    own = source.dialect in {"mysql", "mariadb"}
    return [("" if own else str(row[0]), *map(str, row[1:4])) for row in rows]  # type: ignore[misc]


def _table(schema: str, name: str, kind: str, columns: Sequence[str]) -> LiveTable:
    column, value = _guess(columns)
    return LiveTable(
        schema, name, "view" in kind.lower(), tuple(columns), column, value
    )


def _guess(columns: Iterable[str]) -> tuple[str, TenantValue]:
    by_name = {column.lower(): column for column in columns}
    for name, value in _GUESSES.items():
        if name in by_name:
            return by_name[name], value
    return "", TenantValue.KEY

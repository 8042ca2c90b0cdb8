"""Asks the database of a data source what its user may do there. Changes nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from sqlalchemy.exc import SQLAlchemyError

from connectors.query_role_facts_mysql import mysql_facts
from connectors.query_roles import (
    RISKY_FUNCTIONS,
    STRONG_ROLES,
    Policy,
    PostgreSQLFacts,
    RoleFinding,
    SQLiteFacts,
    postgresql_findings,
    quoted,
    set_up_sql,
    sqlite_findings,
)
from connectors.query_roles_mysql import mysql_findings, mysql_set_up
from connectors.specs import SourceSpec, TableSpec
from connectors.sql_engines import DRIVER_ERRORS, engine_for, read_url

READ_ERRORS: tuple[type[Exception], ...] = (SQLAlchemyError, *DRIVER_ERRORS)

_ATTRIBUTES = {
    "rolsuper": "SUPERUSER",
    "rolbypassrls": "BYPASSRLS",
    "rolcreaterole": "CREATEROLE",
    "rolcreatedb": "CREATEDB",
    "rolreplication": "REPLICATION",
}
_OWN_SCHEMAS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_TABLE_RIGHTS = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
_SEQUENCE_RIGHTS = ("USAGE", "UPDATE")


def findings_of(source: SourceSpec) -> tuple[RoleFinding, ...]:
    """Connect to a SQL data source and say what makes its user too strong.

    Raises:
        SourceRefusedError: its address may not be used.
        Exception: one of READ_ERRORS; the database did not answer.
    """
    return _FINDINGS[source.dialect](source)


def set_up_of(source: SourceSpec) -> tuple[str, ...]:
    """Return the SQL that gives its user the least it needs; empty for SQLite.

    Raises:
        SourceRefusedError: its address may not be used.
        Exception: one of READ_ERRORS; the database did not answer.
    """
    match source.dialect:
        case "postgresql":
            return set_up_sql(postgresql_facts(source))
        case "mysql" | "mariadb":
            return mysql_set_up(mysql_facts(source))
        case _:
            return ()


def _postgresql(source: SourceSpec) -> tuple[RoleFinding, ...]:
    return postgresql_findings(postgresql_facts(source))


def postgresql_facts(source: SourceSpec) -> PostgreSQLFacts:
    """Ask a PostgreSQL server about the user of a data source."""
    with engine_for(source).connect() as connection:
        driver: Any = connection.connection.driver_connection
        with driver.cursor(row_factory=tuple_row) as cursor:
            try:
                return _Server(cursor, source.tables).facts()
            finally:
                driver.rollback()


class _Server:
    """Questions to the catalogs of one server, in one transaction that reads."""

    def __init__(
        self, cursor: psycopg.Cursor[Any], tables: tuple[TableSpec, ...]
    ) -> None:
        self._cursor = cursor
        self._tables = tables

    def facts(self) -> PostgreSQLFacts:
        role, database, limit, temporary = self._rows(
            "SELECT current_user::text, current_database()::text,"
            " current_setting('temp_file_limit'),"
            " has_database_privilege(current_database(), 'TEMPORARY')"
        )[0]
        attributes = self._attributes()
        names = self._names()
        registered = [name for _, name in names]
        is_super = "SUPERUSER" in attributes
        return PostgreSQLFacts(
            role=role,
            database=database,
            attributes=attributes,
            # A superuser is everything and owns all: that is one finding, not many.
            roles=() if is_super else self._roles(),
            owned=() if is_super else self._owned(registered),
            writable=() if is_super else self._writable(),
            functions=self._functions(),
            schemas=() if is_super else self._schemas(),
            makes_temporary=bool(temporary),
            unregistered=() if is_super else self._readable(registered),
            missing=self._missing(names),
            secured=self._secured(registered),
            policies=self._policies(registered),
            names=tuple(names),
            temporary_limited=limit != "-1",
        )

    def _rows(self, text: str, **values: object) -> list[tuple[Any, ...]]:
        return self._cursor.execute(text, values or None).fetchall()

    def _texts(self, text: str, **values: object) -> tuple[str, ...]:
        return tuple(row[0] for row in self._rows(text, **values))

    def _attributes(self) -> tuple[str, ...]:
        row = self._rows(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
            " FROM pg_roles WHERE rolname = current_user"
        )[0]
        return tuple(
            name for name, has in zip(_ATTRIBUTES.values(), row, strict=True) if has
        )

    def _roles(self) -> tuple[str, ...]:
        return self._texts(
            "SELECT rolname::text FROM pg_roles WHERE rolname <> current_user"
            " AND pg_has_role(oid, 'MEMBER') AND (rolsuper OR rolbypassrls"
            " OR rolcreaterole OR rolcreatedb OR rolreplication"
            " OR rolname = ANY (%(strong)s)) ORDER BY 1",
            strong=list(STRONG_ROLES),
        )

    def _names(self) -> list[tuple[TableSpec, str]]:
        found = []
        for table in self._tables:
            name = quoted(table.name)
            if table.schema:
                name = f"{quoted(table.schema)}.{name}"
            [(known,)] = self._rows("SELECT to_regclass(%(name)s)::text", name=name)
            if known is not None:
                found.append((table, known))
        return found

    def _missing(self, names: list[tuple[TableSpec, str]]) -> tuple[str, ...]:
        known = dict(names)
        readable = set(
            self._texts(
                "SELECT name FROM unnest(%(names)s::text[]) AS name"
                " WHERE has_table_privilege(name, 'SELECT')",
                names=list(known.values()),
            )
        )
        return tuple(
            known.get(table, quoted(table.name))
            for table in self._tables
            if known.get(table) not in readable
        )

    def _owned(self, registered: list[str]) -> tuple[str, ...]:
        return self._texts(
            "SELECT name FROM unnest(%(names)s::text[]) AS name"
            " JOIN pg_class c ON c.oid = name::regclass"
            " WHERE pg_has_role(c.relowner, 'MEMBER') ORDER BY 1",
            names=registered,
        )

    def _writable(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        rows = self._rows(
            "SELECT c.oid::regclass::text, c.relkind = 'S',"  # noqa: S608 - constants
            " array_agg(r.name ORDER BY r.name) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " CROSS JOIN unnest(%(table)s::text[] || %(sequence)s::text[]) AS r(name)"
            f" WHERE {_OWN_SCHEMAS} AND CASE"
            " WHEN c.relkind = 'S' THEN r.name = ANY (%(sequence)s)"
            " AND has_sequence_privilege(c.oid, r.name)"
            " WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f') AND r.name = ANY (%(table)s)"
            " THEN has_table_privilege(c.oid, r.name)"
            " OR (r.name IN ('INSERT', 'UPDATE')"
            " AND has_any_column_privilege(c.oid, r.name))"
            " ELSE FALSE END GROUP BY 1, 2 ORDER BY 1",
            table=list(_TABLE_RIGHTS),
            sequence=list(_SEQUENCE_RIGHTS),
        )
        return tuple(
            (f"SEQUENCE {name}" if sequence else name, tuple(dict.fromkeys(rights)))
            for name, sequence, rights in rows
        )

    def _functions(self) -> tuple[str, ...]:
        return self._texts(
            "SELECT p.oid::regprocedure::text FROM pg_proc p"
            " WHERE has_function_privilege(p.oid, 'EXECUTE') AND p.prokind = 'f'"
            " AND (p.proname LIKE ANY (%(risky)s)"
            # Only this form of it runs a text as SQL.
            " OR (p.proname = 'ts_rewrite' AND p.pronargs = 2))"
            " AND NOT EXISTS (SELECT 1 FROM pg_roles"
            " WHERE rolname = current_user AND rolsuper) ORDER BY 1",
            risky=list(RISKY_FUNCTIONS),
        )

    def _schemas(self) -> tuple[str, ...]:
        return self._texts(
            "SELECT quote_ident(n.nspname) FROM pg_namespace n"  # noqa: S608
            f" WHERE {_OWN_SCHEMAS}"
            " AND has_schema_privilege(n.oid, 'CREATE') ORDER BY 1"
        )

    def _readable(self, registered: list[str]) -> tuple[str, ...]:
        return self._texts(
            "SELECT c.oid::regclass::text FROM pg_class c"  # noqa: S608 - constants
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            f" WHERE {_OWN_SCHEMAS} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
            " AND has_table_privilege(c.oid, 'SELECT')"
            " AND has_schema_privilege(n.oid, 'USAGE')"
            " AND c.oid::regclass::text <> ALL (%(names)s) ORDER BY 1",
            names=registered,
        )

    def _secured(self, registered: list[str]) -> tuple[str, ...]:
        return self._texts(
            "SELECT name FROM unnest(%(names)s::text[]) AS name"
            " JOIN pg_class c ON c.oid = name::regclass"
            " WHERE c.relrowsecurity AND c.relforcerowsecurity",
            names=registered,
        )

    def _policies(self, registered: list[str]) -> tuple[Policy, ...]:
        rows = self._rows(
            "SELECT name, quote_ident(p.polname),"
            " coalesce(pg_get_expr(p.polqual, p.polrelid), 'true')"
            " FROM unnest(%(names)s::text[]) AS name"
            " JOIN pg_policy p ON p.polrelid = name::regclass"
            " WHERE p.polpermissive AND p.polcmd IN ('r', '*') AND EXISTS ("
            " SELECT 1 FROM unnest(p.polroles) AS r(oid)"
            " WHERE r.oid = 0 OR pg_has_role(r.oid, 'MEMBER')) ORDER BY 1, 2",
            names=registered,
        )
        return tuple(Policy(*row) for row in rows)


def _mysql(source: SourceSpec) -> tuple[RoleFinding, ...]:
    return mysql_findings(mysql_facts(source))


def _sqlite(source: SourceSpec) -> tuple[RoleFinding, ...]:
    with engine_for(source).connect():
        pass  # the wall stands and the file can be read
    path = Path(read_url(source).database or "").resolve()
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        names = {
            name.lower(): name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
                " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
            )
        }
    finally:
        connection.close()
    registered = {table.name.lower(): table.name for table in source.tables}
    facts = SQLiteFacts(
        writable=os.access(path, os.W_OK),
        missing=tuple(registered[name] for name in registered if name not in names),
        unregistered=tuple(names[name] for name in names if name not in registered),
        registers=bool(registered),
    )
    return sqlite_findings(facts)


_FINDINGS: dict[str, Callable[[SourceSpec], tuple[RoleFinding, ...]]] = {
    "postgresql": _postgresql,
    "sqlite": _sqlite,
    "mysql": _mysql,
    "mariadb": _mysql,
}

"""Asks a MySQL or MariaDB server what the user of a data source may do there."""

from __future__ import annotations

import time
from typing import Any

from connectors.query_roles_mysql import MySQLFacts, backquoted, read_grants
from connectors.specs import SourceSpec
from connectors.sql_engines import WALLS, engine_for
from connectors.sql_wall import Terms

_ASKED_S = 10.0
_TABLES = (
    "SELECT table_schema, table_name FROM information_schema.tables WHERE LOWER("
    "table_schema) NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')"
    " ORDER BY table_schema = DATABASE() DESC, 1, 2"
)


def mysql_facts(source: SourceSpec) -> MySQLFacts:
    """Ask the server of a data source; it lists only tables that the user sees."""
    wall = WALLS[source.dialect]
    until = time.monotonic() + _ASKED_S
    terms = Terms(
        until,
        lambda: time.monotonic() > until,
        source.tenant_key,
        source.tenant_id,
    )
    with engine_for(source).connect() as connection:
        driver: Any = connection.connection.driver_connection
        try:
            wall.begin(driver, terms)
            with driver.cursor() as cursor:
                return _facts(cursor, source)
        finally:
            wall.end(driver)


def _facts(cursor: Any, source: SourceSpec) -> MySQLFacts:
    user, here, folds = _rows(
        cursor, "SELECT CURRENT_USER(), DATABASE(), @@lower_case_table_names"
    )[0]
    name, _, host = user.rpartition("@")
    grants = read_grants(row[0] for row in _rows(cursor, "SHOW GRANTS"))

    def known(schema: str, table: str) -> tuple[str, str]:
        return (schema.lower(), table.lower()) if folds else (schema, table)

    seen = {
        known(schema, table): f"{backquoted(schema)}.{backquoted(table)}"
        for schema, table in _rows(cursor, _TABLES)
    }
    asked = {
        known(table.schema or here or "", table.name): (
            f"{backquoted(table.schema or here or '')}.{backquoted(table.name)}"
        )
        for table in source.tables
    }
    return MySQLFacts(
        user=f"{backquoted(name)}@{backquoted(host)}",
        grants=grants,
        registered=tuple(seen[key] for key in asked if key in seen),
        missing=tuple(text for key, text in asked.items() if key not in seen),
        unregistered=tuple(text for key, text in seen.items() if key not in asked),
        registers=bool(source.tables),
    )


def _rows(cursor: Any, text: str) -> list[tuple[Any, ...]]:
    cursor.execute(text)
    return list(cursor.fetchall())

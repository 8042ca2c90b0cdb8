"""The tables and rows of the tests of tenant scope: three tenants, and shared rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.specs import TableSpec, TenantValue

TENANT_KEY, TENANT_ID = "acme", 1
TABLES = (
    TableSpec("orders", tenant_column="tenant"),
    TableSpec("sites", tenant_column="owner", tenant_value=TenantValue.ID),
    TableSpec('Odd "x.y"', tenant_column="Tenant of"),
    TableSpec("kinds"),
)


def tables_of(dialect: str) -> tuple[TableSpec, ...]:
    """Return the registered tables, with the schema where an engine has several."""
    if dialect != "postgresql":
        return TABLES
    return tuple(replace(spec, schema="public") for spec in TABLES)


# No keys: PostgreSQL lets a GROUP BY of a table's key stand for its other columns,
# and a filtered subquery has no key.
SCHEMA = (
    (
        "CREATE TABLE orders (id INTEGER, tenant TEXT NOT NULL,"
        " site_id INTEGER, amount INTEGER, status TEXT)"
    ),
    (
        "CREATE TABLE sites (id INTEGER, owner INTEGER NOT NULL, name TEXT,"
        " amount INTEGER)"
    ),
    'CREATE TABLE "Odd ""x.y""" (id INTEGER, "Tenant of" TEXT, note TEXT)',
    "CREATE TABLE kinds (id INTEGER PRIMARY KEY, status TEXT)",
)
# Every tenant has equal keys beside its own, so that a join could meet another's row.
ROWS: dict[str, list[tuple[Any, ...]]] = {
    "orders": [
        (1, "acme", 1, 10, "open"), (2, "acme", 2, 20, "closed"),
        (3, "acme", 9, None, "open"), (4, "globex", 1, 10, "open"),
        (5, "globex", 6, 30, "lost"), (6, "globex", None, 20, None),
        (7, "acme", 1, 30, None), (8, "initech", 2, 40, "closed"),
    ],
    "sites": [
        (1, 1, "Busan", 10), (2, 1, "Seoul", None), (3, 1, "open", 30),
        (6, 2, "Paris", 20), (7, 2, "Busan", 10), (9, 3, "open", 5),
    ],
    'Odd "x.y"': [
        (1, "acme", "a"), (2, "acme", None), (1, "globex", "b"), (7, "globex", "a"),
        (3, "initech", "open"),
    ],
    "kinds": [(1, "open"), (2, "closed"), (3, "lost")],
}  # fmt: skip
OWN_TENANT: dict[str, tuple[int, object]] = {
    "orders": (1, "acme"),
    "sites": (1, 1),
    'Odd "x.y"': (1, "acme"),
}

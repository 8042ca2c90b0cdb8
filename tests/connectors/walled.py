"""A PostgreSQL database set up as the documents recommend, with rows of two tenants."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from connectors.query_role_facts import set_up_of
from connectors.query_roles import quoted
from connectors.specs import SourceKind, SourceSpec, TableSpec, TenantValue
from connectors.sql_engines import dispose_all
from tests.connectors.external import administrator

TABLES = (
    TableSpec("orders", tenant_column="tenant"),
    TableSpec("notes", tenant_column="owner", tenant_value=TenantValue.ID),
    TableSpec("sites"),
)
SCHEMA = (
    "CREATE TABLE orders (id INT PRIMARY KEY, tenant TEXT, amount NUMERIC, site INT)",
    "CREATE TABLE notes (id INT PRIMARY KEY, owner INT, body TEXT)",
    "CREATE TABLE sites (id INT PRIMARY KEY, name TEXT)",
    "CREATE TABLE secrets (word TEXT)",
    "CREATE SEQUENCE s",
    "INSERT INTO orders VALUES (1, 'acme', 10, 1), (2, 'acme', 20, 2)",
    "INSERT INTO orders VALUES (3, 'beta', 666, 1)",
    "INSERT INTO notes VALUES (1, 1, 'ours'), (2, 2, 'BETA')",
    "INSERT INTO sites VALUES (1, 'Busan'), (2, 'Seoul')",
    "INSERT INTO secrets VALUES ('BETA-SECRET')",
)


@dataclass(frozen=True, slots=True)
class Walled:
    """The data source, and the names of its database and user."""

    source: SourceSpec
    database: str
    role: str


@pytest.fixture(scope="module")
def walled_postgresql() -> Iterator[Walled]:
    name, role = f"walled_{os.getpid()}", f"walled_reader_{os.getpid()}"
    with administrator() as server:
        server.execute(f'CREATE DATABASE "{name}"')
        server.execute(f"CREATE ROLE {quoted(role)} LOGIN PASSWORD 'read'")
    with administrator(name) as database:
        for statement in SCHEMA:
            database.execute(statement)
        place = f"host={database.info.host}&port={database.info.port}"
    source = SourceSpec(
        "shop",
        SourceKind.SQL,
        1,
        "acme",
        base_url=f"postgresql://{role}:read@/{name}?{place}",
        dialect="postgresql",
        tables=TABLES,
    )
    lines = set_up_of(source)
    with administrator(name) as database:
        for line in lines:
            database.execute(line)
    dispose_all()
    yield Walled(source, name, role)
    dispose_all()
    with administrator() as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.execute(f"DROP ROLE {quoted(role)}")

"""Databases outside the portal that SQL operations read in tests."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pytest
from django.utils import translation

from connectors.loop import engine
from connectors.outcomes import (
    Failure,
    Outcome,
    Success,
    Table,
)
from connectors.parameters import Argument
from connectors.specs import OperationSpec, SourceKind, SourceSpec, TableSpec
from connectors.sql import run_query
from connectors.sql_engines import (
    dispose_all,
)
from tenants.scope import Actor
from tests.connectors.sql_corpus import SCHEMA
from tests.mariadb.shop import shop

SHARED = (TableSpec("orders"), TableSpec("sites"))
ACTOR = Actor(user_id=7, tenant_id=1)
NUMBERS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {})"
ENDLESS = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT {} FROM n"
)
POSTGRESQL = pytest.mark.postgresql
MARIADB = pytest.mark.mariadb


@dataclass(frozen=True, slots=True)
class External:
    """A database outside the portal, as a tenant would register it."""

    source: SourceSpec
    digest: Callable[[], str]

    def run(
        self,
        sql: str,
        *,
        arguments: dict[str, Argument] | None = None,
        seconds: float = 20.0,
        source: SourceSpec | None = None,
        **options: Any,
    ) -> Outcome:
        """Run one query through the engine of this process."""
        options.setdefault("timeout_ms", 20_000)
        spec = OperationSpec("orders", source or self.source, sql=sql, **options)
        call = run_query(
            spec,
            arguments=arguments or {},
            actor=ACTOR,
            deadline=time.monotonic() + seconds,
        )
        with translation.override("en"):
            return engine().run(call)

    def table(self, sql: str, **options: Any) -> Table:
        outcome = self.run(sql, **options)
        assert isinstance(outcome, Success), outcome
        assert isinstance(outcome.data, Table)
        return outcome.data

    def failure(self, sql: str, **options: Any) -> Failure:
        outcome = self.run(sql, **options)
        assert isinstance(outcome, Failure), outcome
        return outcome


@pytest.fixture(scope="module")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("external") / "orders with space.sqlite3"
    with sqlite3.connect(path) as connection:
        for statement in SCHEMA:
            connection.execute(statement)
    connection.close()
    return path


@pytest.fixture(scope="module")
def on_sqlite(sqlite_file: Path) -> Iterator[External]:
    url = f"sqlite:///{sqlite_file}"
    source = SourceSpec(
        "orders",
        SourceKind.SQL,
        1,
        "acme",
        base_url=url,
        dialect="sqlite",
        tables=SHARED,
    )

    def digest() -> str:
        folder = sorted(path.name for path in sqlite_file.parent.iterdir())
        return hashlib.sha256(sqlite_file.read_bytes()).hexdigest() + str(folder)

    yield External(source, digest)
    dispose_all()


def administrator(database: str | None = None) -> psycopg.Connection[Any]:
    portal_url = urlsplit(os.environ["SIGNALBOX_DATABASE_URL"])
    return psycopg.connect(
        host=dict(parse_qsl(portal_url.query)).get("host") or portal_url.hostname,
        port=portal_url.port or 5432,
        user=portal_url.username,
        password=portal_url.password,
        dbname=database or portal_url.path.lstrip("/"),
        autocommit=True,
    )


@pytest.fixture(scope="module")
def on_postgresql() -> Iterator[External]:
    name, reader = f"external_{os.getpid()}", f"reader_{os.getpid()}"
    with administrator() as server:
        server.execute(f'CREATE DATABASE "{name}"')
        server.execute(f"CREATE ROLE \"{reader}\" LOGIN PASSWORD 'read'")
    with administrator(name) as database:
        for statement in (*SCHEMA, f'GRANT SELECT ON orders, sites TO "{reader}"'):
            database.execute(statement)
        database.execute("CREATE TABLE secrets (word TEXT)")
        database.execute("CREATE SEQUENCE s")
        host = database.info.host
        url = (
            f"postgresql://{reader}:read@/{name}?host={host}&port={database.info.port}"
        )
    source = SourceSpec(
        "orders",
        SourceKind.SQL,
        1,
        "acme",
        base_url=url,
        dialect="postgresql",
        # No right to read the last one: the database itself says so.
        tables=(*SHARED, TableSpec("orders", schema="public"), TableSpec("secrets")),
    )

    def digest() -> str:
        with administrator(name) as database:
            rows = database.execute(
                "SELECT (SELECT array_agg(o::text ORDER BY id) FROM orders o)::text,"
                " (SELECT array_agg(relname::text ORDER BY 1) FROM pg_class)::text,"
                " (SELECT last_value FROM s)::text,"
                " (SELECT count(*) FROM pg_largeobject_metadata)::text"
            ).fetchall()
        return str(rows)

    yield External(source, digest)
    dispose_all()
    with administrator() as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.execute(f'DROP ROLE "{reader}"')


@pytest.fixture(scope="module")
def on_mariadb() -> Iterator[External]:
    with shop(SCHEMA, readable=("orders", "sites")) as made:
        made.administer("CREATE TABLE secrets (word TEXT)", "CREATE SEQUENCE s")
        yield External(replace(made.source, tables=SHARED), made.digest)
        dispose_all()


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=POSTGRESQL),
        pytest.param("mariadb", marks=MARIADB),
    ]
)
def external(request: pytest.FixtureRequest) -> External:
    found: External = request.getfixturevalue(f"on_{request.param}")
    return found

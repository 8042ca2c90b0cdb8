"""Two databases for the tests of tenant scope: all tenants' rows, and one's alone."""

from __future__ import annotations

import os
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg
import pytest

from tests.connectors.external import POSTGRESQL, administrator
from tests.connectors.scope_tables import (
    OWN_TENANT,
    ROWS,
    SCHEMA,
    TENANT_ID,
    TENANT_KEY,
)

Rows: TypeAlias = Counter[str]
_VALUES = {"tenant": TENANT_KEY, "tenant_id": TENANT_ID}


class NotRun(Exception):
    """The engine does not run the statement."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One engine with the rows of all tenants, and again with those of one."""

    dialect: str
    of_all: Callable[[str], Rows]
    of_one: Callable[[str], Rows]


def _kept(table: str, *, one: bool) -> list[tuple[Any, ...]]:
    if not one or table not in OWN_TENANT:
        return list(ROWS[table])
    place, own = OWN_TENANT[table]
    return [row for row in ROWS[table] if row[place] == own]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _counted(rows: list[tuple[Any, ...]]) -> Rows:
    return Counter(map(repr, rows))


def _sqlite(*, one: bool) -> Iterator[Callable[[str], Rows]]:
    connection = sqlite3.connect(":memory:")
    for statement in SCHEMA:
        connection.execute(statement)
    for table in ROWS:
        rows = _kept(table, one=one)
        marks = ", ".join("?" * len(rows[0]))
        insert = f"INSERT INTO {_quoted(table)} VALUES ({marks})"
        connection.executemany(insert, rows)

    def run(sql: str) -> Rows:
        try:
            return _counted(connection.execute(sql, _VALUES).fetchall())
        except sqlite3.Error as error:
            raise NotRun(str(error)) from error

    yield run
    connection.close()


def _postgresql(*, one: bool) -> Iterator[Callable[[str], Rows]]:
    name = f"scope_{'one' if one else 'all'}_{os.getpid()}"
    with administrator() as server:
        server.execute(f'CREATE DATABASE "{name}"')
    connection = administrator(name)
    connection.prepare_threshold = None
    connection.execute("SET statement_timeout = 20000")
    for statement in SCHEMA:
        connection.execute(statement)
    for table in ROWS:
        rows = _kept(table, one=one)
        marks = ", ".join(["%s"] * len(rows[0]))
        insert = f"INSERT INTO {_quoted(table)} VALUES ({marks})"
        with connection.cursor() as cursor:
            cursor.executemany(insert, rows)

    def run(sql: str) -> Rows:
        text = sql.replace("%", "%%")
        text = re.sub(r"(?<![:\w]):tenant_id\b", "%(tenant_id)s", text)
        text = re.sub(r"(?<![:\w]):tenant\b", "%(tenant)s", text)
        try:
            return _counted(connection.execute(text, _VALUES).fetchall())
        except psycopg.Error as error:
            raise NotRun(str(error)) from error

    yield run
    connection.close()
    with administrator() as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def pair_of_sqlite() -> Iterator[Pair]:
    every, own = _sqlite(one=False), _sqlite(one=True)
    yield Pair("sqlite", next(every), next(own))
    for each in (every, own):
        next(each, None)


@pytest.fixture(scope="module")
def pair_of_postgresql() -> Iterator[Pair]:
    every, own = _postgresql(one=False), _postgresql(one=True)
    yield Pair("postgresql", next(every), next(own))
    for each in (every, own):
        next(each, None)


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=POSTGRESQL)], scope="module"
)
def pair(request: pytest.FixtureRequest) -> Pair:
    found: Pair = request.getfixturevalue(f"pair_of_{request.param}")
    return found

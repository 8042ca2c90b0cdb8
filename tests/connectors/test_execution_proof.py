"""Every hostile statement, sent straight to the wall: nothing is changed.

Judge and scope are left out, here and nowhere else. The databases hold a table under
every name the corpus speaks of, so that few statements fail for want of one.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from connectors.query_role_facts import READ_ERRORS, set_up_of
from connectors.query_roles import quoted
from connectors.query_verification import stopped_by
from connectors.specs import SourceKind, SourceSpec, TableSpec
from connectors.sql_engines import WALLS, dispose_all, engine_for
from connectors.sql_wall import Terms
from tests.connectors.external import administrator
from tests.connectors.sql_corpus import hostile, refused

_SECONDS = 0.15  # for one statement
_NAMES = re.compile(r"\b(?:from|into|update|table|join|only)\s+([a-z_]\w{0,40})")
_PATHS = re.compile(r"['\"](/[\w./-]+)['\"]")
_COLUMNS = (
    "id INTEGER, name TEXT, a INTEGER, b INTEGER, x INTEGER, value TEXT, tenant TEXT"
)
_ROW = "VALUES (1, 'ours', 1, 1, 1, 'v', 'acme'), (2, 'theirs', 2, 2, 2, 'v', 'beta')"
_SCOPED = "orders"


@dataclass(frozen=True, slots=True)
class Sent:
    """One statement, its class of attack if it has one, and what stopped it."""

    sql: str
    attack: int | None
    wall: str
    rows: list[tuple[Any, ...]]


def _corpus(dialect: str) -> list[tuple[str, int | None]]:
    cases: dict[str, int | None] = dict.fromkeys(hostile(dialect))
    cases |= {case.sql: case.attack_class for case in refused(dialect)}
    return [(sql, attack) for sql, attack in cases.items() if "\x00" not in sql]


def _tables(dialect: str) -> list[str]:
    names = {
        name for sql, _ in _corpus(dialect) for name in _NAMES.findall(sql.lower())
    }
    kept = (name for name in names if not name.startswith(("pg_", "sqlite_")))
    return sorted({*kept, _SCOPED})


def _specs(dialect: str) -> tuple[TableSpec, ...]:
    return tuple(
        TableSpec(name, tenant_column="tenant" if name == _SCOPED else "")
        for name in _tables(dialect)
    )


def _send(source: SourceSpec) -> list[Sent]:
    return [
        Sent(sql, attack, *_straight(source, sql))
        for sql, attack in _corpus(source.dialect)
    ]


def _straight(source: SourceSpec, sql: str) -> tuple[str, list[tuple[Any, ...]]]:
    wall = WALLS[source.dialect]
    until = time.monotonic() + _SECONDS
    terms = Terms(until, lambda: time.monotonic() >= until, "acme", 1)
    with engine_for(source).connect() as connection:
        driver: Any = connection.connection.driver_connection
        streamed = connection.execution_options(yield_per=50)
        try:
            wall.begin(driver, terms)
            with streamed.exec_driver_sql(sql) as result:
                rows = result.fetchmany(50) if result.returns_rows else []
            return "ran", [tuple(row) for row in rows]
        except READ_ERRORS as error:
            return stopped_by(error), []
        except (ValueError, OverflowError):
            return "driver", []  # a text or a value that no driver takes
        finally:
            try:
                wall.end(driver)
            except wall.errors:
                connection.invalidate()


def _files(sent: Iterable[Sent]) -> dict[str, bool]:
    paths = {path for each in sent for path in _PATHS.findall(each.sql)}
    return {path: Path(path).exists() for path in sorted(paths)}


def _report(sent: list[Sent]) -> str:
    """Return, and print, how many statements each wall stopped."""
    walls = Counter(each.wall for each in sent)
    lines = [f"| {name} | {count} |" for name, count in walls.most_common()]
    table = "\n".join(lines)
    print(f"\n{len(sent)} statements\n{table}")
    return table


# --- SQLite -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sqlite_source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceSpec]:
    path = tmp_path_factory.mktemp("proof") / "shop.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        for name in _tables("sqlite"):
            connection.execute(f"CREATE TABLE {quoted(name)} ({_COLUMNS})")
            connection.execute(f"INSERT INTO {quoted(name)} {_ROW}")
    yield SourceSpec(
        "proof",
        SourceKind.SQL,
        1,
        "acme",
        base_url=f"sqlite:///{path}",
        dialect="sqlite",
        tables=_specs("sqlite"),
    )
    dispose_all()


def _folder(source: SourceSpec) -> dict[str, str]:
    folder = Path(source.base_url.removeprefix("sqlite:///")).parent
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.iterdir())
    }


@pytest.mark.parametrize("registers", [True, False])
def test_no_hostile_statement_changes_a_sqlite_file(
    sqlite_source: SourceSpec,
    registers: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = sqlite_source if registers else replace(sqlite_source, tables=())
    folder = Path(source.base_url.removeprefix("sqlite:///")).parent
    monkeypatch.chdir(folder)  # where a file named without a folder would be made
    paths = _files(Sent(sql, None, "", []) for sql, _ in _corpus("sqlite"))
    before = _folder(source)

    sent = _send(source)

    table = _report(sent)
    assert _folder(source) == before, table
    assert _files(sent) == paths
    assert {each.wall for each in sent} >= {"authorizer", "cursor"}, table
    if registers:
        assert [each for each in sent if "theirs" in repr(each.rows) and
                _SCOPED in each.sql.lower()] == []  # fmt: skip


# --- PostgreSQL ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgresql_source() -> Iterator[SourceSpec]:
    name, role = f"proof_{os.getpid()}", f"proof_reader_{os.getpid()}"
    with administrator() as server:
        server.execute(f'CREATE DATABASE "{name}"')
        server.execute(f"CREATE ROLE {quoted(role)} LOGIN PASSWORD 'read'")
    with administrator(name) as database:
        for table in _tables("postgresql"):
            database.execute(f"CREATE TABLE {quoted(table)} ({_COLUMNS})")
            database.execute(f"INSERT INTO {quoted(table)} {_ROW}")
        database.execute("CREATE SEQUENCE proof_seq")
        place = f"host={database.info.host}&port={database.info.port}"
    source = SourceSpec(
        "proof",
        SourceKind.SQL,
        1,
        "acme",
        base_url=f"postgresql://{role}:read@/{name}?{place}",
        dialect="postgresql",
        tables=_specs("postgresql"),
    )
    lines = set_up_of(source)
    with administrator(name) as database:
        database.execute("; ".join(line.rstrip(";") for line in lines))
    dispose_all()
    yield source
    dispose_all()
    with administrator() as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.execute(f"DROP ROLE {quoted(role)}")


_STATE = (
    "SELECT oid, relname, relkind, relacl::text, relowner FROM pg_class ORDER BY 1",
    "SELECT proname, proacl::text FROM pg_proc ORDER BY oid",
    "SELECT nspname, nspacl::text FROM pg_namespace ORDER BY 1",
    "SELECT to_jsonb(r) FROM pg_roles r ORDER BY rolname",
    "SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2",
    "SELECT datname, datacl::text FROM pg_database ORDER BY 1",
    "SELECT oid FROM pg_largeobject_metadata",
    "SELECT extname FROM pg_extension ORDER BY 1",
    "SELECT gid FROM pg_prepared_xacts",
    "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1",
    "SELECT slot_name FROM pg_replication_slots",
    "SELECT polname, pg_get_expr(polqual, polrelid) FROM pg_policy ORDER BY oid",
    "SELECT objid FROM pg_locks WHERE locktype = 'advisory'",
    "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' ORDER BY 1",
)


def _dump(source: SourceSpec) -> str:
    """Return a digest of all rows, catalogs, rights and settings of a fresh session."""
    name = engine_for(source).url.database
    told = hashlib.sha256()
    with administrator(name) as database:
        for table in _tables("postgresql"):
            rows = database.execute(f"SELECT t::text FROM {quoted(table)} t ORDER BY 1")
            told.update(repr(rows.fetchall()).encode())
        for text in _STATE:
            told.update(repr(database.execute(text).fetchall()).encode())
    return told.hexdigest()


_LEFT = (
    "SELECT 'statement' FROM pg_prepared_statements WHERE from_sql",
    "SELECT name FROM pg_cursors WHERE is_holdable",
    "SELECT * FROM pg_listening_channels()",
    "SELECT s FROM current_setting('signalbox.tenant', true) AS s WHERE s <> ''",
    "SELECT current_user WHERE current_user <> session_user",
)


@pytest.mark.postgresql
def test_no_hostile_statement_changes_a_postgresql_server(
    postgresql_source: SourceSpec,
) -> None:
    source = postgresql_source
    before = _dump(source)
    paths = _files(Sent(sql, None, "", []) for sql, _ in _corpus("postgresql"))

    sent = _send(source)

    table = _report(sent)
    assert _dump(source) == before, table
    assert _files(sent) == paths
    assert {each.wall for each in sent} >= {"cursor", "rights", "time"}, table
    for question in _LEFT:
        with engine_for(source).connect() as connection:
            assert connection.exec_driver_sql(question).fetchall() == [], question
    theirs = [
        each
        for each in sent
        if "theirs" in repr(each.rows) and _SCOPED in each.sql.lower()
    ]
    assert theirs == []

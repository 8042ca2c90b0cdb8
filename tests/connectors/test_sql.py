"""Queries against real files of SQLite and the real PostgreSQL of the test run."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pytest
from django.db import connection as portal
from django.utils import translation

from connectors.loop import engine
from connectors.outcomes import (
    Column,
    ColumnType,
    Cut,
    Failure,
    Limit,
    Outcome,
    Reason,
    Success,
    Table,
)
from connectors.parameters import Argument, ParameterSpec, ParameterType
from connectors.specs import OperationSpec, SourceKind, SourceSpec
from connectors.sql import run_query
from connectors.sql_engines import (
    SourceRefusedError,
    dispose_all,
    engine_for,
    is_portal_database,
    open_sqlite,
    read_url,
)
from tenants.scope import Actor
from tests.connectors.sql_corpus import SCHEMA, hostile, plain

ACTOR = Actor(user_id=7, tenant_id=1)
NUMBERS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {})"
ENDLESS = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT {} FROM n"
)
POSTGRESQL = pytest.mark.postgresql


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
        "orders", SourceKind.SQL, 1, "acme", base_url=url, dialect="sqlite"
    )

    def digest() -> str:
        folder = sorted(path.name for path in sqlite_file.parent.iterdir())
        return hashlib.sha256(sqlite_file.read_bytes()).hexdigest() + str(folder)

    yield External(source, digest)
    dispose_all()


def _administrator(database: str | None = None) -> psycopg.Connection[Any]:
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
    with _administrator() as server:
        server.execute(f'CREATE DATABASE "{name}"')
        server.execute(f"CREATE ROLE \"{reader}\" LOGIN PASSWORD 'read'")
    with _administrator(name) as database:
        for statement in (*SCHEMA, f'GRANT SELECT ON orders, sites TO "{reader}"'):
            database.execute(statement)
        database.execute("CREATE TABLE secrets (word TEXT)")
        database.execute("CREATE SEQUENCE s")
        host = database.info.host
        url = (
            f"postgresql://{reader}:read@/{name}?host={host}&port={database.info.port}"
        )
    source = SourceSpec(
        "orders", SourceKind.SQL, 1, "acme", base_url=url, dialect="postgresql"
    )

    def digest() -> str:
        with _administrator(name) as database:
            rows = database.execute(
                "SELECT (SELECT array_agg(o::text ORDER BY id) FROM orders o)::text,"
                " (SELECT array_agg(relname::text ORDER BY 1) FROM pg_class)::text,"
                " (SELECT last_value FROM s)::text,"
                " (SELECT count(*) FROM pg_largeobject_metadata)::text"
            ).fetchall()
        return str(rows)

    yield External(source, digest)
    dispose_all()
    with _administrator() as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.execute(f'DROP ROLE "{reader}"')


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=POSTGRESQL)])
def external(request: pytest.FixtureRequest) -> External:
    found: External = request.getfixturevalue(f"on_{request.param}")
    return found


def test_rows_come_back_under_typed_columns(external: External) -> None:
    table = external.table("SELECT id, status, placed_on FROM orders ORDER BY id")

    assert [(column.name, column.type) for column in table.columns] == [
        ("id", ColumnType.INTEGER),
        ("status", ColumnType.TEXT),
        ("placed_on", ColumnType.DATE),
    ]
    assert table.rows[0] == (1, "open", date(2026, 1, 5))
    assert len(table.rows) == 4
    assert table.cuts == ()


def test_an_answer_tells_when_and_how_long(external: External) -> None:
    outcome = external.run("SELECT 1 AS one")

    assert isinstance(outcome, Success)
    assert outcome.status is None
    assert (datetime.now(UTC) - outcome.as_of).total_seconds() < 5
    assert 0 < outcome.elapsed_ms < 20_000


def test_declared_columns_win(external: External) -> None:
    columns = (Column("amount", ColumnType.TEXT), Column("id", ColumnType.DECIMAL))

    table = external.table(
        "SELECT id, amount FROM orders WHERE id = 3", columns=columns
    )

    assert table.columns == columns
    assert table.rows == (("5" if "sqlite" in external.source.dialect else "5.00", 3),)


def test_names_that_repeat_are_kept_apart(external: External) -> None:
    table = external.table("SELECT 1 AS a, 2 AS a")

    assert [column.name for column in table.columns] == ["a", "a_2"]


def test_every_plain_read_runs(external: External) -> None:
    failed = {
        sql: outcome.message
        for sql in plain(external.source.dialect)
        if isinstance(outcome := external.run(sql), Failure)
    }

    assert failed == {}


def test_no_hostile_statement_runs_and_nothing_changes(external: External) -> None:
    before = external.digest()

    outcomes = [external.run(sql) for sql in hostile(external.source.dialect)]

    assert {getattr(outcome, "reason", "ran") for outcome in outcomes} == {
        Reason.REFUSED
    }
    assert external.digest() == before


def test_the_sqlite_connection_holds_without_the_judge(
    on_sqlite: External, sqlite_file: Path
) -> None:
    before = on_sqlite.digest()
    connection = open_sqlite(sqlite_file)

    for sql in hostile("sqlite"):
        try:
            connection.execute(sql).fetchall()
        except (sqlite3.Error, sqlite3.Warning, ValueError):
            continue
    survivors = connection.execute("SELECT count(*) FROM orders").fetchone()
    connection.close()

    assert survivors == (4,)
    assert on_sqlite.digest() == before


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM orders",
        "CREATE TEMP TABLE t (a)",
        "ATTACH ':memory:' AS x",
        "PRAGMA query_only=OFF",
        "SELECT * FROM sqlite_master",
        "SELECT load_extension('x')",
        "SELECT 'a' REGEXP 'a'",
        "SELECT * FROM pragma_table_info('orders')",
    ],
)
def test_the_authorizer_of_sqlite_denies(sqlite_file: Path, sql: str) -> None:
    connection = open_sqlite(sqlite_file)

    with pytest.raises(sqlite3.DatabaseError):
        connection.execute(sql).fetchall()
    connection.close()


def test_a_value_of_gigabytes_fails_at_once(on_sqlite: External) -> None:
    connection = engine_for(on_sqlite.source).raw_connection()

    with pytest.raises(sqlite3.Error, match="too big"):
        connection.cursor().execute("SELECT length(hex(zeroblob(300000000)))")
    connection.close()


@POSTGRESQL
def test_the_postgresql_connection_holds_without_the_judge(
    on_postgresql: External,
) -> None:
    before = on_postgresql.digest()
    writes = [
        "DELETE FROM orders",
        "SELECT nextval('s')",
        "CREATE TABLE t (a INTEGER)",
        "SELECT * INTO gone FROM orders",
        "SELECT * FROM orders FOR UPDATE",
        "SELECT * FROM secrets",
    ]

    for sql in writes:
        with engine_for(on_postgresql.source).connect() as connection:
            streamed = connection.execution_options(stream_results=True)
            with pytest.raises(
                Exception, match=r"read-only|denied|not allowed|syntax error"
            ):
                streamed.exec_driver_sql(sql).fetchall()
    with engine_for(on_postgresql.source).connect() as connection:
        streamed = connection.execution_options(stream_results=True)
        with pytest.raises(Exception, match=r"multiple commands|syntax"):
            streamed.exec_driver_sql("SELECT 1; COMMIT; DELETE FROM orders")

    assert on_postgresql.digest() == before


KINDS = (
    ParameterSpec("text"),
    ParameterSpec("number", ParameterType.INTEGER),
    ParameterSpec("large", ParameterType.INTEGER),
    ParameterSpec("price", ParameterType.DECIMAL),
    ParameterSpec("flag", ParameterType.BOOLEAN),
    ParameterSpec("day", ParameterType.DATE),
    ParameterSpec("several", ParameterType.LIST),
)


def test_values_of_every_type_are_bound(external: External) -> None:
    arguments: dict[str, Argument] = {
        "text": "open'; DROP TABLE orders; --",
        "number": 3,
        "large": 2**40,
        "price": Decimal("10.50"),
        "flag": True,
        "day": date(2026, 1, 5),
        "several": ("open", "it's"),
    }

    table = external.table(
        "SELECT id, :text AS text, :large AS large FROM orders WHERE id < :number"
        " AND amount = :price AND :flag AND placed_on = :day AND status IN (:several)",
        arguments=arguments,
        parameters=KINDS,
    )

    assert table.rows == ((1, "open'; DROP TABLE orders; --", 2**40),)


def test_nothing_given_is_null(external: External) -> None:
    where = " AND ".join(
        f":{spec.name} IS NULL" for spec in KINDS if spec.name != "several"
    )

    table = external.table(f"SELECT 1 AS one WHERE {where}", parameters=KINDS)

    assert table.rows == ((1,),)


@pytest.mark.parametrize("given", [(), None])
def test_an_empty_list_matches_nothing(
    external: External, given: tuple[()] | None
) -> None:
    table = external.table(
        "SELECT id FROM orders WHERE status IN (:several)",
        arguments={"several": given},
        parameters=KINDS,
    )

    assert table.rows == ()
    assert external.table(
        "SELECT count(*) AS n FROM orders WHERE NOT status IN (:several)",
        arguments={"several": given},
        parameters=KINDS,
    ).rows == ((4,),)


def test_a_list_stands_after_in_only(external: External) -> None:
    failure = external.failure(
        "SELECT id FROM orders WHERE status = :several", parameters=KINDS
    )

    assert failure.reason is Reason.REFUSED
    assert "IN (:several)" in failure.message


def test_a_time_is_compared_as_an_instant(external: External) -> None:
    moment = datetime.fromisoformat("2026-01-05T09:00+09:00")
    column = "CAST(placed_on AS TIMESTAMPTZ)"
    if external.source.dialect == "sqlite":
        column = "datetime(placed_on)"
    sql = f"SELECT count(*) AS n FROM orders WHERE {column} <= :t"

    table = external.table(
        sql,
        arguments={"t": moment},
        parameters=(ParameterSpec("t", ParameterType.DATETIME),),
    )

    assert table.rows == ((1,),)


def test_tenant_and_user_come_from_the_actor_never_from_arguments(
    external: External,
) -> None:
    table = external.table(
        "SELECT :tenant AS tenant, :user AS person",
        arguments={"tenant": "globex", "user": 1},
        parameters=(ParameterSpec("tenant"),),
    )

    assert table.rows == (("acme", 7),)


def test_a_parameter_nobody_declared_is_refused(external: External) -> None:
    failure = external.failure("SELECT :site", arguments={"site": "x"})

    assert failure.reason is Reason.REFUSED
    assert ":site" in failure.message


def test_texts_with_colons_and_percent_signs_stay_texts(external: External) -> None:
    table = external.table("SELECT 'a:b' AS a, ':x' AS b, '50%' AS c, '%(x)s' AS d")

    assert table.rows == (("a:b", ":x", "50%", "%(x)s"),)


def test_the_row_above_the_limit_is_told(external: External) -> None:
    numbers = NUMBERS + " SELECT x FROM n"

    cut = external.table(numbers.format(1_001), row_limit=1_000)
    whole = external.table(numbers.format(1_000), row_limit=1_000)

    assert len(cut.rows) == len(whole.rows) == 1_000
    assert cut.cuts == (Cut(Limit.ROWS, at=1_000),)
    assert whole.cuts == ()


def test_an_endless_result_ends_at_the_limit(external: External) -> None:
    table = external.table(ENDLESS.format("x"), row_limit=1_700)

    assert table.rows[-1] == (1_700,)
    assert table.cuts == (Cut(Limit.ROWS, at=1_700),)


def test_a_caller_may_ask_for_another_limit(external: External) -> None:
    spec = OperationSpec("o", external.source, sql="SELECT * FROM orders", row_limit=4)

    outcome = engine().run(
        run_query(
            spec,
            arguments={},
            actor=ACTOR,
            deadline=time.monotonic() + 5,
            row_limit=2,
        )
    )

    assert isinstance(outcome, Success)
    assert isinstance(outcome.data, Table)
    assert len(outcome.data.rows) == 2


def test_the_byte_above_the_limit_is_told(external: External) -> None:
    source = replace(external.source, key="small", max_body_bytes=100)

    table = external.table(
        "SELECT 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' AS x FROM orders",
        source=source,
    )

    assert len(table.rows) == 2
    assert table.cuts == (Cut(Limit.BYTES, at=80),)


def test_a_query_that_is_too_slow_ends_at_its_timeout(external: External) -> None:
    started = time.monotonic()

    failure = external.failure(ENDLESS.format("count(*)"), timeout_ms=300)

    assert failure.reason is Reason.TIMEOUT
    assert "in time" in failure.message
    assert 0.25 < time.monotonic() - started < 1.5


def test_the_deadline_of_the_page_wins_over_the_timeout(external: External) -> None:
    failure = external.failure(ENDLESS.format("count(*)"), seconds=0.3)

    assert failure.reason is Reason.TIMEOUT
    assert failure.elapsed_ms < 1_500


def test_a_deadline_in_the_past_starts_nothing(external: External) -> None:
    failure = external.failure("SELECT 1", seconds=-1)

    assert failure.reason is Reason.TIMEOUT
    assert failure.elapsed_ms < 500


def _running(external: External) -> int:
    with _administrator() as server:
        row = server.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            " AND datname = %s",
            (read_url(external.source).database,),
        ).fetchone()
    assert row is not None
    return int(row[0])


def _wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        threading.Event().wait(0.02)
    return condition()


@POSTGRESQL
def test_timeouts_leave_no_statement_behind(on_postgresql: External) -> None:
    call = ENDLESS.format("count(*)")
    spec = OperationSpec("o", on_postgresql.source, sql=call, timeout_ms=200)

    async def many() -> list[Outcome]:
        deadline = time.monotonic() + 5
        return await asyncio.gather(
            *(
                run_query(spec, arguments={}, actor=ACTOR, deadline=deadline)
                for _ in range(8)
            )
        )

    outcomes = engine().run(many())

    assert {getattr(outcome, "reason", None) for outcome in outcomes} == {
        Reason.TIMEOUT
    }
    assert _wait_until(lambda: _running(on_postgresql) == 0)


def test_a_reader_who_leaves_ends_the_statement(external: External) -> None:
    spec = OperationSpec(
        "o", external.source, sql=ENDLESS.format("count(*)"), timeout_ms=60_000
    )
    checked_out = engine_for(external.source).pool.checkedout  # type: ignore[attr-defined]
    call = engine().start(
        run_query(spec, arguments={}, actor=ACTOR, deadline=time.monotonic() + 60)
    )
    assert _wait_until(lambda: checked_out() == 1)

    call.cancel()

    assert _wait_until(lambda: checked_out() == 0, seconds=2.0)
    if external.source.dialect == "postgresql":
        assert _wait_until(lambda: _running(external) == 0)
    assert external.table("SELECT 1 AS one").rows == ((1,),)


@pytest.mark.parametrize(
    ("sql", "words", "place"),
    [
        ("SELECT *\nFROM nowhere", "nowhere", "Line 2, column 6"),
        ("SELECT nothing FROM orders", "nothing", "Line 1, column 8"),
        ("SELECT o.nothing FROM orders o", "nothing", "Line 1, column 10"),
    ],
)
def test_a_wrong_name_is_told_with_its_place(
    external: External, sql: str, words: str, place: str
) -> None:
    failure = external.failure(sql)

    assert failure.reason is Reason.UPSTREAM
    assert words in failure.message
    assert place in failure.message


def test_a_syntax_error_is_told_before_the_database_sees_it(
    external: External,
) -> None:
    failure = external.failure("SELECT * FORM orders")

    assert failure.reason is Reason.REFUSED
    assert "cannot be read" in failure.message


@POSTGRESQL
@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM secrets", Reason.DENIED),
        ("SELECT 1 / (id - id) FROM orders", Reason.UPSTREAM),
        ("SELECT note::integer FROM orders", Reason.UPSTREAM),
        ("SELECT 'infinity'::date", Reason.UNREADABLE),
    ],
)
def test_errors_never_quote_data(
    on_postgresql: External, sql: str, reason: Reason
) -> None:
    failure = on_postgresql.failure(sql)

    assert failure.reason is reason
    assert "a:b" not in failure.message
    assert "/tmp" not in failure.message


@POSTGRESQL
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("reader", "nobody"), "did not accept the user"),
        (("port=", "port=1"), "No connection"),
        (("/external", "/missing"), "No connection"),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_without_its_address(
    on_postgresql: External, change: tuple[str, str], words: str
) -> None:
    url = on_postgresql.source.base_url.replace(*change)
    source = replace(on_postgresql.source, key="gone", base_url=url)

    failure = on_postgresql.failure("SELECT 1", source=source)

    assert failure.reason is Reason.UPSTREAM
    assert words in failure.message
    assert "host" not in failure.message


@POSTGRESQL
def test_postgresql_types_are_told_by_the_driver(on_postgresql: External) -> None:
    table = on_postgresql.table(
        "SELECT NULL::integer AS i, NULL::numeric AS n, TRUE AS b,"
        " NULL::timestamptz AS t, '{\"a\": 1}'::jsonb AS j, ARRAY[1, 2] AS l,"
        " 'x'::text AS s, interval '90 minutes' AS p WHERE 1 = 1"
    )

    assert [column.type.value for column in table.columns] == [
        "integer", "decimal", "boolean", "datetime", "text", "text", "text", "text",
    ]  # fmt: skip
    assert table.rows[0][4:7] == ('{"a": 1}', "[1, 2]", "x")


def test_a_file_that_is_no_database_is_told(
    on_sqlite: External, tmp_path: Path
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be read as one" * 20)
    source = replace(on_sqlite.source, key="odd", base_url=f"sqlite:///{path}")

    failure = on_sqlite.failure("SELECT 1 FROM orders", source=source)

    assert failure.reason is Reason.UPSTREAM
    assert "SQLite file" in failure.message
    assert str(tmp_path) not in failure.message


def test_a_missing_file_is_told_and_not_made(
    on_sqlite: External, tmp_path: Path
) -> None:
    path = tmp_path / "absent.sqlite3"
    source = replace(on_sqlite.source, key="absent", base_url=f"sqlite:///{path}")

    failure = on_sqlite.failure("SELECT 1", source=source)

    assert failure.reason is Reason.UPSTREAM
    assert "is not there" in failure.message
    assert not path.exists()


def test_a_value_the_database_cannot_work_out_is_told(on_sqlite: External) -> None:
    failure = on_sqlite.failure("SELECT json_extract(note, '$') FROM orders")

    assert failure.reason is Reason.UPSTREAM
    assert "could not work out a value" in failure.message


def test_a_file_that_is_replaced_is_opened_anew(
    on_sqlite: External, tmp_path: Path
) -> None:
    path = tmp_path / "data.sqlite3"
    source = replace(on_sqlite.source, key="data", base_url=f"sqlite:///{path}")
    for number in (1, 2):
        fresh = tmp_path / f"fresh{number}"
        with sqlite3.connect(fresh) as connection:
            connection.execute("CREATE TABLE t AS SELECT ? AS x", (number,))
        connection.close()
        fresh.rename(path)

        table = on_sqlite.table("SELECT x FROM t", source=source)

        assert table.rows == ((number,),)


def test_engines_are_kept_per_data_source_until_it_changes(
    on_sqlite: External,
) -> None:
    first = engine_for(on_sqlite.source)

    assert engine_for(on_sqlite.source) is first
    changed = replace(on_sqlite.source, connect_timeout_ms=1)
    assert engine_for(changed) is not first


@pytest.mark.parametrize(
    ("url", "dialect", "rule"),
    [
        ("nonsense", "sqlite", "address"),
        ("oracle://x", "sqlite", "dialect"),
        ("sqlite:///x", "postgresql", "dialect"),
        ("mysql://x/y", "mysql", "dialect"),
        ("sqlite:///x?uri=true", "sqlite", "option"),
        ("sqlite://", "sqlite", "missing-file"),
        ("sqlite:///:memory:", "sqlite", "missing-file"),
        ("postgresql://h/x?dbname=y", "postgresql", "option"),
        ("postgresql://h/x?options=-crole%3Da", "postgresql", "option"),
    ],
)
def test_an_address_that_may_not_be_used_is_refused_in_words(
    on_sqlite: External, url: str, dialect: str, rule: str
) -> None:
    source = replace(on_sqlite.source, key="odd", base_url=url, dialect=dialect)

    with pytest.raises(SourceRefusedError) as caught:
        engine_for(source)
    failure = on_sqlite.failure("SELECT 1", source=source)

    assert caught.value.rule == rule
    assert failure.reason in {Reason.REFUSED, Reason.UPSTREAM}
    assert len(failure.message) > 40


def _portal_spellings() -> list[str]:
    settings = portal.settings_dict
    name = settings["NAME"]
    host, port = settings["HOST"], settings["PORT"] or 5432
    return [
        f"postgresql://anybody@/{name}?host={host}&port={port}",
        f"postgresql://localhost:{port}/{name}",
        f"postgresql+psycopg://x:y@127.0.0.1:{port}/{name}",
        f"postgresql://[::1]:{port}/{name}",
        f"postgresql://LOCALHOST:{port}/{name}",
        f"postgresql:///{name}?host=elsewhere,localhost&port={port}",
    ]


@POSTGRESQL
def test_the_portal_s_own_database_is_known_in_every_spelling() -> None:
    for url in _portal_spellings():
        assert is_portal_database(url), url


def test_saved_sql_never_runs_on_the_portal_s_own_database(
    on_sqlite: External, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sqlite_file.with_name("portal.sqlite3")
    file.hardlink_to(sqlite_file)
    if portal.vendor == "sqlite":
        monkeypatch.setitem(portal.settings_dict, "NAME", str(sqlite_file))
        url = f"sqlite:///{file}"
    else:
        url = _portal_spellings()[0]
    source = replace(
        on_sqlite.source, key="portal", base_url=url, dialect=portal.vendor
    )

    failure = on_sqlite.failure("SELECT 1", source=source)
    file.unlink()

    assert failure.reason is Reason.REFUSED
    assert "portal's own database" in failure.message


def test_links_to_the_portal_s_file_are_the_portal_s_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, link, hard = (tmp_path / name for name in ("portal", "link", "hard"))
    file.write_bytes(b"")
    link.symlink_to(file)
    hard.hardlink_to(file)
    monkeypatch.setattr(portal, "vendor", "sqlite")
    monkeypatch.setitem(portal.settings_dict, "NAME", str(file))

    assert is_portal_database(f"sqlite:///{link}")
    assert is_portal_database(f"sqlite:///{hard}")
    assert is_portal_database(f"sqlite:///{tmp_path}/x/../portal")
    assert not is_portal_database(f"sqlite:///{tmp_path}/other")
    assert not is_portal_database("postgresql://localhost/portal")


def test_another_database_of_the_same_server_is_not_the_portal_s(
    external: External,
) -> None:
    assert not is_portal_database(read_url(external.source))
    assert not is_portal_database("postgresql://elsewhere.example/portal")

"""Queries against real files of SQLite and the real PostgreSQL of the test run."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.loop import engine
from connectors.outcomes import (
    Column,
    ColumnType,
    Cut,
    Failure,
    Limit,
    Reason,
    Success,
    Table,
)
from connectors.parameters import Argument, ParameterSpec, ParameterType
from connectors.specs import OperationSpec
from connectors.sql import run_query
from connectors.sql_engines import engine_for
from connectors.sql_sqlite import open_sqlite
from tests.connectors.external import (
    ACTOR,
    ENDLESS,
    NUMBERS,
    POSTGRESQL,
    External,
)
from tests.connectors.sql_corpus import hostile, plain

pytestmark = pytest.mark.django_db  # a refusal is counted


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


# MariaDB makes all rows of a recursion before it gives the first.
@pytest.mark.parametrize(
    "external", ["sqlite", pytest.param("postgresql", marks=POSTGRESQL)], indirect=True
)
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

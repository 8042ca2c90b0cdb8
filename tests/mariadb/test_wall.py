"""connectors/sql_mysql.py: what MariaDB holds by itself, also with the judge off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pymysql
import pytest
import sqlalchemy
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from connectors.loop import engine
from connectors.outcomes import ColumnType, Cut, Limit, Reason
from connectors.parameters import ParameterSpec, ParameterType
from connectors.specs import OperationSpec, TableSpec
from connectors.sql import run_query
from connectors.sql_engines import WALLS, engine_for
from connectors.sql_wall import SourceRefusedError, Terms
from tests.connectors.external import ACTOR, ENDLESS, External
from tests.connectors.sql_corpus import hostile
from tests.mariadb.shop import administrator, shop

pytestmark = pytest.mark.mariadb

DIGITS = (
    "(SELECT 0 AS d" + "".join(f" UNION ALL SELECT {n}" for n in range(1, 10)) + ")"
)
# Ten to the power of nine rows, each given as soon as it is made.
MANY = "SELECT 1 AS one FROM " + ", ".join(f"{DIGITS} AS t{n}" for n in range(9))


@contextmanager
def _behind_the_wall(external: External, seconds: float = 20.0) -> Iterator[Connection]:
    """Give what a statement would run on, with nothing in front of it."""
    wall = WALLS["mariadb"]
    with engine_for(external.source).connect() as connection:
        driver: Any = connection.connection.driver_connection
        until = time.monotonic() + seconds
        terms = Terms(until, lambda: time.monotonic() > until, "acme", 1)
        try:
            wall.begin(driver, terms)
            yield connection.execution_options(yield_per=100)
        finally:
            try:
                wall.end(driver)
            except wall.errors:
                connection.invalidate()


def _sent(external: External, sql: str, seconds: float = 20.0) -> str:
    """Send a statement straight at the wall; return ``ran`` or the error's number."""
    try:
        with _behind_the_wall(external, seconds) as connection:
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor:
                cursor.execute(sql)
                cursor.fetchmany(5)
    except pymysql.MySQLError as error:
        return str(error.args[0])
    return "ran"


def _running(external: External) -> int:
    with administrator() as server, server.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM information_schema.processlist"
            " WHERE command = 'Query' AND db = %s",
            (sqlalchemy.make_url(external.source.base_url).database,),
        )
        return int(cursor.fetchone()[0])


def _wait_until_nothing_runs(external: External, seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while (left := _running(external)) and time.monotonic() < until:
        time.sleep(0.02)
    return left == 0


def test_no_hostile_statement_changes_anything_with_the_judge_off(
    on_mariadb: External,
) -> None:
    before = on_mariadb.digest()
    statements = hostile("mariadb")

    answers = {sql: _sent(on_mariadb, sql, seconds=1.0) for sql in statements}

    assert on_mariadb.digest() == before
    assert "ran" not in {
        answers[sql] for sql in statements if "INTO ORDERS" in sql.upper()
    }
    assert len(set(answers.values())) > 5  # the server itself said no, in many words


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("DELETE FROM orders", "1142"),
        ("UPDATE orders SET amount = 0", "1142"),
        ("DROP TABLE orders", "1792"),
        ("CREATE TEMPORARY TABLE t (a INT)", "1792"),
        ("SELECT * FROM secrets", "1142"),
        ("SELECT * FROM orders INTO OUTFILE '/tmp/signalbox-orders'", "1227"),
        ("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE orders", "4166"),
        ("SELECT 1; DELETE FROM orders", "1064"),
        ("SELECT NEXTVAL(s)", "1792"),
        ("SELECT * FROM mysql.global_priv", "1142"),
        ("SET GLOBAL max_connections = 1", "1227"),
        ("SET SESSION TRANSACTION READ WRITE", "ran"),
        ("SELECT GET_LOCK('signalbox', 0)", "ran"),
    ],
)
def test_the_server_answers_for_itself(
    on_mariadb: External, sql: str, number: str
) -> None:
    assert _sent(on_mariadb, sql) == number


def test_a_user_who_may_write_still_cannot(on_mariadb: External) -> None:
    with shop(["CREATE TABLE t (a INT)"], readable=["t"]) as strong:
        strong.administer(f"GRANT ALL ON `{strong.name}`.* TO '{strong.reader}'@'%'")
        external = External(strong.source, strong.digest)
        before = external.digest()

        answers = {
            sql: _sent(external, sql)
            for sql in (
                "INSERT INTO t VALUES (1)",
                "CREATE TABLE u (a INT)",
                "DROP TABLE t",
                "TRUNCATE TABLE t",
                "CREATE TEMPORARY TABLE u (a INT)",
            )
        }

        assert set(answers.values()) == {"1792"}
        assert external.digest() == before


def test_nothing_of_a_statement_is_left_for_the_next_one(on_mariadb: External) -> None:
    source = replace(on_mariadb.source, key="alone")
    external = External(source, on_mariadb.digest)
    lines: list[str] = [
        "SET @mine = 1",
        "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
        "SET SESSION TRANSACTION READ WRITE",
        "SET time_zone = '+09:00', max_statement_time = 0, autocommit = 0",
        "SELECT GET_LOCK('signalbox-left', 0)",
        "SET NAMES latin1",
    ]
    assert [_sent(external, sql) for sql in lines] == ["ran"] * len(lines)

    with _behind_the_wall(external) as connection:
        found = connection.exec_driver_sql(
            "SELECT @mine, @@sql_mode, @@tx_read_only, @@time_zone,"
            " @@max_statement_time > 0, @@character_set_client,"
            " IS_FREE_LOCK('signalbox-left'), @@autocommit"
        ).one()

    assert found[0] is None
    assert "STRICT_TRANS_TABLES" in found[1]
    assert "ANSI" not in found[1]
    assert "ESCAPES" not in found[1]
    assert tuple(found[2:]) == (1, "+00:00", 1, "utf8mb4", 1, 1)


def test_the_server_itself_ends_what_is_too_slow(on_mariadb: External) -> None:
    assert _sent(on_mariadb, "SELECT SLEEP(30)", seconds=0.3) == "1969"


def test_a_recursion_is_not_cut_without_a_word(on_mariadb: External) -> None:
    table = on_mariadb.table(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000)"
        " SELECT count(*) AS n FROM n"
    )

    assert table.rows == ((3_000,),)


def test_an_answer_without_end_is_ended_at_the_limit(on_mariadb: External) -> None:
    started = time.monotonic()

    table = on_mariadb.table(MANY, row_limit=1_700, timeout_ms=60_000, seconds=60.0)

    assert len(table.rows) == 1_700
    assert table.cuts == (Cut(Limit.ROWS, at=1_700),)
    assert time.monotonic() - started < 50  # the rest would take many minutes
    assert _wait_until_nothing_runs(on_mariadb)
    assert on_mariadb.table("SELECT 1 AS one").rows == ((1,),)


def test_a_deadline_ends_rows_that_keep_coming(on_mariadb: External) -> None:
    failure = on_mariadb.failure(MANY, row_limit=10_000_000, timeout_ms=500)

    assert failure.reason is Reason.TIMEOUT
    assert _wait_until_nothing_runs(on_mariadb)


def test_a_reader_who_leaves_ends_the_statement_on_the_server(
    on_mariadb: External,
) -> None:
    spec = OperationSpec(
        "o", on_mariadb.source, sql=ENDLESS.format("count(*)"), timeout_ms=60_000
    )
    deadline = time.monotonic() + 60
    call = engine().start(run_query(spec, arguments={}, actor=ACTOR, deadline=deadline))
    while not _running(on_mariadb) and time.monotonic() < deadline:
        time.sleep(0.02)

    call.cancel()

    assert _wait_until_nothing_runs(on_mariadb)
    assert time.monotonic() < deadline - 20  # the reader did it, not the time limit
    assert on_mariadb.table("SELECT 1 AS one").rows == ((1,),)


def test_a_large_value_is_refused_by_its_space(on_mariadb: External) -> None:
    table = on_mariadb.table("SELECT LENGTH(REPEAT('x', 2000000000)) AS n")

    assert table.rows == ((None,),)


COLUMNS = """
    b BOOLEAN, one BIT(1), nine BIT(9), small TINYINT, big BIGINT UNSIGNED,
    price DECIMAL(20,4), ratio DOUBLE, day DATE, moment DATETIME(6),
    stamp TIMESTAMP NULL, span TIME, year YEAR, doc JSON, blob_ BLOB,
    choice ENUM('a','b'), several SET('a','b'), words TEXT, id UUID
"""
VALUES = """
    TRUE, b'1', b'101010101', -7, 18446744073709551615, 1234567890123456.7891, 1.5,
    '2026-02-03', '2026-01-01 10:00:00.25', NULL, '25:00:00', 2026, '{"a": 1}',
    x'ff41', 'b', 'a,b', 'ä%€😀', '123e4567-e89b-12d3-a456-426655440000'
"""
TYPES = (f"CREATE TABLE kinds ({COLUMNS})", f"INSERT INTO kinds VALUES ({VALUES})")


def test_values_of_every_type_come_back(on_mariadb: External) -> None:
    with shop(TYPES, readable=["kinds"]) as made:
        source = replace(made.source, tables=(TableSpec("kinds"),))
        external = External(source, made.digest)

        table = external.table("SELECT * FROM kinds")

    types = {column.name: column.type for column in table.columns}
    row = dict(zip(types, table.rows[0], strict=True))
    assert [name for name in types if types[name] is ColumnType.BOOLEAN] == ["b", "one"]
    assert {types[name] for name in ("nine", "small", "big", "year")} == {
        ColumnType.INTEGER
    }
    assert {types[name] for name in ("price", "ratio")} == {ColumnType.DECIMAL}
    assert types["day"] is ColumnType.DATE
    assert {types[name] for name in ("moment", "stamp")} == {ColumnType.DATETIME}
    assert (row["b"], row["one"], row["nine"], row["small"]) == (True, True, 341, -7)
    assert row["big"] == 2**64 - 1
    assert row["price"] == Decimal("1234567890123456.7891")
    assert row["day"] == date(2026, 2, 3)
    assert row["moment"] == datetime(2026, 1, 1, 10, 0, 0, 250_000, UTC)
    assert (row["stamp"], row["year"]) == (None, 2026)
    assert row["doc"] == '{"a": 1}'
    assert (row["choice"], row["several"]) == ("b", "a,b")
    assert row["words"] == "ä%€😀"
    assert row["id"] == "123e4567-e89b-12d3-a456-426655440000"


def test_a_time_of_another_zone_is_bound_as_the_same_instant(
    on_mariadb: External,
) -> None:
    moment = datetime.fromisoformat("2026-01-05T09:00:00.5+09:00")

    table = on_mariadb.table(
        "SELECT CAST(:t AS DATETIME(6)) AS t",
        arguments={"t": moment},
        parameters=(ParameterSpec("t", ParameterType.DATETIME),),
    )

    assert table.rows == ((datetime(2026, 1, 5, 0, 0, 0, 500_000, UTC),),)


@pytest.mark.parametrize(
    "text",
    [
        "it's",
        'say "x"',
        "a\\",
        "\\'; DROP TABLE orders; -- ",
        "%s %% :x",
        "\x1a\n\r\t",
        "한😀",
    ],
)
def test_a_text_is_bound_as_it_is(on_mariadb: External, text: str) -> None:
    table = on_mariadb.table(
        "SELECT :t AS t, LENGTH(:t) AS n",
        arguments={"t": text},
        parameters=(ParameterSpec("t"),),
    )

    assert table.rows == ((text, len(text.encode())),)


@pytest.mark.parametrize(
    ("sql", "reason", "words"),
    [
        ("SELECT * FROM secrets", Reason.DENIED, "secrets"),
        ("SELECT CAST('12x' AS UNSIGNED) - 13 AS n", Reason.UPSTREAM, "work out"),
        (
            "SELECT id FROM orders GROUP BY id HAVING nothing > 1",
            Reason.UPSTREAM,
            "noth",
        ),
        (
            "SELECT (SELECT id FROM orders) AS n",
            Reason.UPSTREAM,
            "a subquery returns more than one row",
        ),
    ],
)
def test_errors_never_quote_data(
    on_mariadb: External, sql: str, reason: Reason, words: str
) -> None:
    tables = (*on_mariadb.source.tables, TableSpec("secrets"))

    failure = on_mariadb.failure(sql, source=replace(on_mariadb.source, tables=tables))

    assert failure.reason is reason
    assert words in failure.message
    assert "12x" not in failure.message
    assert "@" not in failure.message
    assert "reader_" not in failure.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"username": "nobody"}, "did not accept the user"),
        ({"host": "127.0.0.1", "port": 1, "query": {}}, "No connection"),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_without_its_address(
    on_mariadb: External, change: dict[str, Any], words: str
) -> None:
    url = sqlalchemy.make_url(on_mariadb.source.base_url).set(**change)
    address = url.render_as_string(hide_password=False)
    source = replace(on_mariadb.source, key="gone", base_url=address)

    failure = on_mariadb.failure("SELECT 1 AS one", source=source)

    assert failure.reason is Reason.UPSTREAM
    assert words in failure.message
    assert "/" not in failure.message
    assert "127" not in failure.message


def test_a_server_of_the_other_kind_is_refused(on_mariadb: External) -> None:
    url = on_mariadb.source.base_url.replace("mariadb:", "mysql:")
    source = replace(on_mariadb.source, key="other", base_url=url, dialect="mysql")

    with pytest.raises(SourceRefusedError) as caught:
        engine_for(source).connect()
    failure = on_mariadb.failure("SELECT 1 AS one", source=source)

    assert (caught.value.rule, caught.value.found) == ("server-kind", "MariaDB")
    assert "mariadb://" in failure.message


def test_the_pool_never_gives_a_broken_connection(on_mariadb: External) -> None:
    with administrator() as server, server.cursor() as cursor:
        on_mariadb.table("SELECT 1 AS one")
        cursor.execute(
            "SELECT id FROM information_schema.processlist WHERE user LIKE 'reader%'"
        )
        numbers = [row[0] for row in cursor.fetchall()]
        for number in numbers:
            cursor.execute(f"KILL {number}")

    assert numbers
    assert on_mariadb.table("SELECT 1 AS one").rows == ((1,),)


def test_the_driver_never_sends_two_statements(on_mariadb: External) -> None:
    with (
        pytest.raises(SQLAlchemyError, match="1064"),
        _behind_the_wall(on_mariadb) as connection,
    ):
        connection.exec_driver_sql("SELECT 1; SELECT 2")

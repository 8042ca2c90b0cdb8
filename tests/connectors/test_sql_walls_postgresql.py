"""connectors/sql_postgresql.py: what holds when judge and tenant scope are gone.

Every statement goes straight to the wall, with the user that the documents recommend.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from connectors.loop import engine
from connectors.outcomes import Reason
from connectors.specs import OperationSpec
from connectors.sql import run_query
from connectors.sql_engines import WALLS, dispose_all, engine_for
from connectors.sql_wall import Terms
from tests.connectors.external import ACTOR, ENDLESS, External, administrator
from tests.connectors.walled import Walled

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]
_FAR = 5.0  # seconds


class Straight:
    """Statements on one pooled connection, each within the wall's begin and end."""

    def __init__(self, walled: Walled) -> None:
        self._source = walled.source

    def rows(self, sql: str, *, seconds: float = _FAR) -> list[tuple[Any, ...]]:
        wall = WALLS["postgresql"]
        with engine_for(self._source).connect() as connection:
            driver: Any = connection.connection.driver_connection
            terms = Terms(time.monotonic() + seconds, lambda: False, "acme", 1)
            try:
                wall.begin(driver, terms)
                streamed = connection.execution_options(stream_results=True)
                return [tuple(row) for row in streamed.exec_driver_sql(sql)]
            finally:
                wall.end(driver)

    def refused(self, sql: str, **options: Any) -> str:
        with pytest.raises(DBAPIError) as caught:
            self.rows(sql, **options)
        assert isinstance(caught.value.orig, psycopg.Error)
        return caught.value.orig.sqlstate or ""


@pytest.fixture
def straight(walled_postgresql: Walled) -> Straight:
    return Straight(walled_postgresql)


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    dispose_all()


def test_row_security_holds_other_tenants_back(straight: Straight) -> None:
    assert straight.rows("SELECT id FROM orders ORDER BY id") == [(1,), (2,)]
    assert straight.rows("SELECT body FROM notes") == [("ours",)]
    assert straight.rows("SELECT count(*), max(amount) FROM orders") == [(2, 20)]


OTHER_TENANTS = [
    "SELECT id FROM orders WHERE set_config('signalbox.tenant', 'beta', true) = 'beta'",
    "SELECT * FROM pg_catalog.set_config('signalbox.tenant', 'beta', false)",
    "SELECT query_to_xml('SELECT * FROM orders', true, false, '')",
    "SELECT table_to_xml('orders', true, false, '')",
    "SELECT * FROM ts_stat('SELECT to_tsvector(body) FROM notes')",
    "SELECT word FROM secrets",
]


@pytest.mark.parametrize("sql", OTHER_TENANTS)
def test_no_function_leads_to_another_tenant(straight: Straight, sql: str) -> None:
    assert straight.refused(sql) == "42501"  # permission denied


STOPPED = {
    # By the extended protocol: one statement, whatever its text.
    "COMMIT; DROP TABLE orders": "42601",
    "SELECT 1; COMMIT; DELETE FROM orders": "42601",
    # By the cursor, which takes a plain query only.
    "DROP TABLE orders": "42601",
    "SELECT * INTO gone FROM orders": "42601",
    "WITH d AS (DELETE FROM orders RETURNING 1) SELECT * FROM d": "0A000",
    "SET ROLE NONE": "42601",
    "RESET ALL": "42601",
    "LISTEN x": "42601",
    "NOTIFY x": "42601",
    "EXPLAIN ANALYZE DELETE FROM orders": "42601",
    "COPY (SELECT 1) TO '/tmp/signalbox-copy'": "42601",
    "COPY orders TO STDOUT": "42601",
    "DO $$ BEGIN END $$": "42601",
    "PREPARE p AS SELECT 1": "42601",
    "CREATE TEMPORARY TABLE t (a INT)": "42601",
    "LOCK TABLE orders": "42601",
    # By the transaction, or by the rights of the user.
    "SELECT nextval('s')": "42501",
    "SELECT * FROM orders FOR UPDATE": "25006",
    "SELECT lo_create(0)": "42501",
    "SELECT pg_advisory_lock(1)": "42501",
    "SELECT pg_notify('a', 'b')": "42501",
    "SELECT pg_sleep(10)": "42501",
    "SELECT pg_read_file('/etc/passwd')": "42501",
    "SELECT passwd FROM pg_shadow": "42501",
    "SELECT pg_cancel_backend(1)": "42501",
}


@pytest.mark.parametrize(("sql", "state"), STOPPED.items())
def test_what_stops_a_statement_that_does_not_only_read(
    straight: Straight, sql: str, state: str
) -> None:
    assert straight.refused(sql) == state


def test_a_driver_alone_would_have_run_both_statements(
    walled_postgresql: Walled,
) -> None:
    """Measured: READ ONLY does not stop ``COMMIT; …`` in one text of psycopg's."""
    with administrator(walled_postgresql.database) as database:
        database.execute("CREATE TABLE doomed ()")
        database.autocommit = False
        database.read_only = True
        database.execute("COMMIT; DROP TABLE doomed")
        gone = database.execute("SELECT to_regclass('doomed')").fetchone()

    assert gone == (None,)


def test_a_session_hands_nothing_on(straight: Straight) -> None:
    first = straight.rows("SELECT pg_backend_pid()")
    settings = (
        "SELECT current_setting('signalbox.tenant', true),"
        " current_setting('statement_timeout'), current_setting('work_mem'),"
        " current_setting('transaction_read_only')"
    )
    [inside] = straight.rows(settings)
    with engine_for(straight._source).connect() as connection:
        [outside] = connection.exec_driver_sql(settings).fetchall()
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").fetchall()

    assert [tuple(row) for row in pid] == first  # the same session
    assert inside[0] == "acme"
    assert inside[1] not in {"0", ""}
    assert inside[2:] == ("16MB", "on")
    assert outside[0] in {None, ""}
    assert outside[1] == "0"
    assert outside[3] == "on"


def test_settings_need_no_function_that_the_user_may_call(
    straight: Straight,
) -> None:
    """SET LOCAL works although set_config() is taken from the user."""
    assert straight.refused("SELECT set_config('work_mem', '1GB', true)") == "42501"
    assert straight.rows("SELECT current_setting('app.tenant_id')") == [("1",)]


@pytest.mark.parametrize(
    "sql",
    [
        ENDLESS.format("count(*)"),
        "SELECT count(*) FROM "
        + ", ".join(f"generate_series(1, 99999) AS {name}" for name in "abc"),
    ],
)
def test_recursion_and_cross_joins_without_end_are_ended(
    straight: Straight, sql: str
) -> None:
    assert straight.refused(sql, seconds=0.3) == "57014"  # canceled by its timeout


def test_temporary_files_have_an_end(straight: Straight) -> None:
    [(limit,)] = straight.rows("SELECT current_setting('temp_file_limit')")

    assert limit == "1GB"


def _active(walled: Walled) -> int:
    with administrator() as server:
        row = server.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            " AND datname = %s",
            (walled.database,),
        ).fetchone()
    assert row is not None
    return int(row[0])


def _becomes(walled: Walled, count: int) -> bool:
    until = time.monotonic() + 15
    while _active(walled) != count and time.monotonic() < until:
        threading.Event().wait(0.02)
    return _active(walled) == count


def test_a_reader_who_leaves_ends_the_statement_in_the_database(
    walled_postgresql: Walled,
) -> None:
    source = walled_postgresql.source
    spec = OperationSpec("o", source, sql=ENDLESS.format("count(*)"), timeout_ms=60_000)
    until = time.monotonic() + 60
    call = engine().start(run_query(spec, arguments={}, actor=ACTOR, deadline=until))
    assert _becomes(walled_postgresql, 1)

    call.cancel()

    assert _becomes(walled_postgresql, 0)
    again = External(source, lambda: "").table("SELECT count(*) AS n FROM orders")
    assert again.rows == ((2,),)


def test_what_the_wall_stops_is_told_in_words(
    walled_postgresql: Walled,
) -> None:
    failure = External(walled_postgresql.source, lambda: "").failure(
        "SELECT word FROM secrets"
    )

    assert failure.reason in {Reason.DENIED, Reason.REFUSED}
    assert "BETA" not in failure.message

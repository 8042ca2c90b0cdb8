"""connectors/sql_sqlite_wall.py: what holds when judge and tenant scope are gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.outcomes import Failure, Reason, Success, Table
from connectors.specs import SourceKind, SourceSpec, TableSpec, TenantValue
from connectors.sql_engines import dispose_all, read_url
from connectors.sql_sqlite import open_sqlite
from connectors.sql_sqlite_wall import LIMITS
from connectors.sql_wall import SourceRefusedError
from tests.connectors.external import ENDLESS, External

pytestmark = pytest.mark.django_db  # a refusal is counted

TABLES = (
    TableSpec("orders", tenant_column="tenant"),
    TableSpec("Notes", tenant_column="owner", tenant_value=TenantValue.ID),
    TableSpec("sites"),
    TableSpec("open_orders", tenant_column="tenant"),
    TableSpec("site_names"),
    TableSpec("manual"),
)
SCHEMA = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, tenant TEXT, site INTEGER, amount REAL);
CREATE TABLE "Notes" (id INTEGER PRIMARY KEY, owner INTEGER, body TEXT);
CREATE TABLE sites (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE secrets (word TEXT);
CREATE VIEW open_orders (id, tenant, size) AS SELECT id, tenant, amount FROM orders;
CREATE VIEW site_names AS SELECT name FROM sites;
CREATE VIEW hidden AS SELECT word FROM secrets;
CREATE VIRTUAL TABLE manual USING fts5(title, body);
INSERT INTO orders VALUES (1, 'acme', 1, 10), (2, 'acme', 2, 20), (3, 'beta', 1, 666);
INSERT INTO "Notes" VALUES (1, 1, 'ours'), (2, 2, 'BETA');
INSERT INTO sites VALUES (1, 'Busan'), (2, 'Seoul');
INSERT INTO secrets VALUES ('BETA-SECRET');
INSERT INTO manual VALUES ('pumps', 'how to prime a pump');
"""


def _write(path: Path, *, only: str = "") -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
        if only:
            connection.execute("DELETE FROM orders WHERE tenant <> ?", (only,))
            connection.execute('DELETE FROM "Notes" WHERE owner <> 1')
            connection.execute("DELETE FROM secrets")
    connection.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("walls") / "shop.sqlite3"
    _write(path)
    return path


@pytest.fixture(scope="module")
def source(file: Path) -> SourceSpec:
    return SourceSpec(
        "shop",
        SourceKind.SQL,
        1,
        "acme",
        base_url=f"sqlite:///{file}",
        dialect="sqlite",
        tables=TABLES,
    )


@pytest.fixture(scope="module")
def wall(file: Path, source: SourceSpec) -> Iterator[sqlite3.Connection]:
    connection = open_sqlite(file, source)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The same file as it were if there was no other tenant."""
    path = tmp_path_factory.mktemp("alone") / "shop.sqlite3"
    _write(path, only="acme")
    shared = tuple(TableSpec(table.name) for table in TABLES)
    source = SourceSpec("shop", SourceKind.SQL, 1, "acme", tables=shared)
    connection = open_sqlite(path, source)
    yield connection
    connection.close()


def _rows(connection: sqlite3.Connection, sql: str) -> list[tuple[object, ...]]:
    return sorted(connection.execute(sql).fetchall(), key=repr)


SAME = [
    "SELECT * FROM orders",
    "SELECT count(*) FROM orders",
    "SELECT EXISTS (SELECT 1 FROM orders WHERE amount > 100)",
    'SELECT * FROM "ORDERS" AS o JOIN sites s ON s.id = o.site',
    "SELECT s.name, o.amount FROM sites s LEFT JOIN orders o ON o.site = s.id",
    "SELECT s.name, o.amount FROM orders o RIGHT JOIN sites s ON o.site = s.id",
    "SELECT s.name, o.amount FROM (sites s FULL JOIN orders o ON o.site = s.id)",
    "WITH x AS (SELECT count(*) AS n FROM orders) SELECT n FROM x",
    "WITH secrets AS (SELECT 1 AS word) SELECT word FROM secrets",
    "SELECT o.* FROM orders o, sites",
    "SELECT amount FROM orders UNION ALL SELECT id FROM notes",
    "SELECT sum(amount) OVER (ORDER BY id) FROM orders",
    "SELECT value FROM orders, json_each('[1, 2]')",
    "SELECT * FROM notes",
    "SELECT * FROM open_orders",
    "SELECT count(*) FROM open_orders",
    "SELECT * FROM site_names",
    "SELECT title FROM manual WHERE manual MATCH 'prime'",
    "SELECT (SELECT max(amount) FROM orders i WHERE i.site = o.site) FROM orders o",
    "SELECT * FROM temp.orders",
    (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3)"
        " SELECT n.x, o.id FROM n JOIN orders o ON o.id >= n.x"
    ),
]


@pytest.mark.parametrize("sql", SAME)
def test_a_statement_sees_what_it_would_see_without_other_tenants(
    wall: sqlite3.Connection, alone: sqlite3.Connection, sql: str
) -> None:
    without_schema = sql.replace("temp.", "")

    assert _rows(wall, sql) == _rows(alone, without_schema)


STOPPED = r"denied|not authorized|prohibited|a view"
DENIED = [
    "SELECT * FROM main.orders",
    "SELECT count(*) FROM main.orders",
    "SELECT count(*) FROM MAIN.Orders",
    "SELECT EXISTS (SELECT 1 FROM main.orders)",
    "SELECT rowid FROM main.orders",
    "SELECT sites.* FROM sites, main.orders",
    "SELECT 1 FROM sites ORDER BY (SELECT count(*) FROM main.orders)",
    # SQLite names a WITH as the innermost view, like a view of that name.
    "WITH orders AS (SELECT * FROM main.orders) SELECT * FROM orders",
    "WITH orders AS (SELECT count(*) FROM main.orders) SELECT * FROM orders",
    "WITH open_orders AS (SELECT * FROM main.orders) SELECT * FROM open_orders",
    "WITH site_names AS (SELECT * FROM main.secrets) SELECT * FROM site_names",
    "WITH hidden AS (SELECT * FROM secrets) SELECT * FROM hidden",
    "SELECT * FROM (SELECT * FROM main.orders) AS orders",
    "SELECT * FROM main.open_orders",
    "SELECT * FROM secrets",
    "SELECT count(*) FROM secrets",
    "SELECT EXISTS (SELECT 1 FROM secrets)",
    "SELECT sites.* FROM sites, secrets",
    "SELECT * FROM hidden",
    "SELECT count(*) FROM hidden",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM sqlite_temp_master",
    "SELECT * FROM temp.sqlite_schema",
    "SELECT * FROM pragma_table_info('orders')",
    "PRAGMA database_list",
    "PRAGMA query_only=OFF",
    "CREATE TEMP VIEW orders2 AS SELECT * FROM main.orders",
    "DROP VIEW temp.orders",
    "ATTACH ':memory:' AS other",
    "VACUUM INTO '/tmp/signalbox-copy'",
    "DELETE FROM orders",
    "SELECT load_extension('x')",
    "INSERT INTO manual(manual) VALUES ('optimize')",
    "BEGIN",
]


@pytest.mark.parametrize("sql", DENIED)
def test_nothing_else_may_be_touched(wall: sqlite3.Connection, sql: str) -> None:
    with pytest.raises(sqlite3.DatabaseError, match=STOPPED):
        wall.execute(sql).fetchall()


def test_names_of_our_views_are_new_in_every_connection(
    file: Path, source: SourceSpec
) -> None:
    names = []
    for _ in range(2):
        connection = open_sqlite(file, source)
        connection.set_authorizer(None)
        rows = connection.execute("SELECT name FROM sqlite_temp_master ORDER BY name")
        names.append({name for (name,) in rows} - {"orders", "Notes", "open_orders"})
        connection.close()

    assert all(len(found) >= 4 for found in names)
    assert names[0] & names[1] == {"site_names"}


@pytest.mark.parametrize("key", ["o'brien", "a' OR '1'='1", "tenant", 'x"y', ""])
def test_the_key_of_a_tenant_is_a_value_and_no_code(file: Path, key: str) -> None:
    source = SourceSpec("shop", SourceKind.SQL, 3, key, tables=TABLES)
    connection = open_sqlite(file, source)

    rows = connection.execute("SELECT * FROM orders").fetchall()
    connection.close()

    assert rows == []


def test_a_tenant_column_that_is_not_there_gives_no_row(file: Path) -> None:
    tables = (TableSpec("orders", tenant_column="acme"),)
    source = SourceSpec("shop", SourceKind.SQL, 1, "acme", tables=tables)
    connection = open_sqlite(file, source)

    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        connection.execute("SELECT * FROM orders").fetchall()
    connection.close()


_PARTS = st.sampled_from(
    ["orders", "main.orders", "temp.orders", "notes", "secrets", "hidden", "sites",
     "main.secrets", "open_orders", "main.open_orders", "w", "(SELECT * FROM w)"]
)  # fmt: skip
_NAMES = st.sampled_from(["orders", "w", "secrets", "open_orders", "hidden", "notes"])


@given(st.lists(_NAMES, min_size=1, max_size=3), st.lists(_PARTS, min_size=2), _PARTS)
def test_no_shape_of_names_shows_a_row_of_another(
    wall: sqlite3.Connection, names: list[str], parts: list[str], last: str
) -> None:
    made = ", ".join(
        f"{name} AS (SELECT * FROM {part})"
        for name, part in zip(dict.fromkeys(names), parts * 3, strict=False)
    )
    for wanted in ("*", "count(*)", "max(0, 1)"):
        try:
            rows = wall.execute(f"WITH {made} SELECT {wanted} FROM {last}").fetchall()
        except sqlite3.DatabaseError:
            continue
        assert "666" not in repr(rows)
        assert "BETA" not in repr(rows)
        if wanted == "count(*)":
            assert rows[0][0] <= 2


def test_a_saved_query_reads_through_the_wall(file: Path, source: SourceSpec) -> None:
    shop = External(source, lambda: "")

    mine = shop.run("SELECT id FROM orders ORDER BY id")
    unregistered = shop.run("SELECT word FROM secrets")
    dispose_all()

    assert isinstance(mine, Success)
    assert isinstance(mine.data, Table)
    assert mine.data.rows == ((1,), (2,))
    assert isinstance(unregistered, Failure)
    assert unregistered.reason is Reason.REFUSED


def test_every_limit_is_set(wall: sqlite3.Connection) -> None:
    assert {limit: wall.getlimit(limit) for limit in LIMITS} == LIMITS


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(hex(zeroblob(300000000)))",
        f"SELECT {'(' * 600}1{')' * 600}",
        "SELECT " + " UNION ALL SELECT ".join(["1"] * 300),
        "SELECT " + "1 + " * 600 + "1",
        "SELECT '" + "a" * 600_000 + "'",
        "SELECT 'x' LIKE '" + "%a" * 600 + "'",
        "SELECT max(" + ", ".join(["1"] * 101) + ")",
    ],
)
def test_what_would_take_memory_in_one_step_fails(
    wall: sqlite3.Connection, sql: str
) -> None:
    with pytest.raises((sqlite3.Error, sqlite3.DataError)):
        wall.execute(sql).fetchall()


CROSS = "SELECT count(*) FROM {0} a, {0} b, {0} c, {0} d, {0} e, {0} f"


@pytest.mark.parametrize(
    "sql",
    [
        ENDLESS.format("count(*)"),
        (
            "WITH RECURSIVE n(x) AS (SELECT 'a' UNION ALL SELECT x || x FROM n)"
            " SELECT max(x) FROM n"
        ),
        CROSS.format("(SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12]'))")
        + ", (SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12]')) g"
        + ", (SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12]')) h",
    ],
)
def test_recursion_and_cross_joins_without_end_are_ended(
    source: SourceSpec, sql: str
) -> None:
    shop = External(source, lambda: "")

    failure = shop.failure(sql, timeout_ms=300)
    after = shop.table("SELECT 1 AS one")
    dispose_all()

    assert failure.reason in {Reason.TIMEOUT, Reason.UPSTREAM}
    assert after.rows == ((1,),)


@pytest.mark.parametrize(
    ("place", "allowed"),
    [("", True), ("shop.sqlite3", True), ("../elsewhere", False), ("sh", False)],
)
def test_only_files_below_the_listed_paths_are_opened(
    file: Path, source: SourceSpec, settings: Any, place: str, allowed: bool
) -> None:
    settings.SIGNALBOX_SQLITE_PATHS = [str(file.parent / place)]

    outcome = External(source, lambda: "").run("SELECT id FROM orders")
    dispose_all()

    assert isinstance(outcome, Success) is allowed
    if isinstance(outcome, Failure):
        assert outcome.reason is Reason.REFUSED
        assert "SIGNALBOX_SQLITE_PATHS" in outcome.message
        assert str(file.parent) not in outcome.message


def test_a_link_out_of_the_folder_leads_nowhere(
    file: Path, source: SourceSpec, settings: Any, tmp_path: Path
) -> None:
    settings.SIGNALBOX_SQLITE_PATHS = [str(tmp_path)]
    link = tmp_path / "link.sqlite3"
    link.symlink_to(file)

    with pytest.raises(SourceRefusedError, match="folder"):
        read_url(replace(source, base_url=f"sqlite:///{link}"))

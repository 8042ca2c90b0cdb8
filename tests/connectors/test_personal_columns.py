"""Whatever shape a query has, no personal value leaves it without being marked."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.masking import masked_table
from connectors.outcomes import Success, Table
from connectors.personal_columns import lineage
from connectors.specs import SourceKind, SourceSpec, TableSpec
from connectors.sql_engines import dispose_all
from tests.connectors.external import POSTGRESQL, External, administrator
from tests.connectors.sql_corpus import personal

pytestmark = pytest.mark.django_db  # a refusal is counted

PERSONAL = ("name", "email")
TABLES = (
    TableSpec("people", personal_columns=PERSONAL),
    TableSpec("orders"),
    TableSpec("goods"),
)
SCHEMA = (
    "CREATE TABLE people (id INTEGER, name TEXT, email TEXT, city TEXT, boss INTEGER)",
    "CREATE TABLE orders (id INTEGER, person INTEGER, amount INTEGER, note TEXT)",
    "CREATE TABLE goods (id INTEGER, name TEXT)",
    # Every piece of a personal value has a pair of letters that nothing else has.
    (
        "INSERT INTO people VALUES (1, 'zqzqzqzq', 'zqzq@zqzq', 'Seoul', NULL),"
        " (2, 'qzqzqzqz', 'qzqz@qzqz', 'Busan', 1), (3, NULL, NULL, NULL, 1)"
    ),
    "INSERT INTO orders VALUES (1, 1, 10, 'a'), (2, 1, 20, 'b'), (3, 2, 5, NULL)",
    "INSERT INTO goods VALUES (1, 'Chair'), (2, 'Table')",
)

HARMLESS = [
    ("SELECT id, city FROM people", 2),
    ("SELECT count(*), count(email), count(DISTINCT name) FROM people", 3),
    ("SELECT city, count(name) AS n FROM people GROUP BY city", 2),
    ("SELECT g.name, p.city FROM goods g JOIN people p ON p.id = g.id", 2),
    ("SELECT name FROM goods", 1),
    ("SELECT * FROM orders WHERE person IN (SELECT id FROM people)", 4),
    ("SELECT o.* FROM orders o JOIN people p ON p.id = o.person", 4),
    ("SELECT EXISTS (SELECT 1 FROM people WHERE name = 'x') AS e", 1),
    ("WITH t AS (SELECT id, city FROM people) SELECT city FROM t", 1),
    ("SELECT o.id, (SELECT max(email) FROM people) FROM orders o", 1),
    ("SELECT id, upper(email) FROM people UNION ALL SELECT id, name FROM goods", 1),
    ("SELECT * FROM people", 3),
]


@dataclass(frozen=True)
class People:
    """A database with people in it, and with registered tables."""

    database: External
    dialect: str

    def shown(self, sql: str) -> Table:
        """Run a query, and mask what is marked."""
        table = self.database.table(sql)
        return masked_table(table)


@pytest.fixture(scope="module")
def people_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    path: Path = tmp_path_factory.mktemp("people") / "people.sqlite3"
    with sqlite3.connect(path) as connection:
        for statement in SCHEMA:
            connection.execute(statement)
    connection.close()
    source = SourceSpec(
        "people",
        SourceKind.SQL,
        1,
        "acme",
        base_url=f"sqlite:///{path}",
        dialect="sqlite",
        tables=TABLES,
    )
    yield People(External(source, str), "sqlite")
    dispose_all()


@pytest.fixture(scope="module")
def people_postgresql() -> Iterator[People]:
    name, role = f"people_{os.getpid()}", f"people_reader_{os.getpid()}"
    with administrator() as server:
        server.execute(f'CREATE DATABASE "{name}"')
        server.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'read'")
    with administrator(name) as database:
        for statement in SCHEMA:
            database.execute(statement)
        database.execute(f'GRANT SELECT ON people, orders, goods TO "{role}"')
        place = f"host={database.info.host}&port={database.info.port}"
    source = SourceSpec(
        "people",
        SourceKind.SQL,
        1,
        "acme",
        base_url=f"postgresql://{role}:read@/{name}?{place}",
        dialect="postgresql",
        tables=TABLES,
    )
    yield People(External(source, str), "postgresql")
    dispose_all()
    with administrator() as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.execute(f'DROP ROLE "{role}"')


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=POSTGRESQL)])
def people(request: pytest.FixtureRequest) -> People:
    found: People = request.getfixturevalue(f"people_{request.param}")
    return found


def leaks(table: Table) -> list[str]:
    """Return the cells in which a piece of a personal value is."""
    cells = [str(value).casefold() for row in table.rows for value in row]
    pieces = ("zq", "qz", "7a71", "717a", "5a51", "515a")
    return [cell for cell in cells if any(piece in cell for piece in pieces)]


def test_no_shape_of_query_lets_a_personal_value_through(people: People) -> None:
    refused = []
    for sql in personal(people.dialect):
        outcome = people.database.run(sql)
        if not isinstance(outcome, Success):
            refused.append(sql)
            continue
        assert isinstance(outcome.data, Table)
        assert leaks(masked_table(outcome.data)) == [], sql

    # Almost all of them run: a refusal would prove nothing about the masks.
    assert len(refused) <= 6, refused


def test_the_shapes_do_carry_personal_values_where_nothing_is_registered(
    people: People,
) -> None:
    open_source = replace(
        people.database.source, tables=tuple(TableSpec(each.name) for each in TABLES)
    )
    carried = 0
    for sql in personal(people.dialect):
        outcome = people.database.run(sql, source=open_source)
        if isinstance(outcome, Success) and isinstance(outcome.data, Table):
            carried += bool(leaks(masked_table(outcome.data)))

    assert carried > 50


@pytest.mark.parametrize(("sql", "clear"), HARMLESS)
def test_what_is_not_personal_stays_readable(
    people: People, sql: str, clear: int
) -> None:
    table = people.shown(sql)

    assert sum(not column.masked for column in table.columns) == clear
    assert leaks(table) == []


def test_a_row_number_that_may_be_a_personal_key_is_personal() -> None:
    found = lineage("SELECT rowid, city FROM people", dialect="sqlite", tables=TABLES)

    assert found.of(["rowid", "city"]) == (True, False)


@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
@pytest.mark.parametrize(
    ("sql", "flags"),
    [
        ("SELECT `id`, `Name` AS n FROM `people`", (False, True)),
        ("SELECT GROUP_CONCAT(email), COUNT(*) FROM people", (True, False)),
        ("SELECT JSON_OBJECT('n', p.name), p.city FROM people AS p", (True, False)),
        ("SELECT CONCAT(name, '-'), LEFT(city, 1) FROM people", (True, False)),
        ("SELECT IF(id = 1, email, ''), id FROM people", (True, False)),
        ("WITH t AS (SELECT email AS e, id FROM people) SELECT e, id FROM t",
         (True, False)),
    ],
)  # fmt: skip
def test_the_other_engines_are_followed_too(
    dialect: str, sql: str, flags: tuple[bool, ...]
) -> None:
    found = lineage(sql, dialect=dialect, tables=TABLES)

    assert found.of(["a", "b"]) == flags


@pytest.mark.parametrize("sql", ["SELECT ((", "", "SELECT 1 FROM people; SELECT 2"])
def test_what_is_not_understood_is_personal_whole(sql: str) -> None:
    found = lineage(sql, dialect="postgresql", tables=TABLES)

    assert found.of(["a", "b"]) == (True, True)


def test_a_heading_of_another_width_is_personal_whole() -> None:
    found = lineage("SELECT id, city FROM people", dialect="sqlite", tables=TABLES)

    assert found.of(["id", "city"]) == (False, False)
    assert found.of(["id", "city", "more"]) == (True, True, True)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST(name AS INTEGER) AS n FROM people",
        "SELECT 1 / (length(name) - 8) AS n FROM people",
        "SELECT json_extract(name, '$') AS n FROM people",
        "SELECT json(name) AS n FROM people",
        "SELECT CAST(email AS DATE) AS n FROM people",
        "SELECT to_tsquery(name || ' x (') AS n FROM people",
        "SELECT to_tsquery('simple', email || ' & &') AS n FROM people",
        "SELECT CAST(name AS JSON) AS n FROM people",
        "SELECT regexp_replace('a', name || '(', 'b') AS n FROM people",
        "SELECT CAST(name || ' ( &' AS tsquery) AS n FROM people",
        "SELECT encode('a', name) AS n FROM people",
        "SELECT date_trunc(name, now()) AS n FROM people",
        "SELECT to_number(name, '99') AS n FROM people",
        "SELECT now() AT TIME ZONE name AS n FROM people",
    ],
)
def test_a_failure_quotes_no_personal_value(people: People, sql: str) -> None:
    outcome = people.database.run(sql)

    if isinstance(outcome, Success):
        assert isinstance(outcome.data, Table)
        assert leaks(masked_table(outcome.data)) == []
    else:
        assert "zq" not in outcome.message.casefold()
        assert "qz" not in outcome.message.casefold()


def test_a_failure_still_names_what_is_wrong_with_the_text(people: People) -> None:
    failure = people.database.failure("SELECT nowhere FROM people")

    assert "nowhere" in failure.message


# --- Shapes that nobody thought of ------------------------------------------------
GOODS = "name AS email, name AS city"
COLUMNS: tuple[str, ...] = ("id", "name", "email", "city")


@st.composite
def expressions(draw: st.DrawFn, columns: tuple[str, ...]) -> str:
    column = draw(st.sampled_from(columns))
    shape = draw(
        st.sampled_from(
            ["{0}", "upper({0})", "{0} || '-'", "coalesce({0}, 'n')",
             "CAST({0} AS TEXT)", "CASE WHEN {0} IS NULL THEN '' ELSE {0} END",
             "nullif({0}, 'n')", "(SELECT {0})", "max({0}) OVER ()", "lag({0}) OVER ()"]
        )
    )  # fmt: skip
    return shape.format(column)


@st.composite
def queries(draw: st.DrawFn, depth: int = 3) -> tuple[str, tuple[str, ...]]:
    """Draw a query of text columns, and the names of its columns."""
    if depth == 0:
        rest = draw(st.sampled_from(["email, city FROM people", f"{GOODS} FROM goods"]))
        source = f"(SELECT CAST(id AS TEXT) AS id, name, {rest})"
        return f"SELECT * FROM {source} AS s", COLUMNS
    inner, names = draw(queries(depth=depth - 1))
    match draw(st.sampled_from(["project", "star", "union", "with", "renamed"])):
        case "star":
            return f"SELECT t.* FROM ({inner}) AS t", names
        case "union":
            other, others = draw(queries(depth=depth - 1))
            width = min(len(names), len(others))
            left = ", ".join(f"a.{name}" for name in names[:width])
            right = ", ".join(f"b.{name}" for name in others[-width:])
            below = f"UNION ALL SELECT {right} FROM ({other}) AS b"
            return f"SELECT {left} FROM ({inner}) AS a {below}", names[:width]
        case "with":
            return f"WITH w AS ({inner}) SELECT * FROM w", names
        case "renamed":
            new = tuple(f"r{place}" for place in range(len(names)))
            return f"WITH w({', '.join(new)}) AS ({inner}) SELECT * FROM w", new
    size = draw(st.integers(1, 3))
    outputs = [draw(expressions(names)) for _ in range(size)]
    new = tuple(draw(st.permutations(("city", "id", "k1", "k2", "note")))[:size])
    made = ", ".join(
        f"{each} AS {name}" for each, name in zip(outputs, new, strict=True)
    )
    return f"SELECT {made} FROM ({inner}) AS t", new


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
@given(drawn=queries())
def test_no_drawn_query_lets_a_personal_value_through(
    people: People, drawn: tuple[str, tuple[str, ...]]
) -> None:
    outcome = people.database.run(drawn[0])

    assert isinstance(outcome, Success), (drawn[0], outcome)
    assert isinstance(outcome.data, Table)
    assert leaks(masked_table(outcome.data)) == [], drawn[0]

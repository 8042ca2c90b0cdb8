"""Saved SQL reads the rows of one tenant, whatever its shape, or nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import tenant_scope
from connectors.outcomes import Reason
from connectors.query_safety import Refused
from connectors.scope_proof import is_scoped
from connectors.specs import TableSpec, TenantValue
from connectors.sql_dialects import parse_judged
from connectors.sql_messages import refusal_words
from connectors.tenant_scope import Scoped, rewrite, scope_query
from tests.connectors.external import External
from tests.connectors.scope_databases import Pair
from tests.connectors.scope_tables import TABLES, tables_of
from tests.connectors.sql_corpus import FOLDER

pytestmark = pytest.mark.django_db  # a refusal is counted

DIALECTS = ("postgresql", "sqlite", "mysql", "mariadb")
FILTERED = (
    '(SELECT * FROM "orders" AS "_scoped" WHERE "_scoped"."tenant" = :tenant) AS '
)


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


def _lines(name: str) -> list[str]:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def scoped(
    sql: str, dialect: str = "postgresql", tables: tuple[TableSpec, ...] = TABLES
) -> str:
    found = scope_query(sql, dialect=dialect, tables=tables)
    assert isinstance(found, Scoped), found
    return found.allowed.sql


def refused(
    sql: str, dialect: str = "postgresql", tables: tuple[TableSpec, ...] = TABLES
) -> Refused:
    found = scope_query(sql, dialect=dialect, tables=tables)
    assert isinstance(found, Refused), found
    return found


# --- What is written ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "written"),
    [
        ("SELECT * FROM orders", f"SELECT * FROM {FILTERED}orders"),
        ("SELECT * FROM Orders", f"SELECT * FROM {FILTERED}Orders"),
        ('SELECT * FROM "orders"', f'SELECT * FROM {FILTERED}"orders"'),
        ("SELECT * FROM orders AS O", f"SELECT * FROM {FILTERED}O"),
        ('SELECT * FROM orders "a ""b"', f'SELECT * FROM {FILTERED}"a ""b"'),
        ("SELECT x FROM orders o(x, y)", f"SELECT x FROM {FILTERED}o(x, y)"),
        ("TABLE orders", f"SELECT * FROM {FILTERED}orders"),
        ("SELECT * FROM (orders)", f"SELECT * FROM {FILTERED}orders"),
        (
            "SELECT * FROM (orders o JOIN kinds k ON k.id = o.id)",
            f'SELECT * FROM ({FILTERED}o JOIN "kinds" AS k ON k.id = o.id)',
        ),
        (
            "SELECT * FROM ONLY orders",
            f"SELECT * FROM {FILTERED.replace('FROM', 'FROM ONLY')}orders",
        ),
        ("SELECT public.kinds.id FROM kinds", 'SELECT kinds.id FROM "kinds" AS kinds'),
    ],
)
def test_a_reference_becomes_a_filtered_subquery(sql: str, written: str) -> None:
    assert scoped(sql) == written


def test_a_number_of_the_tenant_is_bound_under_its_own_name() -> None:
    found = scope_query("SELECT * FROM sites", dialect="sqlite", tables=TABLES)

    assert isinstance(found, Scoped)
    assert '"_scoped"."owner" = :tenant_id' in found.allowed.sql
    assert found.allowed.parameters == ("tenant_id",)
    assert found.tables == (TABLES[1],)


@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_mysql_and_mariadb_are_quoted_their_way(dialect: str) -> None:
    tables = (*TABLES, replace(TABLES[0], schema="shop", name="Or`ders"))

    plain = scoped("SELECT * FROM `orders`", dialect)
    other = scoped("SELECT * FROM shop.`Or``ders` o", dialect, tables)

    assert plain == (
        "SELECT * FROM (SELECT * FROM `orders` AS `_scoped`"
        " WHERE `_scoped`.`tenant` = :tenant"
        # These engines take 'ACME ' for 'acme', and '1-a' for 1.
        " AND CAST(`_scoped`.`tenant` AS BINARY) = CAST(:tenant AS BINARY)) AS `orders`"
    )
    assert "FROM `shop`.`Or``ders` AS `_scoped`" in other


@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_a_name_in_another_case_reads_the_registered_table(dialect: str) -> None:
    text = scoped("SELECT * FROM ORDERS", dialect)

    assert "FROM `orders` AS `_scoped`" in text
    assert text.endswith("AS ORDERS")


def test_a_schema_is_written_as_it_is_registered() -> None:
    tables = tables_of("postgresql")

    assert 'FROM "public"."orders"' in scoped("SELECT * FROM orders", tables=tables)
    assert 'FROM "public"."orders"' in scoped(
        "SELECT * FROM Public.orders", tables=tables
    )


# --- What is refused ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "found", "place"),
    [
        ("SELECT * FROM secrets", "secrets", (1, 15)),
        ("SELECT 1\nFROM kinds, other.orders", "other.orders", (2, 13)),
        ("SELECT (SELECT max(id) FROM elsewhere) FROM orders", "elsewhere", (1, 29)),
        ("SELECT 1 FROM kinds ORDER BY (SELECT 1 FROM hidden)", "hidden", (1, 45)),
        ('SELECT * FROM "Orders"', "Orders", (1, 15)),
        ("WITH orders AS (SELECT 1) SELECT * FROM x.orders", "x.orders", (1, 41)),
    ],
)
def test_an_unregistered_table_is_refused_where_it_stands(
    sql: str, found: str, place: tuple[int, int]
) -> None:
    verdict = refused(sql)

    assert (verdict.rule, verdict.found) == ("table", found)
    assert (verdict.line, verdict.column) == place
    assert verdict.names == ('Odd "x.y"', "kinds", "orders", "sites")
    assert "Read one of" in refusal_words(verdict)
    assert "orders, sites" in refusal_words(verdict)


def test_without_registered_tables_the_way_out_is_to_register_some() -> None:
    verdict = refused("SELECT * FROM orders", tables=())

    assert (verdict.rule, verdict.remedy, verdict.names) == ("table", "register", ())
    assert "page of the data source" in refusal_words(verdict)


def test_a_long_list_of_tables_is_cut() -> None:
    tables = tuple(TableSpec(f"t{number:02}") for number in range(30))

    words = refusal_words(refused("SELECT * FROM x", tables=tables))

    assert "t11, …" in words
    assert "t12" not in words


@pytest.mark.parametrize("dialect", DIALECTS)
def test_catalogs_stay_refused_also_when_registered_ones_stand_beside(
    dialect: str,
) -> None:
    catalog = "sqlite_master" if dialect == "sqlite" else "information_schema.tables"

    assert refused(f"SELECT * FROM orders, {catalog}", dialect).rule == "catalog"


@pytest.mark.parametrize(
    ("dialect", "sql", "remedy"),
    [
        ("postgresql", "SELECT * FROM orders TABLESAMPLE SYSTEM (10)", "rewrite"),
        ("sqlite", "SELECT rowid FROM orders", "name-column"),
        ("sqlite", "SELECT o._rowid_ FROM orders AS o", "name-column"),
        ("sqlite", 'SELECT "OID" FROM orders', "name-column"),
        ("sqlite", "SELECT * FROM orders INDEXED BY secret", "rewrite"),
        ("postgresql", "SELECT _scoped.id FROM orders AS _scoped", "other-name"),
        ("sqlite", 'SELECT 1 FROM kinds AS "_SCOPED"', "other-name"),
        ("postgresql", "SELECT other.orders.id FROM orders", "alias"),
        ("postgresql", "SELECT public.orders.id FROM orders AS orders", "alias"),
        (
            "postgresql",
            (
                "SELECT * FROM orders WHERE EXISTS"
                " (SELECT 1 FROM sites AS orders WHERE public.orders.id = orders.id)"
            ),
            "alias",
        ),
        ("postgresql", "WITH É AS (SELECT 1) SELECT * FROM É", "quote-name"),
        ("mysql", "WITH Secret AS (SELECT 1) SELECT * FROM secret", "other-name"),
        (
            "mysql",
            (
                "WITH RECURSIVE a AS (SELECT * FROM orders), orders AS (SELECT 1)"
                " SELECT * FROM a"
            ),
            "other-name",
        ),
    ],
)
def test_a_shape_that_two_readings_have_is_refused(
    dialect: str, sql: str, remedy: str
) -> None:
    verdict = refused(sql, dialect)

    assert (verdict.rule, verdict.remedy) == ("scope", remedy)
    assert verdict.line == 1
    assert "certain" in refusal_words(verdict)


def test_a_table_registered_in_two_spellings_is_nobodys_on_sqlite() -> None:
    tables = (*TABLES, TableSpec("ORDERS"))

    assert refused("SELECT * FROM orders", "sqlite", tables).rule == "table"


def test_the_judge_speaks_first() -> None:
    assert refused("DELETE FROM orders").rule == "read-only"
    assert refused("SELECT pg_sleep(1) FROM secrets").rule == "function"


# --- Attack class 16, held against a database with one tenant's rows ----------------


@pytest.mark.parametrize("sql", _lines("scope"))
def test_every_shape_of_attack_class_16_stays_inside(pair: Pair, sql: str) -> None:
    _held(sql, pair)


@pytest.mark.postgresql
@pytest.mark.parametrize("sql", _lines("scope-postgresql"))
def test_shapes_of_postgresql_stay_inside(pair_of_postgresql: Pair, sql: str) -> None:
    _held(sql, pair_of_postgresql)


@pytest.mark.parametrize("sql", _lines("scope-sqlite"))
def test_shapes_of_sqlite_stay_inside(pair_of_sqlite: Pair, sql: str) -> None:
    _held(sql, pair_of_sqlite)


def _held(sql: str, pair: Pair) -> None:
    schema = "public" if pair.dialect == "postgresql" else "main"
    text = sql.replace("{schema}", schema)

    sent = scoped(text, pair.dialect, tables_of(pair.dialect))

    assert pair.of_all(sent) == pair.of_one(text)


def test_a_table_that_is_named_as_a_set_is_refused_by_scope_too() -> None:
    sql = "SELECT * FROM kinds WHERE id IN orders"

    verdict = rewrite(sql, dialect="sqlite", tables=TABLES)

    assert isinstance(verdict, Refused)
    assert (verdict.rule, verdict.found, verdict.column) == ("scope", "orders", 33)
    assert refused(sql, "sqlite").rule == "part"


# --- The second opinion -------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    _lines("scope-unfiltered"),
)
def test_the_second_opinion_refuses_what_is_not_filtered(sql: str) -> None:
    tree = parse_judged(sql, dialect="postgresql")

    assert not is_scoped(tree, dialect="postgresql", tables=TABLES)


def test_what_the_second_opinion_refuses_is_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tenant_scope, "_scope_table", lambda *_: None)

    verdict = rewrite("SELECT * FROM orders", dialect="sqlite", tables=TABLES)

    assert isinstance(verdict, Refused)
    assert verdict.rule == "scope"


_WORDS = st.sampled_from(
    """SELECT * FROM orders sites WITH RECURSIVE AS ( ) ( ) , JOIN LEFT ON USING id
    NATURAL UNION ALL WHERE EXISTS IN NOT main . public . "orders" `orders` [orders]
    'orders' TABLE VALUES LATERAL 1 = o _scoped :tenant secrets ORDER BY LIMIT ;
    -- /* */ INDEXED rowid ONLY TABLESAMPLE kinds""".split()  # noqa: SIM905
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    words=st.lists(_WORDS, min_size=1, max_size=18), dialect=st.sampled_from(DIALECTS)
)
def test_nothing_but_a_verdict_comes_back(words: list[str], dialect: str) -> None:
    sql = "SELECT * FROM " + " ".join(words)

    verdict = scope_query(sql, dialect=dialect, tables=TABLES)

    if isinstance(verdict, Scoped):
        tree = parse_judged(verdict.allowed.sql, dialect=dialect)
        assert is_scoped(tree, dialect=dialect, tables=TABLES)
    else:
        assert refusal_words(verdict)


# --- On its way to the database -----------------------------------------------------

_OWN = (
    TableSpec("orders", tenant_column="site_id", tenant_value=TenantValue.ID),
    TableSpec("sites", tenant_column="name"),
)


def test_the_tenant_is_bound_when_a_query_runs(external: External) -> None:
    source = replace(external.source, tables=_OWN, tenant_key="Seoul")
    sql = (
        "SELECT o.id, s.id AS site FROM orders o LEFT JOIN sites s ON s.id = o.site_id"
    )

    table = external.table(f"{sql} ORDER BY 1", source=source)

    assert table.rows == ((1, None), (2, None))


def test_an_argument_never_takes_the_tenants_place(external: External) -> None:
    source = replace(external.source, tables=_OWN, tenant_key="Seoul")
    arguments = {"tenant": "Busan", "tenant_id": 2}

    orders = external.table("SELECT * FROM orders", source=source, arguments=arguments)
    sites = external.table("SELECT * FROM sites", source=source, arguments=arguments)

    assert {row[1] for row in orders.rows} == {1}
    assert [row[1] for row in sites.rows] == ["Seoul"]


@pytest.mark.parametrize("changed", [{"tenant_key": ""}, {"tenant_id": 2}])
def test_without_its_tenant_no_query_runs(
    external: External, changed: dict[str, object]
) -> None:
    source = replace(external.source, **changed)  # type: ignore[arg-type]

    failure = external.failure("SELECT 1 AS one", source=source)

    assert failure.reason is Reason.REFUSED
    assert "no tenant" in failure.message

from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.query_safety import (
    MOST_BYTES,
    MOST_DEPTH,
    Allowed,
    Refused,
    judge,
)
from connectors.sql_functions import FUNCTIONS
from connectors.sql_grammar import PARTS
from connectors.sql_messages import refusal_words
from tests.connectors.sql_corpus import DIALECTS, hostile, plain

EACH_HOSTILE = [(d, sql) for d in DIALECTS for sql in hostile(d)]
EACH_PLAIN = [(d, sql) for d in DIALECTS for sql in plain(d)]


def allowed(sql: str, dialect: str = "postgresql") -> Allowed:
    verdict = judge(sql, dialect=dialect)
    assert isinstance(verdict, Allowed), verdict
    return verdict


def refused(sql: str, dialect: str = "postgresql") -> Refused:
    verdict = judge(sql, dialect=dialect)
    assert isinstance(verdict, Refused), verdict
    return verdict


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert all(len(set(hostile(dialect))) >= 150 for dialect in DIALECTS)
    assert all(len(set(plain(dialect))) >= 100 for dialect in DIALECTS)


@pytest.mark.parametrize(("dialect", "sql"), EACH_HOSTILE)
def test_a_hostile_statement_is_refused_with_words(dialect: str, sql: str) -> None:
    verdict = judge(sql, dialect=dialect)

    assert isinstance(verdict, Refused)
    assert len(refusal_words(verdict)) > 20


@pytest.mark.parametrize(("dialect", "sql"), EACH_PLAIN)
def test_a_plain_read_is_allowed_and_written_back(dialect: str, sql: str) -> None:
    verdict = allowed(sql, dialect)

    assert allowed(verdict.sql, dialect).sql == verdict.sql


@pytest.mark.parametrize("dialect", ["", "oracle", "postgres", "POSTGRESQL"])
def test_an_unknown_dialect_is_refused(dialect: str) -> None:
    assert refused("SELECT 1", dialect).rule == "dialect"


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("SELECT 1; SELECT 2", "one-statement"),
        ("DELETE FROM t", "read-only"),
        ("SELECT * FROM t FOR UPDATE", "lock"),
        ("SELECT 1 INTO x", "into"),
        ("WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", "write-inside"),
        ("SELECT pg_sleep(1)", "function"),
        ("SELECT 'a'::regclass", "data-type"),
        ("SELECT * FROM pg_shadow", "catalog"),
        ("SELECT * FROM a.b.c", "catalog"),
        ("SELECT * FROM t WHERE a = %s", "positional"),
        ("SELECT * FROM t WHERE a = $1", "positional"),
        ("SELECT /*! 1 */ 2", "hidden-code"),
        ("SELECT U&'a'", "hidden-code"),
        ("SELECT 1 OPERATOR(pg_catalog.+) 2", "part"),
        ("SELECT * FROM", "syntax"),
        ("", "empty"),
        ("SELECT \x001", "characters"),
        ("SELECT '\ud800'", "characters"),
        ("EXPLAIN SELECT 1", "read-only"),
        ("SELECT :" + "a" * 64, "parameter-name"),
        ("SELECT :ä", "parameter-name"),
    ],
)
def test_a_refusal_names_its_rule(sql: str, rule: str) -> None:
    assert refused(sql).rule == rule


def test_a_refusal_names_what_was_found_and_where() -> None:
    verdict = refused("SELECT a,\n  pg_sleep(10)\nFROM t")

    assert (verdict.found, verdict.line, verdict.column) == ("pg_sleep", 2, 3)
    with translation.override("en"):
        words = refusal_words(verdict)
    assert "pg_sleep" in words
    assert "Line 2, column 3" in words


def test_text_that_is_too_long_is_refused() -> None:
    fits = "SELECT '" + "a" * (MOST_BYTES - 9) + "'"

    assert isinstance(judge(fits, dialect="sqlite"), Allowed)
    assert refused(fits + " ").rule == "length"
    assert refused("SELECT '" + "가" * (MOST_BYTES // 3) + "'").rule == "length"
    assert refused("SELECT 1" + ", 1" * 6_000).rule == "length"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_depth_is_bounded_and_never_an_error(dialect: str) -> None:
    deepest = "SELECT " + "(" * MOST_DEPTH + "1" + ")" * MOST_DEPTH

    assert isinstance(judge(deepest, dialect=dialect), Allowed)
    assert refused(f"SELECT ({deepest[7:]})", dialect).rule == "depth"
    assert refused("SELECT " + "(" * 20_000, dialect).rule in {"depth", "length"}
    assert isinstance(judge("SELECT " + "NOT " * 5_000 + "1", dialect=dialect), Refused)
    assert isinstance(
        judge("SELECT " + "CASE WHEN 1 THEN " * 3_000, dialect=dialect), Refused
    )


def test_parameters_are_named_and_stay_names() -> None:
    verdict = allowed("SELECT a FROM t WHERE b = :site AND c > :n AND d = :site")

    assert verdict.parameters == ("site", "n")
    assert "b = :site" in verdict.sql


def test_only_parameters_keep_a_bare_colon_for_the_driver() -> None:
    verdict = allowed("SELECT 'a :b', x[1:2], y::text FROM t WHERE z = :z")

    assert verdict.parameters == ("z",)
    assert verdict.bindable.replace("\\:", "").count(":") == 1


def test_tables_are_told_without_the_names_a_with_makes() -> None:
    verdict = allowed(
        "WITH open AS (SELECT * FROM shop.orders) "
        "SELECT * FROM open JOIN sites ON TRUE JOIN generate_series(1, 2) g ON TRUE"
    )

    assert verdict.tables == ("sites", "shop.orders")


def test_a_schema_of_the_same_name_is_not_the_name_of_a_with() -> None:
    verdict = allowed("WITH orders AS (SELECT 1) SELECT * FROM shop.orders")

    assert verdict.tables == ("shop.orders",)


def test_comments_never_reach_the_database() -> None:
    verdict = allowed("SELECT 1 -- x */ SELECT secret\n/* a /* b */ c */ + 1")

    assert "secret" not in verdict.sql
    assert "--" not in verdict.sql
    assert "/*" not in verdict.sql


@pytest.mark.parametrize(
    "word",
    ["pg_", "lo_", "dblink", "set_config", "nextval", "xml", "sleep", "notify",
     "advisory", "read_file", "ts_stat", "ts_rewrite", "load_", "blob"],
)  # fmt: skip
def test_no_listed_function_belongs_to_a_dangerous_family(word: str) -> None:
    names = {name.lower() for listed in FUNCTIONS.values() for name in listed}
    parts = {name.lower() for listed in PARTS.values() for name in listed}

    harmless = {"pg_size_bytes", "pg_size_pretty", "pg_typeof"}
    assert not {name for name in names | parts if word in name} - harmless


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200), st.sampled_from(DIALECTS))
def test_any_text_gets_a_verdict(sql: str, dialect: str) -> None:
    assert isinstance(judge(sql, dialect=dialect), Allowed | Refused)


_SOUP = """
SELECT FROM WHERE ( ) , ; * = ' " ` [ ] -- /* */ :a ? $1 %s t pg_class DELETE WITH AS
INTO FOR UPDATE UNION VALUES 1 'x' || :: \\ $$ U& E' x' NULL JOIN ON LIMIT IN NOT CASE
"""
_PIECES = st.sampled_from(_SOUP.split())


@settings(max_examples=500, deadline=None)
@given(st.lists(_PIECES, max_size=25), st.sampled_from(DIALECTS))
def test_any_soup_of_sql_gets_a_verdict(pieces: list[str], dialect: str) -> None:
    verdict = judge(" ".join(pieces), dialect=dialect)

    if isinstance(verdict, Allowed):
        assert isinstance(judge(verdict.sql, dialect=dialect), Allowed)

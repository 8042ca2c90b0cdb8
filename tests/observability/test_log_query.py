"""The language of the log search: a pure parser, and faults that point at a column."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from observability.log_messages import fault_text
from observability.log_query import (
    DEEPEST,
    FIELDS,
    LONGEST,
    MOST_TERMS,
    Either,
    Every,
    Field,
    Level,
    Moment,
    Node,
    Not,
    QueryFault,
    Text,
    fold,
    parse,
    quoted,
    written,
)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        pytest.param("", Every(), id="nothing asks for everything"),
        pytest.param("결제", Text("결제"), id="a word"),
        pytest.param("Refused", Text("refused"), id="in any case"),
        pytest.param('"a  (b)"', Text("a  (b)"), id="quotes keep what is inside"),
        pytest.param(r'"a \"b\" \\ \c"', Text(r'a "b" \ \c'), id="quotes in quotes"),
        pytest.param("a b", Every((Text("a"), Text("b"))), id="words are all met"),
        pytest.param("a and b", Every((Text("a"), Text("b"))), id="and may be said"),
        pytest.param("a OR b", Either((Text("a"), Text("b"))), id="or"),
        pytest.param(
            "a b or c", Either((Every((Text("a"), Text("b"))), Text("c"))),
            id="or binds less",
        ),
        pytest.param(
            "a (b or c)", Every((Text("a"), Either((Text("b"), Text("c"))))),
            id="parentheses",
        ),
        pytest.param("-a", Not(Text("a")), id="minus"),
        pytest.param("not a", Not(Text("a")), id="not"),
        pytest.param("-(a or b)", Not(Either((Text("a"), Text("b")))), id="minus all"),
        pytest.param("a-b", Text("a-b"), id="a minus inside is text"),
        pytest.param("level>=warning", Level(">=", 30), id="level from"),
        pytest.param("level:ERROR", Level("=", 40), id="level is"),
        pytest.param("level<info", Level("<", 20), id="level below"),
        pytest.param(
            "logger:connectors.*", Field("logger", "connectors.*"), id="logger"
        ),
        pytest.param('menu:"a b"', Field("menu", "a b"), id="value in quotes"),
        pytest.param("-user:", Not(Field("user", "")), id="has a user"),
        pytest.param("since:2h", Moment("since", ago=timedelta(hours=2)), id="ago"),
        pytest.param(
            "until:2026-01-31T09:30",
            Moment("until", at=datetime(2026, 1, 31, 9, 30)),
            id="moment",
        ),
        pytest.param(
            "until:2026-01-31T09:30+00:00",
            Moment("until", at=datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
            id="moment with its zone",
        ),
    ],
)  # fmt: skip
def test_a_query_is_read(text: str, node: Node) -> None:
    assert parse(text) == node


@pytest.mark.parametrize(
    ("text", "rule", "column"),
    [
        ('a "b', "unclosed-quote", 3),
        ('menu:"b', "unclosed-quote", 6),
        ("a (b", "unclosed-parenthesis", 3),
        ("a) b", "stray-parenthesis", 2),
        (")", "stray-parenthesis", 1),
        ("a ()", "empty-parentheses", 4),
        ("a (", "empty-parentheses", 4),
        ("a or", "nothing-beside-or", 5),
        ("or a", "nothing-beside-or", 1),
        ("a or or b", "nothing-beside-or", 6),
        ("(a or )", "nothing-beside-or", 7),
        ("a -)", "nothing-to-negate", 3),
        ("a not", "nothing-to-negate", 3),
        ('a ""', "empty-text", 3),
        ("a colour:red", "unknown-field", 3),
        ("level>=loud", "unknown-level", 8),
        ("level:", "unknown-level", 7),
        ("logger>=a", "no-comparison", 1),
        ("since>2h", "no-comparison", 1),
        ("a since:soon", "unreadable-time", 9),
        ("since:2026-13-01", "unreadable-time", 7),
        ("since:99999999d", "unreadable-time", 7),
        ("a " * (MOST_TERMS + 1), "too-many-terms", 2 * MOST_TERMS + 1),
        ("(" * (DEEPEST + 1) + "a", "too-deep", DEEPEST + 1),
        ("a" * (LONGEST + 1), "too-long", LONGEST + 1),
    ],
)
def test_a_fault_names_its_rule_and_its_column(
    text: str, rule: str, column: int
) -> None:
    fault = parse(text)

    assert isinstance(fault, QueryFault)
    assert (fault.rule, fault.column) == (rule, column)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_fault_has_words_with_the_column_and_the_way_out(language: str) -> None:
    import inspect

    from observability import log_query

    rules = set(
        re.findall(r'_Broken\(\s*"([a-z-]+)"', inspect.getsource(log_query))
    ) | {"too-long", "nothing-beside-or", "empty-parentheses", "stray-parenthesis"}
    assert len(rules) == 14
    with translation.override(language):
        for rule in rules:
            text = fault_text(QueryFault(rule, 7, "xyz"))
            assert "7" in text
            assert len(text) > 20
            assert bool(re.search("[가-힣]", text)) == (language == "ko")


def test_an_unknown_field_is_told_the_fields_and_how_to_search_for_the_text() -> None:
    fault = parse("http://example.org")
    assert isinstance(fault, QueryFault)

    with translation.override("en"):
        text = fault_text(fault)

    assert "logger" in text
    assert "quotation marks" in text


ALPHABET = 'ab결제"\\()-:<>=*? orlevelnotmenusince2h\n'


@given(st.text(alphabet=ALPHABET) | st.text())
def test_any_text_is_a_query_or_a_fault_inside_it(text: str) -> None:
    read = parse(text)

    if isinstance(read, QueryFault):
        assert 1 <= read.column <= len(text) + 1
    else:
        assert parse(written(read)) == read


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
leaves = st.one_of(
    words.map(lambda word: Text(fold(word))).filter(lambda text: text.needle != ""),
    st.builds(Level, st.sampled_from(["=", ">=", ">", "<=", "<"]), st.just(40)),
    st.builds(Field, st.sampled_from(FIELDS), st.sampled_from(["", "a b", 'x"*?\\'])),
    st.builds(
        lambda seconds: Moment("since", ago=timedelta(seconds=seconds)),
        st.integers(0, 10_000_000),
    ),
    st.builds(
        lambda at: Moment("until", at=at),
        st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1)),
    ),
)
nodes: st.SearchStrategy[Node] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda it: Every(tuple(it))),
        st.lists(inner, min_size=2, max_size=3).map(lambda it: Either(tuple(it))),
    ),
    max_leaves=8,
)


@given(nodes)
def test_every_tree_can_be_written_and_read_again(node: Node) -> None:
    assert parse(written(node)) == node


@given(words)
def test_quoting_finds_the_text_itself_whatever_it_is(word: str) -> None:
    assert parse(quoted(word)) == Text(fold(word))


@given(st.text(), st.integers(0, 50), st.integers(0, 50))
def test_a_part_of_what_is_shown_stays_a_part_when_folded(
    text: str, start: int, length: int
) -> None:
    import unicodedata

    shown = unicodedata.normalize("NFC", text)

    assert fold(shown[start : start + length]) in fold(shown)

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.outcomes import (
    Column,
    ColumnType,
    Cut,
    Failure,
    Limit,
    Origin,
    Reason,
    Table,
    Value,
)
from renderers.options import option_errors
from renderers.presentation import Format, Presentation, State
from renderers.services import ASSETS, RENDERERS, render_outcome
from tests.renderers.conftest import Draw, context, integers, success, table
from tests.renderers.html import read_html


def test_every_format_has_a_renderer() -> None:
    assert set(RENDERERS) == set(Format)


def test_every_asset_is_there_and_in_the_head_of_a_page() -> None:
    head = render_to_string("renderers/head.html")

    for paths in ASSETS.values():
        for path in paths:
            assert finders.find(path), path
            assert f"/{path}" in head
    assert "renderers/blocks.css" in head
    assert "async" in head


@pytest.mark.parametrize(
    ("reason", "state", "retry"),
    [
        (Reason.DENIED, State.DENIED, False),
        (Reason.TIMEOUT, State.TIMED_OUT, True),
        (Reason.CIRCUIT_OPEN, State.CIRCUIT_OPEN, True),
        (Reason.UPSTREAM, State.FAILED, True),
        (Reason.UNREADABLE, State.FAILED, True),
        (Reason.INTERNAL, State.FAILED, True),
        (Reason.CANCELLED, State.FAILED, True),
        (Reason.REFUSED, State.FAILED, False),
        (Reason.INVALID, State.FAILED, False),
        (Reason.MISSING, State.FAILED, False),
    ],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_failure_tells_cause_way_out_and_trace_with_icon_and_word(
    draw: Draw, reason: Reason, state: State, retry: bool, language: str
) -> None:
    failure = Failure(reason, "Stock <answers> nothing.", 3.0)

    block = draw(failure, language=language, trace_id="4bf92f")

    root = read_html(block.html)
    assert block.state is state
    assert root.one(css="rb-card").attributes["data-state"] == state.value
    assert root.one("strong").text
    assert "Stock <answers> nothing." in root.text
    assert root.one("code").text == "4bf92f"
    assert root.one("svg").attributes["aria-hidden"] == "true"
    links = [link.attributes["href"] for link in root.all("a")]
    assert links == (["/m/stock/blocks/stock/?site=1"] if retry else [])


def test_every_failing_state_looks_and_reads_different(draw: Draw) -> None:
    reasons = (Reason.DENIED, Reason.TIMEOUT, Reason.CIRCUIT_OPEN, Reason.UPSTREAM)
    roots = [read_html(draw(Failure(reason, "x", 1.0)).html) for reason in reasons]

    assert len({root.one("strong").text for root in roots}) == 4
    assert len({root.all("path")[0].attributes["d"] for root in roots}) == 4


@pytest.mark.parametrize("name", list(Format))
def test_no_rows_are_told_in_every_format(draw: Draw, name: str) -> None:
    block = draw(table(["site"]), name)

    assert block.state is State.EMPTY
    assert read_html(block.html).one("strong").text == "No rows"
    assert not block.assets


@pytest.mark.parametrize("name", list(Format))
def test_a_cut_of_the_source_is_told_with_the_limit_and_the_total(
    draw: Draw, name: str
) -> None:
    cut = Cut(Limit.ROWS, at=1_000, total=264_913)

    block = draw(table([integers("n")], [1], [2], cuts=(cut,)), name)

    assert block.state is State.TRUNCATED
    strip = read_html(block.html).one(css="rb-strip")
    assert strip.text == "First 1,000 of 264,913 rows. Limit: 1,000 rows."
    assert len(strip.all("svg")) == 1


def test_a_cut_of_unknown_size_and_a_cut_of_bytes_are_told(draw: Draw) -> None:
    cuts = (Cut(Limit.ROWS, at=5), Cut(Limit.BYTES, at=10_000))

    strips = read_html(draw(table(["a"], ["x"], cuts=cuts)).html).all(css="rb-strip")

    assert [strip.text for strip in strips] == [
        "First 5 rows; there are more. Limit: 5 rows.",
        "The answer was cut at 10,000 bytes; the rest is missing.",
    ]


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (Origin.CACHE, "From the cache, as of"),
        (Origin.LAST_GOOD, "Last good data, as of"),
        (Origin.STATIC, "Prepared text, as of"),
    ],
)
def test_kept_data_say_so_and_since_when_on_the_readers_clock(
    draw: Draw, origin: Origin, words: str
) -> None:
    block = draw(success("kept", origin=origin), "text")

    root = read_html(block.html)
    assert block.state is State.STALE
    assert words in root.one(css="rb-strip").text
    assert root.one("time").text == "2026-11-23 12:04:05 KST"
    assert root.one("time").attributes["datetime"] == "2026-11-23T12:04:05+09:00"


def test_kept_data_that_are_cut_tell_both(draw: Draw) -> None:
    data = table(["a"], ["x"], cuts=(Cut(Limit.ROWS, 1),))

    block = draw(success(data, origin=Origin.LAST_GOOD))

    assert block.state is State.STALE
    assert len(read_html(block.html).all(css="rb-strip")) == 2


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("text", {"columns": ["nope"]}),
        ("text", {"mode": "number", "value": "nope"}),
        ("text", {"template": "{nope}"}),
        ("table", {"sort": [{"column": "nope"}]}),
        ("table", {"totals": [{"column": "nope", "function": "sum"}]}),
        ("table", {"row_header": "nope"}),
        ("grid", {"emphasis": [{"column": "nope", "operator": "==", "tone": "bad"}]}),
        ("chart", {"x": "nope"}),
        ("chart", {"y": ["nope"]}),
    ],
)  # fmt: skip
def test_a_column_that_is_not_there_is_named_with_those_that_are(
    draw: Draw, name: str, options: dict[str, object]
) -> None:
    block = draw(table(["site", integers("n")], ["a", 1], ["b", 2]), name, options)

    assert block.state is State.FAILED
    text = read_html(block.html).text
    assert "The data has no column “nope”. It has: site, n." in text
    assert "correct the options" in text


def test_words_follow_the_context_and_not_the_thread(draw: Draw) -> None:
    korean = read_html(draw(table(["a"]), language="ko").html)

    assert korean.one("strong").text == "행 없음"


def test_notes_of_the_data_reach_the_reader(draw: Draw) -> None:
    block = draw(success(table(["a"], ["x"]), notes=("seen?a=<b>",)))

    assert "seen?a=<b>" in read_html(block.html).one(css="rb-notes").text


def test_an_unknown_time_zone_shows_utc(draw: Draw) -> None:
    block = draw(success("x", origin=Origin.CACHE), "text", time_zone="Mars/Base")

    assert "UTC" in read_html(block.html).one("time").text


# --- Any table with any options ------------------------------------------------------

HOSTILE = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "<script>alert(1)</script>", "</script><b>", "\x00\x1b[31m", "\u202eabc",
            '"><img src=x onerror=alert(1)>', "&lt;", "1.5", "-7", "", "%s", "{a}",
            "\ud800", "]]>", "<!--", "javascript:alert(1)",
        ]
    ),
)  # fmt: skip
VALUES = {
    ColumnType.TEXT: HOSTILE,
    ColumnType.INTEGER: st.integers(-(10**20), 10**20),
    ColumnType.DECIMAL: st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.decimals(allow_nan=False, allow_infinity=False),
    ),
    ColumnType.BOOLEAN: st.booleans(),
    ColumnType.DATE: st.dates(),
    ColumnType.DATETIME: st.datetimes(timezones=st.just(UTC)),
}
NAMES = ["a", "b<i>", "c", "d"]


@st.composite
def tables(draw_value: st.DrawFn) -> Table:
    types = draw_value(st.lists(st.sampled_from(list(ColumnType)), max_size=4))
    formats = ["", "0.0", "KRW", "0%", "%Y-%m", "raw", "<b>"]
    columns = tuple(
        Column(
            name,
            kind,
            unit=draw_value(HOSTILE),
            format=draw_value(st.sampled_from(formats)),
        )
        for name, kind in zip(NAMES, types, strict=False)
    )
    row = st.tuples(*(st.none() | VALUES[kind] for kind in types))
    return Table(columns, tuple(draw_value(st.lists(row, max_size=8))))


COLUMN = st.sampled_from([*NAMES, "nope"])
TONE = st.sampled_from(["good", "warn", "bad"])
LABEL = st.dictionaries(st.sampled_from(["ko", "en"]), HOSTILE)
ROWS: dict[str, st.SearchStrategy[Any]] = {
    "columns": st.lists(COLUMN, min_size=1, max_size=3),
    "sort": st.lists(
        st.fixed_dictionaries({"column": COLUMN, "descending": st.booleans()}),
        max_size=2,
    ),
    "row_header": COLUMN,
    "totals": st.lists(
        st.fixed_dictionaries(
            {
                "column": COLUMN,
                "function": st.sampled_from(["sum", "avg", "min", "max"]),
            }
        ),
        max_size=2,
    ),
    "emphasis": st.lists(
        st.fixed_dictionaries(
            {
                "column": COLUMN,
                "operator": st.sampled_from(
                    ["<", "<=", ">", ">=", "==", "!=", "contains", "missing"]
                ),
                "value": st.one_of(st.integers(), st.text(max_size=3), st.booleans()),
                "tone": TONE,
                "label": LABEL,
            }
        ),
        max_size=2,
    ),
}
MODES = ["plain", "markdown", "json", "log", "key_value", "number"]
TYPES = ["line", "bar", "area", "pie", "scatter", "histogram", "heatmap"]
OPTIONS: dict[Format, dict[str, st.SearchStrategy[Any]]] = {
    Format.TEXT: {
        "mode": st.sampled_from(MODES),
        "columns": ROWS["columns"],
        "template": st.sampled_from(["{a}", "# {a} {{b}}", "{b<i>} [x]({a})", "}{"]),
        "value": COLUMN,
        "delta": COLUMN,
        "label": LABEL,
        "max_chars": st.integers(1, 40),
    },
    Format.TABLE: {**ROWS, "limit": st.integers(1, 5)},
    Format.GRID: {**ROWS, "page_size": st.integers(1, 5)},
    Format.CHART: {
        "type": st.sampled_from(TYPES),
        "x": COLUMN,
        "y": st.one_of(COLUMN, st.lists(COLUMN, min_size=1, max_size=3, unique=True)),
        "series": COLUMN,
        "stack": st.sampled_from(["none", "stacked", "percent"]),
        "labels": st.dictionaries(COLUMN, LABEL),
    },
}
TAGS = {
    "a", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div",
    "dl", "dt", "em", "figcaption", "figure", "h3", "h4", "h5", "h6", "hr", "li", "nav",
    "ol", "p", "path", "pre", "rect", "s", "script", "span", "strong", "summary", "svg",
    "table", "tbody", "td", "text", "tfoot", "th", "thead", "time", "tr", "ul",
}  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), name=st.sampled_from(list(Format)), body=tables() | HOSTILE)
def test_any_data_with_any_valid_options_is_drawn_and_harmless(
    data: st.DataObject, name: Format, body: Table | str
) -> None:
    options = data.draw(st.fixed_dictionaries({}, optional=OPTIONS[name]))
    assert option_errors(name, options) == []
    presentation = Presentation(name, options)

    block = render_outcome(success(body), presentation, context(page=2))

    block.html.encode()
    root = read_html(block.html)
    for element in root.all():
        assert element.tag in TAGS
        assert "style" not in element.attributes
        assert not [key for key in element.attributes if key.startswith("on")]
        if element.tag == "script":
            assert element.attributes["type"] == "application/json"
        if element.tag == "a":
            address = element.attributes.get("href") or ""
            assert not address.lower().startswith(("javascript:", "data:"))
    assert "\u202e" not in block.html
    assert "\x00" not in block.html
    again = render_outcome(success(body), presentation, context(page=2))
    assert again == block


def test_values_of_the_wrong_type_are_drawn_all_the_same(draw: Draw) -> None:
    columns = [Column(kind.value, kind) for kind in ColumnType]
    odd: list[Value] = [date(2026, 1, 2), "x", "y<", "z", 3, 4.5]

    for name in ("table", "grid", "text"):
        block = draw(table(columns, odd, [Decimal(1)] * 6), name)

        assert "y<" in read_html(block.html).text


def test_datetimes_at_the_ends_of_time_are_drawn(draw: Draw) -> None:
    ends = [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)]
    data = table([Column("at", ColumnType.DATETIME)], *([end] for end in ends))

    block = draw(data, time_zone="America/New_York")

    assert len(read_html(block.html).all("time")) == 2


def test_templates_hold_no_inline_code_or_style() -> None:
    for path in Path("renderers/templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "style=" not in text, path
        assert "<script>" not in text, path

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from html import escape
from zoneinfo import ZoneInfo

import pytest

from connectors.outcomes import Column, ColumnType, Value
from renderers.columns import shown_columns
from renderers.presentation import State
from renderers.rows import row_function
from tests.renderers.conftest import Draw, decimals, integers, table
from tests.renderers.html import Element, read_html


def cells(html: str) -> list[list[str]]:
    body = read_html(html).one("tbody")
    return [
        [cell.text for cell in row.children if isinstance(cell, Element)]
        for row in body.all("tr")
    ]


def test_a_table_has_caption_headers_and_a_named_scroller(draw: Draw) -> None:
    stock = integers("stock", unit="EA", label={"ko": "재고", "en": "Stock"})

    root = read_html(draw(table(["site", stock], ["Seoul", 1_234])).html)

    scroller = root.one(css="rb-scroll")
    assert scroller.attributes["role"] == "group"
    assert scroller.attributes["tabindex"] == "0"
    assert scroller.attributes["aria-label"] == "Stock by site"
    assert root.one("caption").text == "Stock by site: 1 row"
    heads = root.one("thead").all("th")
    assert [head.text for head in heads] == ["site", "Stock (EA)"]
    assert all(head.attributes["scope"] == "col" for head in heads)
    header = root.one("tbody").one("th")
    assert (header.text, header.attributes["scope"]) == ("Seoul", "row")
    assert "rb-right" in root.one("tbody").one("td").classes


def test_missing_empty_and_nought_are_told_apart(draw: Draw) -> None:
    data = table(["site", integers("n")], [None, None], ["", 0], ["x", 1])

    assert cells(draw(data).html) == [
        ["—no value", "—no value"],
        ["empty text", "0"],
        ["x", "1"],
    ]


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        (integers("n"), -1_234_567, "-1,234,567"),
        (decimals("n"), Decimal("1234.50"), "1,234.50"),
        (decimals("n"), Decimal("1E+40"), "1E+40"),
        (decimals("n"), 1234.5, "1,234.5"),
        (decimals("n"), -0.00001, "-1e-05"),
        (decimals("n"), 0.0, "0"),
        (decimals("n", format="0.00"), 2.5, "2.50"),
        (decimals("n", format="0.0%"), 0.1234, "12.3%"),
        (decimals("n", format="KRW"), Decimal("-1234.6"), "-₩1,235"),
        (decimals("n", format="USD"), 3, "$3.00"),
        (decimals("n", format="raw"), 1234.5, "1234.5"),
        (Column("b", ColumnType.BOOLEAN), True, "yes"),
        (Column("d", ColumnType.DATE), date(2026, 1, 2), "2026-01-02"),
        (Column("d", ColumnType.DATE, format="%Y/%m"), date(2026, 1, 2), "2026/01"),
        (
            Column("t", ColumnType.DATETIME),
            datetime(2026, 1, 1, 23, 30, tzinfo=UTC),
            "2026-01-02 08:30:00",
        ),
    ],
)
def test_values_are_written_as_people_read_them(
    draw: Draw, column: Column, value: Value, shown: str
) -> None:
    assert cells(draw(table([column], [value])).html) == [[shown]]


def test_times_carry_their_machine_form_and_the_heading_their_zone(draw: Draw) -> None:
    moment = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)

    root = read_html(draw(table([Column("t", ColumnType.DATETIME)], [moment])).html)

    assert root.one("time").attributes["datetime"] == "2026-01-02T08:30:00+09:00"
    assert root.one("thead").one("th").text == "t (KST)"


def test_options_choose_name_order_and_align_columns(draw: Draw) -> None:
    options = {
        "columns": [{"name": "b", "label": {"en": "Bee"}, "align": "center"}, "a"],
        "row_header": "a",
        "sort": [{"column": "b", "descending": True}],
    }
    data = table(["a", integers("b")], ["x", 1], ["y", None], ["z", 3])

    block = draw(data, options=options)

    assert cells(block.html) == [["3", "z"], ["1", "x"], ["—no value", "y"]]
    root = read_html(block.html)
    assert root.one("thead").all("th")[0].text == "Bee"
    assert "rb-center" in root.one("thead").all("th")[0].classes
    assert [head.text for head in root.one("tbody").all("th")] == ["z", "x", "y"]


def test_totals_tell_how_many_values_they_cover(draw: Draw) -> None:
    options = {
        "totals": [
            {"column": "n", "function": "sum"},
            {"column": "n", "function": "avg"},
            {"column": "n", "function": "max"},
            {"column": "site", "function": "min"},
        ]
    }
    data = table(
        ["site", decimals("n")], ["a", Decimal(1)], ["b", None], ["c", Decimal(2)]
    )

    feet = read_html(draw(data, options=options).html).one("tfoot").all("tr")

    texts = [" ".join(foot.text.split()) for foot in feet]
    assert texts == [
        "Sum 3 of 2 values in 3 rows",
        "Average 1.5 of 2 values in 3 rows",
        "Maximum 2 of 2 values in 3 rows",
        "Minimum — of 0 values in 3 rows",
    ]


@pytest.mark.parametrize(
    ("rule", "marked"),
    [
        ({"operator": "<", "value": 2}, ["1"]),
        ({"operator": "<=", "value": 2}, ["1", "2"]),
        ({"operator": ">", "value": 2}, ["3"]),
        ({"operator": ">=", "value": 2.5}, ["3"]),
        ({"operator": "==", "value": 2}, ["2"]),
        ({"operator": "!=", "value": 2}, ["1", "3"]),
        ({"operator": "contains", "value": "3"}, ["3"]),
        ({"operator": "missing"}, ["—no value"]),
        ({"operator": "<", "value": "2"}, []),
        ({"operator": "==", "value": True}, []),
        ({"operator": "=="}, []),
    ],
)
def test_emphasis_marks_with_icon_and_word(
    draw: Draw, rule: dict[str, object], marked: list[str]
) -> None:
    data = table([integers("n")], [1], [2], [3], [None])
    options = {"emphasis": [{"column": "n", "tone": "bad", **rule}]}

    root = read_html(draw(data, options=options).html)

    marks = root.all(css="rb-mark")
    assert [mark.text.removesuffix(" bad") for mark in marks] == marked
    assert all(len(mark.all("svg") + mark.all(css="rb-word")) == 2 for mark in marks)


def test_emphasis_compares_dates_and_takes_its_own_word(draw: Draw) -> None:
    rule = {
        "column": "d",
        "operator": "<",
        "value": "2026-01-03",
        "tone": "warn",
        "label": {"en": "overdue"},
    }
    data = table([Column("d", ColumnType.DATE)], [date(2026, 1, 2)], [date(2026, 1, 4)])

    marks = read_html(draw(data, options={"emphasis": [rule]}).html).all(css="rb-mark")

    assert [mark.text for mark in marks] == ["2026-01-02 overdue"]


def test_more_rows_than_the_limit_are_told(draw: Draw) -> None:
    data = table([integers("n")], *([n] for n in range(12)))

    block = draw(data, options={"limit": 10})

    assert block.state is State.TRUNCATED
    assert len(cells(block.html)) == 10
    assert "First 10 of 12 rows. Limit of this table: 10 rows." in block.html


def test_hostile_cells_are_shown_and_do_nothing(draw: Draw) -> None:
    values = ["<b>x</b>", "a\x00b", "\u202egnp.exe", "\ud800", "1\r\n2", "\"&'"]

    shown = [row[0] for row in cells(draw(table(["a"], *([v] for v in values))).html)]

    assert shown == [
        "<b>x</b>", "a␀b", "⟦U+202E⟧gnp.exe", "\ufffd", "1\n2", '"&\'',
    ]  # fmt: skip


def test_text_is_a_fallback_when_the_data_have_no_rows(draw: Draw) -> None:
    for name in ("table", "grid", "chart"):
        assert "only text" in read_html(draw("only text", name).html).text


def test_rows_cost_at_most_what_join_and_escape_cost() -> None:
    rows = [tuple(f"cell {r} {c} text" for c in range(10)) for r in range(4_000)]
    data = table([f"c{c}" for c in range(10)], *rows)
    columns = shown_columns(data, {}, language="en")
    draw_rows = row_function(columns, header=0, zone=ZoneInfo("UTC"))

    def join_and_escape() -> None:
        "".join(
            "<tr>" + "".join(f"<td>{escape(value)}</td>" for value in row) + "</tr>"
            for row in rows
        )

    # In turns, so that a busy machine slows both; the best of each is its cost.
    costs = [(_cpu(join_and_escape), _cpu(lambda: draw_rows(rows))) for _ in range(9)]

    floor, ours = (min(cost) for cost in zip(*costs, strict=True))
    assert ours <= 1.2 * floor


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.mark.parametrize(
    ("name", "short"), [("2015-01", True), ("265 km NE of Scott Island Bank", False)]
)
def test_short_names_of_rows_stay_on_one_line(
    draw: Draw, name: str, *, short: bool
) -> None:
    root = read_html(draw(table(["place"], [name]), "table").html)

    header = next(th for th in root.all("th") if th.attributes.get("scope") == "row")
    assert ("rb-short" in str(header.attributes["class"])) is short


def test_a_heading_does_not_repeat_the_unit_of_its_label(draw: Draw) -> None:
    options = {"columns": [{"name": "v", "label": {"en": "Depth (km)"}, "unit": "km"}]}

    root = read_html(draw(table([integers("v")], [1]), "table", options).html)

    assert root.one("thead").text.count("km") == 1

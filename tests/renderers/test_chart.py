from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
import pytest

from connectors.outcomes import Column, ColumnType, Table
from renderers.downsampling import MAX_POINTS
from renderers.presentation import State
from tests.renderers.conftest import Draw, decimals, integers, table
from tests.renderers.html import Element, read_html

DAY = date(2012, 1, 1)
DATES = Column("day", ColumnType.DATE)


def figure(html: str) -> Any:
    return json.loads(read_html(html).one("script").text)


def numbers(packed: Any) -> list[float]:
    if isinstance(packed, dict):
        data = np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])
        return [float(value) for value in data]
    return [float("nan") if value is None else float(value) for value in packed]


def data_table(root: Element) -> list[list[str]]:
    rows = root.one("details").all("tr")
    return [
        [cell.text for cell in row.children if isinstance(cell, Element)]
        for row in rows
    ]


def days(*values: float | None) -> Table:
    rows = ((DAY + timedelta(days=n), value) for n, value in enumerate(values))
    return table([DATES, decimals("temp", unit="°C")], *rows)


def test_a_chart_has_a_name_a_sentence_a_drawing_and_its_numbers(draw: Draw) -> None:
    block = draw(days(1.0, None, 3.5), "chart")

    root = read_html(block.html)
    assert root.one("figure").attributes["aria-label"] == "Stock by site"
    sentence = root.one("figcaption").text
    assert sentence == "temp (°C): 2 values; min 1, max 3.5, last 3.5; rising."
    drawing = root.all("svg")[0]
    assert drawing.attributes["role"] == "img"
    assert sentence in str(drawing.attributes["aria-label"])
    assert data_table(root) == [
        ["day", "temp (°C)"],
        ["2012-01-01", "1"],
        ["2012-01-02", "—no value"],
        ["2012-01-03", "3.5"],
    ]
    assert block.assets == {"chart-basic"}
    assert "because “day” is a time" in root.one(css="rb-notes").text


def test_a_gap_stays_a_gap(draw: Draw) -> None:
    block = draw(days(1.0, None, 3.0, 4.0), "chart")

    y = numbers(figure(block.html)["data"][0]["y"])
    assert np.isnan(y).tolist() == [False, True, False, False]
    line = read_html(block.html).one("path", css="rb-line-mark")
    assert str(line.attributes["d"]).count("M") == 2


@pytest.mark.parametrize(
    ("columns", "row", "kind", "words"),
    [
        ([DATES, decimals("v")], [DAY, 1.0], "scatter", "a line"),
        (["name", decimals("v")], ["a", 1.0], "bar", "bars"),
        (["a", "b", decimals("v")], ["x", "y", 1.0], "heatmap", "a heatmap"),
        ([decimals("u"), decimals("v")], [1.0, 2.0], "scatter", "points"),
        ([decimals("v")], [1.0], "bar", "a histogram"),
    ],
)
def test_the_columns_choose_a_chart_and_the_reason_is_told(
    draw: Draw, columns: list[Any], row: list[Any], kind: str, words: str
) -> None:
    block = draw(table(columns, row, row), "chart")

    assert figure(block.html)["data"][0]["type"] == kind
    assert f"Chosen for you: {words}" in read_html(block.html).text


@pytest.mark.parametrize(
    ("kind", "plotly"),
    [
        ("line", "scatter"),
        ("area", "scatter"),
        ("bar", "bar"),
        ("pie", "pie"),
        ("scatter", "scatter"),
        ("histogram", "bar"),
        ("heatmap", "heatmap"),
    ],
)
def test_every_type_is_drawn_for_scripts_and_without_them(
    draw: Draw, kind: str, plotly: str
) -> None:
    rows = [[a, b, n] for n, (a, b) in enumerate(product("xyz", "pq"))]

    block = draw(table(["a", "b", integers("n")], *rows), "chart", {"type": kind})

    root = read_html(block.html)
    assert figure(block.html)["data"][0]["type"] == plotly
    assert [path for path in root.all("path") if path.attributes["d"]]
    assert root.one("figcaption").text
    assert len(data_table(root)) > 1
    asset = "chart-cartesian" if kind == "heatmap" else "chart-basic"
    assert block.assets == {asset}
    plot = root.one(css="rb-plot")
    assert plot.attributes["data-upgrade"] == asset


def test_a_series_column_parts_the_rows(draw: Draw) -> None:
    rows = [[DAY + timedelta(days=n), site, n] for n in range(3) for site in "ab"]
    data = table([DATES, "site", integers("n")], *rows)

    block = draw(data, "chart", {"x": "day", "y": "n", "series": "site"})

    assert [trace["name"] for trace in figure(block.html)["data"]] == ["a", "b"]
    root = read_html(block.html)
    assert data_table(root)[0] == ["day", "a", "b"]
    assert "2 series, 6 values" in root.one("figcaption").text
    assert len(root.one(css="rb-legend").all("li")) == 2


def test_bars_that_share_a_place_are_added_and_it_is_told(draw: Draw) -> None:
    data = table(["a", integers("n")], ["x", 1], ["x", 2], ["y", None])

    block = draw(data, "chart", {"type": "bar"})

    root = read_html(block.html)
    assert data_table(root)[1:] == [["x", "3"], ["y", "—no value"]]
    assert "added up" in root.one(css="rb-notes").text


def test_stacked_shares_make_a_hundred(draw: Draw) -> None:
    data = table(["a", integers("n"), integers("m")], ["x", 1, 3], ["y", 2, 2])
    options = {"type": "bar", "stack": "percent"}

    traces = figure(draw(data, "chart", options).html)["data"]

    assert [numbers(trace["y"]) for trace in traces] == [[25, 50], [75, 50]]


def test_small_shares_of_a_pie_are_gathered(draw: Draw) -> None:
    data = table(["a", integers("n")], *([f"s{n}", n] for n in range(1, 21)))

    block = draw(data, "chart", {"type": "pie"})

    root = read_html(block.html)
    assert len(data_table(root)) == 13
    assert data_table(root)[-1] == ["Others", "45"]
    assert "smallest shares" in root.text
    assert "the largest is s20 with 9.5%" in root.one("figcaption").text


def test_a_pie_of_one_is_a_full_circle(draw: Draw) -> None:
    block = draw(table(["a", integers("n")], ["x", 5]), "chart", {"type": "pie"})

    assert "a118" in block.html


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (table(["a"], ["x"], ["y"]), {}, "no column of numbers to plot"),
        (table(["a", "b"], ["x", "y"]), {"y": "b"}, "holds text, not numbers"),
        (
            table(["a", integers("n")], ["x", -1]),
            {"type": "pie"},
            "cannot show negative values",
        ),
        (
            table([integers("n")], [1]),
            {"type": "heatmap"},
            "needs two columns of names",
        ),
    ],
)
def test_what_cannot_be_drawn_is_told(
    draw: Draw, data: Table, options: dict[str, Any], words: str
) -> None:
    block = draw(data, "chart", options)

    assert block.state is State.FAILED
    assert words in read_html(block.html).text


def test_numbers_written_as_text_are_read_or_told(draw: Draw) -> None:
    data = table(["x", "y"], ["10", "0.31"], ["9", "0.5"])

    block = draw(data, "chart", {"type": "line", "x": "x", "y": "y"})

    text = read_html(block.html).one(css="rb-notes").text
    assert "“y” were read as numbers" in text
    assert "“x” holds numbers written as text" in text
    trace = figure(block.html)["data"][0]
    assert numbers(trace["y"]) == [0.31, 0.5]
    assert trace["x"] == ["10", "9"]
    assert figure(block.html)["layout"]["xaxis"]["type"] == "category"


def test_names_that_look_like_markup_stay_text(draw: Draw) -> None:
    data = table(["a", integers("n")], ['<a href="x">b</a>', 1], ["&lt;", 2])

    trace = figure(draw(data, "chart").html)["data"][0]

    assert trace["x"] == ['&lt;a href="x"&gt;b&lt;/a&gt;', "&amp;lt;"]


def test_times_stand_on_the_readers_clock(draw: Draw) -> None:
    moment = datetime(2026, 1, 1, 20, tzinfo=UTC)
    data = table([Column("t", ColumnType.DATETIME), integers("n")], [moment, 1])

    block = draw(data, "chart")

    assert data_table(read_html(block.html))[1][0] == "2026-01-02 05:00"


def test_a_long_series_is_thinned_keeps_its_spike_and_says_so(draw: Draw) -> None:
    values = [float(n % 7) for n in range(10_000)]
    values[4_321] = 999.0
    values[8_765] = -999.0

    block = draw(days(*values), "chart")

    y = numbers(figure(block.html)["data"][0]["y"])
    assert len(y) <= MAX_POINTS
    assert {999.0, -999.0} <= set(y)
    root = read_html(block.html)
    assert "of 10,000 points are drawn" in root.one(css="rb-notes").text
    assert "10,000 values; min -999, max 999" in root.one("figcaption").text
    assert "First 500 of" in root.one("details").text

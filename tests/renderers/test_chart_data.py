"""renderers/chart.py: what is drawn from which data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderers.downsampling import MAX_POINTS, kept_points
from renderers.figures import PALETTE
from renderers.summary import trend
from tests.renderers.conftest import Draw, decimals, integers, table
from tests.renderers.html import read_html
from tests.renderers.test_chart import data_table, days, figure, numbers


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=40),
    st.integers(1, 400),
)
def test_thinning_keeps_extremes_ends_and_order(
    values: list[float], times: int
) -> None:
    y = np.array(values * times)

    kept = kept_points(y)

    assert len(kept) <= max(MAX_POINTS, 0)
    assert (np.diff(kept) > 0).all()
    assert (kept[0], kept[-1]) == (0, len(y) - 1)
    if not np.isnan(y).all():
        assert np.nanmax(y[kept]) == np.nanmax(y)
        assert np.nanmin(y[kept]) == np.nanmin(y)
    assert np.isnan(y[kept]).any() == np.isnan(y).any()


@pytest.mark.parametrize(
    ("values", "direction"),
    [
        ([1, 2, 3], 1),
        ([3, 2, 1], -1),
        ([1, 2], 1),
        ([5], 0),
        ([2, 2, 2], 0),
        ([0, 0, 0], 0),
        ([1, 5, 1, 5, 1], 0),
        ([1e300, 2e300, 3e300], 1),
    ],
)
def test_trend(values: list[float], direction: int) -> None:
    assert trend(np.array(values, dtype=float)) == direction


def test_the_summary_is_korean_for_korean_readers(draw: Draw) -> None:
    block = draw(days(1.0, 2.0, 3.0), "chart", language="ko")

    sentence = read_html(block.html).one("figcaption").text
    assert "값 3개" in sentence
    assert "상승" in sentence


def test_too_many_names_and_series_are_cut_and_told(draw: Draw) -> None:
    many = table(["a", integers("n")], *([f"x{n}", n] for n in range(250)))
    parted = table(
        [integers("x"), "s", integers("y")], *([n, f"s{n}", n] for n in range(20))
    )

    names = draw(many, "chart", {"type": "bar"})
    series = draw(parted, "chart", {"type": "line", "x": "x", "y": "y", "series": "s"})

    assert "First 200 of 250 names" in names.html
    assert "First 12 of 20 series" in series.html


def test_labels_name_axes_and_series(draw: Draw) -> None:
    options = {"labels": {"temp": {"en": "High"}}}

    root = read_html(draw(days(1.0, 2.0), "chart", options).html)

    assert data_table(root)[0][1] == "High (°C)"


def test_values_without_a_number_are_told(draw: Draw) -> None:
    root = read_html(draw(days(None, None), "chart").html)

    assert root.one("figcaption").text == "There are rows, but no value to draw."


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", PALETTE)
def test_colours_stand_out_on_light_and_dark_grounds(colour: str) -> None:
    own = _luminance(colour) + 0.05

    assert (_luminance("#ffffff") + 0.05) / own >= 3
    assert own / (_luminance("#121212") + 0.05) >= 3


def test_a_histogram_measures_the_column_named_for_its_axis(draw: Draw) -> None:
    data = table([decimals("beak"), decimals("mass", unit="g")], [1.0, 10.0], [2, 30.0])

    root = read_html(draw(data, "chart", {"type": "histogram", "x": "mass"}).html)

    assert root.one("figcaption").text.startswith("mass (g): 2 values")
    assert "Not drawn" not in root.text


def test_a_histogram_counts_each_series_in_the_same_classes(draw: Draw) -> None:
    rows = [[name, float(n)] for n in range(8) for name in ("a", "b")]
    options = {"type": "histogram", "x": "v", "series": "k", "stack": "stacked"}

    block = draw(table(["k", decimals("v")], *rows), "chart", options)

    drawn = figure(block.html)
    assert [trace["name"] for trace in drawn["data"]] == ["a", "b"]
    assert [sum(numbers(trace["y"])) for trace in drawn["data"]] == [8.0, 8.0]
    assert drawn["layout"]["barmode"] == "relative"
    assert "16 values" in read_html(block.html).one("figcaption").text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"type": "histogram", "x": "u", "y": "v"}, "a histogram has no place"),
        ({"type": "pie", "x": "k", "y": ["u", "v"]}, "a pie has no place"),
        ({"type": "pie", "x": "k", "y": "v", "series": "k"}, "a pie has no place"),
        ({"type": "line", "x": "k", "y": "v", "stack": "stacked"}, "Nothing was"),
    ],
)
def test_an_option_that_cannot_be_drawn_is_told(
    draw: Draw, options: dict[str, Any], words: str
) -> None:
    data = table(["k", integers("u"), integers("v")], ["a", 1, 2], ["b", 3, 4])

    block = draw(data, "chart", options)

    assert words in read_html(block.html).one(css="rb-notes").text


def test_years_are_written_as_years(draw: Draw) -> None:
    data = table([integers("year"), integers("v")], [2001, 12_000], [2010, 15_000])

    root = read_html(draw(data, "chart", {"type": "bar", "x": "year"}).html)

    assert "max 15,000 (2010)" in root.one("figcaption").text
    assert data_table(root)[1] == ["2001", "12,000"]
    assert "2,001" not in root.text


def test_a_unit_that_the_label_ends_with_is_not_written_twice(draw: Draw) -> None:
    data = table(["k", integers("v", unit="g")], ["a", 1], ["b", 2])
    options = {"type": "bar", "labels": {"v": {"en": "Mass (g)"}}}

    root = read_html(draw(data, "chart", options).html)

    assert data_table(root)[0] == ["k", "Mass (g)"]


def test_a_lone_moment_has_a_day_around_it(draw: Draw) -> None:
    drawn = figure(draw(days(1.0), "chart", {"type": "line"}).html)

    assert drawn["layout"]["xaxis"]["range"][0].startswith("2011-12-31T12:00")

from __future__ import annotations

from typing import Any

import pytest

from connectors.outcomes import Column, ColumnType, Value
from renderers.presentation import State
from tests.renderers.conftest import Draw, decimals, integers, table
from tests.renderers.html import read_html


def shown(draw: Draw, data: Any, options: dict[str, Any] | None = None) -> str:
    return read_html(draw(data, "text", options).html).text.strip()


def test_plain_text_is_shown_as_it_is(draw: Draw) -> None:
    assert shown(draw, "a <b>\n  c") == "a <b>\n  c"


def test_rows_become_lines(draw: Draw) -> None:
    data = table(["a", integers("n")], ["x", 1_000], [None, 2])

    assert shown(draw, data) == "x\t1,000\n—\t2"


def test_a_template_puts_values_into_text(draw: Draw) -> None:
    data = table(["site", integers("n")], ["<Seoul>", 1_000])
    options = {"mode": "plain", "template": "{site} has {{{n}}}"}

    assert shown(draw, data, options) == "<Seoul> has {1,000}"


def test_a_template_may_use_only_columns_that_are_chosen(draw: Draw) -> None:
    data = table(["a", "b"], ["x", "y"])

    block = draw(data, "text", {"mode": "plain", "columns": ["a"], "template": "{b}"})

    assert block.state is State.FAILED


def test_values_in_markdown_format_nothing(draw: Draw) -> None:
    data = table(["a"], ["**x** [y](http://z) \n# <i>"])
    options = {"mode": "markdown", "template": "Value: *{a}*"}

    root = read_html(draw(data, "text", options).html)

    assert root.one("em").text == "**x** [y](http://z) # <i>"
    assert not root.all("strong") + root.all("a") + root.all("h3")


def test_markdown_is_drawn_without_raw_html_and_with_safe_links(draw: Draw) -> None:
    text = (
        "# Title\n\n**bold** <script>alert(1)</script> [ok](https://example.com) "
        "[bad](javascript:alert(1)) ![i](http://x/y.png)\n\n| a |\n|---|\n| 1 |\n"
    )

    root = read_html(draw(text, "text", {"mode": "markdown"}).html)

    assert root.one("h3").text == "Title"
    assert root.one("strong").text == "bold"
    link = root.one("a")
    assert link.attributes["href"] == "https://example.com"
    assert "noopener" in str(link.attributes["rel"])
    assert "<script>alert(1)</script>" in root.text
    assert not root.all("img") + root.all("script")
    assert root.one("td").text == "1"


def test_json_is_laid_out_and_what_is_none_is_shown_with_a_note(draw: Draw) -> None:
    assert shown(draw, '{"a":[1]}', {"mode": "json"}) == '{\n  "a": [\n    1\n  ]\n}'

    assert "This is not JSON" in shown(draw, "{oops", {"mode": "json"})


def test_rows_as_json_keep_big_numbers_whole(draw: Draw) -> None:
    columns = ["a", integers("n"), Column("b", ColumnType.BOOLEAN)]
    data = table(columns, ["\ud800", 2**60, True])

    text = shown(draw, data, {"mode": "json"})

    assert f'"n": "{2**60}"' in text
    assert '"b": true' in text


def test_a_log_marks_levels_with_their_words(draw: Draw) -> None:
    log = "1 INFO start\n2 warning slow\n3 <ERROR> no\n4 DEBUG x\n5 information\n"

    lines = read_html(draw(log, "text", {"mode": "log"}).html).all(css="rb-line")

    assert [line.classes - {"rb-line"} for line in lines] == [
        {"rb-info"}, {"rb-warn"}, {"rb-bad"}, {"rb-quiet"}, set(),
    ]  # fmt: skip
    assert lines[2].one("b").text == "ERROR"
    assert lines[2].text == "3 <ERROR> no"


def test_one_row_is_keys_and_values(draw: Draw) -> None:
    data = table(["site", integers("n", unit="EA")], ["Seoul <1>", None])

    root = read_html(draw(data, "text").html)

    assert [term.text for term in root.all("dt")] == ["site", "n (EA)"]
    assert [value.text for value in root.all("dd")] == ["Seoul <1>", "—no value"]


def test_a_json_object_is_keys_and_values(draw: Draw) -> None:
    text = '{"a": "<x>", "b": [1], "c": null}'

    root = read_html(draw(text, "text", {"mode": "key_value"}).html)

    assert [value.text for value in root.all("dd")] == ["<x>", "[1]", "—no value"]
    assert "not JSON" in shown(draw, "[1]", {"mode": "key_value"})


def test_many_rows_as_keys_and_values_are_cut_and_told(draw: Draw) -> None:
    data = table(["a"], *([str(n)] for n in range(51)))

    block = draw(data, "text", {"mode": "key_value"})

    assert block.state is State.TRUNCATED
    assert "First 50 of 51 rows" in block.html


def test_one_number_is_shown_large_with_label_unit_and_change(draw: Draw) -> None:
    data = table([integers("orders"), decimals("change")], [1_234_567, -12.5])
    options = {
        "mode": "number",
        "delta": "change",
        "label": {"en": "Orders"},
        "unit": "pcs",
    }

    root = read_html(draw(data, "text", options).html)

    assert root.one(css="rb-number-label").text == "Orders"
    assert root.one(css="rb-number-value").text == "1,234,567 pcs"
    assert root.one(css="rb-number-delta").text.split() == ["▼", "down", "-12.5"]


@pytest.mark.parametrize(
    ("change", "word"), [(1, "up"), (0, "unchanged"), (None, ""), ("x", "")]
)
def test_a_change_is_told_in_a_word(draw: Draw, change: Value, word: str) -> None:
    kind = decimals("d") if not isinstance(change, str) else Column("d")
    data = table([integers("n"), kind], [1, change])

    block = draw(data, "text", {"mode": "number", "delta": "d"})

    deltas = read_html(block.html).all(css="rb-number-delta")
    assert [word in delta.text for delta in deltas] == [True] * bool(word)


def test_a_lone_number_is_a_number(draw: Draw) -> None:
    assert "rb-number-value" in draw(table([integers("n")], [7]), "text").html
    assert "7" in shown(draw, " 7 ", {"mode": "number"})


def test_text_that_is_no_number_fails_plainly(draw: Draw) -> None:
    block = draw("seven", "text", {"mode": "number"})

    assert block.state is State.FAILED
    assert "no number in column “value”" in block.html


def test_long_text_is_cut_and_told(draw: Draw) -> None:
    block = draw("x" * 1_000_000, "text")

    assert block.state is State.TRUNCATED
    assert "First 65,536 of 1,000,000 characters." in block.html
    assert len(block.html) < 70_000


@pytest.mark.parametrize("mode", ["plain", "markdown", "json", "log", "key_value"])
def test_a_line_of_a_megabyte_is_drawn(draw: Draw, mode: str) -> None:
    block = draw("<[*" * 350_000, "text", {"mode": mode, "max_chars": 1_000_000})

    assert read_html(block.html).text


def test_no_text_is_empty(draw: Draw) -> None:
    assert draw("", "text").state is State.EMPTY

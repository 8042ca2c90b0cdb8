from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from connectors.outcomes import Column, ColumnType
from tests.renderers.conftest import Draw, decimals, integers, table
from tests.renderers.html import read_html


def numbers(count: int) -> Any:
    return table([integers("n")], *([n] for n in range(count)))


def island(html: str) -> Any:
    return json.loads(read_html(html).one("script").text)


def test_a_page_is_drawn_with_links_to_the_others(draw: Draw) -> None:
    block = draw(numbers(120), "grid", page=2)

    root = read_html(block.html)
    drawn = root.one("table")
    assert drawn.attributes["aria-rowcount"] == "121"
    rows = drawn.one("tbody").all("tr")
    assert (len(rows), rows[0].text.strip(), rows[-1].text.strip()) == (50, "50", "99")
    assert rows[0].attributes["aria-rowindex"] == "52"
    nav = root.one("nav")
    assert [link.attributes["href"] for link in nav.all("a")] == [
        f"/m/stock/blocks/stock/?site=1&page={page}" for page in (1, 2, 3)
    ]
    current = [link for link in nav.all("a") if "aria-current" in link.attributes]
    assert [link.text for link in current] == ["2"]
    assert block.assets == {"grid"}


def test_a_page_that_is_not_there_is_the_nearest_one(draw: Draw) -> None:
    assert draw(numbers(60), "grid", page=99) == draw(numbers(60), "grid", page=2)
    assert draw(numbers(60), "grid", page=-1) == draw(numbers(60), "grid", page=1)


def test_links_replace_the_page_of_the_address_and_skip_far_pages(draw: Draw) -> None:
    block = draw(
        numbers(100), "grid", {"page_size": 5}, address="/b/?page=9&q=", page=10
    )

    nav = read_html(block.html).one("nav")
    addresses = [link.attributes["href"] for link in nav.all("a")]
    assert addresses == [f"/b/?q=&page={n}" for n in (1, 8, 9, 10, 11, 12, 20)]
    assert nav.text.count("…") == 2


def test_without_an_address_there_are_no_links(draw: Draw) -> None:
    assert not read_html(draw(numbers(60), "grid", address="").html).all("nav")


def test_the_island_holds_the_texts_of_the_page_and_keys_to_sort_by(draw: Draw) -> None:
    columns = [
        "site",
        integers("n"),
        decimals("v", format="KRW"),
        Column("d", ColumnType.DATE),
        Column("t", ColumnType.DATETIME),
    ]
    moment = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    row = ["</script>", 2**60, 1234.5, date(2026, 1, 2), moment]

    block = draw(table(columns, row, [None] * 5), "grid")

    held = island(block.html)["columns"]
    assert [column["texts"][0] for column in held] == [
        "</script>", f"{2**60:,}", "₩1,234", "2026-01-02", "1970-01-01 09:00:01",
    ]  # fmt: skip
    assert [column["texts"][1] for column in held] == [None] * 5
    assert held[1]["keys"] == [float(2**60), None]
    assert held[4]["keys"][0] == 1.0
    assert "</script>" not in block.html.split("<script")[1].split("</script>")[0]


def test_marks_reach_the_island(draw: Draw) -> None:
    rule = {"column": "n", "operator": ">", "value": 0, "tone": "good"}

    block = draw(numbers(2), "grid", {"emphasis": [rule]})

    assert island(block.html)["columns"][0]["marks"] == {"1": ["good", "good"]}


def test_a_grid_beyond_what_the_browser_holds_says_so(draw: Draw) -> None:
    block = draw(numbers(5_001), "grid")

    held = island(block.html)
    assert (len(held["columns"][0]["texts"]), held["total"]) == (5_000, 5_001)
    assert "first 5,000 of 5,001 rows" in block.html
    assert "data-partial" in block.html

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from connectors.outcomes import Cut, Limit
from renderers.services import csv_lines
from tests.renderers.conftest import table


def test_header_rows_and_a_note_when_cut() -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    data = table(
        ["a", "b", "c", "d"],
        ['x,"y"', None, Decimal("1.50"), moment],
        ["서울", -5, True, date(2026, 1, 2)],
        cuts=(Cut(Limit.ROWS, 2, 10),),
    )

    with translation.override("en"):
        lines = list(csv_lines(data))

    assert lines[0] == "a,b,c,d\r\n"
    rows = list(csv.reader("".join(lines).splitlines()))
    assert rows[1] == ['x,"y"', "", "1.50", "2026-01-02T03:04:00+00:00"]
    assert rows[2] == ["서울", "-5", "True", "2026-01-02"]
    assert rows[3] == ["First 2 of 10 rows. Limit: 2 rows."]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|'/C calc'!A0", "'+cmd|'/C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        (" =1", "' =1"),
        ("＝1", "'＝1"),
        ("-5", "-5"),
        ("+3.2e4", "+3.2e4"),
        ("-1_000", "'-1_000"),
        ("-inf", "-inf"),
        ("a=1", "a=1"),
        ("", ""),
        ("\ud800x", "?x"),
    ],
)
def test_no_spreadsheet_runs_a_cell(text: str, written: str) -> None:
    lines = list(csv_lines(table(["a", text], ["-", text])))

    head, row = csv.reader(["a,b"]), list(csv.reader(lines, strict=True))
    assert next(head) == ["a", "b"]
    assert row[0][1] == row[1][1] == written
    assert row[1][0] == "'-"


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_text_can_be_written_and_no_cell_starts_a_formula(texts: list[str]) -> None:
    text = "".join(csv_lines(table([f"c{n}" for n in range(len(texts))], texts)))

    text.encode()
    for cell in next(iter(list(csv.reader([text.split("\r\n", 1)[1]])))):
        assert not cell.startswith(("=", "@"))


def test_many_rows_come_in_pieces() -> None:
    lines = list(csv_lines(table(["n"], *([str(n)] for n in range(1_200)))))

    assert len(lines) == 4
    assert "".join(lines).count("\r\n") == 1_201

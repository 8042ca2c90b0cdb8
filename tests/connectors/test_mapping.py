"""Records and rows become typed tables."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cells import as_text, converter, inferred_type
from connectors.mapping import MAX_COLUMNS, table_from_records, table_from_rows
from connectors.notes import note, read_note
from connectors.outcomes import Column, ColumnType, Cut, Limit, Table

EPOCH_5 = datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)


def column(kind: ColumnType, name: str = "a", form: str = "") -> Column:
    return Column(name=name, type=kind, format=form)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], ColumnType.INTEGER),
        ([1, None], ColumnType.INTEGER),
        ([1, 2.5], ColumnType.DECIMAL),
        ([1, math.nan], ColumnType.INTEGER),
        ([True, False], ColumnType.BOOLEAN),
        ([True, 1], ColumnType.TEXT),
        (["2026-01-02"], ColumnType.DATE),
        (["2026-01-02T03:04:05Z"], ColumnType.DATETIME),
        (["2026-01-02", "x"], ColumnType.TEXT),
        (["1", "2"], ColumnType.TEXT),
        (["00123"], ColumnType.TEXT),
        ([None], ColumnType.TEXT),
        ([], ColumnType.TEXT),
        ([date(2026, 1, 2)], ColumnType.DATE),
        ([datetime(2026, 1, 2, tzinfo=UTC)], ColumnType.DATETIME),
        ([Decimal("1.5")], ColumnType.DECIMAL),
    ],
)
def test_types_are_inferred_from_values(values: list[Any], kind: ColumnType) -> None:
    assert inferred_type(values) is kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2"], ColumnType.INTEGER),
        (["00123", "1"], ColumnType.TEXT),
        (["1.5", "2"], ColumnType.DECIMAL),
        (["true", "False"], ColumnType.BOOLEAN),
        (["", ""], ColumnType.TEXT),
    ],
)
def test_texts_of_csv_say_more(values: list[str], kind: ColumnType) -> None:
    assert inferred_type(values, texts=True) is kind


@pytest.mark.parametrize(
    ("kind", "form", "given_value", "expected"),
    [
        (ColumnType.INTEGER, "", "1,234", 1234),
        (ColumnType.INTEGER, "", 2.0, 2),
        (ColumnType.INTEGER, "", Decimal(3), 3),
        (ColumnType.INTEGER, "", " ", None),
        (ColumnType.DECIMAL, "", "1,234.50", Decimal("1234.50")),
        (ColumnType.DECIMAL, "", Decimal("NaN"), None),
        (ColumnType.DECIMAL, "", "", None),
        (ColumnType.BOOLEAN, "", "Yes", True),
        (ColumnType.BOOLEAN, "", "off", False),
        (ColumnType.BOOLEAN, "", 0, False),
        (ColumnType.BOOLEAN, "", "", None),
        (ColumnType.DATE, "%Y/%m/%d", "2026/01/31", date(2026, 1, 31)),
        (ColumnType.DATE, "", "2026-01-31T10:00", date(2026, 1, 31)),
        (ColumnType.DATE, "", datetime(2026, 1, 2, tzinfo=UTC), date(2026, 1, 2)),
        (ColumnType.DATE, "", date(2026, 1, 2), date(2026, 1, 2)),
        (ColumnType.DATE, "", " ", None),
        (
            ColumnType.DATETIME,
            "",
            "2026-01-31 10:00:00.123456789",
            datetime(2026, 1, 31, 10, 0, 0, 123456, tzinfo=UTC),
        ),
        (ColumnType.DATETIME, "epoch_s", 0, datetime(1970, 1, 1, tzinfo=UTC)),
        (ColumnType.DATETIME, "epoch_ms", "5000", EPOCH_5),
        (ColumnType.DATETIME, "%d.%m.%Y", "1.1.1970", EPOCH_5.replace(second=0)),
        (ColumnType.DATETIME, "", date(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC)),
        (ColumnType.DATETIME, "", "", None),
        (ColumnType.TEXT, "", 1.5, "1.5"),
        (ColumnType.TEXT, "", True, "true"),
        (ColumnType.TEXT, "", [1, "가"], '[1, "가"]'),
        (ColumnType.TEXT, "", b"\xff", "\\xff"),
        (ColumnType.TEXT, "", Decimal("1E+2"), "100"),
    ],
)  # fmt: skip
def test_values_become_what_the_column_says(
    kind: ColumnType, form: str, given_value: Any, expected: Any
) -> None:
    mapped = table_from_rows(
        ["a"], [[given_value]], [column(kind, form=form)], row_limit=5
    )

    assert mapped.table.rows == ((expected,),)
    assert mapped.notes == ()


@pytest.mark.parametrize(
    ("kind", "form", "odd"),
    [
        (ColumnType.INTEGER, "", "1.5"),
        (ColumnType.INTEGER, "", [1]),
        (ColumnType.INTEGER, "", "1e999999"),
        (ColumnType.INTEGER, "", "١٢"),
        (ColumnType.DECIMAL, "", True),
        (ColumnType.DECIMAL, "", "1,23"),
        (ColumnType.DECIMAL, "", "Infinity"),
        (ColumnType.DECIMAL, "", [1]),
        (ColumnType.BOOLEAN, "", "maybe"),
        (ColumnType.BOOLEAN, "", 2),
        (ColumnType.DATE, "", "2026-02-30"),
        (ColumnType.DATE, "%Y", "x"),
        (ColumnType.DATE, "", 5),
        (ColumnType.DATETIME, "", 5),
        (ColumnType.DATETIME, "epoch_s", 1e300),
        (ColumnType.DATETIME, "epoch_s", True),
    ],
)
def test_a_value_that_does_not_convert_is_none_and_counted(
    kind: ColumnType, form: str, odd: Any
) -> None:
    mapped = table_from_rows(["a"], [[odd]], [column(kind, form=form)], row_limit=5)

    assert mapped.table.rows == ((None,),)
    assert mapped.notes == (note("unconverted", column="a", count=1),)


def test_nested_objects_have_dotted_names_and_lists_are_json() -> None:
    records = [{"a": {"b": 1, "c": {"d": "x"}}, "e": [1, 2], "f": {}}]

    table = table_from_records(records, row_limit=5).table

    assert [one.name for one in table.columns] == ["a.b", "a.c.d", "e", "f"]
    assert table.rows == ((1, "x", "[1, 2]", None),)


def test_colliding_dotted_names_keep_both_values() -> None:
    table = table_from_records([{"a.b": 1, "a": {"b": 2}}], row_limit=5).table

    assert [one.name for one in table.columns] == ["a.b", "a.b_2"]
    assert table.rows == ((1, 2),)


def test_records_that_are_no_objects_become_a_column() -> None:
    table = table_from_records([1, 2], row_limit=5).table

    assert [one.name for one in table.columns] == ["value"]
    assert table.rows == ((1,), (2,))


def test_missing_keys_are_none() -> None:
    table = table_from_records([{"a": 1}, {"b": 2}], row_limit=5).table

    assert table.rows == ((1, None), (None, 2))


def test_declared_columns_choose_order_and_name_what_is_missing() -> None:
    columns = [column(ColumnType.TEXT, "b"), column(ColumnType.TEXT, "zz")]

    mapped = table_from_records([{"a": 1, "b": 2}], columns, row_limit=5)

    assert mapped.table.rows == (("2", None),)
    assert mapped.notes == (note("column-missing", column="zz"),)


def test_a_declared_parent_of_nested_values_is_json() -> None:
    mapped = table_from_records(
        [{"a": {"b": 1}}], [column(ColumnType.TEXT, "a")], row_limit=5
    )

    assert mapped.table.rows == (('{"b": 1}',),)


def test_rows_above_the_limit_are_cut_and_counted() -> None:
    table = table_from_records([{"a": n} for n in range(9)], row_limit=4).table

    assert len(table.rows) == 4
    assert table.cuts == (Cut(Limit.ROWS, at=4, total=9),)


def test_ragged_rows_are_filled_and_told() -> None:
    mapped = table_from_rows(["a", "a", ""], [[1], [1, 2, 3, 4]], row_limit=5)

    assert [one.name for one in mapped.table.columns] == ["a", "a_2", "column_3"]
    assert mapped.table.rows == ((1, None, None), (1, 2, 3))
    assert mapped.notes == (note("ragged-rows", count=2),)


def test_a_thousand_columns_are_cut_and_told() -> None:
    record = {f"c{n}": n for n in range(1_000)}

    mapped = table_from_records([record], row_limit=5)

    assert len(mapped.table.columns) == MAX_COLUMNS
    assert mapped.notes == (note("columns-cut", kept=MAX_COLUMNS, found=1_000),)


def test_floats_and_decimals_never_share_a_column() -> None:
    mixed = table_from_records([{"a": 1.5}, {"a": Decimal(2)}], row_limit=5).table
    floats = table_from_records([{"a": 1}, {"a": 2.5}], row_limit=5).table
    large = table_from_records([{"a": 2**60}, {"a": 2.5}], row_limit=5).table

    assert {type(row[0]) for row in mixed.rows} == {Decimal}
    assert {type(row[0]) for row in floats.rows} == {float}
    assert large.rows[0] == (Decimal(2**60),)


def test_not_a_number_is_none_without_a_note() -> None:
    mapped = table_from_records([{"a": math.nan}, {"a": math.inf}], row_limit=5)

    assert mapped.table.rows == ((None,), (None,))
    assert mapped.notes == ()


def test_half_a_surrogate_pair_cannot_break_a_page() -> None:
    table = table_from_records([{"\ud800": "\udfff한"}], row_limit=5).table

    assert table.columns[0].name.encode()
    assert table.rows[0][0] == "?한"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(_json, max_size=6), st.integers(0, 4))
def test_any_json_becomes_a_well_formed_table(records: list[Any], limit: int) -> None:
    table: Table = table_from_records(records, row_limit=limit).table

    names = [one.name for one in table.columns]
    assert len(set(names)) == len(names)
    assert all(len(row) == len(names) for row in table.rows)
    assert len(table.rows) <= limit
    for row in table.rows:
        for cell in row:
            assert not isinstance(cell, (list, dict))
            assert not isinstance(cell, float) or math.isfinite(cell)


@given(_json, st.sampled_from(list(ColumnType)))
def test_any_value_meets_any_column(value: Any, kind: ColumnType) -> None:
    mapped = table_from_rows(["a"], [[value]], [column(kind)], row_limit=1)

    cell = mapped.table.rows[0][0]
    if cell is not None and kind is ColumnType.INTEGER:
        assert type(cell) is int
    if kind is ColumnType.TEXT and cell is not None:
        assert as_text(cell).encode() is not None
    assert converter(column(kind)) is not None


@given(st.text(), st.text())
def test_notes_come_back_as_written(name: str, value: str) -> None:
    text = note("unconverted", column=value, count=3)

    assert read_note(text) == ("unconverted", {"column": value, "count": "3"})
    assert read_note("plain") == ("plain", {})

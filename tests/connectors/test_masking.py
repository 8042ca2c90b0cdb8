"""Masks: what they show, and that they show no more."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.masking import HIDDEN, TEXT_WITHHELD, masked, masks
from connectors.messages import note_text
from connectors.outcomes import (
    Column,
    ColumnType,
    Failure,
    Personal,
    Reason,
    Success,
    Table,
    Value,
)

NOW = datetime(2026, 11, 25, tzinfo=UTC)
KINDS = [kind for kind in Personal if kind]


@pytest.mark.parametrize(
    ("kind", "value", "mask"),
    [
        (Personal.NAME, "홍길동", "홍** #1"),
        (Personal.NAME, "Alice Example", "A** #1"),
        (Personal.NAME, "홍", "••• #1"),
        (Personal.NAME, "7", "••• #1"),
        (Personal.EMAIL, "kim@example.com", "k***@*** #1"),
        (Personal.EMAIL, "k@example.com", "••• #1"),
        (Personal.EMAIL, "no address", "••• #1"),
        (Personal.PHONE, "010-1234-5678", "010-****-**** #1"),
        (Personal.PHONE, "+82 10 1234 5678", "+821-****-**** #1"),
        (Personal.PHONE, "119", "••• #1"),
        (Personal.ID, "900101-1234567", "••• #1"),
        (Personal.ADDRESS, "Seoul, Sejong-daero 1", "•••"),
        (Personal.OTHER, Decimal("12.5"), "•••"),
        (Personal.OTHER, date(2026, 1, 1), "•••"),
        (Personal.OTHER, False, "•••"),
        (Personal.NAME, None, None),
        (Personal.OTHER, None, None),
    ],
)
def test_a_mask_of_each_kind(kind: Personal, value: Value, mask: str | None) -> None:
    assert masks([value], kind) == [mask]


def test_equal_values_of_one_answer_have_one_number() -> None:
    found = masks(["b@x.kr", "a@x.kr", None, "b@x.kr"], Personal.ID)

    assert found == ["••• #1", "••• #2", None, "••• #1"]


def test_kinds_with_few_values_are_not_told_apart() -> None:
    assert set(masks(["A", "B", "A", "O"], Personal.OTHER)) == {HIDDEN}


texts = st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=8)


@given(values=texts, kind=st.sampled_from(KINDS), more=st.text(min_size=1, max_size=20))
def test_a_mask_tells_no_length(values: list[str], kind: Personal, more: str) -> None:
    longer = [value + more.replace("@", "") for value in values]
    shapes = {str(mask).split(" #")[0] for mask in masks([*values, *longer], kind)}

    # One letter, or three digits, before marks that are always the same.
    assert all(len(shape) <= len("+010-****-****") for shape in shapes)
    assert {shape.lstrip("+")[3:] for shape in shapes if "-" in shape} <= {"-****-****"}
    others = {shape for shape in shapes if "-****" not in shape}
    assert {shape[1:] for shape in others} <= {"••", "**", "***@***"}


@given(values=texts, kind=st.sampled_from(KINDS))
def test_a_mask_holds_no_value_of_two_letters_or_more(
    values: list[str], kind: Personal
) -> None:
    unlike = [f"zz{value}zz" for value in values]

    for mask in masks(unlike, kind):
        assert "zz" not in str(mask)


def test_a_masked_column_is_text_and_says_so() -> None:
    columns = (
        Column("pay", ColumnType.INTEGER, {}, "KRW", "0", Personal.OTHER),
        Column("site"),
    )
    table = Table(columns, ((4_200_000, "Seoul"), (None, "Busan")))

    found = masked(Success(table, None, NOW, 1.0), whole_text=True)

    assert isinstance(found, Success)
    assert found.data == Table(
        (Column("pay", personal=Personal.OTHER, masked=True), Column("site")),
        (("•••", "Seoul"), (None, "Busan")),
    )


def test_masking_twice_changes_nothing_more() -> None:
    table = Table((Column("a", personal=Personal.NAME),), (("Kim",), ("Lee",)))
    once = masked(Success(table, None, NOW, 1.0), whole_text=True)

    assert masked(once, whole_text=True) == once


def test_a_table_without_rows_is_marked_all_the_same() -> None:
    table = Table((Column("a", personal=Personal.NAME),), ())
    found = masked(Success(table, None, NOW, 1.0), whole_text=True)

    assert isinstance(found, Success)
    assert isinstance(found.data, Table)
    assert found.data.columns[0].masked
    assert found.data.rows == ()


def test_a_text_is_withheld_whole_and_the_reader_is_told() -> None:
    found = masked(Success("mail: kim@x.kr", None, NOW, 1.0), whole_text=True)

    assert isinstance(found, Success)
    assert found.data == HIDDEN
    assert found.notes == (TEXT_WITHHELD,)
    assert "masked" in note_text(TEXT_WITHHELD) or "가렸습니다" in note_text(
        TEXT_WITHHELD
    )


def test_what_is_not_personal_stays_as_it_is() -> None:
    failure = Failure(Reason.TIMEOUT, "late", 1.0)
    plain = Success(Table((Column("a"),), (("x",),)), None, NOW, 1.0)

    assert masked(failure, whole_text=True) is failure
    assert masked(plain, whole_text=True) is plain

"""Masks of personal values: a shape to recognise, and nothing of the data. Pure.

A mask never tells how long a value is. Values that identify a person get a number that
is the same for the same value within one answer, by first appearance, so that rows of
one person can be told together and the names of a chart stay apart. Other personal
values get none: where few values are possible, their shares alone would say too much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connectors.notes import note
from connectors.outcomes import (
    Column,
    ColumnType,
    Outcome,
    Personal,
    Success,
    Table,
    Value,
)

HIDDEN: Final = "•••"
TEXT_WITHHELD: Final = note("text-withheld")
_LEAST_DIGITS: Final = 9  # of a telephone number whose first three may be seen
_LEAST_LETTERS: Final = 2
_NUMBERED: Final = frozenset(
    {Personal.NAME, Personal.EMAIL, Personal.PHONE, Personal.ID}
)


def masked(outcome: Outcome, *, whole_text: bool) -> Outcome:
    """Return the outcome with a mask in place of every personal value.

    Args:
        whole_text: Withhold an answer that is a text: nobody knows where the personal
            data in it stands.
    """
    if not isinstance(outcome, Success):
        return outcome
    if isinstance(outcome.data, Table):
        if not any(column.personal for column in outcome.data.columns):
            return outcome
        return replace(outcome, data=masked_table(outcome.data))
    if not whole_text or not outcome.data:
        return outcome
    notes = (*outcome.notes, TEXT_WITHHELD)
    return replace(outcome, data=HIDDEN, notes=notes)


def masked_table(table: Table) -> Table:
    """Mask the personal columns of a table; they become columns of texts."""
    columns = list(table.columns)
    cells = [list(column) for column in zip(*table.rows, strict=True)]
    for place, column in enumerate(columns):
        if column.personal and not column.masked:
            columns[place] = _column(column)
            if cells:
                cells[place] = list(masks(cells[place], column.personal))
    rows = tuple(zip(*cells, strict=True)) if cells else ()
    return replace(table, columns=tuple(columns), rows=rows)


def is_personal(good: Success) -> bool:
    """Whether personal data is in an answer, masked or not."""
    if isinstance(good.data, Table):
        return any(column.personal for column in good.data.columns)
    return TEXT_WITHHELD in good.notes


def _column(column: Column) -> Column:
    return replace(column, type=ColumnType.TEXT, unit="", format="", masked=True)


def masks(values: Sequence[Value], kind: Personal) -> list[str | None]:
    """Return the mask of each value; None stays None."""
    shape = _SHAPES.get(kind, _hidden)
    if kind not in _NUMBERED:
        return [None if value is None else shape(str(value)) for value in values]
    numbers: dict[Value, int] = {}
    return [
        None
        if value is None
        else f"{shape(str(value))} #{numbers.setdefault(value, len(numbers) + 1)}"
        for value in values
    ]


def _hidden(text: str) -> str:
    return HIDDEN


def _name(text: str) -> str:
    """Show the first letter: ``홍**``, ``A**``."""
    letters = [mark for mark in text if mark.isalpha()]
    return f"{letters[0]}**" if len(letters) >= _LEAST_LETTERS else HIDDEN


def _email(text: str) -> str:
    """Show the first letter: ``k***@***``."""
    person, at, _ = text.strip().partition("@")
    if not at or len(person) < _LEAST_LETTERS or not person[0].isalnum():
        return HIDDEN
    return f"{person[0]}***@***"


def _phone(text: str) -> str:
    """Show the first three digits: ``010-****-****``."""
    digits = "".join(mark for mark in text if mark.isdecimal())
    if len(digits) < _LEAST_DIGITS:
        return HIDDEN
    plus = "+" if text.strip().startswith("+") else ""
    return f"{plus}{digits[:3]}-****-****"


_SHAPES: Mapping[Personal, Callable[[str], str]] = {
    Personal.NAME: _name,
    Personal.EMAIL: _email,
    Personal.PHONE: _phone,
}

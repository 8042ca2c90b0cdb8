"""Columns of a table as numpy arrays: numbers, times and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from connectors.outcomes import Column, ColumnType, Table, Value
from renderers import chart_messages as words
from renderers.columns import CannotDraw
from renderers.formatting import NUMBERS, in_zone, number
from renderers.safety import neutralised

Array = NDArray[Any]

TIMES = frozenset({ColumnType.DATE, ColumnType.DATETIME})


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads columns of one table; what it changes is told in `notes`."""

    table: Table
    labels: Mapping[str, str]
    zone: ZoneInfo
    notes: list[str]

    def numbers(self, column: Column) -> Array:
        values = values_of(self.table, column)
        if column.type in NUMBERS:
            return _floats(values)
        if column.type is ColumnType.BOOLEAN:
            return _floats([None if v is None else int(bool(v)) for v in values])
        if column.type is ColumnType.TEXT and all_numbers(values):
            self.notes.append(words.texts_read_as_numbers(neutralised(column.name)))
            return _floats([None if v in (None, "") else float(str(v)) for v in values])
        raise CannotDraw(words.not_numbers(neutralised(column.name), column.type.value))

    def plain(self, column: Column | None) -> bool:
        """Whether numbers are written without grouping, as years are.

        A column says so with the format ``raw``; so do whole numbers that all have
        four digits from 1000 to 2999, which read as well either way.
        """
        if column is None or column.type not in NUMBERS:
            return False
        known = [v for v in values_of(self.table, column) if v is not None]
        return column.format == "raw" or (
            column.type is ColumnType.INTEGER
            and bool(known)
            and all(isinstance(v, int) and 1000 <= v <= 2999 for v in known)
        )

    def along(self, column: Column | None) -> tuple[str, Array]:
        """Return the kind of the axis and its values."""
        if column is None:
            count = len(self.table.rows)
            return "number", np.arange(1, count + 1, dtype=np.float64)
        values = values_of(self.table, column)
        if column.type in TIMES:
            return "time", _times(values, self.zone)
        if column.type in NUMBERS:
            return "number", _floats(values)
        if column.type is ColumnType.TEXT and all_numbers(values):
            self.notes.append(words.number_texts_as_names(neutralised(column.name)))
        return "category", self.names(column)

    def names(self, column: Column) -> Array:
        """Return the values as names; a missing one is called so."""
        values = values_of(self.table, column)
        if column.type in NUMBERS:
            write = str if self.plain(column) else number
            texts = [words.missing_name() if v is None else write(v) for v in values]
        else:
            texts = [_name(value, zone=self.zone) for value in values]
        return np.array(texts, dtype=object)


def values_of(table: Table, column: Column) -> list[Value]:
    place = table.columns.index(column)
    return [row[place] for row in table.rows]


def _name(value: Value, *, zone: ZoneInfo) -> str:
    if value is None:
        return words.missing_name()
    if isinstance(value, datetime):
        return in_zone(value, zone).strftime("%Y-%m-%d %H:%M")
    return neutralised(str(value))


def _floats(values: Sequence[Value]) -> Array:
    def as_float(value: Value) -> float:
        if isinstance(value, (int, float, Decimal)):
            try:
                return float(value)
            except OverflowError:
                return float("nan")
        return float("nan")

    array = np.fromiter(map(as_float, values), dtype=np.float64, count=len(values))
    array[~np.isfinite(array)] = np.nan
    return array


def _times(values: Sequence[Value], zone: ZoneInfo) -> Array:
    def on_clock(value: Value) -> np.datetime64:
        if isinstance(value, datetime):
            local = in_zone(value, zone).replace(tzinfo=None)
            return np.datetime64(local, "ms")
        if isinstance(value, date):
            return np.datetime64(value, "ms")
        return np.datetime64("NaT", "ms")

    return np.array([on_clock(value) for value in values], dtype="datetime64[ms]")


def all_numbers(values: Sequence[Value]) -> bool:
    """Whether texts are there, and each one reads as a finite number."""
    texts = [value for value in values if isinstance(value, str) and value]
    try:
        return bool(texts) and all(np.isfinite(float(text)) for text in texts)
    except ValueError:
        return False

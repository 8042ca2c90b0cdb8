"""Which columns are shown, and how; which rows, and in which order."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.outcomes import Column, ColumnType, Table, Value
from renderers.formatting import NUMBERS

Row = tuple[Value, ...]


class CannotDraw(Exception):
    """The options ask for what the data cannot give; the text is for the reader."""


class ColumnsMissing(CannotDraw):
    """The options name columns that the data does not have."""

    def __init__(self, names: Sequence[str], *, there: Sequence[str]) -> None:
        super().__init__(names, there)
        self.names = tuple(names)
        self.there = tuple(there)


@dataclass(frozen=True, slots=True)
class Emphasis:
    """Marks a cell that satisfies a comparison."""

    operator: str
    value: Value
    tone: str
    label: str


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """One column as it is shown; `index` is its place in the rows of the data.

    `privacy` is ``masked`` or ``personal`` where the data is personal, else empty.
    """

    index: int
    name: str
    type: ColumnType
    label: str
    unit: str
    format: str
    align: str
    privacy: str = ""
    emphasis: tuple[Emphasis, ...] = ()


def in_language(words: Mapping[str, str], language: str, *, default: str = "") -> str:
    return words.get(language) or next(iter(words.values()), "") or default


def unit_beside(label: str, unit: str) -> str:
    """Return the unit to be written after `label`; "" when the label ends with it."""
    return "" if label.rstrip().endswith(f"({unit})") else unit


def positions(table: Table, names: Sequence[str]) -> list[int]:
    """Return where the named columns stand.

    Raises:
        ColumnsMissing: with every name that is not there.
    """
    there = {column.name: index for index, column in enumerate(table.columns)}
    missing = [name for name in dict.fromkeys(names) if name not in there]
    if missing:
        raise ColumnsMissing(missing, there=list(there))
    return [there[name] for name in names]


def shown_columns(
    table: Table, options: Mapping[str, Any], *, language: str
) -> tuple[ShownColumn, ...]:
    """Return the columns that the options choose, or all of them.

    Raises:
        ColumnsMissing: the options name columns that are not there.
    """
    chosen = [
        {"name": item} if isinstance(item, str) else item
        for item in options.get("columns") or [column.name for column in table.columns]
    ]
    rules = options.get("emphasis", [])
    positions(table, [rule["column"] for rule in rules])
    places = positions(table, [item["name"] for item in chosen])
    return tuple(
        _shown(table.columns[place], place, item, rules=rules, language=language)
        for place, item in zip(places, chosen, strict=True)
    )


def _shown(
    column: Column,
    index: int,
    item: Mapping[str, Any],
    *,
    rules: Sequence[Mapping[str, Any]],
    language: str,
) -> ShownColumn:
    label = in_language(column.label, language, default=column.name)
    label = in_language(item.get("label", {}), language, default=label)
    return ShownColumn(
        index=index,
        name=column.name,
        type=column.type,
        label=label,
        unit=unit_beside(label, item.get("unit", column.unit)),
        format=item.get("format", column.format),
        align=item.get("align", "right" if column.type in NUMBERS else "left"),
        privacy="masked" if column.masked else "personal" if column.personal else "",
        emphasis=tuple(
            Emphasis(
                operator=rule["operator"],
                value=rule.get("value"),
                tone=rule["tone"],
                label=in_language(rule.get("label", {}), language),
            )
            for rule in rules
            if rule["column"] == column.name
        ),
    )


def header_place(
    columns: Sequence[ShownColumn], table: Table, options: Mapping[str, Any]
) -> int:
    """Return which shown column names its row; the first when it is not shown."""
    name = options.get("row_header")
    if name is not None:
        positions(table, [name])
    names = [column.name for column in columns]
    return names.index(name) if name in names else 0


def sorted_rows(table: Table, options: Mapping[str, Any]) -> Sequence[Row]:
    """Return the rows in the order that the options ask for; None comes last."""
    keys = options.get("sort", [])
    places = positions(table, [key["column"] for key in keys])
    rows: Sequence[Row] = table.rows
    # Sorting is stable: the last key first.
    for place, key in reversed(list(zip(places, keys, strict=True))):
        rows = _sorted_by(rows, place, descending=key.get("descending", False))
    return rows


def _sorted_by(rows: Sequence[Row], place: int, *, descending: bool) -> list[Row]:
    there = [row for row in rows if row[place] is not None]
    missing = [row for row in rows if row[place] is None]

    def by_value(row: Row) -> Any:
        return row[place]

    def by_text(row: Row) -> str:
        return str(row[place])

    try:
        there.sort(key=by_value, reverse=descending)
    except TypeError:  # values of several types, which have no order of their own
        there.sort(key=by_text, reverse=descending)
    return [*there, *missing]


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def emphasised(column: ShownColumn, value: Value) -> Emphasis | None:
    """Return the first rule that the value satisfies."""
    return next((rule for rule in column.emphasis if _satisfies(rule, value)), None)


def _satisfies(rule: Emphasis, value: Value) -> bool:
    if rule.operator == "missing":
        return value is None
    if value is None or rule.value is None:
        return False
    if rule.operator == "contains":
        return str(rule.value) in str(value)
    bound = rule.value
    if isinstance(value, date) and isinstance(bound, str):
        value = value.isoformat()
    if not _comparable(value, bound):
        return False
    return _COMPARE[rule.operator](value, bound)


def _comparable(value: Value, bound: Value) -> bool:
    numbers = (int, float, Decimal)
    if isinstance(value, bool) or isinstance(bound, bool):
        return isinstance(value, bool) and isinstance(bound, bool)
    if isinstance(value, numbers):
        return isinstance(bound, numbers)
    return isinstance(value, str) and isinstance(bound, str)

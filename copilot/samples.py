"""Rows made from the types of columns, so that nothing is called to draw a preview."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.outcomes import Column, ColumnType, Success, Table, Value
from copilot.subject import Subject

_START: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
_WORDS: Final = ("Alpha", "Beta", "Gamma", "Delta")
_GENERIC: Final = (
    Column("name", ColumnType.TEXT),
    Column("value", ColumnType.DECIMAL),
)
SIZES: Final = (0, 1, 4)
"""Rows of the samples that the gate draws: none, one, several."""


def sample(
    subject: Subject, block: Mapping[str, Any], response: str, rows: int
) -> Success:
    """Return what the block's source could answer, as far as its types are known."""
    columns = sample_columns(subject, block, response)
    if not columns:
        look = block["responses"][response]
        text = look["format"] == "text" and look.get("options", {}).get("mode") in {
            "markdown", "plain", "log", "json",
        }  # fmt: skip
        if text:
            return Success('{"sample": true}' if rows else "", None, _START, 0.0)
        columns = _GENERIC
    made = tuple(
        tuple(_value(each.type, row) for each in columns) for row in range(rows)
    )
    return Success(Table(columns, made), None, _START, 0.0)


def sample_columns(
    subject: Subject, block: Mapping[str, Any], response: str
) -> tuple[Column, ...]:
    """Return the columns of a sample: declared ones, and those the options name.

    A column that only the options name is a number where they count with it.
    """
    operation = subject.operation_of(block)
    declared = {each.name for each in operation.columns} if operation else set()
    options = block["responses"].get(response, {}).get("options", {})
    counted = set(_counted(options))
    known = subject.columns_of(block, response)
    return tuple(
        each
        if each.name in declared or each.name not in counted
        else replace(each, type=ColumnType.DECIMAL)
        for each in known
    )


def _counted(options: Mapping[str, Any]) -> Iterable[str]:
    y = options.get("y", [])
    yield from [y] if isinstance(y, str) else y
    if options.get("type") in {"histogram", "scatter"}:
        yield options.get("x", "")
    if options.get("mode") == "number":
        yield options.get("value", "")
    yield from (each["column"] for each in options.get("totals", []))
    for each in options.get("emphasis", []):
        if isinstance(each.get("value"), int | float):
            yield each["column"]


def _value(kind: ColumnType, row: int) -> Value:
    match kind:
        case ColumnType.INTEGER:
            return 10 * (row + 1)
        case ColumnType.DECIMAL:
            return Decimal(row + 1) * Decimal("12.5")
        case ColumnType.BOOLEAN:
            return row % 2 == 0
        case ColumnType.DATE:
            return date(2026, 1, 5) + timedelta(days=row)
        case ColumnType.DATETIME:
            return _START + timedelta(hours=row)
        case _:
            return _WORDS[row % len(_WORDS)]

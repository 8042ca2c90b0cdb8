"""One cell: its type inferred from values, and its conversion to a declared type.

Pure. Texts that look like numbers stay text unless a column says otherwise (or every
cell is text, as in CSV): an article number ``00123`` is not 123.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.outcomes import Column, ColumnType, Value

EPOCH_SECONDS = "epoch_s"
EPOCH_MILLISECONDS = "epoch_ms"

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"
    r"(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_TRUE = frozenset({"true", "t", "yes", "y", "1", "on"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "off"})


class NotConverted(ValueError):
    """A value is not of the declared type."""


def as_text(value: object) -> str:
    """Write any value as text that can be encoded as UTF-8."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, Decimal):
        text = format(value, "f")
    elif isinstance(value, (date, time)):  # a datetime is a date
        text = value.isoformat()
    elif isinstance(value, (bytes, bytearray, memoryview)):
        text = bytes(value).decode("utf-8", "backslashreplace")
    elif isinstance(value, (list, tuple, dict)):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    if text.isascii():
        return text
    # JSON may spell half a surrogate pair, which no page could be encoded with.
    return text.encode("utf-8", "replace").decode("utf-8")


def inferred_type(values: Sequence[Any], *, texts: bool = False) -> ColumnType:
    """Say which type all `values` share; None and NaN say nothing, TEXT fits all.

    Args:
        values: Cells of one column.
        texts: Also read numbers and booleans out of text, as for CSV.
    """
    known = [
        value for value in values if value is not None and not _not_a_number(value)
    ]
    kinds = {type(value) for value in known}
    if not kinds:
        return ColumnType.TEXT
    if kinds == {str}:
        return _type_of_texts(known, texts=texts)
    if kinds == {bool}:
        return ColumnType.BOOLEAN
    if kinds == {int}:
        return ColumnType.INTEGER
    if kinds <= {int, float, Decimal}:
        return ColumnType.DECIMAL
    if kinds == {date}:
        return ColumnType.DATE
    if kinds <= {datetime, date}:
        return ColumnType.DATETIME
    return ColumnType.TEXT


def _type_of_texts(values: Sequence[str], *, texts: bool) -> ColumnType:
    filled = [value for value in values if value != ""]
    if not filled:
        return ColumnType.TEXT
    tests = [
        (ColumnType.DATE, _ISO_DATE),
        (ColumnType.DATETIME, _ISO_DATETIME),
    ]
    if texts:
        tests += [(ColumnType.INTEGER, _INTEGER), (ColumnType.DECIMAL, _DECIMAL)]
        if all(value.lower() in {"true", "false"} for value in filled):
            return ColumnType.BOOLEAN
    for kind, pattern in tests:
        if all(pattern.fullmatch(value) for value in filled):
            return kind
    return ColumnType.TEXT


def converter(column: Column) -> Callable[[Any], Value]:
    """Return the function that makes a value of the column's type.

    The function takes a value that is neither None nor NaN, returns a `Value`, and
    raises `NotConverted`. Formats that read: strptime's for dates and datetimes, and
    ``epoch_s`` or ``epoch_ms`` for datetimes given as numbers. A datetime without a
    zone is taken as UTC.
    """
    return {
        ColumnType.TEXT: as_text,
        ColumnType.INTEGER: _to_integer,
        ColumnType.DECIMAL: _to_decimal,
        ColumnType.BOOLEAN: _to_boolean,
        ColumnType.DATE: lambda value: _to_date(value, column.format),
        ColumnType.DATETIME: lambda value: _to_datetime(value, column.format),
    }[column.type]


def plain(values: Sequence[Value]) -> list[Value]:
    """Make the numbers of one DECIMAL column one kind, float or Decimal.

    Python refuses to add a float to a Decimal, so a column never mixes them.
    """
    kinds = {type(value) for value in values}
    large = any(type(value) is int and abs(value) > 2**53 for value in values)
    if float in kinds and Decimal not in kinds and not large:
        return [float(value) if type(value) is int else value for value in values]
    return [
        Decimal(repr(value)) if isinstance(value, (int, float)) else value
        for value in values
    ]


def _not_a_number(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _to_integer(value: Any) -> Value:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (float, Decimal)):
        if _finite(value) and value == int(value):
            return int(value)
    elif isinstance(value, str):
        return _to_integer(_number(value)) if value.strip() else None
    raise NotConverted


def _to_decimal(value: Any) -> Value:
    if isinstance(value, bool):
        raise NotConverted
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, str):
        return _number(value) if value.strip() else None
    raise NotConverted


def _number(text: str) -> Decimal:
    text = text.strip()
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise NotConverted from error
    # Decimal also reads "Infinity", digits of other scripts, and 1E+999999, whose
    # integer would fill the memory.
    if not number.is_finite() or not text.isascii() or abs(number.adjusted()) > 400:
        raise NotConverted
    return number


def _to_boolean(value: Any) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in {0, 1}:
        return value == 1
    if isinstance(value, str):
        word = value.strip().lower()
        if not word:
            return None
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
    raise NotConverted


def _to_date(value: Any, pattern: str) -> Value:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if "%" in pattern:
            return _read(text, pattern).date()
        if _ISO_DATE.fullmatch(text) or _ISO_DATETIME.fullmatch(text):
            return _from_iso(text).date()
    raise NotConverted


def _to_datetime(value: Any, pattern: str) -> Value:
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if pattern in {EPOCH_SECONDS, EPOCH_MILLISECONDS}:
        return _from_epoch(value, pattern)
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if "%" in pattern:
            return _aware(_read(text, pattern))
        if _ISO_DATE.fullmatch(text) or _ISO_DATETIME.fullmatch(text):
            return _aware(_from_iso(text))
    raise NotConverted


def _from_epoch(value: Any, unit: str) -> Value:
    number = _number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, (int, float, Decimal)):
        raise NotConverted
    seconds = float(number) / (1000 if unit == EPOCH_MILLISECONDS else 1)
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise NotConverted from error


def _read(text: str, pattern: str) -> datetime:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - made aware by callers
    except ValueError as error:
        raise NotConverted from error


def _from_iso(text: str) -> datetime:
    # fromisoformat takes at most six digits of a second.
    text = re.sub(r"([.,][0-9]{6})[0-9]+", r"\1", text)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise NotConverted from error


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _finite(value: float | Decimal) -> bool:
    return math.isfinite(value)

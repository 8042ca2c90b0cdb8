"""Write one value as text: grouped numbers, zoned times, words. Pure but for words."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

from connectors.outcomes import ColumnType, Value
from renderers import messages

Write: TypeAlias = Callable[[Value], str]

NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.DECIMAL})
# Decimals and sign of the currencies people here use; others are a unit.
CURRENCIES = {"KRW": (0, "₩"), "JPY": (0, "¥"), "USD": (2, "$"), "EUR": (2, "€")}


def writer(*, type: ColumnType, format: str, zone: ZoneInfo) -> Write:  # noqa: A002
    """Return the function that writes values of one column; never given None."""
    if type in NUMBERS:
        return _number_writer(format)
    if type is ColumnType.BOOLEAN:
        return _boolean
    if type is ColumnType.DATETIME:
        pattern = format if "%" in format else "%Y-%m-%d %H:%M:%S"
        return lambda value: _moment(value, zone=zone, pattern=pattern)
    if type is ColumnType.DATE and "%" in format:
        return lambda value: _day(value, pattern=format)
    return str


def _number_writer(format: str) -> Write:  # noqa: A002
    if format in CURRENCIES:
        decimals, sign = CURRENCIES[format]
        return lambda value: _money(value, decimals=decimals, sign=sign)
    if format == "raw":
        return str
    if format.startswith("0"):
        decimals = format.rstrip("%").count("0") - 1
        if format.endswith("%"):
            return lambda value: _fixed(value, decimals=decimals, share=True)
        return lambda value: _fixed(value, decimals=decimals)
    return number


def number(value: Value) -> str:
    """Group thousands; keep what a decimal says, and four decimals of a float."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,f}" if -30 < value.adjusted() < 30 else str(value)
    size = abs(value)
    if (size and (size < 1e-4 or size >= 1e15)) or not math.isfinite(value):
        return f"{value:.4g}"
    text = f"{value:,.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _fixed(value: Value, *, decimals: int, share: bool = False) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return str(value)
    scaled = value * 100 if share else value
    return f"{scaled:,.{decimals}f}" + ("%" if share else "")


def _money(value: Value, *, decimals: int, sign: str) -> str:
    text = _fixed(value, decimals=decimals)
    return f"-{sign}{text[1:]}" if text.startswith("-") else f"{sign}{text}"


def _boolean(value: Value) -> str:
    return messages.yes_no(value) if isinstance(value, bool) else str(value)


def _moment(value: Value, *, zone: ZoneInfo, pattern: str) -> str:
    return (
        in_zone(value, zone).strftime(pattern)
        if isinstance(value, datetime)
        else (str(value))
    )


def _day(value: Value, *, pattern: str) -> str:
    return value.strftime(pattern) if isinstance(value, date) else str(value)


def in_zone(value: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment on the clocks of `zone`; the ends of time stay as they are."""
    try:
        return value.astimezone(zone)
    except (OverflowError, ValueError):
        return value

"""What came back from a data source, as values. Pure: no Django, no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = bool | int | float | Decimal | str | date | datetime | None
"""One cell. ``float`` and ``Decimal`` are finite; ``datetime`` is aware."""

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


class ColumnType(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


class Personal(StrEnum):
    """What personal data a column holds; it decides how its mask looks."""

    NONE = ""
    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    ID = "id"
    ADDRESS = "address"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: Key of the column, unique in its table.
        type: What its values are; every value is of this type or None.
        label: Heading by language (``{"ko": …, "en": …}``); the name when missing.
        unit: Such as ``°C`` or ``ms``; shown in the heading.
        format: How a value is read and shown, such as ``%Y/%m/%d``, ``0.0``, ``KRW``.
        personal: Which personal data it holds; NONE for a column without any.
        masked: Its values are masks, and no value of the data source is among them.
    """

    name: str
    type: ColumnType = ColumnType.TEXT
    label: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    format: str = ""
    personal: Personal = Personal.NONE
    masked: bool = False


class Limit(StrEnum):
    """Which limit cut a table."""

    ROWS = "rows"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Cut:
    """A table was cut: by which limit, at how much, and out of how much if known.

    Attributes:
        limit: The kind of limit.
        at: Rows or bytes that were kept.
        total: Rows or bytes there were, or None when nobody counted.
    """

    limit: Limit
    at: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; ``len(row) == len(columns)`` for every row."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    cuts: tuple[Cut, ...] = ()


class Origin(StrEnum):
    """Where a success comes from."""

    LIVE = "live"
    CACHE = "cache"
    LAST_GOOD = "last_good"
    STATIC = "static"


@dataclass(frozen=True, slots=True)
class Success:
    """The data source answered.

    Attributes:
        data: Rows, or text when the body has no rows.
        status: Status of HTTP; None for SQL and static answers.
        as_of: When the data was true; older than now when it was kept.
        elapsed_ms: Milliseconds the call took.
        origin: Where it comes from.
        notes: What the reader should know about the data, as rule ids of
            ``connectors.messages`` with their values.
    """

    data: Table | str
    status: int | None
    as_of: datetime
    elapsed_ms: float
    origin: Origin = Origin.LIVE
    notes: tuple[str, ...] = ()


class Reason(StrEnum):
    """Why a call failed."""

    REFUSED = "refused"  # our own rules: unsafe SQL, address, too many calls
    DENIED = "denied"  # the actor may not, or upstream answered 401 or 403
    INVALID = "invalid"  # an argument is missing or of the wrong type
    MISSING = "missing"  # no such operation, or it is switched off
    TIMEOUT = "timeout"
    CIRCUIT_OPEN = "circuit_open"
    UPSTREAM = "upstream"  # no connection, or status >= 400
    UNREADABLE = "unreadable"  # a body that cannot be read or mapped
    CANCELLED = "cancelled"  # the reader left
    INTERNAL = "internal"  # a bug of ours; the log has it


@dataclass(frozen=True, slots=True)
class Failure:
    """An expected failure.

    Attributes:
        reason: The kind of failure; decision tables branch on it.
        message: What happened, what was found and the way out; safe to show.
        elapsed_ms: Milliseconds until it failed.
        status: Status of HTTP, when upstream answered.
    """

    reason: Reason
    message: str
    elapsed_ms: float
    status: int | None = None


Outcome: TypeAlias = Success | Failure

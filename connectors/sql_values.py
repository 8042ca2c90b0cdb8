"""Values on their way into a statement, and rows on their way out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy
from pymysql.constants import FIELD_TYPE
from sqlalchemy import BindParameter, TextClause, bindparam
from sqlalchemy.types import TypeEngine, UserDefinedType

from connectors.mapping import MAX_COLUMNS, Mapped, table_from_rows
from connectors.outcomes import Column, ColumnType, Cut, Limit
from connectors.parameters import Argument, ParameterSpec, ParameterType
from connectors.query_safety import Allowed

_SMALL = 2**31


class _Cast(UserDefinedType[Any]):
    """A type whose parameters PostgreSQL is told, so that ``:price IS NULL`` works.

    SQLAlchemy writes such a cast for texts, whole numbers and dates only.
    """

    cache_ok = True
    render_bind_cast = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """Return the name of the type in SQL."""
        return self.name


_TYPES: dict[ParameterType, TypeEngine[Any]] = {
    ParameterType.TEXT: sqlalchemy.String(),
    ParameterType.CHOICE: sqlalchemy.String(),
    ParameterType.LIST: sqlalchemy.String(),
    ParameterType.INTEGER: sqlalchemy.Integer(),
    ParameterType.DECIMAL: _Cast("NUMERIC"),
    ParameterType.BOOLEAN: _Cast("BOOLEAN"),
    ParameterType.DATE: sqlalchemy.Date(),
    ParameterType.DATETIME: sqlalchemy.DateTime(timezone=True),
}
# Numbers of types, which the drivers name for each column.
_POSTGRESQL = {
    16: ColumnType.BOOLEAN,
    20: ColumnType.INTEGER,
    21: ColumnType.INTEGER,
    23: ColumnType.INTEGER,
    700: ColumnType.DECIMAL,
    701: ColumnType.DECIMAL,
    1700: ColumnType.DECIMAL,
    1082: ColumnType.DATE,
    1114: ColumnType.DATETIME,
    1184: ColumnType.DATETIME,
}
_MYSQL = {
    FIELD_TYPE.BIT: ColumnType.INTEGER,
    FIELD_TYPE.TINY: ColumnType.INTEGER,
    FIELD_TYPE.SHORT: ColumnType.INTEGER,
    FIELD_TYPE.INT24: ColumnType.INTEGER,
    FIELD_TYPE.LONG: ColumnType.INTEGER,
    FIELD_TYPE.LONGLONG: ColumnType.INTEGER,
    FIELD_TYPE.YEAR: ColumnType.INTEGER,
    FIELD_TYPE.FLOAT: ColumnType.DECIMAL,
    FIELD_TYPE.DOUBLE: ColumnType.DECIMAL,
    FIELD_TYPE.DECIMAL: ColumnType.DECIMAL,
    FIELD_TYPE.NEWDECIMAL: ColumnType.DECIMAL,
    FIELD_TYPE.DATE: ColumnType.DATE,
    FIELD_TYPE.DATETIME: ColumnType.DATETIME,
    FIELD_TYPE.TIMESTAMP: ColumnType.DATETIME,
}
_ONE_BIT = frozenset({FIELD_TYPE.TINY, FIELD_TYPE.BIT})
_MYSQLS = frozenset({"mysql", "mariadb"})


def misplaced_list(allowed: Allowed, lists: Iterable[str]) -> str | None:
    """Return the first list parameter that stands anywhere but in ``IN (:name)``."""
    text = _lists_opened(allowed, lists)
    for name in lists:
        uses = len(re.findall(rf"(?<![:\w\\]):{name}\b", text))
        if uses != len(re.findall(rf"\bIN :{name}\b", text)):
            return name
    return None


def statement(
    allowed: Allowed,
    values: Mapping[str, tuple[ParameterType, Argument]],
    *,
    dialect: str,
) -> TextClause:
    """Return the judged statement with every value bound, never written into it."""
    lists = [name for name, (kind, _) in values.items() if kind is ParameterType.LIST]
    parameters = [
        _bound(name, kind, value, dialect=dialect)
        for name, (kind, value) in values.items()
    ]
    return sqlalchemy.text(_lists_opened(allowed, lists)).bindparams(*parameters)


def kinds(specs: Sequence[ParameterSpec]) -> dict[str, ParameterType]:
    """Return the type of each parameter by name, the reserved ones included."""
    declared = {spec.name: spec.type for spec in specs}
    return declared | {
        "tenant": ParameterType.TEXT,
        "tenant_id": ParameterType.INTEGER,
        "user": ParameterType.INTEGER,
    }


def mapped_rows(
    names: Sequence[str],
    types: Sequence[ColumnType | None],
    rows: Sequence[Sequence[object]],
    columns: Sequence[Column],
    *,
    row_limit: int,
    bytes_kept: int | None,
) -> Mapped:
    """Make a table of fetched rows.

    Args:
        types: What the driver says of each column; None where it says nothing.
        columns: Declared columns, which win.
        bytes_kept: Bytes of the rows when they were cut by size; None when not.
    """
    told = len(set(names)) == len(names) <= MAX_COLUMNS and None not in types
    if not columns and told and all(name.strip() == name != "" for name in names):
        columns = [
            Column(name, kind or ColumnType.TEXT)
            for name, kind in zip(names, types, strict=True)
        ]
    mapped = table_from_rows(names, rows, columns, row_limit=row_limit)
    if bytes_kept is None:
        return mapped
    cuts = (*mapped.table.cuts, Cut(Limit.BYTES, at=bytes_kept))
    return replace(mapped, table=replace(mapped.table, cuts=cuts))


def column_types(
    description: Sequence[Sequence[Any]] | None, dialect: str
) -> list[ColumnType | None]:
    """Return the type of each column as a cursor describes it; None when it does not.

    MySQL and MariaDB keep a BOOLEAN as TINYINT(1): a column of that type, or of
    BIT(1), is one of true and false.
    """
    columns = description or ()
    if dialect in _MYSQLS:
        return [_mysql_type(code, length) for _, code, _, length, *_ in columns]
    return [
        _POSTGRESQL.get(column[1], ColumnType.TEXT)
        if isinstance(column[1], int)
        else None
        for column in columns
    ]


def _mysql_type(code: int, length: int) -> ColumnType:
    if code in _ONE_BIT and length == 1:
        return ColumnType.BOOLEAN
    return _MYSQL.get(code, ColumnType.TEXT)


def bytes_of(row: Sequence[object]) -> int:
    """Return roughly how many bytes a row takes."""
    return sum(
        len(cell) if isinstance(cell, str | bytes | list | dict) else 8 for cell in row
    )


def _lists_opened(allowed: Allowed, lists: Iterable[str]) -> str:
    # A list brings its own parentheses.
    text = allowed.bindable
    for name in lists:
        text = text.replace(f"IN (:{name})", f"IN :{name}")
    return text


def _bound(
    name: str, kind: ParameterType, value: Argument, *, dialect: str
) -> BindParameter[Any]:
    if kind is ParameterType.LIST:
        items = list(value) if isinstance(value, tuple) else []
        return bindparam(name, items, expanding=True, type_=_TYPES[kind])
    if dialect == "sqlite":
        plain = _for_sqlite(value)
        return bindparam(name, plain, type_=_sqlite_type(plain))
    if dialect in _MYSQLS:
        # The driver writes the value by its own type, and zones away without a word.
        if isinstance(value, datetime):
            value = value.astimezone(UTC).replace(tzinfo=None)
        return bindparam(name, value, type_=sqlalchemy.types.NullType())
    if isinstance(value, int) and abs(value) >= _SMALL:
        return bindparam(name, value, type_=sqlalchemy.BigInteger())
    return bindparam(name, value, type_=_TYPES[kind])


def _for_sqlite(value: Argument) -> object:
    """Write a value the way SQLite's own functions do: UTC texts, plain numbers."""
    match value:
        case bool():
            return int(value)
        case Decimal():
            whole = abs(value) < 2**63 and value == int(value)
            return int(value) if whole else float(value)
        case datetime():
            moment = value.astimezone(UTC).replace(tzinfo=None)
            return moment.isoformat(sep=" ")
        case date():
            return value.isoformat()
        case _:
            return value


def _sqlite_type(value: object) -> TypeEngine[Any]:
    match value:
        case int():
            return sqlalchemy.Integer()
        case float():
            return sqlalchemy.Float()
        case _:
            return sqlalchemy.String()

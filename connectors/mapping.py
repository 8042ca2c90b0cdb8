"""Records and rows of any source become typed tables. Pure.

Declared columns decide names, order and types; without them both are inferred.
A value that does not convert becomes None and is counted in a note: one odd cell
never costs the reader the table.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from connectors.cells import NotConverted, as_text, converter, inferred_type, plain
from connectors.notes import note
from connectors.outcomes import Column, ColumnType, Cut, Limit, Table, Value

MAX_COLUMNS = 200
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Mapped:
    """A table, and what its reader should know about how it was made."""

    table: Table
    notes: tuple[str, ...] = ()


def table_from_records(
    records: Sequence[object], columns: Sequence[Column] = (), *, row_limit: int
) -> Mapped:
    """Turn objects (as of JSON) into a table.

    Nested objects become columns with dotted names (``site.name``), lists become
    JSON text, and a record that is no object becomes the column ``value``.

    Args:
        records: All records; those above `row_limit` are counted and cut.
        columns: Declared columns; names are inferred by first appearance otherwise.
        row_limit: Most rows kept.
    """
    kept = [_flat(record) for record in islice(records, row_limit)]
    if columns:
        names = [column.name for column in columns]
        nested = {name for name in names if not any(name in row for row in kept)}
        for row, record in zip(kept, records, strict=False):
            for name in nested:
                if isinstance(record, Mapping) and isinstance(record.get(name), dict):
                    row[name] = _json_text(record[name])
    else:
        names = list(dict.fromkeys(chain.from_iterable(kept)))
    rows = [[row.get(name) for name in names] for row in kept]
    found = {name for row in kept for name in row}
    cuts = _cuts(len(records), row_limit, total=len(records))
    return _mapped(names, rows, columns, found=found, cuts=cuts)


def table_from_rows(
    names: Sequence[str],
    rows: Sequence[Sequence[object]],
    columns: Sequence[Column] = (),
    *,
    row_limit: int,
    total: int | None = None,
    texts: bool = False,
) -> Mapped:
    """Turn rows under a heading (as of SQL or CSV) into a table.

    Args:
        names: Heading; a repeated name gets ``_2``, ``_3``, …
        rows: One row more than `row_limit` is enough to know that the table is cut.
            A short row is filled with None, a long one loses its end.
        columns: Declared columns, found by name; the heading decides otherwise.
        row_limit: Most rows kept.
        total: Rows there were, or None when nobody counted.
        texts: Every cell is text, so numbers and booleans are inferred from text.
    """
    heading = unique_names(names)
    kept = [list(row) for row in islice(rows, row_limit)]
    width = len(heading)
    ragged = sum(len(row) != width for row in kept)
    for row in kept:
        row[width:] = [None] * (width - len(row))
    cuts = _cuts(len(rows), row_limit, total=total)
    found = set(heading)
    if columns:
        place = {name: index for index, name in enumerate(heading)}
        places = [place.get(column.name) for column in columns]
        heading = [column.name for column in columns]
        kept = [[None if at is None else row[at] for at in places] for row in kept]
    mapped = _mapped(heading, kept, columns, found=found, cuts=cuts, texts=texts)
    if ragged:
        extra = note("ragged-rows", count=ragged)
        return Mapped(mapped.table, (*mapped.notes, extra))
    return mapped


def _mapped(
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    columns: Sequence[Column],
    *,
    found: set[str],
    cuts: tuple[Cut, ...],
    texts: bool = False,
) -> Mapped:
    notes: list[str] = []
    if not columns and len(names) > MAX_COLUMNS:
        notes.append(note("columns-cut", kept=MAX_COLUMNS, found=len(names)))
        names = names[:MAX_COLUMNS]
    made: list[Column] = []
    cells: list[list[Value]] = []
    for index, name in enumerate(names):
        given = [row[index] for row in rows]
        if columns:
            column = columns[index]
            if rows and name not in found:
                notes.append(note("column-missing", column=name))
        else:
            column = Column(name=name, type=inferred_type(given, texts=texts))
        values, odd = _column_values(given, column)
        if odd:
            notes.append(note("unconverted", column=name, count=odd))
        made.append(column)
        cells.append(values)
    table_rows = tuple(zip(*cells, strict=True)) if cells else ()
    return Mapped(Table(tuple(made), table_rows, cuts), tuple(notes))


def _column_values(given: Sequence[Any], column: Column) -> tuple[list[Value], int]:
    convert = converter(column)
    values: list[Value] = []
    odd = 0
    for cell in given:
        if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
            values.append(None)
            continue
        try:
            values.append(convert(cell))
        except NotConverted:
            values.append(None)
            odd += 1
    if column.type is ColumnType.DECIMAL:
        values = plain(values)
    return values, odd


def _flat(record: object) -> dict[str, Any]:
    if not isinstance(record, Mapping):
        return {"value": _json_text(record) if isinstance(record, list) else record}
    flat: dict[str, Any] = {}
    for path, value in _leaves(record, (), 1):
        name = as_text(".".join(path))
        while name in flat:  # {"a.b": 1, "a": {"b": 2}} keeps both
            name += "_2"
        flat[name] = value
    return flat


def _leaves(
    record: Mapping[Any, Any], path: tuple[str, ...], depth: int
) -> Iterable[tuple[tuple[str, ...], Any]]:
    for key, value in record.items():
        here = (*path, str(key))
        if isinstance(value, Mapping) and value and depth < _MAX_DEPTH:
            yield from _leaves(value, here, depth + 1)
        elif isinstance(value, (list, tuple, Mapping)):
            yield here, _json_text(value) if value else None
        else:
            yield here, value


def _json_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def unique_names(names: Sequence[str]) -> list[str]:
    """Return the heading as columns are called: trimmed, filled, repeats numbered."""
    seen: set[str] = set()
    unique = []
    for index, raw in enumerate(names, start=1):
        base = as_text(raw).strip() or f"column_{index}"
        name, number = base, 1
        while name in seen:
            number += 1
            name = f"{base}_{number}"
        seen.add(name)
        unique.append(name)
    return unique


def _cuts(count: int, row_limit: int, *, total: int | None) -> tuple[Cut, ...]:
    if count <= row_limit:
        return ()
    return (Cut(Limit.ROWS, at=row_limit, total=total),)

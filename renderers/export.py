"""A table as CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from io import StringIO

from connectors.outcomes import Table, Value
from renderers import messages

# Spreadsheets read a cell that starts so as a formula, or skip the blank and then do;
# full-width signs are turned into plain ones by some.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
PIECE = 500


def csv_lines(table: Table) -> Iterator[str]:
    """Write a table as CSV (RFC 4180): the header, pieces of rows, a note when cut.

    Numbers are plain, times ISO 8601 in their own offset, None is an empty cell. Text
    that a spreadsheet would run as a formula gets an apostrophe in front, unless it
    is a real number.
    """
    yield _written([tuple(_safe(column.name) for column in table.columns)])
    for start in range(0, len(table.rows), PIECE):
        yield _written(
            [
                tuple(_cell(value) for value in row)
                for row in table.rows[start : start + PIECE]
            ]
        )
    for cut in table.cuts:
        yield _written([(messages.cut(cut),)])


def _written(rows: list[tuple[object, ...]]) -> str:
    file = StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


def _cell(value: Value) -> object:
    if isinstance(value, str):
        return _safe(value)
    return value.isoformat() if isinstance(value, date) else value


def _safe(text: str) -> str:
    # Halves of surrogate pairs cannot be written as UTF-8; NUL ends a cell in places.
    if not text.isprintable():
        text = text.encode("utf-8", "replace").decode().replace("\x00", "␀")
    if text.lstrip(" ").startswith(_STARTS) and not _is_number(text):
        return "'" + text
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text and text == text.strip()

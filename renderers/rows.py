"""Draw the rows of a table as HTML, column by column; far cheaper than a template."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import TypeAlias
from zoneinfo import ZoneInfo

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from connectors.outcomes import ColumnType, Value
from renderers import messages
from renderers.columns import Row, ShownColumn, emphasised
from renderers.formatting import Write, in_zone, writer
from renderers.icons import icon
from renderers.safety import escaped, escaped_all

DrawColumn: TypeAlias = Callable[[Sequence[Value]], list[str]]
DrawRows: TypeAlias = Callable[[Sequence[Row]], SafeString]

# Rows drawn at once: enough to amortise the passes, few enough to stay in cache.
PIECE = 500
_SHORT_CHARS = 24


def row_function(
    columns: Sequence[ShownColumn],
    *,
    header: int,
    zone: ZoneInfo,
    first_row: int | None = None,
) -> DrawRows:
    """Compile the function that draws rows under `columns`.

    Args:
        header: Which shown column is the row's header.
        first_row: Number of the first row for ``aria-rowindex``; None for none.

    Returns:
        A function from rows to ``<tr>`` elements. The words in it are those of the
        language that is active now.
    """
    draws = [(column.index, column_function(column, zone=zone)) for column in columns]
    numbered = first_row is not None

    def draw(rows: Sequence[Row]) -> SafeString:
        short = _short(rows, columns[header].index)
        pattern = _row_pattern(columns, header=header, numbered=numbered, short=short)
        html: list[str] = []
        for start in range(0, len(rows), PIECE):
            piece = rows[start : start + PIECE]
            by_column = list(zip(*piece, strict=True))
            cells = [draw_column(by_column[place]) for place, draw_column in draws]
            if first_row is not None:
                place = first_row + start
                cells.insert(0, list(map(str, range(place, place + len(piece)))))
            html.extend([pattern % row for row in zip(*cells, strict=True)])
        return mark_safe("".join(html))

    return draw


def _short(rows: Sequence[Row], place: int) -> bool:
    """Whether names of rows such as 2015-01 may stand on one line each."""
    return all(len(str(row[place])) <= _SHORT_CHARS for row in rows)


def _row_pattern(
    columns: Sequence[ShownColumn], *, header: int, numbered: bool, short: bool
) -> str:
    line = " rb-short" if short else ""
    cells = [
        f'<th scope="row" class="rb-{column.align}{line}">%s</th>'
        if place == header
        else f'<td class="rb-{column.align}">%s</td>'
        for place, column in enumerate(columns)
    ]
    start = '<tr aria-rowindex="%s">' if numbered else "<tr>"
    return "".join([start, *cells, "</tr>\n"])


def column_function(column: ShownColumn, *, zone: ZoneInfo) -> DrawColumn:
    """Compile the function from the values of a column to the insides of its cells."""
    write = writer(type=column.type, format=column.format, zone=zone)
    absent, empty = no_value_html(), empty_text_html()
    if column.type is ColumnType.TEXT:
        draw = partial(_texts, absent=absent, empty=empty)
    elif column.type in (ColumnType.DATE, ColumnType.DATETIME):
        draw = partial(_times, write=write, zone=zone, absent=absent)
    else:
        draw = partial(_written, write=write, absent=absent)
    return partial(_marked, draw=draw, column=column) if column.emphasis else draw


def no_value_html() -> SafeString:
    return format_html(
        '<span class="rb-null"><span aria-hidden="true">—</span>'
        '<span class="rb-hidden">{}</span></span>',
        messages.no_value(),
    )


def empty_text_html() -> SafeString:
    return format_html('<span class="rb-hidden">{}</span>', messages.empty_text())


def _texts(values: Sequence[Value], *, absent: str, empty: str) -> list[str]:
    try:
        cells = escaped_all(values)  # type: ignore[arg-type]
    except TypeError:  # a None, or a value that is no text
        texts = ["" if value is None else str(value) for value in values]
        cells = escaped_all(texts)
    if None in values or "" in values:
        return [
            absent if value is None else empty if value == "" else cell
            for value, cell in zip(values, cells, strict=True)
        ]
    return cells


def _written(values: Sequence[Value], *, write: Write, absent: str) -> list[str]:
    cells = escaped_all(["" if value is None else write(value) for value in values])
    if None in values:
        return [
            absent if value is None else cell
            for value, cell in zip(values, cells, strict=True)
        ]
    return cells


def _times(
    values: Sequence[Value], *, write: Write, zone: ZoneInfo, absent: str
) -> list[str]:
    return [
        absent
        if value is None
        else f'<time datetime="{machine_time(value, zone)}">{escaped(write(value))}'
        "</time>"
        for value in values
    ]


def machine_time(value: Value, zone: ZoneInfo) -> str:
    """Return ISO 8601 for ``<time datetime>``; moments carry their offset."""
    if isinstance(value, datetime):
        return in_zone(value, zone).isoformat()
    return value.isoformat() if isinstance(value, date) else escaped(str(value))


def _marked(
    values: Sequence[Value], *, draw: DrawColumn, column: ShownColumn
) -> list[str]:
    cells = draw(values)
    for place, value in enumerate(values):
        rule = emphasised(column, value)
        if rule is not None:
            cells[place] = format_html(
                '<span class="rb-mark rb-{}">{}{} <span class="rb-word">{}</span>'
                "</span>",
                rule.tone,
                icon(rule.tone),
                mark_safe(cells[place]),  # escaped by the column's own function
                rule.label or messages.tone_word(rule.tone),
            )
    return cells

"""A grid: one page drawn here with links to the others; scripts make it interactive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from connectors.outcomes import ColumnType, Success, Table, Value
from renderers import messages
from renderers.columns import (
    Row,
    ShownColumn,
    emphasised,
    header_place,
    shown_columns,
    sorted_rows,
)
from renderers.formatting import NUMBERS, writer
from renderers.frame import Body, empty_body, framed, with_query, zone_of
from renderers.icons import icon
from renderers.island import island
from renderers.presentation import Format, Presentation, RenderContext, RenderedBlock
from renderers.rows import row_function
from renderers.safety import neutralised
from renderers.schemas import PAGE_SIZE
from renderers.table import headings, totals_rows
from renderers.text import text_body

# Rows given to the browser for sorting and filtering; more stay on the server.
HELD_ROWS = 5_000
_LARGEST_EXACT = 2**53


def render(
    success: Success, presentation: Presentation, context: RenderContext
) -> RenderedBlock:
    """Draw page ``context.page`` of a grid; text without rows is drawn as text."""
    if isinstance(success.data, str):
        body = text_body(success, {}, context)
    else:
        body = _body(success, success.data, presentation.options, context)
    return framed(body, format=Format.GRID, success=success, context=context)


def _body(
    success: Success,
    table: Table,
    options: Mapping[str, Any],
    context: RenderContext,
) -> Body:
    columns = shown_columns(table, options, language=context.language)
    rows = sorted_rows(table, options)
    header = header_place(columns, table, options)
    feet = totals_rows(table, columns, rows, options, context=context)
    if not rows or not columns:
        return empty_body(table)
    size = options.get("page_size", PAGE_SIZE)
    pages = -(-len(rows) // size)
    page = min(max(context.page, 1), pages)
    start = (page - 1) * size
    zone = zone_of(context)
    draw = row_function(columns, header=header, zone=zone, first_row=start + 2)
    heads = headings(columns, success=success, context=context)
    held = rows[:HELD_ROWS]
    notes = []
    if len(rows) > HELD_ROWS:
        notes.append(messages.grid_holds(held=HELD_ROWS, total=len(rows)))
    html = render_to_string(
        "renderers/grid.html",
        {
            "id": context.block_id,
            "name": context.title,
            "caption": messages.rows(len(rows)),
            "row_count": len(rows) + 1,
            "numbered": True,
            "headings": heads,
            "rows": draw(rows[start : start + size]),
            "feet": feet,
            "lock_icon": icon("lock"),
            "partial": len(rows) > HELD_ROWS,
            "pager": _pager(page, pages, context=context),
            "island": island(
                f"rb-grid-{context.block_id}",
                _held(columns, held, heads=heads, header=header, context=context)
                | {"total": len(rows), "pageSize": size, "name": context.title},
            ),
        },
    )
    return Body(html=html, notes=tuple(notes), assets=frozenset({"grid"}))


def _pager(page: int, pages: int, *, context: RenderContext) -> dict[str, Any] | None:
    """Return links to the pages around this one, the first and the last."""
    if pages == 1 or not context.address:
        return None
    near = {1, *range(max(1, page - 2), min(pages, page + 2) + 1), pages}
    numbers = sorted(near)
    return {
        "page": page,
        "pages": pages,
        "links": [
            {
                "number": number,
                "address": with_query(context.address, page=str(number)),
                "gap": number - before > 1,
            }
            for before, number in zip([0, *numbers], numbers, strict=False)
        ],
    }


def _held(
    columns: Sequence[ShownColumn],
    rows: Sequence[Row],
    *,
    heads: Sequence[Mapping[str, str]],
    header: int,
    context: RenderContext,
) -> dict[str, Any]:
    """Return what ``grid.js`` shows: texts as drawn here, and keys to sort them by."""
    return {
        "header": header,
        "words": messages.grid_words(),
        "columns": [
            {
                **head,
                "number": column.type in NUMBERS,
                **_cells(column, rows, context=context),
            }
            for column, head in zip(columns, heads, strict=True)
        ],
    }


def _cells(
    column: ShownColumn, rows: Sequence[Row], *, context: RenderContext
) -> dict[str, Any]:
    write = writer(type=column.type, format=column.format, zone=zone_of(context))
    values = [row[column.index] for row in rows]
    cells: dict[str, Any] = {
        "texts": [
            None if value is None else neutralised(write(value)) for value in values
        ]
    }
    if column.type in NUMBERS:
        cells["keys"] = [_number_key(value) for value in values]
    elif column.type in (ColumnType.DATE, ColumnType.DATETIME):
        cells["keys"] = [_time_key(value) for value in values]
    marks = {
        str(place): [rule.tone, rule.label or messages.tone_word(rule.tone)]
        for place, value in enumerate(values)
        if (rule := emphasised(column, value)) is not None
    }
    return cells | ({"marks": marks} if marks else {})


def _time_key(value: Value) -> float | str | None:
    if isinstance(value, datetime):
        return value.timestamp()
    return None if value is None else str(value)


def _number_key(value: object) -> float | int | None:
    if value is None:
        return None
    if isinstance(value, int) and abs(value) < _LARGEST_EXACT:
        return value
    try:
        return float(value)  # type: ignore[arg-type]
    except (OverflowError, ValueError, TypeError):
        return None

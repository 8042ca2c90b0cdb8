"""A static table: whole on the page, with a caption, headers and totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from connectors.outcomes import ColumnType, Success, Table
from renderers import messages
from renderers.columns import (
    Row,
    ShownColumn,
    header_place,
    positions,
    shown_columns,
    sorted_rows,
)
from renderers.formatting import NUMBERS, in_zone, writer
from renderers.frame import Body, empty_body, framed, zone_of
from renderers.icons import icon
from renderers.presentation import Format, Presentation, RenderContext, RenderedBlock
from renderers.rows import row_function
from renderers.safety import neutralised
from renderers.schemas import TABLE_LIMIT
from renderers.text import text_body
from renderers.totals import total


def render(
    success: Success, presentation: Presentation, context: RenderContext
) -> RenderedBlock:
    """Draw a table of at most ``limit`` rows; text without rows is drawn as text."""
    if isinstance(success.data, str):
        body = text_body(success, {}, context)
    else:
        body = _body(success, success.data, presentation.options, context)
    return framed(body, format=Format.TABLE, success=success, context=context)


def _body(
    success: Success,
    table: Table,
    options: Mapping[str, Any],
    context: RenderContext,
) -> Body:
    columns = shown_columns(table, options, language=context.language)
    rows = sorted_rows(table, options)
    feet = totals_rows(table, columns, rows, options, context=context)
    header = header_place(columns, table, options)
    if not rows or not columns:
        return empty_body(table)
    limit = options.get("limit", TABLE_LIMIT)
    draw = row_function(columns, header=header, zone=zone_of(context))
    html = render_to_string(
        "renderers/table.html",
        {
            "name": context.title,
            "caption": messages.rows(min(limit, len(rows))),
            "headings": headings(columns, success=success, context=context),
            "rows": draw(rows[:limit]),
            "feet": feet,
            "numbered": False,
            "lock_icon": icon("lock"),
        },
    )
    cuts = []
    if len(rows) > limit:
        cuts.append(messages.table_limit(at=limit, total=len(rows)))
    return Body(html=html, cuts=tuple(cuts))


def headings(
    columns: Sequence[ShownColumn], *, success: Success, context: RenderContext
) -> list[dict[str, str]]:
    """Return label, unit, class and privacy of each heading; times name their zone."""
    zone = in_zone(success.as_of, zone_of(context)).strftime("%Z")
    return [
        {
            "label": neutralised(column.label) or column.name,
            "unit": neutralised(
                zone if column.type is ColumnType.DATETIME else column.unit
            ),
            "align": column.align,
            "privacy": messages.privacy(column.privacy),
        }
        for column in columns
    ]


def totals_rows(
    table: Table,
    columns: Sequence[ShownColumn],
    rows: Sequence[Row],
    options: Mapping[str, Any],
    *,
    context: RenderContext,
) -> list[list[dict[str, SafeString | str]]]:
    """Return the rows of ``tfoot``, one for each function that is asked for."""
    asked = options.get("totals", [])
    positions(table, [item["column"] for item in asked])
    functions = dict.fromkeys(item["function"] for item in asked)
    return [
        [
            _foot(column, rows, function, wanted=wanted, context=context)
            for column in columns
        ]
        for function in functions
        for wanted in [
            {item["column"] for item in asked if item["function"] == function}
        ]
    ]


def _foot(
    column: ShownColumn,
    rows: Sequence[Row],
    function: str,
    *,
    wanted: set[str],
    context: RenderContext,
) -> dict[str, SafeString | str]:
    if column.name not in wanted:
        return {"align": column.align, "text": "", "name": "", "covers": ""}
    figure = total([row[column.index] for row in rows], function=function)
    kind = column.type if column.type in NUMBERS else ColumnType.DECIMAL
    write = writer(type=kind, format=column.format, zone=zone_of(context))
    return {
        "align": column.align,
        "name": messages.function_name(function),
        "text": mark_safe("—") if figure.value is None else write(figure.value),
        "covers": messages.covers(figure.count, total=len(rows)),
    }

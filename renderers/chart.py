"""A chart: an SVG with its numbers beside it, which scripts make interactive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.template.loader import render_to_string

from connectors.outcomes import Success, Table
from renderers import chart_messages as words
from renderers.chart_data import ChartData, Series, chart_data
from renderers.chart_rows import data_rows
from renderers.downsampling import MAX_POINTS, kept_points
from renderers.drawing import draw
from renderers.figures import figure_json
from renderers.frame import Body, empty_body, framed, zone_of
from renderers.island import island_of_text
from renderers.presentation import Format, Presentation, RenderContext, RenderedBlock
from renderers.summary import summary
from renderers.text import text_body

# Lines of the data table; more are one click away, in the export.
TABLE_LINES = 500


def render(
    success: Success, presentation: Presentation, context: RenderContext
) -> RenderedBlock:
    """Draw a chart; text without rows is drawn as text."""
    if isinstance(success.data, str):
        body = text_body(success, {}, context)
    else:
        body = _body(success.data, presentation.options, context)
    return framed(body, format=Format.CHART, success=success, context=context)


def _body(table: Table, options: Mapping[str, Any], context: RenderContext) -> Body:
    if not table.rows or not table.columns:
        return empty_body(table)
    data = chart_data(table, options, language=context.language, zone=zone_of(context))
    sentence = summary(data)  # of all the points, not of those that are drawn
    data = _downsampled(data)
    headings, rows = data_rows(data)
    if len(rows) > TABLE_LINES:
        lines = words.table_cut(at=TABLE_LINES, total=len(rows))
    else:
        lines = ""
    asset = "chart-cartesian" if data.type == "heatmap" else "chart-basic"
    html = render_to_string(
        "renderers/chart.html",
        {
            "id": context.block_id,
            "name": context.title,
            "asset": asset,
            "type": data.type,
            "summary": sentence,
            "drawing": draw(data),
            "headings": headings,
            "rows": rows[:TABLE_LINES],
            "lines": lines,
            "export": context.export_address,
            "island": island_of_text(
                f"rb-figure-{context.block_id}", figure_json(data)
            ),
        },
    )
    notes = (*((data.reason,) if data.reason else ()), *data.notes)
    return Body(html=html, notes=notes, assets=frozenset({asset}))


def _downsampled(data: ChartData) -> ChartData:
    total = sum(len(part.y) for part in data.series)
    if data.type in {"pie", "heatmap", "histogram", "bar"} or data.stack != "none":
        return data
    series = tuple(_thinned(part) for part in data.series)
    drawn = sum(len(part.y) for part in series)
    if drawn == total:
        return data
    note = words.downsampled(drawn=drawn, total=total)
    return replace(data, series=series, notes=(*data.notes, note))


def _thinned(part: Series) -> Series:
    if len(part.y) <= MAX_POINTS:
        return part
    places = kept_points(part.y)
    return Series(part.name, part.x[places], part.y[places])

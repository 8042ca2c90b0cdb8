"""The numbers of a chart as the rows of a table."""

from __future__ import annotations

import numpy as np

from renderers import chart_messages as words
from renderers.chart_columns import Array
from renderers.chart_data import ChartData
from renderers.summary import number_text, place_text


def data_rows(data: ChartData) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows with the very numbers that are drawn.

    One column a series when all of them stand on the same places, else one row a
    point with the name of its series.
    """
    first = data.series[0].x if data.series else np.array([])
    shared = all(
        len(part.x) == len(first) and bool((part.x == first).all())
        for part in data.series
    )
    if shared:
        return _wide(data, first)
    rows = [
        [part.name, place_text(x, plain=data.x_plain), _cell(y)]
        for part in data.series
        for x, y in zip(part.x, part.y, strict=True)
    ]
    return [words.series_word(), data.x_name, data.y_name or "—"], rows


def _wide(data: ChartData, first: Array) -> tuple[list[str], list[list[str]]]:
    heads = [data.x_name, *(part.name for part in data.series)]
    return heads, [
        [
            place_text(x, plain=data.x_plain),
            *(_cell(part.y[at]) for part in data.series),
        ]
        for at, x in enumerate(first)
    ]


def _cell(value: float) -> str:
    return "" if np.isnan(value) else number_text(value)

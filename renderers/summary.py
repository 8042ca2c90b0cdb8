"""One sentence that says what a chart shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from renderers import chart_messages as words
from renderers.chart_columns import Array
from renderers.chart_data import ChartData, Series
from renderers.formatting import number


def summary(data: ChartData) -> str:
    """Sum up the chart: how many values, smallest, largest, last and trend."""
    values = [part.y[~np.isnan(part.y)] for part in data.series]
    count = sum(map(len, values))
    if not count:
        return words.no_values()
    if data.type == "pie":
        return _shares(data.series[0], data)
    if data.type == "histogram" and data.stack != "percent":
        return _distribution(data)
    if len(data.series) > 1:
        return words.several(
            len(data.series),
            count=count,
            low=_extreme(data, largest=False),
            high=_extreme(data, largest=True),
        )
    name, low, high = _name_of(data), values[0].min(), values[0].max()
    if data.type in {"line", "area"}:
        return words.one_series(
            name,
            count=count,
            low=number_text(low),
            high=number_text(high),
            last=number_text(values[0][-1]),
            direction=trend(values[0]),
        )
    return words.unordered(
        name,
        count=count,
        low=_extreme(data, largest=False),
        high=_extreme(data, largest=True),
    )


def trend(values: Array) -> int:
    """Return 1 for rising, -1 for falling, 0 for neither.

    By the sign of Pearson's correlation with the order, from 0.3 upwards; less is
    noise to the eye.
    """
    if len(values) < 3:
        return int(np.sign(values[-1] - values[0])) if len(values) == 2 else 0
    largest = np.abs(values).max()
    if not largest or not np.isfinite(largest):
        return 0
    scaled = values / largest
    spread = float(scaled.std())
    if spread < 1e-12:
        return 0
    order = np.arange(len(values)) / len(values)
    correlation = float(((order - order.mean()) * (scaled - scaled.mean())).mean()) / (
        float(order.std()) * spread
    )
    return 0 if abs(correlation) < 0.3 else int(np.sign(correlation))


def number_text(value: float) -> str:
    """Write a number of a chart: grouped, with at most five significant digits."""
    value = float(value)
    return number(value if abs(value) >= 10_000 else float(f"{value:.5g}"))


def place_text(value: Any, *, plain: bool = False) -> str:
    """Write a place on the horizontal axis; `plain` numbers are not grouped."""
    if isinstance(value, np.datetime64):
        text = str(np.datetime_as_string(value, unit="s")).replace("T", " ")
        return text.removesuffix(" 00:00:00").removesuffix(":00")
    if isinstance(value, str):
        return value
    return f"{float(value):g}" if plain else number_text(value)


def _name_of(data: ChartData) -> str:
    return data.series[0].name


def _extreme(data: ChartData, *, largest: bool) -> str:
    sign = 1 if largest else -1
    best = max(
        (part for part in data.series if (~np.isnan(part.y)).any()),
        key=lambda part: np.nanmax(sign * part.y),
    )
    at = int(np.nanargmax(sign * best.y))
    where = []
    if data.type != "scatter":
        where.append(place_text(best.x[at], plain=data.x_plain))
    if len(data.series) > 1:
        where.insert(0, best.name)
    text = number_text(best.y[at])
    return f"{text} ({', '.join(where)})" if where else text


def _shares(part: Series, data: ChartData) -> str:
    total = float(part.y.sum())
    at = 0  # largest first, what was gathered last
    share = part.y[at] / total if total and np.isfinite(total) else 0.0
    return words.shares(
        data.y_name or part.name,
        count=len(part.y),
        total=number_text(total),
        largest=str(part.x[at]),
        share=f"{share:.1%}",
    )


def _distribution(data: ChartData) -> str:
    heights = np.sum([part.y for part in data.series], axis=0)
    at = int(heights.argmax())
    return words.distribution(
        data.x_name,
        count=int(heights.sum()),
        tallest=str(data.series[0].x[at]),
        in_it=number_text(heights[at]),
    )

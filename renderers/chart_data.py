"""From rows to what a chart draws: type, axes and series, as numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from connectors.outcomes import Column, Table
from renderers import chart_messages as words
from renderers.chart_columns import Array, Reader
from renderers.chart_plan import MAX_SERIES, Plan, plan_chart
from renderers.columns import CannotDraw, in_language, positions, unit_beside
from renderers.formatting import number
from renderers.safety import neutralised

MAX_CATEGORIES = 200
MAX_SLICES = 12


@dataclass(frozen=True, slots=True)
class Series:
    """One line, colour of bars, or row of a heatmap; NaN in `y` is a gap.

    `x` holds texts for categories, ``datetime64[ms]`` on the reader's clocks for
    times, else floats; ``len(x) == len(y)``.
    """

    name: str
    x: Array
    y: Array


@dataclass(frozen=True, slots=True)
class ChartData:
    """Everything a chart draws.

    Attributes:
        type: One of the types of the schema.
        x_kind: ``category``, ``time`` or ``number``.
        x_plain: Numbers of the axis are written ungrouped: they are years.
        reason: Why this chart was chosen, when nobody chose it.
        notes: What was changed on the way from the rows, in words.
    """

    type: str
    x_kind: str
    x_name: str
    y_name: str
    series: tuple[Series, ...]
    stack: str = "none"
    x_plain: bool = False
    reason: str = ""
    notes: tuple[str, ...] = ()


def chart_data(
    table: Table, options: Mapping[str, Any], *, language: str, zone: ZoneInfo
) -> ChartData:
    """Choose what is not named, and read the columns into arrays.

    Raises:
        CannotDraw: a named column is not there or not of numbers, or no column is.
    """
    by_name = {column.name: column for column in table.columns}
    asked = options.get("y", [])
    asked = [asked] if isinstance(asked, str) else asked
    named = [options[part] for part in ("x", "series") if part in options]
    positions(table, [*named, *asked])
    plan = plan_chart(table, options, [by_name[name] for name in asked], by_name)
    labels = {
        column.name: neutralised(_label(column, options, language))
        for column in table.columns
    }
    reader = Reader(table, labels, zone, [])
    data = _BUILD.get(plan.type, _points)(plan, reader)
    stack = options.get("stack", "none")
    stackable = plan.type in {"bar", "area", "histogram"}
    if stackable and stack != "none":
        data = _stacked(data, stack)
    notes = [*reader.notes, *data.notes]
    if plan.ignored:
        names = [neutralised(name) for name in plan.ignored]
        notes.append(words.columns_ignored(plan.type, names))
    if stack != "none" and not stackable:
        notes.append(words.stack_ignored())
    return replace(data, reason=plan.reason, notes=tuple(dict.fromkeys(notes)))


def _label(column: Column, options: Mapping[str, Any], language: str) -> str:
    label = in_language(column.label, language, default=column.name)
    label = in_language(
        options.get("labels", {}).get(column.name, {}), language, default=label
    )
    unit = unit_beside(label, column.unit)
    return f"{label} ({unit})" if unit else label


def _points(plan: Plan, reader: Reader) -> ChartData:
    """Read line, area, bar, scatter and pie."""
    kind, x = reader.along(plan.x)
    if plan.type == "pie" and kind != "category" and plan.x is not None:
        kind, x = "category", reader.names(plan.x)
    series = [
        part
        for column in plan.y
        for part in _parted(plan, reader, x, reader.numbers(column), column)
    ]
    notes = []
    if len(series) > MAX_SERIES:
        notes.append(words.series_cut(at=MAX_SERIES, total=len(series)))
        series = series[:MAX_SERIES]
    if plan.type in {"bar", "pie"}:
        series, added = _added(series, kind)
        notes += [words.rows_added()] if added else []
    elif kind == "category":
        pass
    elif plan.type != "scatter":
        series = [_in_order(part) for part in series]
    else:
        series = [_known_x(part) for part in series]
    data = ChartData(
        type=plan.type,
        x_kind=kind,
        x_plain=kind == "number" and reader.plain(plan.x),
        x_name=reader.labels[plan.x.name] if plan.x else words.row_number(),
        y_name=reader.labels[plan.y[0].name] if len(plan.y) == 1 else "",
        series=tuple(series),
        notes=tuple(notes),
    )
    return _slices(data) if plan.type == "pie" else _few_categories(data)


def _parted(
    plan: Plan, reader: Reader, x: Array, y: Array, column: Column
) -> list[Series]:
    label = reader.labels[column.name]
    if plan.series is None:
        return [Series(label, x, y)]
    names = reader.names(plan.series)
    return [
        Series(
            str(name) if len(plan.y) == 1 else f"{name} · {label}",
            x[names == name],
            y[names == name],
        )
        for name in dict.fromkeys(names.tolist())
    ]


def _in_order(series: Series) -> Series:
    series = _known_x(series)
    order = np.argsort(series.x, kind="stable")
    return Series(series.name, series.x[order], series.y[order])


def _known_x(series: Series) -> Series:
    """Leave out points without a place on the axis."""
    known = ~(np.isnat(series.x) if series.x.dtype.kind == "M" else np.isnan(series.x))
    return Series(series.name, series.x[known], series.y[known])


def _added(series: Sequence[Series], kind: str) -> tuple[list[Series], bool]:
    """Give every series the same places, adding up what shares one."""
    known = [part if kind == "category" else _known_x(part) for part in series]
    places: list[Any] = list(
        dict.fromkeys(value for part in known for value in part.x.tolist())
    )
    if kind != "category":
        places = sorted(places)
    index = {value: place for place, value in enumerate(places)}
    dtype = known[0].x.dtype if known else np.dtype(object)
    x = np.array(places, dtype=dtype)
    added, result = False, []
    for part in known:
        at = np.array([index[value] for value in part.x.tolist()], dtype=np.intp)
        there = ~np.isnan(part.y)
        y = np.zeros(len(places))
        np.add.at(y, at[there], part.y[there])
        counts = np.bincount(at[there], minlength=len(places))
        added = added or bool((counts > 1).any())
        y[counts == 0] = np.nan
        y[~np.isfinite(y)] = np.nan
        result.append(Series(part.name, x, y))
    return result, added


def _few_categories(data: ChartData) -> ChartData:
    """Keep the first categories of an axis; more cannot be read."""
    if data.x_kind != "category" or data.type in {"line", "area", "scatter"}:
        return data
    count = max((len(part.x) for part in data.series), default=0)
    if count <= MAX_CATEGORIES:
        return data
    cut = tuple(
        Series(part.name, part.x[:MAX_CATEGORIES], part.y[:MAX_CATEGORIES])
        for part in data.series
    )
    note = words.categories_cut(at=MAX_CATEGORIES, total=count)
    return replace(data, series=cut, notes=(*data.notes, note))


def _slices(data: ChartData) -> ChartData:
    """Order the shares of a pie, and gather the small ones."""
    part = data.series[0]
    there = ~np.isnan(part.y)
    if (part.y[there] < 0).any():
        raise CannotDraw(words.negative_share(data.y_name or part.name))
    x, y = part.x[there], part.y[there]
    order = np.argsort(-y, kind="stable")
    x, y = x[order], y[order]
    notes = data.notes
    if len(y) > MAX_SLICES:
        rest = len(y) - MAX_SLICES + 1
        notes = (*notes, words.small_shares(rest))
        x = np.append(x[: MAX_SLICES - 1], np.array([words.others()], dtype=object))
        y = np.append(y[: MAX_SLICES - 1], y[MAX_SLICES - 1 :].sum())
    return replace(data, series=(Series(part.name, x, y),), notes=notes)


def _stacked(data: ChartData, stack: str) -> ChartData:
    """Line the series up for stacking; ``percent`` turns them into shares."""
    series, added = _added(data.series, data.x_kind)
    notes = (*data.notes, words.rows_added()) if added else data.notes
    if stack == "percent":
        heights = np.nansum([np.abs(part.y) for part in series], axis=0)
        heights = np.where(heights == 0, np.nan, heights)
        series = [Series(part.name, part.x, part.y / heights * 100) for part in series]
    y_name = f"{data.y_name} (%)".strip() if stack == "percent" else data.y_name
    return replace(data, series=tuple(series), stack=stack, notes=notes, y_name=y_name)


def _histogram(plan: Plan, reader: Reader) -> ChartData:
    """Count values in classes of equal width, chosen as numpy's ``auto`` does.

    The classes are the same for every series, so that the bars can be compared.
    """
    column = plan.y[0]
    values = reader.numbers(column)
    known = values[~np.isnan(values)]
    edges = _edges(known) if len(known) else np.array([])
    names = np.array(
        [
            f"{number(float(f'{low:.4g}'))} – {number(float(f'{high:.4g}'))}"
            for low, high in pairwise(edges)
        ],
        dtype=object,
    )
    parts = _parted(plan, reader, values, values, column)[:MAX_SERIES]
    series = tuple(
        Series(
            part.name if plan.series else words.count(),
            names,
            _counts(part.y[~np.isnan(part.y)], edges),
        )
        for part in parts
    )
    return ChartData(
        "histogram", "category", reader.labels[column.name], words.count(), series
    )


def _counts(values: Array, edges: Array) -> Array:
    if len(edges) == 2 or not len(edges):  # one class, perhaps without a width
        return np.full(max(len(edges) - 1, 0), float(len(values)))
    return np.histogram(values, bins=edges)[0].astype(np.float64)


def _edges(values: Array) -> Array:
    """Return where the classes begin and end; one class when no more can be told."""
    low, high = float(values.min()), float(values.max())
    whole = np.array([low, high])
    with np.errstate(over="ignore", invalid="ignore"):
        if low == high or not np.isfinite(high - low):
            return whole
        try:
            edges = np.histogram_bin_edges(values, bins="auto")
        except (ValueError, MemoryError):  # values too close, or too far apart
            return whole
        if not 2 < len(edges) <= 41:
            edges = np.linspace(low, high, 31 if len(edges) > 41 else 6)
    return edges if (np.diff(edges) > 0).all() else whole


def _heatmap(plan: Plan, reader: Reader) -> ChartData:
    if plan.series is None or plan.x is None:
        raise CannotDraw(words.heatmap_needs_two())
    names_x, names_y = reader.names(plan.x), reader.names(plan.series)
    values = reader.numbers(plan.y[0])
    parts = [
        Series(str(name), names_x[names_y == name], values[names_y == name])
        for name in dict.fromkeys(names_y.tolist())
    ]
    notes = []
    if len(parts) > MAX_CATEGORIES:
        notes.append(words.series_cut(at=MAX_CATEGORIES, total=len(parts)))
    series, added = _added(parts[:MAX_CATEGORIES], "category")
    notes += [words.rows_added()] if added else []
    return _few_categories(
        ChartData(
            "heatmap",
            "category",
            reader.labels[plan.x.name],
            reader.labels[plan.series.name],
            tuple(series),
            notes=tuple(notes),
        )
    )


_BUILD = {"histogram": _histogram, "heatmap": _heatmap}

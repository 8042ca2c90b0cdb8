"""A chart as a small static SVG: there without scripts, in print, and at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from renderers.chart_columns import Array
from renderers.chart_data import ChartData, Series
from renderers.scales import Scale, bounds, number_ticks, time_ticks
from renderers.summary import number_text, place_text

WIDTH, HEIGHT = 480, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 472, 10, 228
SHADES = 9
_COLOURS = 8
_LABELS = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """A path with the class that colours it."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the legend."""

    place: int
    name: str
    figure: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the template of the SVG needs; all numbers are in its own units."""

    marks: Sequence[Mark] = ()
    x_ticks: Sequence[Tick] = ()
    y_ticks: Sequence[Tick] = ()
    keys: Sequence[Key] = ()
    scale: tuple[str, str] | None = None
    frame: bool = True
    width: int = WIDTH
    height: int = HEIGHT
    box: tuple[int, int, int, int] = field(default=(_LEFT, _RIGHT, _TOP, _BOTTOM))


def draw(data: ChartData) -> Drawing:
    """Draw any chart; an axis without values keeps its frame."""
    if data.type == "pie":
        return _pie(data.series[0])
    if data.type == "heatmap":
        return _heatmap(data)
    series = _heaped(data) if data.stack != "none" else data.series
    low, high = bounds(
        np.concatenate([part.y for part in series]) if series else np.array([]),
        zero=data.type in {"bar", "area", "histogram"},
    )
    up = Scale(low, high, _BOTTOM, _TOP)
    y_ticks = [Tick(up(tick), number_text(tick)) for tick in number_ticks(low, high)]
    if data.type in {"bar", "histogram"}:
        marks, x_ticks = _bars(data, series, up)
    else:
        marks, x_ticks = _lines(data, series, up)
    keys = [Key(i % _COLOURS, part.name) for i, part in enumerate(data.series)]
    return Drawing(marks, x_ticks, y_ticks, keys if len(keys) > 1 else ())


def _heaped(data: ChartData) -> tuple[Series, ...]:
    """Return the series standing on one another; negative ones hang below."""
    above, below = (np.zeros(len(data.series[0].x)) for _ in range(2))
    heaped = []
    for part in data.series:
        y = np.nan_to_num(part.y)
        above, below = above + np.maximum(y, 0), below + np.minimum(y, 0)
        heaped.append(Series(part.name, part.x, np.where(y < 0, below, above)))
    return tuple(heaped)


# --- Lines, areas, points ---------------------------------------------------------


def _lines(
    data: ChartData, series: Sequence[Series], up: Scale
) -> tuple[list[Mark], list[Tick]]:
    places, across, ticks = _across(data, series)
    floor = up(min(max(0.0, up.low), up.high))
    marks = []
    # The last of a heap is the highest: drawn first, the others stay visible.
    order = list(enumerate(zip(series, places, strict=True)))
    for place, (part, xs) in reversed(order) if data.type == "area" else order:
        points = [
            (across(x), up(y)) if not math.isnan(y) and not math.isnan(x) else None
            for x, y in zip(xs.tolist(), part.y.tolist(), strict=True)
        ]
        colour = f"rb-c{place % _COLOURS}"
        if data.type == "scatter":
            dots = "".join(f"M{p[0]} {p[1]}h0" for p in points if p)
            marks.append(Mark(f"rb-dots {colour}", dots))
            continue
        if data.type == "area":
            marks.append(Mark(f"rb-area {colour}", _area(points, floor)))
        marks.append(Mark(f"rb-line-mark {colour}", _line(points)))
    return marks, ticks


def _line(points: Sequence[tuple[float, float] | None]) -> str:
    """Return the path through the points; a gap lifts the pen, a lone one dots."""
    parts, down = [], False
    for place, point in enumerate(points):
        if point is None:
            down = False
            continue
        alone = not down and (place + 1 == len(points) or points[place + 1] is None)
        parts.append(f"{'L' if down else 'M'}{point[0]} {point[1]}")
        parts.append("h0" if alone else "")
        down = True
    return "".join(parts)


def _area(points: Sequence[tuple[float, float] | None], floor: float) -> str:
    parts: list[str] = []
    run: list[tuple[float, float]] = []
    for point in [*points, None]:
        if point is not None:
            run.append(point)
        elif run:
            edge = "".join(f"L{x} {y}" for x, y in run)
            parts.append(f"M{run[0][0]} {floor}{edge}L{run[-1][0]} {floor}Z")
            run = []
    return "".join(parts)


def _across(
    data: ChartData, series: Sequence[Series]
) -> tuple[list[Array], Scale, list[Tick]]:
    """Return the places of the points as numbers, the scale over them, and ticks."""
    if data.x_kind == "category":
        names = list(dict.fromkeys(x for part in series for x in part.x.tolist()))
        index = {name: float(place) for place, name in enumerate(names)}
        places = [np.array([index[x] for x in part.x.tolist()]) for part in series]
        scale = Scale(-0.5, max(len(names), 1) - 0.5, _LEFT, _RIGHT)
        return places, scale, _name_ticks(names, scale)
    places = [_as_floats(part.x) for part in series]
    joined = np.concatenate(places) if places else np.array([])
    if data.x_kind == "time":
        low, high = _span(joined)
        scale = Scale(low, high, _LEFT + 6, _RIGHT - 6)
        return places, scale, [Tick(scale(at), t) for at, t in time_ticks(low, high)]
    low, high = bounds(joined, zero=False)
    scale = Scale(low, high, _LEFT + 6, _RIGHT - 6)
    ticks = [
        Tick(scale(tick), place_text(tick, plain=data.x_plain))
        for tick in number_ticks(low, high)
    ]
    return places, scale, ticks


def _as_floats(x: Array) -> Array:
    if x.dtype.kind != "M":
        return x
    floats = x.astype("datetime64[ms]").astype(np.float64)
    return np.where(np.isnat(x), np.nan, floats)


def _span(moments: Array) -> tuple[float, float]:
    known = moments[~np.isnan(moments)]
    if not len(known):
        return 0.0, 86_400_000.0
    low, high = float(known.min()), float(known.max())
    return (low, high) if high > low else (low - 43_200_000, high + 43_200_000)


def _name_ticks(names: Sequence[object], scale: Scale) -> list[Tick]:
    every = -(-len(names) // _LABELS) or 1
    longest = max(6, 66 // max(1, min(len(names), _LABELS)))
    return [
        Tick(scale(place), _shortened(str(names[place]), longest))
        for place in range(0, len(names), every)
    ]


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


# --- Bars -------------------------------------------------------------------------


def _bars(
    data: ChartData, series: Sequence[Series], up: Scale
) -> tuple[list[Mark], list[Tick]]:
    names = [_bar_name(x, plain=data.x_plain) for x in series[0].x] if series else []
    if data.type == "histogram":  # where each class begins
        names = [name.split(" – ")[0] for name in names]
    across = Scale(0, max(len(names), 1), _LEFT, _RIGHT)
    stacked = data.stack != "none"
    gap = 0.04 if data.type == "histogram" else 0.16
    slot = (1 - 2 * gap) / (1 if stacked else max(len(series), 1))
    floor = up(min(max(0.0, up.low), up.high))
    marks = []
    order = list(enumerate(series))
    for place, part in reversed(order) if stacked else order:
        left = gap + (0 if stacked else place * slot)
        path = "".join(
            f"M{across(at + left)} {floor}V{up(y)}H{across(at + left + slot)}V{floor}Z"
            for at, y in enumerate(part.y.tolist())
            if not math.isnan(y)
        )
        marks.append(Mark(f"rb-bar rb-c{place % _COLOURS}", path))
    middle = Scale(-0.5, max(len(names), 1) - 0.5, _LEFT, _RIGHT)
    return marks, _name_ticks(names, middle)


def _bar_name(value: object, *, plain: bool) -> str:
    if isinstance(value, np.datetime64):
        text = str(np.datetime_as_string(value, unit="m")).replace("T", " ")
        return text.removesuffix(" 00:00")
    return value if isinstance(value, str) else place_text(value, plain=plain)


# --- Pies and heatmaps ------------------------------------------------------------


def _pie(part: Series) -> Drawing:
    with np.errstate(over="ignore"):
        total = float(part.y.sum())
    shares = part.y / total if total and math.isfinite(total) else part.y * 0
    marks, before = [], 0.0
    for place, share in enumerate(shares.tolist()):
        marks.append(
            Mark(f"rb-slice rb-c{place % _COLOURS}", _slice(before, before + share))
        )
        before += share
    keys = [
        Key(at % _COLOURS, str(name), f"{share:.1%}")
        for at, (name, share) in enumerate(zip(part.x, shares.tolist(), strict=True))
    ]
    return Drawing(marks, keys=keys, frame=False, width=260)


def _slice(start: float, end: float) -> str:
    """Return a sector; shares count clockwise from the top."""
    centre, radius = 130.0, 118.0
    if end - start > 0.9999:
        top = centre - radius
        return f"M{centre} {top}a{radius} {radius} 0 1 1 -.1 0Z"
    points = [
        (
            round(centre + radius * math.sin(2 * math.pi * share), 1),
            round(centre - radius * math.cos(2 * math.pi * share), 1),
        )
        for share in (start, end)
    ]
    large = int(end - start > 0.5)
    return (
        f"M{centre} {centre}L{points[0][0]} {points[0][1]}"
        f"A{radius} {radius} 0 {large} 1 {points[1][0]} {points[1][1]}Z"
    )


def _heatmap(data: ChartData) -> Drawing:
    if not data.series or not len(data.series[0].x):
        return Drawing()
    z = np.array([part.y for part in data.series])
    known = z[~np.isnan(z)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    names = [str(name) for name in data.series[0].x]
    across = Scale(0, len(names), _LEFT, _RIGHT)
    down = Scale(0, len(data.series), _TOP, _BOTTOM)
    paths = [""] * SHADES
    for row, values in enumerate(z.tolist()):
        for column, value in enumerate(values):
            if not math.isnan(value):
                shade = Scale(low, high, 0, SHADES - 0.01)(value) if high > low else 4
                paths[min(int(shade), SHADES - 1)] += (
                    f"M{across(column)} {down(row)}H{across(column + 1)}"
                    f"V{down(row + 1)}H{across(column)}Z"
                )
    middle = Scale(-0.5, len(names) - 0.5, _LEFT, _RIGHT)
    rows = Scale(-0.5, len(data.series) - 0.5, _TOP, _BOTTOM)
    every = -(-len(data.series) // 10)
    return Drawing(
        scale=(number_text(low), number_text(high)) if len(known) else None,
        marks=[Mark(f"rb-h{shade}", path) for shade, path in enumerate(paths) if path],
        x_ticks=_name_ticks(names, middle),
        y_ticks=[
            Tick(rows(at), _shortened(data.series[at].name, 8))
            for at in range(0, len(data.series), every)
        ],
    )

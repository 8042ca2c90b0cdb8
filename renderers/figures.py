"""Charts as plotly figures: JSON that ``chart.js`` draws."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from renderers.chart_columns import Array
from renderers.chart_data import ChartData, Series

# Eight colours that people who see red and green alike tell apart, each with a
# contrast of at least 3:1 on the admin's light and dark grounds (checked by a test).
PALETTE = (
    "#2f7fc2", "#cc6a10", "#16926c", "#b1559f", "#8f7a12", "#c9505a", "#3a8f9e",
    "#7b74c9",
)  # fmt: skip
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "cross",
    "x",
    "star",
    "hexagon",
)
_FEW_POINTS = 40
_TICK_CHARS = 14


def warm() -> None:
    """Load plotly now rather than in the first reader's request."""
    _plotly()


@cache
def _plotly() -> Any:
    import plotly.graph_objects

    return plotly.graph_objects


def figure_json(data: ChartData) -> str:
    """Return the figure as JSON; numbers travel as typed arrays."""
    objects = _plotly()
    build = {"pie": _pie, "heatmap": _heatmap}.get(data.type, _lines_or_bars)
    figure = objects.Figure(data=build(data, objects), layout=_layout(data, objects))
    return str(figure.to_json(validate=False))


def _layout(data: ChartData, objects: Any) -> Any:
    layout: dict[str, Any] = {
        "template": {"layout": {"colorway": list(PALETTE)}},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": len(data.series) > 1 and data.type != "heatmap",
        "legend": {"orientation": "h", "y": 1.02, "x": 0, "yanchor": "bottom"},
        "hovermode": "closest" if data.type in {"scatter", "pie"} else "x unified",
        "dragmode": False,
    }
    if data.type == "heatmap":
        layout["hovermode"] = "closest"
    if data.type == "pie":
        return objects.Layout(layout | {"showlegend": True})
    kinds = {"category": "category", "time": "date", "number": "linear"}
    layout["xaxis"] = {
        "type": kinds[data.x_kind],
        "title": {"text": "" if data.x_kind == "time" else _literal(data.x_name)},
        "automargin": True,
    }
    layout["yaxis"] = {
        "type": "category" if data.type == "heatmap" else "linear",
        "title": {"text": _literal(data.y_name), "standoff": 8},
        "automargin": True,
        "separatethousands": True,
    }
    if data.type == "heatmap":
        layout["yaxis"]["autorange"] = "reversed"  # first row on top, as in the SVG
    if data.type in {"bar", "histogram"}:
        layout["barmode"] = "relative" if data.stack != "none" else "group"
        layout["bargap"] = 0.04 if data.type == "histogram" else 0.2
    if data.x_kind == "category":
        layout["xaxis"] |= _name_axis(data)
    if data.x_kind == "time":
        layout["xaxis"] |= _lone_moment(data)
    return objects.Layout(layout)


def _name_axis(data: ChartData) -> dict[str, Any]:
    """Choose which names stand below, short enough not to run into one another."""
    names = list(dict.fromkeys(str(x) for part in data.series for x in part.x.tolist()))
    histogram = data.type == "histogram"
    shown = names[:: -(-len(names) // (5 if histogram else 20)) or 1]
    texts = [name.split(" – ")[0] if histogram else _shortened(name) for name in shown]
    return {
        "tickmode": "array",
        "tickvals": [_literal(name) for name in shown],
        "ticktext": [_literal(text) for text in texts],
        **({"tickangle": 0} if histogram else {"autotickangles": [0, 45, 90]}),
    }


def _lone_moment(data: ChartData) -> dict[str, Any]:
    """Give a single moment a day around it; plotly would give it a millisecond."""
    moments = np.unique(np.concatenate([part.x for part in data.series]))
    if len(moments) != 1 or np.isnat(moments[0]):
        return {}
    half = np.timedelta64(12, "h")
    return {"range": [str(moments[0] - half), str(moments[0] + half)]}


def _shortened(text: str) -> str:
    return text if len(text) <= _TICK_CHARS else text[: _TICK_CHARS - 1] + "…"


def _lines_or_bars(data: ChartData, objects: Any) -> list[Any]:
    return [
        _trace(data, part, place, objects) for place, part in enumerate(data.series)
    ]


def _trace(data: ChartData, part: Series, place: int, objects: Any) -> Any:
    colour = PALETTE[place % len(PALETTE)]
    shared = {"x": _places(part.x), "y": part.y, "name": _literal(part.name)}
    if data.type in {"bar", "histogram"}:
        return objects.Bar(**shared, marker={"color": colour})
    marker = {"color": colour, "symbol": SYMBOLS[place % len(SYMBOLS)], "size": 6}
    if data.type == "scatter":
        return objects.Scatter(**shared, mode="markers", marker=marker | {"size": 7})
    mode = "lines+markers" if len(part.x) <= _FEW_POINTS else "lines"
    line = {"color": colour, "width": 2, "dash": DASHES[place % len(DASHES)]}
    trace = objects.Scatter(**shared, mode=mode, marker=marker, line=line)
    if data.type == "area":
        stacked = data.stack != "none"
        trace.update(fill="tonexty" if stacked else "tozeroy")
        if stacked:
            trace.update(stackgroup="all")
    return trace


def _pie(data: ChartData, objects: Any) -> list[Any]:
    part = data.series[0]
    return [
        objects.Pie(
            labels=_places(part.x),
            values=part.y,
            name=_literal(part.name),
            sort=False,
            direction="clockwise",
            textinfo="percent",
            marker={"colors": [PALETTE[i % len(PALETTE)] for i in range(len(part.x))]},
        )
    ]


def _heatmap(data: ChartData, objects: Any) -> list[Any]:
    return [
        objects.Heatmap(
            x=_places(data.series[0].x) if data.series else [],
            y=[_literal(part.name) for part in data.series],
            z=np.array([part.y for part in data.series]),
            colorscale="Cividis",
            hoverongaps=False,
            # plotly styles its own scale, and cells without a gap, by style
            # attributes, which the page's policy forbids; the legend stands beside.
            showscale=False,
            xgap=1,
            ygap=1,
        )
    ]


def _places(values: Array) -> Any:
    if values.dtype.kind == "O":
        return [_literal(str(value)) for value in values.tolist()]
    return values


def _literal(text: str) -> str:
    """Let plotly, which reads a little HTML in every text, show `text` as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""Which chart suits the columns, and which column plays which part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.outcomes import Column, ColumnType, Table
from renderers import chart_messages as words
from renderers.chart_columns import TIMES, all_numbers, values_of
from renderers.columns import CannotDraw
from renderers.formatting import NUMBERS

MAX_SERIES = 12


@dataclass(frozen=True, slots=True)
class Plan:
    """Which columns play which part; `x` and `series` are None when none does.

    `ignored` names columns that the options name and that this type cannot draw.
    """

    type: str
    x: Column | None
    y: tuple[Column, ...]
    series: Column | None
    reason: str = ""
    ignored: tuple[str, ...] = ()


def plan_chart(
    table: Table,
    options: Mapping[str, Any],
    asked: Sequence[Column],
    by_name: Mapping[str, Column],
) -> Plan:
    x = by_name.get(options.get("x", ""))
    if options.get("type") == "histogram" and x is not None and not asked:
        asked, x = [x], None  # what stands below a histogram is what it measures
    series = by_name.get(options.get("series", ""))
    taken = {column.name for column in (x, series) if column is not None}
    taken -= {column.name for column in asked}
    free = [column for column in table.columns if column.name not in taken]
    numbers = [column for column in free if column.type in NUMBERS]
    readable = [
        column for column in free if column.type is ColumnType.TEXT
        and all_numbers(values_of(table, column))
    ]  # fmt: skip
    y = list(asked) or numbers or readable[:1]
    if not y:
        raise CannotDraw(words.nothing_to_plot([c.name for c in table.columns]))
    free = [column for column in free if column not in y]
    kind = options.get("type")
    if kind is None and not _named_parts(options):
        return _inferred(free, y)
    kind = kind or _type_for(x, y)
    if kind != "histogram" and x is None:
        x, y = _missing_x(kind, free, y, asked=bool(asked))
    if kind == "heatmap" and series is None:
        series = next((c for c in free if c is not x and c.type not in NUMBERS), None)
    drawn = y[:1] if kind in {"pie", "histogram", "heatmap"} else y[:MAX_SERIES]
    ignored = [column.name for column in asked if column not in drawn]
    if kind == "histogram" and x is not None:
        ignored, x = [x.name, *ignored], None
    if kind == "pie" and series is not None:
        ignored, series = [*ignored, series.name], None
    return Plan(kind, x, tuple(drawn), series, ignored=tuple(ignored))


def _named_parts(options: Mapping[str, Any]) -> bool:
    return any(part in options for part in ("x", "y", "series"))


def _missing_x(
    kind: str, free: Sequence[Column], y: list[Column], *, asked: bool
) -> tuple[Column | None, list[Column]]:
    """Choose what stands below: a time first, then names, then a second number."""
    times = [column for column in free if column.type in TIMES]
    others = [column for column in free if column.type not in TIMES | NUMBERS]
    spare = [column for column in free if column.type in NUMBERS]
    if kind == "scatter" and len(y) > 1 and not asked:
        return y[0], y[1:]
    order = [*others, *times] if kind in {"pie", "bar", "heatmap"} else [
        *times, *others
    ]  # fmt: skip
    return next(iter([*order, *spare]), None), y


def _type_for(x: Column | None, y: Sequence[Column]) -> str:
    if x is None:
        return "bar" if len(y) > 1 else "histogram"
    if x.type in TIMES:
        return "line"
    return "scatter" if x.type in NUMBERS else "bar"


def _inferred(free: Sequence[Column], y: list[Column]) -> Plan:
    """Choose a chart from the types of the columns, and say why."""
    times = [column for column in free if column.type in TIMES]
    names = [column for column in free if column.type not in TIMES | NUMBERS]
    few = tuple(y[:MAX_SERIES])
    if times:
        series = names[0] if len(names) == 1 and len(y) == 1 else None
        return Plan("line", times[0], few, series, words.because_time(times[0].name))
    if len(names) >= 2 and len(y) == 1:
        because = words.because_two_names(names[0].name, names[1].name)
        return Plan("heatmap", names[0], few[:1], names[1], because)
    if names:
        return Plan("bar", names[0], few, None, words.because_name(names[0].name))
    if len(y) >= 2:
        because = words.because_two_numbers(y[0].name, y[1].name)
        return Plan("scatter", y[0], few[1:], None, because)
    return Plan("histogram", None, few, None, words.because_number(y[0].name))

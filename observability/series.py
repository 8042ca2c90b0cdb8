"""The portal's own numbers as named series: columns, words, and how rows are made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from observability.slo import Tally
from observability.storage import Counted

Measured: TypeAlias = int | float | str | datetime | None
Row: TypeAlias = dict[str, Measured]

_TOP = 10


@dataclass(frozen=True, slots=True)
class SeriesColumn:
    """One column of a series.

    Attributes:
        name: Key of the value in every row.
        type: text, integer, decimal or datetime.
        label: Heading by language.
        unit: Such as ``ms``; "" for counts and text.
    """

    name: str
    type: str
    label: Mapping[str, str]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class SeriesSpec:
    """One named series.

    Attributes:
        label: Name by language.
        columns: In order; every row has exactly these keys.
        rows: Makes the rows out of what was counted.
        every_minute: Needs minutes whatever the window.
        hours_kept: The longest window it can answer.
    """

    name: str
    label: Mapping[str, str]
    columns: tuple[SeriesColumn, ...]
    rows: Callable[[Sequence[Counted]], list[Row]]
    every_minute: bool = False
    hours_kept: int = 400 * 24


def _column(
    name: str, kind: str, korean: str, english: str, unit: str = ""
) -> SeriesColumn:
    return SeriesColumn(name, kind, {"ko": korean, "en": english}, unit)


_COLUMNS = {
    column.name: column
    for column in (
        _column("kind", "text", "종류", "Kind"),
        _column("key", "text", "키", "Key"),
        _column("minute", "datetime", "분", "Minute"),
        _column("count", "integer", "건수", "Count"),
        _column("errors", "integer", "오류", "Errors"),
        _column("error_share", "decimal", "오류율", "Error share", "%"),
        _column("mean_ms", "decimal", "평균", "Mean", "ms"),
        _column("p50_ms", "decimal", "p50", "p50", "ms"),
        _column("p95_ms", "decimal", "p95", "p95", "ms"),
        _column("p99_ms", "decimal", "p99", "p99", "ms"),
        _column("max_ms", "decimal", "최대", "Longest", "ms"),
    )
}


def _columns(names: str) -> tuple[SeriesColumn, ...]:
    return tuple(_COLUMNS[name] for name in names.split())


def _figures(tally: Tally) -> Row:
    return {
        "count": tally.count,
        "errors": tally.bad,
        "error_share": round(100 * tally.bad / tally.count, 3),
        "mean_ms": round(tally.sum_us / tally.count / 1_000, 3),
        "p50_ms": _ms(tally.percentile_us(50)),
        "p95_ms": _ms(tally.percentile_us(95)),
        "p99_ms": _ms(tally.percentile_us(99)),
        "max_ms": _ms(tally.max_us),
    }


def _ms(microseconds: float | None) -> float | None:
    return None if microseconds is None else round(microseconds / 1_000, 3)


def _by_key(counted: Sequence[Counted]) -> dict[tuple[str, str], Tally]:
    tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
    for row in counted:
        tallies[row.kind, row.key].merge(row.tally)
    return tallies


def _latency(counted: Sequence[Counted]) -> list[Row]:
    """One row a kind and key, the busiest of each kind first."""
    tallies = sorted(
        _by_key(counted).items(), key=lambda item: (item[0][0], -item[1].count, item[0])
    )
    return [_row("latency", _named(*name, tally)) for name, tally in tallies]


def _slowest(counted: Sequence[Counted]) -> list[Row]:
    """The kinds and keys with the longest p95, the slowest first."""
    tallies = sorted(
        _by_key(counted).items(),
        key=lambda item: (-(item[1].percentile_us(95) or 0), item[0]),
    )
    return [_row("slowest", _named(*name, tally)) for name, tally in tallies[:_TOP]]


def _errors(counted: Sequence[Counted]) -> list[Row]:
    """The kinds and keys that failed, the most errors first."""
    failing = [item for item in _by_key(counted).items() if item[1].bad]
    failing.sort(key=lambda item: (-item[1].bad, item[0]))
    return [_row("errors", _named(*name, tally)) for name, tally in failing]


def _requests(counted: Sequence[Counted]) -> list[Row]:
    """One row a minute that saw a page, the oldest first."""
    tallies: defaultdict[datetime, Tally] = defaultdict(Tally)
    for row in counted:
        if row.kind == "page":
            tallies[row.starts_at].merge(row.tally)
    return [
        _row("requests-per-minute", {"minute": minute, **_figures(tallies[minute])})
        for minute in sorted(tallies)
    ]


def _named(kind: str, key: str, tally: Tally) -> Row:
    return {"kind": kind, "key": key, **_figures(tally)}


def _row(series: str, figures: Row) -> Row:
    return {column.name: figures[column.name] for column in SERIES[series].columns}


SERIES: Mapping[str, SeriesSpec] = {
    spec.name: spec
    for spec in (
        SeriesSpec(
            "latency",
            {"ko": "지연 시간", "en": "Latency"},
            _columns("kind key count errors error_share p50_ms p95_ms p99_ms max_ms"),
            _latency,
        ),
        SeriesSpec(
            "requests-per-minute",
            {"ko": "분당 요청", "en": "Requests per minute"},
            _columns("minute count errors p95_ms"),
            _requests,
            every_minute=True,
            hours_kept=14 * 24,
        ),
        SeriesSpec(
            "slowest",
            {"ko": "가장 느린 항목", "en": "Slowest"},
            _columns("kind key count mean_ms p95_ms max_ms"),
            _slowest,
        ),
        SeriesSpec(
            "errors",
            {"ko": "오류", "en": "Errors"},
            _columns("kind key count errors error_share"),
            _errors,
        ),
    )
}

"""Named series: every row has the columns it promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from observability.series import SERIES
from observability.slo import Tally
from observability.storage import Counted

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TYPES = {"text": str, "integer": int, "decimal": float, "datetime": datetime}


def counted(
    key: str,
    *,
    ms: int,
    kind: str = "page",
    bad: int = 0,
    minute: int = 0,
    times: int = 1,
) -> Counted:
    tally = Tally()
    for number in range(times):
        tally.add(ms * 1_000, bad=number < bad)
    return Counted(NOON + timedelta(minutes=minute), kind, key, tally)


SAMPLE = [
    counted("home", ms=100, times=3, bad=1),
    counted("home", ms=200, minute=1),
    counted("slow", ms=900, kind="operation"),
]


@pytest.mark.parametrize("name", SERIES)
def test_every_row_has_exactly_its_columns_and_their_types(name: str) -> None:
    spec = SERIES[name]

    rows = spec.rows(SAMPLE)

    assert rows
    for row in rows:
        assert list(row) == [column.name for column in spec.columns]
        for column in spec.columns:
            assert isinstance(row[column.name], TYPES[column.type] | int)


@pytest.mark.parametrize("name", SERIES)
def test_every_series_and_column_is_named_in_both_languages(name: str) -> None:
    spec = SERIES[name]

    for label in (spec.label, *(column.label for column in spec.columns)):
        assert label["ko"]
        assert label["en"]


@pytest.mark.parametrize("name", SERIES)
def test_nothing_counted_is_no_rows(name: str) -> None:
    assert SERIES[name].rows([]) == []


def test_latency_adds_the_minutes_of_a_key() -> None:
    rows = SERIES["latency"].rows(SAMPLE)

    assert [(row["kind"], row["key"], row["count"]) for row in rows] == [
        ("operation", "slow", 1),
        ("page", "home", 4),
    ]
    assert rows[1]["error_share"] == 25.0
    assert rows[1]["p50_ms"] == pytest.approx(100, rel=0.01)
    assert rows[1]["max_ms"] == 200.0


def test_requests_per_minute_counts_pages_only() -> None:
    rows = SERIES["requests-per-minute"].rows(SAMPLE)

    assert [(row["minute"], row["count"]) for row in rows] == [
        (NOON, 3),
        (NOON + timedelta(minutes=1), 1),
    ]


def test_slowest_and_errors_begin_with_the_worst() -> None:
    assert [row["key"] for row in SERIES["slowest"].rows(SAMPLE)] == ["slow", "home"]
    assert [row["key"] for row in SERIES["errors"].rows(SAMPLE)] == ["home"]

"""Percentiles after a split over four real processes, against exact and an oracle."""

from __future__ import annotations

import json
import math
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ddsketch import DDSketch
from django.db import connection

from observability.slo import RELATIVE_ERROR

ROOT = Path(__file__).resolve().parents[2]
PERCENTS = (0.1, 10, 50, 90, 95, 99, 99.9, 100)
TENANT = 4711

WRITER = """
import json, sys, django
django.setup()
from observability.services import flush, recorder
values = json.load(sys.stdin)
for number, value in enumerate(values):
    recorder.record("page", "orders", "4711", elapsed_us=value, bad=value % 7 == 0)
    if number % 2_000 == 0 and not flush():
        sys.exit("nothing was written")
print(flush())
"""
READER = """
import json, sys, django
django.setup()
from datetime import timedelta
from django.utils import timezone
from observability.dashboard import dashboard_rows
from observability.rollup import fold_hours
def read():
    rows = dashboard_rows(4711, hours=24, now=timezone.now(), pending={})
    [row] = rows
    figures = (row.volume, row.errors, row.p50, row.p95, row.p99)
    return [figure.value for figure in figures]
from observability.models import Measurement
from observability.slo import merged
stored = merged(row.tally() for row in Measurement.objects.filter(folded=False))
workers = Measurement.objects.values("worker").distinct().count()
before = read()
fold_hours(now=timezone.now() + timedelta(hours=2))
print(json.dumps({
    "workers": workers, "count": stored.count, "bad": stored.bad,
    "percentiles": [stored.percentile_us(p) for p in json.load(sys.stdin)],
    "before": before, "folded": read(),
}))
"""


@pytest.fixture
def shared_database(transactional_db: None, tmp_path: Path) -> str:
    """The address of a migrated database that other processes can open."""
    own = connection.settings_dict
    if connection.vendor == "postgresql":
        host = quote(own["HOST"] or own["OPTIONS"]["host"], safe="")
        address = f"postgresql://{own['USER']}@/{own['NAME']}?host={host}"
        return f"{address}&port={own['PORT']}" if own["PORT"] else address
    connection.ensure_connection()
    file = tmp_path / "shared.sqlite3"
    with sqlite3.connect(file) as copy:
        connection.connection.backup(copy)
    copy.close()
    return f"sqlite:///{file}"


def start(script: str, address: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "SIGNALBOX_DATABASE_URL": address,
        "SIGNALBOX_LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(process: subprocess.Popen[str], given: object) -> str:
    out, err = process.communicate(json.dumps(given), timeout=120)
    assert process.returncode == 0, err
    return out


def two_humps(count: int) -> list[int]:
    """Microseconds of fast answers, slow ones, and a long tail."""
    dice = random.Random(42)
    return [
        max(1, round(dice.lognormvariate(9 if dice.random() < 0.8 else 13, 0.6)))
        for _ in range(count)
    ]


def exact(values: list[int], percent: float) -> int:
    rank = math.ceil(round(percent * 1_000) * len(values) / 100_000)
    return sorted(values)[max(1, rank) - 1]


def test_four_processes_answer_like_one(shared_database: str) -> None:
    values = two_humps(20_000)
    parts = [values[first::4] for first in range(4)]
    writers = [start(WRITER, shared_database) for _ in parts]
    for writer, part in zip(writers, parts, strict=True):
        assert int(finish(writer, part)) > 0

    told: dict[str, Any] = json.loads(finish(start(READER, shared_database), PERCENTS))

    assert told["workers"] == 4
    assert told["count"] == len(values)
    assert told["bad"] == sum(value % 7 == 0 for value in values)
    for percent, found in zip(PERCENTS, told["percentiles"], strict=True):
        assert found == pytest.approx(exact(values, percent), rel=RELATIVE_ERROR)
    # The dashboard says the same from minutes and from the hour they were folded to.
    assert told["before"] == told["folded"]
    p50, p95, p99 = (1_000 * ms for ms in told["folded"][2:])
    assert p50 == pytest.approx(exact(values, 50), rel=RELATIVE_ERROR)
    assert p95 == pytest.approx(exact(values, 95), rel=RELATIVE_ERROR)
    assert p99 == pytest.approx(exact(values, 99), rel=RELATIVE_ERROR)
    oracle = DDSketch(relative_accuracy=RELATIVE_ERROR)
    for value in values:
        oracle.add(value)
    for percent, found in zip(PERCENTS, told["percentiles"], strict=True):
        sketched = oracle.get_quantile_value(percent / 100)
        assert found == pytest.approx(sketched, rel=2.1 * RELATIVE_ERROR)

"""Each driver runs to its end, finds the right answers, and prints its table."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from benchmarks import report
from benchmarks.servers import ROOT

NUMBER = re.compile(r"[0-9]+\.?[0-9]*")


def quick_run(name: str) -> list[list[str]]:
    """Run a driver with few samples; return the rows of its table.

    A driver ends with an error when an answer is not the one that it expects.
    """
    command = [sys.executable, "-m", "benchmarks", name, "--quick"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert "shared cores" in done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_is_measured_beside_two_bare_views() -> None:
    heading, _rule, *rows = quick_run("page")

    assert [row[:2] for row in rows] == [
        [clients, target]
        for clients in ("1", "8")
        for target in (
            "bare view, Django template",
            "bare view inside the admin's page",
            "Signalbox page, one SQL block",
        )
    ]
    for row in rows:
        assert len(row) == len(heading)
        low, middle, high = map(float, NUMBER.findall(row[3]))
        assert 0 < low <= middle <= high


def test_the_runner_is_measured_in_three_variants() -> None:
    heading, _rule, *rows = quick_run("runner")

    assert [row[:2] for row in rows] == [
        [opens, variant]
        for opens in ("1", "16")
        for variant in (
            "bare aiohttp loop",
            "bare run: no shell, no drawing",
            "whole page, gunicorn, one worker",
        )
    ]
    for row in rows:
        assert len(row) == len(heading)
        low, middle, high = map(float, NUMBER.findall(row[2]))
        # Nobody answers before the upstream does.
        assert 100 <= low <= middle <= high
    assert {row[7] for row in rows if row[1].startswith("bare aiohttp")} == {"1.00"}


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        pytest.param(0.0, 1.0, id="the smallest"),
        pytest.param(0.5, 2.0, id="the lower middle of four"),
        pytest.param(0.95, 4.0, id="nearly the largest"),
        pytest.param(1.0, 4.0, id="the largest"),
    ],
)
def test_percentile(share: float, expected: float) -> None:
    assert report.percentile([3.0, 1.0, 4.0, 2.0], share) == expected


def test_a_spread_names_smallest_middle_and_largest() -> None:
    assert report.spread([3.0, 1.0, 2.0]) == "1.0 / 2.0 / 3.0"

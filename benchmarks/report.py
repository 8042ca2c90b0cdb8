"""Tables of results: printed, and kept as Markdown beside the machine's facts."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all values do not exceed."""
    ordered = sorted(values)
    place = max(0, -(-int(share * 1_000) * len(ordered) // 1_000) - 1)
    return ordered[place]


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def keep(name: str, title: str, text: str, *, quick: bool) -> Path:
    """Print a result and write it to ``benchmarks/results/<name>.md``.

    A quick run is printed only: its samples are too few to be quoted.
    """
    machine = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, "
        f"CPython {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"load average at the end {os.getloadavg()[0]:.1f}. "
        "Compare the ratios, not the absolute times."
    )
    whole = f"# {title}\n\n{machine}\n\n{text}\n"
    print(whole, flush=True)
    path = RESULTS / f"{name}.md"
    if not quick:
        RESULTS.mkdir(exist_ok=True)
        path.write_text(whole, encoding="utf-8")
    return path

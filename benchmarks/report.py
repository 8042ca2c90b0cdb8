"""Tables of results: printed, and kept as Markdown beside the machine's facts."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("Django", "aiohttp", "uvloop", "gunicorn")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all values do not exceed."""
    ordered = sorted(values)
    place = max(0, -(-int(share * 1_000) * len(ordered) // 1_000) - 1)
    return ordered[place]


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(values: Sequence[float], *, digits: int = 1) -> str:
    """Write the smallest, the middle and the largest of some values."""
    shares = (0.0, 0.5, 1.0)
    return " / ".join(f"{percentile(values, share):.{digits}f}" for share in shares)


def keep(name: str, title: str, text: str, *, rounds: int, quick: bool) -> Path:
    """Print a result and write it to ``benchmarks/results/<name>.md``.

    A quick run is printed only: its samples are too few to be quoted.
    """
    whole = f"# {title}\n\n{_machine(rounds)}\n\n{text}\n"
    print(whole, flush=True)
    path = RESULTS / f"{name}.md"
    if not quick:
        RESULTS.mkdir(exist_ok=True)
        path.write_text(whole, encoding="utf-8")
    return path


def _machine(rounds: int) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} in {rounds} rounds on "
        f"{os.cpu_count()} shared cores: server, client and upstream ran on them "
        f"together, beside other work (load average at the end "
        f"{os.getloadavg()[0]:.1f}). Compare the ratios, not the absolute times.\n\n"
        f"CPython {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{packages}; {platform.system()} {platform.machine()}."
    )

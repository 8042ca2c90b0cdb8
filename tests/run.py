"""Run every check and every test: what ``make test`` does.

``python -m tests.run check`` runs the gates alone, which start no server: what
``make check`` and the hook before a commit do. ``python -m tests.run [STEP …]`` runs
only the named steps; ``mariadb`` is one that only runs when it is named. Each step is
one command that also works by hand; it is printed before it runs. The first failure
stops the run.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path

from tests.servers import chromium

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHECKS: dict[str, str] = {
    "format": "ruff format --check .",
    "lint": "ruff check .",
    "layers": "lint-imports --no-cache",
    "types": "mypy .",
    "migrations": "python manage.py makemigrations --check --dry-run",
    "graph": "python manage.py migrations_graph --check",
    "translations": "python -m tests.translations --check",
    "reference": "python -m tests.reference --check",
}
# Steps that only run when they are named.
NAMED: dict[str, str] = {
    "mariadb": "pytest --lane mariadb tests/mariadb tests/connectors"
}
# Tests of one file share a server, so a file stays with one process, in our order.
PARALLEL = "-n 2 --dist loadfile --no-loadscope-reorder"
STEPS: dict[str, str] = {
    **CHECKS,
    "postgresql": f"pytest {PARALLEL} --lane postgresql",
    # Tracing costs time: the floor is measured in the shorter lane.
    "sqlite": f"pytest {PARALLEL} --cov --cov-report= --lane sqlite -m 'not browser'",
    "coverage": "coverage report",
}


def chosen_steps(names: list[str]) -> list[str]:
    """Return the named steps, ``check`` as all gates; without a name, everything."""
    steps = [step for n in names for step in (CHECKS if n == "check" else [n])]
    return steps or list(STEPS)


def main(names: list[str]) -> int:
    chosen = chosen_steps(names)
    steps = STEPS | NAMED
    unknown = [name for name in chosen if name not in steps]
    if unknown:
        print(f"No such step: {', '.join(unknown)}. Steps: {', '.join(steps)}; check.")
        return 2
    if "postgresql" in chosen:
        print(f"browser: {chromium()}", flush=True)
    for name in chosen:
        command = shlex.split(steps[name])
        print(f"\n== {name}: {shlex.join(command)}", flush=True)
        started = time.monotonic()
        done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, check=False)
        print(f"== {name}: {time.monotonic() - started:.0f} s", flush=True)
        if done.returncode != 0:
            print(f"== {name} failed; by hand: .venv/bin/{steps[name]}", flush=True)
            return done.returncode
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

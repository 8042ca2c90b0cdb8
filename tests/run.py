"""Run every check and every test: what ``make test`` does.

``python -m tests.run [STEP …]`` runs only the named steps. Each step is one command
that also works by hand; it is printed before it runs. The first failure stops the run.
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
STEPS: dict[str, str] = {
    "format": "ruff format --check .",
    "lint": "ruff check .",
    "layers": "lint-imports --no-cache",
    "types": "mypy .",
    "migrations": "python manage.py makemigrations --check --dry-run",
    "postgresql": ("pytest -n 2 --dist loadfile --cov --cov-report= --lane postgresql"),
    "sqlite": (
        "pytest -n 2 --dist loadfile --cov --cov-append --cov-report= --lane sqlite "
        "-m 'not browser'"
    ),
    "coverage": "coverage report",
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in STEPS]
    if unknown:
        print(f"No such step: {', '.join(unknown)}. Steps: {', '.join(STEPS)}.")
        return 2
    chosen = names or list(STEPS)
    if "postgresql" in chosen:
        print(f"browser: {chromium()}", flush=True)
    for name in chosen:
        command = shlex.split(STEPS[name])
        print(f"\n== {name}: {shlex.join(command)}", flush=True)
        started = time.monotonic()
        done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, check=False)
        print(f"== {name}: {time.monotonic() - started:.0f} s", flush=True)
        if done.returncode != 0:
            print(f"== {name} failed; by hand: .venv/bin/{STEPS[name]}", flush=True)
            return done.returncode
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

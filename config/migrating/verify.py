"""Verify the migrations: one process and one scratch database an engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from config.migrating.history import own_labels
from config.migrating.scratch import scratch_database
from config.migrating.walk import Step, Walk


class NotEmpty(RuntimeError):
    """The database to walk through holds something already."""


class UnknownApp(RuntimeError):
    """A label was named that is no app of this portal."""


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What one engine said of the migrations.

    Attributes:
        without_rows: Tables that no row could be made for, with the reason.
    """

    engine: str
    version: str
    steps: tuple[Step, ...]
    without_rows: Mapping[str, str]

    @property
    def fault_count(self) -> int:
        return sum(len(step.faults) for step in self.steps)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "fault_count": self.fault_count}


def verify_here(apps: Sequence[str] | None, *, data: bool) -> EngineReport:
    """Walk the configured database through the history; it must be empty.

    Args:
        apps: Labels whose migrations are stepped back and forth; None for all ours.

    Raises:
        NotEmpty: the database has tables.
        UnknownApp: a label is none of ours.
    """
    labels = _labels(apps)
    if tables := connection.introspection.table_names():
        raise NotEmpty(
            f"The configured database has {len(tables)} tables; --here needs an empty "
            "one. Leave --here out to have one made."
        )
    walk = Walk(connection, labels=labels, data=data)
    steps = tuple(walk.run())
    version = ".".join(map(str, connection.get_database_version()))
    return EngineReport(connection.vendor, version, steps, dict(walk.refused))


def verify_engine(
    engine: str, apps: Sequence[str] | None, *, data: bool
) -> EngineReport:
    """Do the same in a process of its own, on a scratch database of `engine`.

    Raises:
        NoScratchDatabase: there is nowhere to make one.
        UnknownApp: a label is none of ours.
        RuntimeError: the process ended without a report.
    """
    labels = _labels(apps)
    command = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    command += ["migrations_verify", "--here", "--json"]
    command += [f"--app={label}" for label in sorted(labels)]
    command += [] if data else ["--no-data"]
    with scratch_database(engine) as url:
        done = subprocess.run(
            command,
            cwd=settings.BASE_DIR, check=False, capture_output=True, text=True,
            env={
                **os.environ,
                "SIGNALBOX_DATABASE_URL": url,
                "SIGNALBOX_CACHE_URL": "locmem://",
                "SIGNALBOX_FLUSH_SECONDS": "0",
            },
        )  # fmt: skip
    if not done.stdout.startswith("["):
        raise RuntimeError(f"No report of {engine}: {done.stderr[-2000:]}")
    report = json.loads(done.stdout)[0]
    steps = tuple(
        Step(**{**step, "faults": tuple(step["faults"])}) for step in report["steps"]
    )
    return EngineReport(
        report["engine"], report["version"], steps, report["without_rows"]
    )


def _labels(apps: Sequence[str] | None) -> frozenset[str]:
    own = own_labels()
    if unknown := sorted(set(apps or ()) - own):
        raise UnknownApp(
            f"No app of this portal: {', '.join(unknown)}. Apps: "
            f"{', '.join(sorted(own))}."
        )
    return frozenset(apps) if apps else own

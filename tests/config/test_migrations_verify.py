"""Every migration goes forward, back and forward; faults in a history are found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from config.migrating.catalogue import differences, read_catalogue
from config.migrating.history import RELEASES, disk_loader, own_labels
from config.migrating.scratch import NoScratchDatabase, scratch_database
from config.migrating.verify import verify_engine


def test_every_migration_goes_forward_back_and_forward_with_rows(db: None) -> None:
    report = verify_engine(connection.vendor, None, data=True)

    faults = {step.name: step.faults for step in report.steps if step.faults}
    assert faults == {}
    own = {f"{a}.{n}" for a, n in disk_loader().disk_migrations if a in own_labels()}
    release = list(RELEASES)[-1]
    ways_back = {f"rollback to {release}", "rollback to nothing"}
    assert {step.name for step in report.steps} == own | ways_back
    assert dict(report.without_rows) == {}
    rolled_back = next(s for s in report.steps if s.name == f"rollback to {release}")
    assert rolled_back.rows >= 60


@pytest.mark.parametrize(
    ("history", "told"),
    [
        pytest.param("one_way", "IrreversibleError", id="no way back"),
        pytest.param("left_over", "left over: index faulty_word", id="an index stays"),
        pytest.param("lossy", "rows of faulty_thing", id="values are lost"),
    ],
)
def test_a_fault_in_a_history_is_found(history: str, told: str, db: None) -> None:
    done = subprocess.run(
        [
            sys.executable, "manage.py", "migrations_verify", "--json",
            "--app=faulty", f"--engines={connection.vendor}",
        ],
        cwd=settings.BASE_DIR, check=False, capture_output=True, text=True,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.config.faulty_settings",
            "FAULTY_HISTORY": history,
        },
    )  # fmt: skip

    assert done.returncode == 1, done.stderr
    (report,) = json.loads(done.stdout)
    steps = {step["name"]: step["faults"] for step in report["steps"]}
    assert list(steps) == ["faulty.first", "faulty.second"]
    assert steps["faulty.first"] == []
    faults = [f.replace("rule faulty_thing.", "index ") for f in steps["faulty.second"]]
    assert any(told in fault for fault in faults), faults


def test_a_catalogue_names_what_differs(db: None) -> None:
    before = read_catalogue(connection)

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE menus_favourite ADD COLUMN colour integer NULL")
        cursor.execute("CREATE INDEX by_colour ON menus_favourite (colour)")
    after = read_catalogue(connection)

    found = differences(before, after)
    assert len(found) == 2
    assert all(line.startswith("left over: ") for line in found)
    assert any("menus_favourite.colour" in line for line in found)
    assert any("by_colour" in line for line in found)
    assert len(differences(after, before)) == 2


@pytest.mark.parametrize(
    ("expected", "found", "lines"),
    [
        ({}, {}, ()),
        ({"table a": "r"}, {}, ("missing: table a",)),
        ({}, {"table a": "r"}, ("left over: table a",)),
        ({"column a.b": "int"}, {"column a.b": "text"},
         ("changed: column a.b: int → text",)),
    ],
)  # fmt: skip
def test_differences(expected: Any, found: Any, lines: tuple[str, ...]) -> None:
    assert differences(expected, found) == lines


def test_a_database_that_holds_something_is_not_walked(db: None) -> None:
    with pytest.raises(CommandError, match="--here needs an empty one"):
        call_command("migrations_verify", here=True)


def test_an_app_that_is_none_of_ours_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="No app of this portal: menuz"):
        call_command("migrations_verify", app=["menuz"])


def test_an_unknown_engine_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="oracle"):
        call_command("migrations_verify", engines="sqlite,oracle")


def test_without_postgresql_the_way_out_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIGNALBOX_DATABASE_URL", "sqlite:////nowhere")
    monkeypatch.delenv("SIGNALBOX_TEST_DATABASE_URL", raising=False)

    with (
        pytest.raises(NoScratchDatabase, match="SIGNALBOX_TEST_DATABASE_URL"),
        scratch_database("postgresql"),
    ):
        pass


@pytest.mark.postgresql
def test_a_scratch_database_is_dropped_again() -> None:
    import psycopg

    def names() -> set[str]:
        with psycopg.connect(os.environ["SIGNALBOX_DATABASE_URL"]) as server:
            rows = server.execute("SELECT datname FROM pg_database").fetchall()
        return {row[0] for row in rows if row[0].startswith("signalbox_scratch")}

    with scratch_database("postgresql") as url:
        inside = names()

    assert len(inside) >= 1
    assert any(name in url for name in inside)
    assert not any(name in url for name in names())

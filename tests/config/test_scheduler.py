"""Periodic tasks are enqueued once each, by one scheduler at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from config import schedule
from config.schedule import SCHEDULE, enqueue_due
from observability.services import last_seen, take_lease

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
# While no notification waits, nothing is enqueued to send one.
ALL = [periodic.key for periodic in SCHEDULE if periodic.key != "send-deliveries"]
EVERY_MINUTE = ["worker-heartbeat", "seal-audit", "evaluate-alerts"]


def finish_all() -> None:
    DBTaskResult.objects.update(status=TaskResultStatus.SUCCESSFUL, finished_at=NOON)


@pytest.mark.django_db
def test_everything_is_due_at_first_and_each_again_in_its_own_time() -> None:
    assert enqueue_due(now=NOON) == ALL
    finish_all()

    assert enqueue_due(now=NOON + timedelta(seconds=20)) == []
    assert enqueue_due(now=NOON + timedelta(seconds=31)) == EVERY_MINUTE
    finish_all()
    assert enqueue_due(now=NOON + timedelta(minutes=15)) == [
        *EVERY_MINUTE,
        "fold-measurements",
    ]
    finish_all()
    assert enqueue_due(now=NOON + timedelta(days=1)) == ALL


@pytest.mark.django_db
def test_the_queue_does_not_fill_up_while_no_worker_runs() -> None:
    enqueue_due(now=NOON)

    for minute in range(1, 30):
        assert enqueue_due(now=NOON + timedelta(minutes=minute)) == []

    assert DBTaskResult.objects.count() == len(ALL)


@pytest.mark.django_db
def test_a_task_lost_by_a_killed_worker_is_enqueued_again() -> None:
    enqueue_due(now=NOON)
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING)

    assert "seal-audit" in enqueue_due(now=NOON + timedelta(hours=1, minutes=1))


@pytest.mark.django_db
def test_a_forgotten_result_does_not_stop_a_task() -> None:
    enqueue_due(now=NOON)
    DBTaskResult.objects.all().delete()

    assert enqueue_due(now=NOON + timedelta(minutes=1)) == EVERY_MINUTE


@pytest.mark.django_db
def test_every_task_runs(settings: Settings) -> None:
    settings.TASKS = {
        "default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}
    }

    for periodic in SCHEDULE:
        result = periodic.task.enqueue()
        if periodic.key != "forget-finished-tasks":
            assert result.status == TaskResultStatus.SUCCESSFUL, periodic.key


@pytest.mark.django_db
def test_finished_tasks_are_forgotten_in_the_database_queue() -> None:
    enqueue_due(now=NOON - timedelta(days=30))
    finish_all()

    schedule.forget_finished_tasks.call()

    assert DBTaskResult.objects.count() == 0


@pytest.mark.django_db
def test_once_enqueues_and_gives_the_lease_back() -> None:
    out = StringIO()

    call_command("scheduler", "--once", stdout=out)

    assert "schedules." in out.getvalue()
    assert DBTaskResult.objects.count() == len(ALL)
    assert last_seen("scheduler") is not None
    assert take_lease("scheduler", holder="another", seconds=30)


@pytest.mark.django_db
def test_a_second_scheduler_waits() -> None:
    take_lease("scheduler", holder="first:1", seconds=30)
    out = StringIO()

    call_command("scheduler", "--once", stdout=out)

    assert "Another scheduler holds the lease" in out.getvalue()
    assert DBTaskResult.objects.count() == 0
    assert not take_lease("scheduler", holder="third:3", seconds=30)


@pytest.mark.django_db
def test_a_database_that_is_away_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop = threading.Event()
    rounds: list[str] = []

    def away(role: str, *, holder: str, seconds: int = 0) -> bool:
        rounds.append(role)
        if len(rounds) == 3:
            stop.set()
        raise OperationalError("connection to 10.0.0.1 refused")

    monkeypatch.setattr(schedule, "take_lease", away)
    monkeypatch.setattr(schedule, "release_lease", away)
    monkeypatch.setattr(schedule, "ROUND_SECONDS", 0.0)
    # The test's own transaction lives on the connection that would be closed.
    monkeypatch.setattr(schedule, "close_old_connections", lambda: None)
    told: list[str] = []

    schedule.run(holder="a", stop=stop, tell=told.append)

    assert len(rounds) == 4
    assert "10.0.0.1" not in caplog.text
    with pytest.raises(OperationalError):
        schedule.run(holder="a", stop=threading.Event(), tell=told.append, once=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_scheduler_within_a_second(
    number: signal.Signals, tmp_path: Path, settings: Settings
) -> None:
    manage = str(settings.BASE_DIR / "manage.py")
    environment = {
        **os.environ,
        "SIGNALBOX_DATABASE_URL": f"sqlite:///{tmp_path}/portal.sqlite3",
        "SIGNALBOX_CACHE_URL": "locmem://",
    }
    process = subprocess.Popen(
        [sys.executable, "-u", manage, "scheduler"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    with process:
        # Its database is empty, which it tells, and tries again.
        assert "The database is away" in process.stdout.readline()
        asked = time.monotonic()
        process.send_signal(number)
        rest, _ = process.communicate(timeout=30)

    assert process.returncode == 0, rest
    # A second for the loop, and what the interpreter needs on a busy machine.
    assert time.monotonic() - asked < 5
    assert "Traceback" not in rest

"""Background work is done: at once, from the database, and from Valkey."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from config import background, doctor, schedule
from config.env import queues_from_url, tasks_from_name
from config.management.commands.serve import beside
from observability.models import Heartbeat
from observability.services import last_seen


@task()
def say(word: str) -> str:
    """Return the word, so that a result can be read."""
    return word.upper()


@task()
def stumble() -> None:
    """Fail, as a task with a bug does."""
    raise ZeroDivisionError


@pytest.fixture
def immediate(settings: Settings) -> None:
    settings.TASKS = tasks_from_name("immediate")


@pytest.fixture
def _signals_stay() -> Iterator[None]:
    """A worker takes the signals of its process for itself."""
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
    before = {kind: signal.getsignal(kind) for kind in kinds}
    yield
    for kind, handler in before.items():
        signal.signal(kind, handler)


# --- At once ----------------------------------------------------------------------


def test_at_once_the_result_is_there(immediate: None) -> None:
    result = say.enqueue("now")

    assert (result.status, result.return_value) == ("SUCCESSFUL", "NOW")
    assert background.backend_name() == "immediate"


@pytest.mark.django_db
def test_at_once_the_scheduler_does_the_work_itself(immediate: None) -> None:
    enqueued = schedule.enqueue_due()

    assert "worker-heartbeat" in enqueued
    assert last_seen("worker") is not None
    assert DBTaskResult.objects.count() == 0


def test_at_once_nobody_needs_a_worker(immediate: None) -> None:
    assert [program.name for program in beside(8901)] == ["demo API", "scheduler"]
    assert doctor.worker().level == doctor.Level.OK
    assert doctor.tasks().level == doctor.Level.WARNING
    with pytest.raises(CommandError, match="nothing for a worker"):
        call_command("worker")


# --- In the database --------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_signals_stay")
def test_a_worker_does_what_waits_in_the_database() -> None:
    good, bad = say.enqueue("later"), stumble.enqueue()
    assert background.waiting() == 2

    call_command("worker", batch=True)

    good.refresh()
    bad.refresh()
    assert (good.status, good.return_value) == ("SUCCESSFUL", "LATER")
    assert bad.status == TaskResultStatus.FAILED
    assert bad.errors[0].exception_class is ZeroDivisionError
    assert background.waiting() == 0
    assert [program.name for program in beside(8901)][1] == "worker"


@pytest.mark.django_db
def test_the_doctor_sees_a_queue_that_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert doctor.tasks().level == doctor.Level.OK
    monkeypatch.setattr(doctor, "_MOST_WAITING", 1)
    say.enqueue("a")
    say.enqueue("b")

    finding = doctor.tasks()

    assert finding.level == doctor.Level.WARNING
    assert "2" in finding.found


def test_a_pause_of_nothing_is_refused() -> None:
    with pytest.raises(CommandError, match="more than 0"):
        call_command("worker", interval=0.0)


# --- In Valkey --------------------------------------------------------------------


def test_a_queue_needs_a_server_that_is_shared() -> None:
    with pytest.raises(ImproperlyConfigured, match="SIGNALBOX_TASKS_URL"):
        queues_from_url("locmem://")
    queue: Any = queues_from_url("redis://queue:6379/3")["default"]
    assert queue["URL"] == "redis://queue:6379/3"


def rq_environment(**more: str) -> dict[str, str]:
    """The portal of this lane, with its work in a database of Valkey for itself."""
    url = os.environ["SIGNALBOX_CACHE_URL"].rsplit("/", 1)[0]
    server, _, query = os.environ["SIGNALBOX_DATABASE_URL"].partition("?")
    name = connection.settings_dict["NAME"]
    return {
        **os.environ,
        "SIGNALBOX_TASKS": "rq",
        "SIGNALBOX_TASKS_URL": f"{url}/5",
        "SIGNALBOX_DATABASE_URL": f"{server.rsplit('/', 1)[0]}/{name}?{query}",
        "SIGNALBOX_LOG_FORMAT": "text",
        **more,
    }


def manage(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=django_settings.BASE_DIR, env=rq_environment(**more),
        check=False, capture_output=True, text=True,
    )  # fmt: skip


ENQUEUE = """
from tests.config.test_background import say, stumble
print(say.enqueue("far").id, stumble.enqueue().id)
"""
RESULTS = """
import json, sys
from django_tasks import default_task_backend
results = [default_task_backend.get_result(key) for key in {keys!r}]
print(json.dumps([
    results[0].status, results[0].return_value,
    results[1].status, results[1].errors[0].exception_class_path,
]))
"""


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_worker_does_what_waits_in_valkey() -> None:
    enqueued = manage("shell", "--no-imports", "-c", ENQUEUE)
    assert enqueued.returncode == 0, enqueued.stderr
    keys = enqueued.stdout.split()
    scheduled = manage("scheduler", "--once")
    assert "schedules." in scheduled.stdout, scheduled.stderr
    assert last_seen("worker") is None

    worked = manage("worker", "--batch", SIGNALBOX_FLUSH_SECONDS="1")

    assert worked.returncode == 0, worked.stderr
    # The periodic sign of life was one of the tasks.
    assert last_seen("worker") is not None
    assert DBTaskResult.objects.count() == 0
    told = manage("shell", "--no-imports", "-c", RESULTS.format(keys=keys))
    assert json.loads(told.stdout) == [
        "SUCCESSFUL", "FAR", "FAILED", "builtins.ZeroDivisionError",
    ]  # fmt: skip
    # What has been done is not enqueued again before it is due.
    rows = dict(Heartbeat.objects.values_list("role", "seen_at"))
    assert manage("scheduler", "--once").returncode == 0
    after = dict(Heartbeat.objects.values_list("role", "seen_at"))
    assert (
        after["schedule:forget-ended-sessions"]
        == (rows["schedule:forget-ended-sessions"])
    )


PAGES = """
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse
from tenants.models import User
assert not [m for m in admin.site._registry if m._meta.app_label == "django_rq"]
for name in ("admin:django_rq_dashboard_changelist", "rq_home", "django_rq:stats"):
    try:
        reverse(name)
    except NoReverseMatch:
        continue
    raise AssertionError(name)
call_command("makemigrations", check=True, dry_run=True)
client = Client(headers={"host": "localhost"})
client.force_login(User.objects.get(), backend="tenants.backends.TenantBackend")
print([client.get(f"/{place}").status_code for place in
       ("admin/", "admin/django_rq/", "admin/django_rq/dashboard/", "django-rq/")])
"""


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_queues_own_pages_have_no_address_and_migrations_agree(
    admin_user: object,
) -> None:
    shown = manage("shell", "--no-imports", "-c", PAGES)

    assert shown.returncode == 0, shown.stderr
    assert "No changes detected" in shown.stdout
    assert shown.stdout.strip().splitlines()[-1] == "[200, 404, 404, 404]"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_queue_that_is_away_is_told_by_worker_scheduler_and_doctor() -> None:
    away = {"SIGNALBOX_TASKS_URL": "redis://127.0.0.1:9/0"}

    worker = manage("worker", "--batch", **away)
    told = manage("doctor", "--json", **away)

    assert worker.returncode == 1
    assert "The queue does not answer" in worker.stderr
    assert "Traceback" not in worker.stderr
    findings = {row["id"]: row for row in json.loads(told.stdout)["findings"]}
    assert findings["tasks"]["level"] == "error"

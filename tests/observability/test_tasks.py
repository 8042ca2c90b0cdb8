"""Background work is measured, and does what its name says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_tasks import task
from pytest_django import Settings

from observability import tasks
from observability.models import Measurement
from observability.services import flush, last_seen, measure, recorder


@pytest.fixture(autouse=True)
def at_once(settings: Settings, db: None) -> None:
    settings.TASKS = {
        "default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}
    }


@task()
def failing() -> None:
    raise RuntimeError("a bug")


def test_the_heartbeat_tells_that_a_worker_is_alive() -> None:
    tasks.worker_heartbeat.enqueue()

    assert last_seen("worker") is not None


def test_folding_and_pruning_run_as_tasks() -> None:
    with measure("page", key="home"):
        pass
    flush()
    Measurement.objects.update(starts_at=timezone.now() - timedelta(days=20))

    folded = tasks.fold_measurements.enqueue()
    pruned = tasks.prune_measurements.enqueue()

    assert folded.return_value == {"minutes": 1, "hours": 1}
    assert pruned.return_value == 1


def test_a_finished_task_is_measured() -> None:
    tasks.worker_heartbeat.enqueue()
    failing.enqueue()

    counted = {key: tally.bad for (_, key), tally in recorder.totals().items()}
    assert counted["observability.tasks.worker_heartbeat"] == 0
    assert counted[f"{__name__}.failing"] == 1

"""Work done in the background; a scheduler enqueues it, see ``config.schedule``."""

from __future__ import annotations

from typing import Any

from django_tasks import TaskResult, TaskResultStatus, task

from observability import services
from observability.recorder import worker_id


def record_task(*, task_result: TaskResult[Any], **signal: object) -> None:
    """Count a task that has finished; a receiver of ``task_finished``."""
    services.background.start()
    if task_result.started_at is None or task_result.finished_at is None:
        return
    elapsed = task_result.finished_at - task_result.started_at
    services.recorder.record(
        "task",
        task_result.task.module_path,
        "",
        elapsed_us=max(0, round(elapsed.total_seconds() * 1_000_000)),
        bad=task_result.status == TaskResultStatus.FAILED,
    )


@task()
def fold_measurements() -> dict[str, int]:
    """Fold ended hours and days; returns the rows folded."""
    return {"minutes": services.fold_hours(), "hours": services.fold_days()}


@task()
def prune_measurements() -> int:
    """Delete measurements and deliveries past their time; returns how many."""
    return services.prune() + services.prune_deliveries()


@task()
def worker_heartbeat() -> str:
    """Write down that a worker takes tasks; returns its process."""
    services.beat("worker", holder=worker_id())
    return worker_id()


@task()
def prune_logs_and_traces() -> dict[str, int]:
    """Delete log lines and traces past their time; returns how many of each."""
    return {"lines": services.prune_lines(), "traces": services.prune_traces()}


@task()
def measure_storage() -> int:
    """Measure the bytes of every tenant for its quota; returns the tenants measured.

    Where the database does not tell the size of its tables, nothing is measured.
    """
    return services.measure_storage()


@task()
def evaluate_alerts() -> int:
    """Evaluate the alert rules of all tenants; returns the minutes evaluated."""
    return services.evaluate_all()

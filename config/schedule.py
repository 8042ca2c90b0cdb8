"""What is done again and again, and who enqueues it: one scheduler with a lease."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from django.core.management import call_command
from django.db import Error as DatabaseFailure
from django.db import close_old_connections, transaction
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks.base import Task
from django_tasks.exceptions import TaskResultDoesNotExist
from redis.exceptions import RedisError

from config import background
from config.deliveries import send_deliveries
from config.reviews import write_reviews
from connectors.tasks import prune_query_refusals
from observability import tasks as measuring
from observability.models import Heartbeat
from observability.services import any_due, last_seen, release_lease, take_lease
from tenants.tasks import seal_audit

ROLE = "scheduler"
LEASE_SECONDS = 30
ROUND_SECONDS = 5.0
# A worker that was killed leaves its task "running" for ever.
LOST_AFTER = timedelta(hours=1)

logger = logging.getLogger(__name__)


@task()
def forget_finished_tasks() -> None:
    """Delete the results of tasks that finished a week ago, failures after a month.

    Results in Redis end by themselves after a day, and work that was done at once
    leaves none.
    """
    if background.backend_name() == "database":
        call_command(
            "prune_db_task_results",
            min_age_days=7,
            failed_min_age_days=30,
            verbosity=0,  # what went wrong is raised; the count is no news
        )


@task()
def forget_ended_sessions() -> None:
    """Delete sessions that have expired."""
    call_command("clearsessions")


def _always(now: datetime) -> bool:
    return True


def _any_delivery_due(now: datetime) -> bool:
    return any_due(now=now)


@dataclass(frozen=True, slots=True)
class Periodic:
    """One task and how often it is enqueued.

    Attributes:
        key: Name of the row that remembers the last time.
        every: Begins at midnight UTC, so that a restart keeps the rhythm.
        wanted: Asked when it is due; False leaves it out until the next time.
    """

    key: str
    task: Task[[], Any]
    every: timedelta
    wanted: Callable[[datetime], bool] = _always

    @property
    def role(self) -> str:
        return f"schedule:{self.key}"

    def slot(self, now: datetime) -> datetime:
        """Return the latest moment, not after `now`, at which this was due."""
        seconds = int(self.every.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=UTC)


SCHEDULE = (
    Periodic("worker-heartbeat", measuring.worker_heartbeat, timedelta(minutes=1)),
    Periodic("seal-audit", seal_audit, timedelta(minutes=1)),
    Periodic("evaluate-alerts", measuring.evaluate_alerts, timedelta(minutes=1)),
    Periodic(
        "send-deliveries", send_deliveries, timedelta(seconds=10), _any_delivery_due
    ),
    Periodic("fold-measurements", measuring.fold_measurements, timedelta(minutes=15)),
    Periodic("prune-measurements", measuring.prune_measurements, timedelta(days=1)),
    Periodic("measure-storage", measuring.measure_storage, timedelta(hours=1)),
    Periodic("write-reviews", write_reviews, timedelta(days=1)),
    Periodic("prune-logs", measuring.prune_logs_and_traces, timedelta(hours=1)),
    Periodic("prune-refusals", prune_query_refusals, timedelta(days=1)),
    Periodic("forget-finished-tasks", forget_finished_tasks, timedelta(days=1)),
    Periodic("forget-ended-sessions", forget_ended_sessions, timedelta(days=1)),
)


def enqueue_due(*, now: datetime | None = None) -> list[str]:
    """Enqueue what is due; returns its keys.

    A task whose last run is still waiting or running is left out: while no worker
    runs, the queue must not fill up.
    """
    moment = now or timezone.now()
    return [
        periodic.key
        for periodic in SCHEDULE
        if _is_due(periodic, moment) and _enqueue(periodic, moment)
    ]


def _is_due(periodic: Periodic, now: datetime) -> bool:
    last = last_seen(periodic.role)
    return (last is None or last < periodic.slot(now)) and periodic.wanted(now)


def _enqueue(periodic: Periodic, now: datetime) -> bool:
    # Only a queue in the database can be part of the transaction. Work that is done at
    # once must not be: one broken statement would take the scheduler's own with it.
    whole = background.backend_name() == "database"
    with transaction.atomic() if whole else nullcontext():
        return _enqueue_once(periodic, now)


def _enqueue_once(periodic: Periodic, now: datetime) -> bool:
    last = Heartbeat.objects.filter(role=periodic.role).first()
    if last and now - last.seen_at < LOST_AFTER and _unfinished(periodic, last.holder):
        return False
    result = periodic.task.enqueue()
    # The row tells what was enqueued, too: `holder` is the id of the task's result.
    Heartbeat.objects.update_or_create(
        role=periodic.role,
        defaults={"holder": result.id[:60], "seen_at": now, "expires_at": now},
    )
    return True


def _unfinished(periodic: Periodic, result_id: str) -> bool:
    if not periodic.task.get_backend().supports_get_result:
        return False
    try:
        status = periodic.task.get_result(result_id).status
    except TaskResultDoesNotExist:
        return False
    return status in {TaskResultStatus.READY, TaskResultStatus.RUNNING}


def run(
    *, holder: str, stop: Event, tell: Callable[[str], None], once: bool = False
) -> None:
    """Enqueue what is due, round after round, while this process holds the lease.

    Args:
        holder: Names this process; another one waits until the lease ends.
        stop: Set to end within a moment.
        tell: Takes one line for people when the lease comes or goes.
        once: One round only; a database that is away raises.
    """
    held: bool | None = None
    while not stop.is_set():
        try:
            before, held = held, take_lease(ROLE, holder=holder, seconds=LEASE_SECONDS)
            if held != before:
                tell(
                    f"{holder} schedules."
                    if held
                    else "Another scheduler holds the lease; waiting."
                )
            if held:
                for key in enqueue_due():
                    logger.info("Enqueued %s.", key)
        except DatabaseFailure as error:
            if once:
                raise
            # It comes back, or the one who watches sees the missing heartbeat.
            logger.warning("The database is away: %s", type(error).__name__)
        except RedisError as error:
            if once:
                raise
            logger.warning("The queue is away: %s", type(error).__name__)
        if once:
            break
        stop.wait(ROUND_SECONDS)
        close_old_connections()
    _give_back(holder)


def _give_back(holder: str) -> None:
    try:
        release_lease(ROLE, holder=holder)
    except DatabaseFailure as error:
        logger.info("The lease ends by itself: %s", type(error).__name__)

"""Where background work waits, and who does it: one door to three backends."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from config.env import TASK_BACKENDS

QUEUE = "default"


class NoWorker(RuntimeError):
    """The backend does its work where it is enqueued."""


def backend_name() -> str:
    """Return ``database``, ``immediate`` or ``rq``, as ``SIGNALBOX_TASKS`` names it."""
    default: Any = settings.TASKS["default"]
    return next(
        name for name, backend in TASK_BACKENDS.items() if backend == default["BACKEND"]
    )


def has_workers() -> bool:
    """Say whether somebody else than who enqueues does the work."""
    return backend_name() != "immediate"


def work(*, interval: float, batch: bool) -> None:
    """Do what is waiting, and wait for more until a signal ends it.

    Args:
        interval: Seconds between two looks at an empty queue in the database. A queue
            in Redis tells by itself.
        batch: End when nothing is waiting.

    Raises:
        NoWorker: nothing is ever waiting.
        redis.exceptions.ConnectionError: the queue in Redis is away.
    """
    match backend_name():
        case "database":
            worker = _database_worker()
            call_command(worker, interval=interval, batch=batch, reload=False)
        case "rq":
            _rq_worker().work(burst=batch, logging_level="WARNING")
        case _:
            raise NoWorker(
                "SIGNALBOX_TASKS=immediate does the work where it is enqueued: there "
                "is nothing for a worker. Choose database or rq."
            )


def _database_worker() -> BaseCommand:
    """Make a worker that keeps the levels of logging that the portal has set."""
    from django_tasks_db.management.commands.db_worker import Command

    class Worker(Command):
        def configure_logging(self, verbosity: int) -> None:
            """Set nothing: the worker's own levels would hide the portal's."""

    return Worker()


def _rq_worker() -> Any:
    """Make a worker that does its work in this process, as the other one does.

    RQ's usual worker forks for every task and leaves the copy without cleaning up:
    what was measured in it would be lost.
    """
    from django_rq.queues import get_queues
    from django_tasks_rq import Job
    from rq import SimpleWorker

    class Worker(SimpleWorker):
        """Lets go of connections that have died while it was waiting."""

        def perform_job(self, *args: Any, **kwargs: Any) -> bool:
            close_old_connections()
            try:
                return bool(super().perform_job(*args, **kwargs))
            finally:
                close_old_connections()

    queues: list[Any] = get_queues(QUEUE, job_class=Job)  # type: ignore[no-untyped-call]
    return Worker(queues, connection=queues[0].connection, job_class=Job)


def waiting() -> int:
    """Count the tasks that wait for a worker.

    Raises:
        django.db.Error, redis.exceptions.RedisError: the queue is away.
    """
    match backend_name():
        case "database":
            from django_tasks_db.models import DBTaskResult

            return DBTaskResult.objects.ready().count()
        case "rq":
            import django_rq

            return int(django_rq.get_queue(QUEUE).count)
    return 0

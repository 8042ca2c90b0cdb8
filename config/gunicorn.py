"""Settings of gunicorn: threads, because a page waits more than it computes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

wsgi_app = "config.wsgi:application"
worker_class = "gthread"
workers = int(os.environ.get("SIGNALBOX_WEB_WORKERS", "1"))
threads = int(os.environ.get("SIGNALBOX_WEB_THREADS", "16"))
timeout = 60
graceful_timeout = 10
keepalive = 5
max_requests = 0
errorlog = "-"
loglevel = "warning"


def post_worker_init(worker: Worker) -> None:
    """Draw one chart before the first reader does: plotly's first figure is slow."""
    from threading import Thread

    from renderers.services import warm

    Thread(target=warm, daemon=True).start()


def worker_exit(server: Arbiter, worker: Worker) -> None:
    """Stop the engine here: at interpreter exit its threads would be joined first."""
    from connectors.services import shut_down
    from observability.services import stop

    shut_down()
    stop()

"""Kept traces into the database, so that a waterfall needs no other program.

Putting one aside costs an append; a thread of the process writes them in batches. What
cannot be kept is counted.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from django.db import InterfaceError, OperationalError

from observability.held_traces import KEY, KIND, TENANT, Held, Kept
from observability.log_store import clean, clean_json
from observability.models import StoredTrace
from observability.recorder import worker_id

WAITING = 300
BATCH = 25

logger = logging.getLogger(__name__)


def write(traces: Sequence[Held]) -> None:
    StoredTrace.objects.bulk_create([_row(held) for held in traces])


class TraceStore:
    """The traces of this process that are not written yet.

    Args:
        write: Stores traces. It raises OperationalError or InterfaceError for "not
            now", and they are kept; with any other failure they are lost, and counted.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Held]], None] = write,
        *,
        limit: int = WAITING,
    ) -> None:
        self._write = write
        self._limit = limit
        self.reset()

    def reset(self) -> None:
        """Begin anew: in a child, what was held so far is the parent's to write."""
        self._lock = threading.Lock()
        self._waiting: deque[Held] = deque()
        self._dropped = 0
        self._away = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, held: Held) -> None:
        """Store a trace soon. In a full queue, a trace that failed takes the place of
        one that did not.
        """
        with self._lock:
            if len(self._waiting) >= self._limit:
                self._dropped += 1
                if held.kept is not Kept.ERROR or not self._dismiss():
                    return
            self._waiting.append(held)

    def _dismiss(self) -> bool:
        for place, held in enumerate(self._waiting):
            if held.kept is not Kept.ERROR:
                del self._waiting[place]
                return True
        return False

    def flush(self) -> int:
        """Write every trace that waits; returns how many were written."""
        written = 0
        while batch := self._take():
            try:
                self._write(batch)
            except (OperationalError, InterfaceError) as error:
                self._put_back(batch)
                if not self._away:
                    name = type(error).__name__
                    logger.warning("Traces wait: the database is away (%s).", name)
                self._away = True
                return written
            except Exception:  # one bad trace must not stop those that follow
                logger.exception("%d traces could not be written.", len(batch))
                with self._lock:
                    self._dropped += len(batch)
                continue
            self._away = False
            written += len(batch)
        return written

    def _take(self) -> list[Held]:
        with self._lock:
            count = min(BATCH, len(self._waiting))
            return [self._waiting.popleft() for _ in range(count)]

    def _put_back(self, batch: Sequence[Held]) -> None:
        with self._lock:
            room = max(0, self._limit - len(self._waiting))
            self._waiting.extendleft(reversed(batch[:room]))
            self._dropped += len(batch) - len(batch[:room])

    def dropped(self) -> int:
        """Return how many traces this process could not keep."""
        return self._dropped


def _row(held: Held) -> StoredTrace:
    records = held.records()
    root = records[-1]
    tenant = str(root.attributes.get(TENANT, ""))
    return StoredTrace(
        trace_id=held.trace_id,
        started_at=datetime.fromtimestamp(root.started_ns / 1e9, tz=UTC),
        took_us=max(0, root.ended_ns - root.started_ns) // 1_000,
        kind=clean(str(root.attributes.get(KIND, "")))[:20],
        key=clean(str(root.attributes.get(KEY, "")))[:120],
        tenant_id=int(tenant) if tenant.isdecimal() else None,
        kept=str(held.kept),
        failed=held.failed,
        spans=[
            clean_json(
                {
                    "id": record.span_id,
                    "parent": record.parent_id,
                    "name": record.name,
                    "start_ns": record.started_ns,
                    "end_ns": record.ended_ns,
                    "reason": record.reason,
                    "attributes": record.attributes,
                }
            )
            for record in records
        ],
        left_out=held.left_out,
        worker=worker_id(),
    )


store_of_process = TraceStore()

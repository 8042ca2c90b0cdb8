"""Log lines on their way into the database: caught, queued, written in batches.

Logging a line takes microseconds, waits for nobody and runs no SQL. What cannot be kept
is counted by level. Lines of the thread that writes are not stored: they would never
end.
"""

from __future__ import annotations

import json
import logging
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from django.db import InterfaceError, OperationalError, connection, transaction

from observability.background import is_here
from observability.log_index import add_pairs
from observability.log_query import fold
from observability.log_queue import LineQueue
from observability.logs import Caught, caught
from observability.recorder import worker_id

QUEUE_LIMIT = 20_000
BATCH = 500

logger = logging.getLogger(__name__)


class LineStore:
    """The lines of this process that are not written yet.

    Args:
        write: Stores lines. It raises OperationalError or InterfaceError for "not
            now", and they are kept; with any other failure they are lost, and counted.
    """

    def __init__(
        self, *, write: Callable[[Sequence[Caught]], None], limit: int = QUEUE_LIMIT
    ) -> None:
        self._write = write
        self._limit = limit
        self.reset()

    def reset(self) -> None:
        """Begin anew: in a child, what was caught so far is the parent's to write."""
        self._queue: LineQueue[Caught] = LineQueue(self._limit)
        self._told: dict[str, int] = self._queue.dropped()
        self._away = False

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, line: Caught) -> None:
        self._queue.put(line.level, line)

    def flush(self) -> int:
        """Write every line that waits; returns how many were written."""
        written, refused = 0, False
        while taken := self._queue.take(BATCH):
            lines = [line for _level, line in taken]
            try:
                self._write(lines)
            except (OperationalError, InterfaceError) as error:
                self._queue.put_back(taken)
                if not self._away:
                    name = type(error).__name__
                    logger.warning("Log lines wait: the database is away (%s).", name)
                self._away = True
                return written
            except Exception:  # one bad line must not stop those that follow
                self._queue.lose([level for level, _line in taken])
                logger.exception("%d log lines could not be written.", len(taken))
                refused = True
                continue
            self._away = False
            written += len(taken)
        return written if refused else written + self._tell_drops()

    def _tell_drops(self) -> int:
        """Leave a line about what was lost since the last one, for who searches."""
        now = self._queue.dropped()
        lost = {name: now[name] - self._told[name] for name in now}
        if not any(lost.values()):
            return 0
        self._told = now
        record = logging.makeLogRecord({"name": __name__, "levelname": "WARNING"})
        record.levelno = logging.WARNING
        record.msg = "Dropped %d log lines: the queue was full."
        record.args = (sum(lost.values()),)
        record.lost = lost
        self._queue.put(logging.WARNING, caught(record)._replace(tenant_id=None))
        return self.flush()

    def dropped(self) -> dict[str, int]:
        """Return how many lines of each level this process lost."""
        return self._queue.dropped()


class StoreHandler(logging.Handler):
    """Hands every record to a store; never raises and never waits."""

    def __init__(
        self,
        store: LineStore | None = None,
        *,
        wake: Callable[[], None] | None = None,
        on: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__()
        self._store = store_of_process if store is None else store
        self._wake = wake or _wake_process
        self._on = on or _process_is_on

    def createLock(self) -> None:  # noqa: N802 - logging's name
        # Nothing here needs it, and threads that log would wait for each other.
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        if is_here() or not self._on():
            return
        try:
            self._store.put(caught(record))
            if len(self._store) >= BATCH:
                self._wake()
        except Exception:  # noqa: BLE001 - a line must not break what it tells of
            self.handleError(record)


class _Process:
    """How this process writes; `services` sets it, for logging starts before Django."""

    on: Callable[[], bool] = staticmethod(lambda: False)
    wake: Callable[[], None] = staticmethod(lambda: None)


def _process_is_on() -> bool:
    return _Process.on()


def _wake_process() -> None:
    _Process.wake()


def store_lines(*, on: Callable[[], bool], wake: Callable[[], None]) -> None:
    """From now on store what is logged while `on`, and `wake` for a full batch."""
    _Process.on = staticmethod(on)
    _Process.wake = staticmethod(wake)


def write(lines: Sequence[Caught]) -> None:
    """Store lines with what finds them, all or none."""
    from observability.models import LogLine

    rows = [LogLine(**_columns(line)) for line in lines]
    with transaction.atomic():
        made = LogLine.objects.bulk_create(rows)
        add_pairs(connection, [(row.pk, row.folded) for row in made])


def _columns(line: Caught) -> dict[str, object]:
    message, exception = clean(line.message), clean(line.exception)
    data = clean_json(line.data)
    return {
        "at": datetime.fromtimestamp(line.created, tz=UTC),
        "level": min(max(line.level, 0), 32_767),
        "logger": clean(line.logger)[:200],
        "message": message,
        "exception": exception,
        "folded": searched(message, exception, data),
        "status": clean(line.status)[:20],
        "trace_id": line.trace_id,
        "tenant_id": line.tenant_id,
        "user": line.user,
        "labels": clean_json({k: v[:120] for k, v in line.labels.items()}),
        "data": data,
        "worker": worker_id(),
    }


def searched(message: str, exception: str, data: Mapping[str, object]) -> str:
    """Return the folded text that a search looks through."""
    values = [f"{name}={value_text(value)}" for name, value in data.items()]
    return fold("\n".join([message, *filter(None, [exception]), *values]))


def value_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def clean(text: str) -> str:
    """Return text that every database takes: composed, without NUL and surrogates."""
    plain = text.replace("\0", "").encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFC", plain)


def clean_json(values: Mapping[str, object]) -> dict[str, object]:
    """Return JSON values whose texts every database takes."""
    return {clean(name): _cleaned(value) for name, value in values.items()}


def _cleaned(value: object) -> object:
    match value:
        case str():
            return clean(value)
        case dict():
            return clean_json(value)
        case list():
            return [_cleaned(item) for item in value]
    return value


store_of_process = LineStore(write=write)

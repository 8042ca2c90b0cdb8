"""Lines reach the database off the request path, without secrets, or are counted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from django.db import DataError, OperationalError, connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from observability import background, log_store
from observability.background import Background
from observability.log_queue import CLASS_NAMES, LineQueue
from observability.log_store import LineStore, StoreHandler, write
from observability.logs import Caught
from observability.models import LogLine
from observability.services import current_trace_id, measure
from tenants.models import Tenant
from tenants.scope import using_tenant
from tests.observability.test_log_search import PLAIN
from tests.observability.test_logs import PLANTED, SECRETS, odd_records

DEBUG, INFO, WARNING, ERROR = 10, 20, 30, 40


@pytest.fixture
def store(db: None) -> LineStore:
    return LineStore(write=write)


@pytest.fixture
def logger(store: LineStore) -> Iterator[logging.Logger]:
    """A logger whose lines go to `store` alone."""
    found = logging.getLogger("tests.log_store")
    handler = StoreHandler(store, wake=lambda: None, on=lambda: True)
    found.addHandler(handler)
    found.propagate = False
    found.setLevel(DEBUG)
    yield found
    found.removeHandler(handler)
    found.propagate = True
    found.setLevel(logging.NOTSET)


# --- The queue ----------------------------------------------------------------------


def test_a_full_queue_gives_up_debug_first_then_info_then_warnings() -> None:
    queue: LineQueue[str] = LineQueue(4)
    for level, line in ((ERROR, "e1"), (DEBUG, "d1"), (INFO, "i1"), (WARNING, "w1")):
        queue.put(level, line)

    queue.put(ERROR, "e2")
    assert queue.dropped() == {"debug": 1, "info": 0, "warning": 0, "error": 0}
    queue.put(ERROR, "e3")
    queue.put(DEBUG, "d2")
    queue.put(ERROR, "e4")
    queue.put(ERROR, "e5")

    assert [line for _level, line in queue.take(10)] == ["e2", "e3", "e4", "e5"]
    assert queue.dropped() == {"debug": 2, "info": 1, "warning": 1, "error": 1}


@given(
    st.lists(
        st.one_of(
            st.sampled_from([DEBUG, 15, INFO, WARNING, ERROR, 50]),
            st.just("take"),
            st.just("put back"),
        ),
        max_size=60,
    )
)
def test_every_line_is_taken_or_counted_and_the_queue_stays_bounded(
    steps: list[int | str],
) -> None:
    queue: LineQueue[int] = LineQueue(5)
    put = taken = 0
    for number, step in enumerate(steps):
        if isinstance(step, int):
            queue.put(step, number)
            put += 1
        elif step == "take":
            lines = [line for _level, line in queue.take(3)]
            assert lines == sorted(lines)
            taken += len(lines)
        else:
            queue.put_back(queue.take(4))
        assert len(queue) <= 5

    assert put == taken + len(queue) + sum(queue.dropped().values())


def test_lines_put_back_come_out_first_and_in_their_order() -> None:
    queue: LineQueue[str] = LineQueue(10)
    for line in "abcd":
        queue.put(INFO, line)

    queue.put_back(queue.take(3))
    queue.put(ERROR, "e")
    queue.put_back(queue.take(1))

    assert "".join(line for _level, line in queue.take(10)) == "abcde"


# --- Into the database --------------------------------------------------------------


def test_a_line_is_stored_with_everything_around_it(
    logger: logging.Logger, store: LineStore, acme: Tenant
) -> None:
    with measure("menu", key="home"), measure("operation", key="stock"):
        with using_tenant(acme):
            logger.warning("결제 %s", "실패", extra={"rows": 3, "status_code": 503})
        trace_id = current_trace_id()

    assert store.flush() == 1

    line = LogLine.objects.get()
    assert line.message == "결제 실패"
    assert (line.level, line.logger) == (WARNING, "tests.log_store")
    assert (line.tenant, line.trace_id) == (acme, trace_id)
    assert line.labels == {"menu": "home", "operation": "stock"}
    assert line.data == {"rows": 3}
    assert line.status == "503"
    assert line.worker


def test_the_labels_end_with_what_they_name(
    logger: logging.Logger, store: LineStore
) -> None:
    with measure("menu", key="home"):
        pass
    logger.info("outside")
    store.flush()

    assert LogLine.objects.get().labels == {}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_no_stored_byte_holds_a_planted_secret(
    logger: logging.Logger, store: LineStore, text: str
) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("got %s", text, extra={"note": text, "password": PLANTED})
    with measure("operation", key=text):
        logger.info("labelled")
    store.flush()

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM observability_logline")
        rows = repr(cursor.fetchall())
    assert "ValueError" in rows
    assert PLANTED not in rows


@pytest.mark.parametrize("name", odd_records())
def test_odd_lines_are_stored_too(store: LineStore, name: str) -> None:
    handler = StoreHandler(store, wake=lambda: None, on=lambda: True)
    odd = odd_records()[name]
    odd.name = "x\0" + "y" * 300
    odd.nul = {"a\0b": ["c\0", "\ud800"], "\\u0000": "\\u0000"}

    handler.handle(odd)

    assert store.flush() == 1
    assert LogLine.objects.get().data["nul"] == {
        "ab": ["c", "?"],
        "\\u0000": "\\u0000",
    }


def test_batches_are_bounded(db: None) -> None:
    sizes: list[int] = []
    store = LineStore(write=lambda lines: sizes.append(len(lines)))
    for _ in range(1_203):
        store.put(PLAIN)

    assert store.flush() == 1_203
    assert sizes == [500, 500, 203]


# --- When it cannot be written ------------------------------------------------------


class Away:
    """A database that is away, or refuses, for as long as `error` is set."""

    def __init__(self, error: type[Exception] | None) -> None:
        self.error = error
        self.lines: list[Caught] = []

    def __call__(self, lines: Sequence[Caught]) -> None:
        if self.error is not None:
            raise self.error("no")
        self.lines += lines


def test_while_the_database_is_away_lines_wait_and_only_the_rest_is_dropped() -> None:
    away = Away(OperationalError)
    store = LineStore(write=away, limit=3)
    for level in (DEBUG, ERROR, INFO, WARNING, ERROR):
        store.put(PLAIN._replace(level=level, message=str(level)))

    assert store.flush() == 0
    away.error = None
    store.flush()

    *lines, told = away.lines
    assert [line.message for line in lines] == ["40", "30", "40"]
    assert told.message == "Dropped 2 log lines: the queue was full."
    assert told.data["lost"] == {"debug": 1, "info": 1, "warning": 0, "error": 0}
    assert store.dropped() == {"debug": 1, "info": 1, "warning": 0, "error": 0}


def test_what_the_database_refuses_is_counted_and_does_not_stop_the_rest() -> None:
    refusing = Away(DataError)
    store = LineStore(write=refusing)
    store.put(PLAIN._replace(level=ERROR))

    assert store.flush() == 0
    refusing.error = None
    store.put(PLAIN._replace(message="next"))
    store.flush()

    assert refusing.lines[0].message == "next"
    assert store.dropped()["error"] == 1


def test_a_request_is_answered_at_once_while_lines_cannot_be_written(
    client: Client, db: None
) -> None:
    away = Away(OperationalError)
    store = LineStore(write=away, limit=10)
    handler = StoreHandler(store, wake=lambda: None, on=lambda: True)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        codes = [client.get("/no-such-page/").status_code for _ in range(20)]
        store.flush()
    finally:
        root.removeHandler(handler)

    assert set(codes) == {404}
    assert len(store) == 10
    assert sum(store.dropped().values()) >= 10


def test_what_the_writer_itself_logs_is_not_stored(
    logger: logging.Logger, store: LineStore
) -> None:
    with background.here():
        logger.error("the writer complains")
    logger.error("somebody else complains")

    store.flush()

    assert LogLine.objects.get().message == "somebody else complains"


def test_nothing_is_stored_in_tests_unless_asked(db: None) -> None:
    logging.getLogger("tests.unasked").error("not for the database")

    assert len(log_store.store_of_process) == 0


# --- The thread ---------------------------------------------------------------------


def running(*jobs: Callable[[], object], seconds: float = 0.01) -> Background:
    return Background(jobs=jobs, release=lambda: None, period=lambda: seconds)


def test_the_thread_does_its_jobs_again_and_again_and_once_more_at_the_end() -> None:
    done = threading.Semaphore(0)
    marked: list[bool] = []
    work = running(lambda: marked.append(background.is_here()), done.release)

    assert work.start()
    for _ in range(3):
        assert done.acquire(timeout=30)
    work.stop()

    assert done.acquire(timeout=1)
    assert set(marked) == {True}
    assert not background.is_here()


def test_a_job_that_breaks_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []
    work = running(lambda: 1 // 0, lambda: done.append(1))

    work.round()

    assert done == [1]
    assert "ZeroDivisionError" in caplog.text


def test_a_full_batch_wakes_the_thread() -> None:
    written = threading.Event()
    store = LineStore(write=lambda _lines: written.set())
    work = running(store.flush, seconds=600)
    handler = StoreHandler(store, wake=work.wake, on=work.start)

    for _ in range(log_store.BATCH):
        handler.handle(logging.makeLogRecord({"levelno": INFO, "msg": "x"}))

    assert written.wait(timeout=30)
    work.stop()


def test_without_a_period_there_is_no_thread(settings: Settings) -> None:
    work = running(seconds=0)

    assert not work.start()
    work.stop()


@pytest.mark.django_db(transaction=True)
def test_a_thread_of_its_own_writes_to_the_database() -> None:
    written = threading.Event()
    store = LineStore(write=write)

    def release() -> None:
        connection.close()  # of the thread that calls, not of this one

    def flush() -> None:
        if store.flush():
            written.set()

    work = Background(jobs=[flush], release=release, period=lambda: 0.05)
    handler = StoreHandler(store, wake=work.wake, on=work.start)

    handler.handle(logging.makeLogRecord({"levelno": INFO, "msg": "from a request"}))

    assert written.wait(timeout=60)
    work.stop()
    assert LogLine.objects.get().message == "from a request"


def test_every_class_of_levels_has_a_name() -> None:
    assert CLASS_NAMES == ("debug", "info", "warning", "error")

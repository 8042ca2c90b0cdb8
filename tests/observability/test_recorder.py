"""Counting in one process: exact under threads, bounded, and safe to fork."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Mapping

import pytest

from observability import recorder as module
from observability.recorder import OTHER_KEY, Cell, Recorder
from observability.slo import Tally


class Store:
    """Takes tallies in memory; can be away."""

    def __init__(self) -> None:
        self.away = False
        self.rows: list[tuple[Cell, Tally]] = []
        self.written = threading.Event()
        self.released = 0

    def write(self, tallies: Mapping[Cell, Tally]) -> bool:
        if self.away:
            return False
        self.rows.extend(tallies.items())
        self.written.set()
        return True

    def release(self) -> None:
        self.released += 1

    def recorder(self, *, period: float = 0) -> Recorder:
        return Recorder(write=self.write, release=self.release, period=lambda: period)

    @property
    def count(self) -> int:
        return sum(tally.count for _, tally in self.rows)


def record(recorder: Recorder, key: str = "home", *, tenant: str = "1") -> None:
    recorder.record("page", key, tenant, elapsed_us=1_000, bad=False)


def test_eight_threads_lose_and_double_nothing_while_flushing() -> None:
    store = Store()
    recorder = store.recorder()
    done = threading.Event()

    def work() -> None:
        for number in range(2_000):
            recorder.record(
                "page", "home", "1", elapsed_us=number, bad=number % 10 == 0
            )

    def flush() -> None:
        while not done.is_set():
            recorder.flush()

    flusher = threading.Thread(target=flush)
    workers = [threading.Thread(target=work) for _ in range(8)]
    flusher.start()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    done.set()
    flusher.join()
    recorder.flush()

    tallies = [tally for _, tally in store.rows]
    assert store.count == 16_000
    assert sum(tally.bad for tally in tallies) == 1_600
    assert sum(tally.sum_us for tally in tallies) == 8 * sum(range(2_000))
    assert sum(sum(tally.buckets.values()) for tally in tallies) == 16_000


def test_a_failed_flush_keeps_the_counts_and_warns_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Store()
    store.away = True
    recorder = store.recorder()

    with caplog.at_level(logging.WARNING, "observability.recorder"):
        for _ in range(3):
            record(recorder)
            assert recorder.flush() == 0
    store.away = False

    assert recorder.flush() >= 1
    assert store.count == 3
    assert [entry.message for entry in caplog.records] == [
        "Measurements cannot be written; they are kept in memory."
    ]


def test_a_writer_with_a_bug_loses_nothing() -> None:
    def broken(tallies: Mapping[Cell, Tally]) -> bool:
        raise ZeroDivisionError

    store = Store()
    recorder = Recorder(
        write=broken,
        release=store.release,
        period=lambda: 0,
    )
    record(recorder)

    with pytest.raises(ZeroDivisionError):
        recorder.flush()

    with recorder.paused() as pending:
        assert [tally.count for tally in pending.values()] == [1]


def test_the_memory_for_unwritten_counts_is_bounded(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PENDING_LIMIT", 2)
    store = Store()
    store.away = True
    recorder = store.recorder()

    for key in ("a", "b", "c"):
        record(recorder, key)
    recorder.flush()

    assert recorder.dropped() == 1
    assert "Dropped 1 measurements" in caplog.text


def test_too_many_keys_are_counted_together_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "KEY_LIMIT", 2)
    store = Store()
    recorder = store.recorder()

    for key in ("a", "b", "c", "d", "a"):
        record(recorder, key)
    record(recorder, "c", tenant="2")
    recorder.flush()

    counts = {(cell.key, cell.tenant): tally.count for cell, tally in store.rows}
    assert counts == {("a", "1"): 2, ("b", "1"): 1, (OTHER_KEY, "1"): 2, ("c", "2"): 1}
    assert recorder.overflow() == {"page": 2}
    assert caplog.text.count("More than 2 keys of kind page") == 1
    assert len(recorder.totals()) == 3


def test_keys_are_free_again_after_a_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEY_LIMIT", 1)
    store = Store()
    recorder = store.recorder()
    record(recorder, "a")
    recorder.flush()

    record(recorder, "b")
    recorder.flush()

    assert {cell.key for cell, _ in store.rows} == {"a", "b"}


def test_the_first_recording_starts_one_flusher() -> None:
    store = Store()
    recorder = store.recorder(period=0.01)
    record(recorder)

    assert store.written.wait(10)
    recorder.stop()
    assert store.count == 1
    assert store.released >= 1


def test_a_period_of_zero_starts_no_thread_and_writes_nothing_at_exit() -> None:
    store = Store()
    recorder = store.recorder(period=0)
    before = threading.active_count()

    record(recorder)
    recorder.stop()

    assert threading.active_count() == before
    assert store.rows == []


FORKING = """
import json, os, sys
from observability.recorder import Recorder

def write(tallies):
    sizes = {cell.key: tally.count for cell, tally in tallies.items()}
    os.write(1, (json.dumps([os.getpid() == parent, sizes]) + "\\n").encode())
    return True

parent = os.getpid()
recorder = Recorder(write=write, release=lambda: None, period=lambda: 3_600)
recorder.follow_process()
recorder.record("page", "before", "", elapsed_us=1, bad=False)
child = os.fork()
name = "parent" if child else "child"
recorder.record("page", name, "", elapsed_us=1, bad=False)
if child:
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_forked_child_writes_its_own_counts_and_its_parent_the_rest() -> None:
    result = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, timeout=60, check=True
    )

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines == [[False, {"child": 1}], [True, {"before": 1, "parent": 1}]]

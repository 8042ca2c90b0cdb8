"""Measuring costs no SQL, and every event is read exactly once."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from observability import services, storage
from observability.models import Measurement
from observability.recorder import Cell, Recorder
from observability.services import SERIES, flush, measure, read_series
from observability.slo import Tally
from tenants.models import Tenant


def counted() -> dict[tuple[str, str], Tally]:
    return services.recorder.totals()


def test_measuring_runs_no_sql() -> None:
    # Without the db fixture, any query fails this test.
    with measure("operation", key="stock-by-site", tenant="1"):
        pass

    tally = counted()["operation", "stock-by-site"]
    assert (tally.count, tally.bad) == (1, 0)


def test_an_exception_counts_as_an_error_and_goes_on() -> None:
    with pytest.raises(KeyError), measure("block", key="b1"):
        raise KeyError("x")

    assert counted()["block", "b1"].bad == 1


def test_a_failure_that_is_a_value_counts_as_an_error() -> None:
    with measure("operation", key="slow") as timing:
        timing.failed("timeout")

    assert counted()["operation", "slow"].bad == 1


def test_the_time_is_measured_in_microseconds() -> None:
    with measure("task", key="wait"):
        time.sleep(0.02)

    assert 20_000 <= counted()["task", "wait"].max_us < 2_000_000


def test_coroutines_are_measured_side_by_side() -> None:
    async def call(key: str) -> str:
        with measure("operation", key=key):
            await asyncio.sleep(0)
            return services.current_trace_id()

    async def both() -> tuple[str, str]:
        return await asyncio.gather(call("a"), call("b"))

    first, second = asyncio.run(both())

    assert first
    assert second
    assert first != second
    assert {key for _, key in counted()} == {"a", "b"}


def test_a_debug_line_tells_what_was_measured(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG, "observability.measure"),
        measure("operation", key="stock", tenant="1", method="GET") as timing,
    ):
        timing.note("rows", 7)
        timing.failed("timeout")

    (line,) = caplog.records
    measured = vars(line)["measured"]
    assert measured["rows"] == 7
    assert measured["method"] == "GET"
    assert measured["status"] == "timeout"


def test_a_flush_appends_one_row_a_key(acme: Tenant) -> None:
    for _ in range(3):
        with measure("screen", key="weather", tenant=str(acme.pk)):
            pass

    assert flush() == Measurement.objects.count() == 1
    assert flush() == 0
    row = Measurement.objects.get()
    assert (row.kind, row.key, row.tenant, row.count) == ("screen", "weather", acme, 3)
    assert row.tally().count == sum(row.tally().buckets.values()) == 3


def test_counts_of_a_deleted_tenant_do_not_refuse_the_others(acme: Tenant) -> None:
    gone = acme.pk + 1_000
    for tenant in (str(acme.pk), str(gone), "", "nonsense"):
        with measure("page", key="with\0nul", tenant=tenant):
            pass

    assert flush() == 4
    assert Measurement.objects.for_tenant(acme.pk).count() == 1
    assert Measurement.objects.for_tenant(None).count() == 2


def test_a_database_that_refuses_keeps_the_counts(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with measure("page", key="home"):
        pass
    monkeypatch.setattr(Measurement._meta, "db_table", "no_such_table")

    assert flush() == 0

    monkeypatch.undo()
    assert flush() == 1


def test_a_series_holds_written_and_pending_counts_once(acme: Tenant) -> None:
    tenant = str(acme.pk)
    for number in range(10):
        with measure("screen", key="weather", tenant=tenant) as timing:
            if number == 0:
                timing.failed("timeout")
    flush()
    with measure("screen", key="weather", tenant=tenant):
        pass

    (row,) = read_series("latency", tenant_id=acme.pk, hours=1)

    assert (row["kind"], row["key"], row["count"]) == ("screen", "weather", 11)
    assert (row["errors"], row["error_share"]) == (1, 9.091)


def test_no_series_shows_another_tenant(acme: Tenant, globex: Tenant) -> None:
    for flushed in (True, False):
        for kind in ("page", "screen"):
            with measure(kind, key="secret", tenant=str(globex.pk)) as timing:
                timing.failed("x")
        with measure("page", key="tenantless"):
            pass
        if flushed:
            flush()

    for name in SERIES:
        assert read_series(name, tenant_id=acme.pk, hours=24) == []


@pytest.mark.parametrize("hours", [0, 999_999])
def test_a_window_that_is_not_kept_is_refused(hours: int) -> None:
    with pytest.raises(ValueError, match=r"hours must lie in 1\.\."):
        read_series("latency", tenant_id=1, hours=hours)


def test_an_unknown_series_is_refused() -> None:
    with pytest.raises(KeyError):
        read_series("nonsense", tenant_id=1, hours=1)


def test_every_window_reads_every_event_once(acme: Tenant) -> None:
    now = timezone.now()
    ages = [timedelta(minutes=2), timedelta(hours=8), timedelta(days=20)]
    for age in ages:
        _store(acme, starts_at=now - age)
    services.fold_hours()
    services.fold_days()

    counts = {
        hours: [row["count"] for row in _latency(acme, hours=hours)]
        for hours in (1, 6, 24, 24 * 14, 24 * 30)
    }

    assert counts == {1: [1], 6: [1], 24: [2], 24 * 14: [2], 24 * 30: [3]}


def _latency(tenant: Tenant, *, hours: int) -> list[dict[str, services.Measured]]:
    return read_series("latency", tenant_id=tenant.pk, hours=hours)


def _store(tenant: Tenant, **fields: object) -> Measurement:
    tally = Tally()
    tally.add(5_000)
    row = storage._row(Cell(0, "screen", "weather", str(tenant.pk)), tally, worker="w")
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    return row


@pytest.mark.django_db(transaction=True)
def test_the_flusher_writes_from_its_own_thread_and_connection() -> None:
    written = threading.Event()

    def release() -> None:
        connection.close()
        written.set()

    recorder = Recorder(write=storage.write, release=release, period=lambda: 0.05)

    recorder.record("page", "home", "", elapsed_us=1, bad=False)

    assert written.wait(10)
    recorder.stop()
    assert Measurement.objects.get().key == "home"

"""Two hours of history for a new demo: what `demo.recording` recorded, moved to now."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from demo.datasets import DATA
from demo.recording import MINUTES, TRAFFIC_FILE
from observability.models import Measurement
from tenants.models import Tenant

WORKER = "demo-recording"


def load_traffic(*, now: datetime | None = None) -> int:
    """Write the recorded minutes so that the last of them has just ended.

    A portal that has measured anything keeps its own history.

    Returns:
        Rows written; 0 when there was a history already.
    """
    if Measurement.objects.filter(tenant__isnull=False).exists():
        return 0
    tenants = dict(Tenant.objects.values_list("key", "pk"))
    began = beginning(now or timezone.now())
    rows = [
        Measurement(
            starts_at=began + timedelta(minutes=int(row["minute"])),
            kind=row["kind"],
            key=row["key"],
            tenant_id=tenants[row["tenant"]],
            worker=WORKER,
            count=int(row["count"]),
            bad=int(row["bad"]),
            sum_us=int(row["sum_us"]),
            max_us=int(row["max_us"]),
            buckets=bytes.fromhex(row["buckets"]),
        )
        for row in recorded(TRAFFIC_FILE)
    ]
    Measurement.objects.bulk_create(rows, batch_size=1_000)
    return len(rows)


def beginning(now: datetime) -> datetime:
    """Return the minute with which a recording begins that has just ended."""
    minute = int(now.timestamp()) // 60 - MINUTES
    return datetime.fromtimestamp(minute * 60, tz=UTC)


def recorded(name: str) -> Iterator[Mapping[str, str]]:
    """Yield the rows of one file of the recording."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)

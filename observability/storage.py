"""Write what the recorder counted, and read it back."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import Error as DatabaseFailure
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from observability.models import Measurement
from observability.recorder import Cell, worker_id
from observability.slo import Tally, encode_buckets

# Up to here minutes are read one by one; then whole hours; then whole days.
_MINUTE_WINDOW_HOURS = 6
_HOUR_WINDOW_HOURS = 14 * 24
_BATCH = 500

logger = logging.getLogger(__name__)


class Counted(NamedTuple):
    """One stored or pending row, as values."""

    starts_at: datetime
    kind: str
    key: str
    tally: Tally


def write(tallies: Mapping[Cell, Tally]) -> bool:
    """Append one row a cell. False when the database refuses or is away."""
    worker = worker_id()
    rows = [_row(cell, tally, worker=worker) for cell, tally in tallies.items()]
    try:
        with transaction.atomic():
            Measurement.objects.bulk_create(rows, batch_size=_BATCH)
    except DatabaseFailure as error:
        logger.debug("Measurements were not written: %s", type(error).__name__)
        return False
    return True


def _row(cell: Cell, tally: Tally, *, worker: str) -> Measurement:
    return Measurement(
        granularity=Measurement.Granularity.MINUTE,
        starts_at=minute_of(cell),
        # PostgreSQL refuses NUL in text, and would refuse the whole batch.
        kind=cell.kind.replace("\0", "")[:20],
        key=cell.key.replace("\0", "")[:120],
        tenant_id=int(cell.tenant) if cell.tenant.isdecimal() else None,
        worker=worker,
        count=tally.count,
        bad=tally.bad,
        sum_us=tally.sum_us,
        max_us=tally.max_us,
        buckets=encode_buckets(tally.buckets),
    )


def minute_of(cell: Cell) -> datetime:
    """Return the first moment of the minute a cell counts."""
    return datetime.fromtimestamp(cell.minute * 60, tz=UTC)


def read(*, tenant_id: int, hours: int, every_minute: bool = False) -> list[Counted]:
    """Read the rows of one tenant that together hold every event once.

    Longer windows read longer rows and begin at a full hour or day of UTC;
    `every_minute` reads minutes whatever the window.
    """
    rows = Measurement.objects.for_tenant(tenant_id).filter(
        _window(hours=hours, every_minute=every_minute)
    )
    return [
        Counted(row.starts_at, row.kind, row.key, row.tally())
        for row in rows.order_by("starts_at").iterator()
    ]


def _window(*, hours: int, every_minute: bool) -> Q:
    kinds = Measurement.Granularity
    since = timezone.now().astimezone(UTC) - timedelta(hours=hours)
    minute = since.replace(second=0, microsecond=0)
    if every_minute or hours <= _MINUTE_WINDOW_HOURS:
        return Q(granularity=kinds.MINUTE, starts_at__gte=minute)
    hour = minute.replace(minute=0)
    if hours <= _HOUR_WINDOW_HOURS:
        rest = Q(granularity=kinds.MINUTE, folded=False)
        return Q(starts_at__gte=hour) & (Q(granularity=kinds.HOUR) | rest)
    day = hour.replace(hour=0)
    rest = Q(granularity__in=[kinds.MINUTE, kinds.HOUR], folded=False)
    return Q(starts_at__gte=day) & (Q(granularity=kinds.DAY) | rest)


def recent(
    pending: Mapping[Cell, Tally], *, tenant_id: int, hours: int
) -> list[Counted]:
    """Return the pending counts of one tenant in the last `hours`."""
    since = timezone.now() - timedelta(hours=hours, minutes=1)
    return [
        Counted(minute_of(cell), cell.kind, cell.key, tally)
        for cell, tally in pending.items()
        if cell.tenant == str(tenant_id) and minute_of(cell) >= since
    ]


def between(
    *, tenant_id: int, starts: datetime, ends: datetime, kinds: Collection[str] = ()
) -> dict[tuple[str, str], Tally]:
    """Add up what one tenant had in ``starts <= t < ends``, by kind and key.

    Whole days of UTC are read as days where they are folded, what is left of the
    first and the last day as hours. Exact for hours and days that begin at a full
    hour; hours that are forgotten (after 400 days) leave these edges empty.

    Args:
        kinds: Which kinds; all when empty.
    """
    granularities = Measurement.Granularity
    first = _next_midnight(starts)
    last = max(
        first, ends.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    )
    inner = Q(starts_at__gte=first, starts_at__lt=last)
    edges = Q(starts_at__gte=starts, starts_at__lt=min(first, ends))
    edges |= Q(starts_at__gte=max(last, starts), starts_at__lt=ends)
    not_folded = Q(folded=False)
    days = inner & (Q(granularity=granularities.DAY) | not_folded)
    hours = edges & (
        Q(granularity=granularities.HOUR)
        | Q(granularity=granularities.MINUTE) & not_folded
    )
    rows = Measurement.objects.for_tenant(tenant_id).filter(days | hours)
    if kinds:
        rows = rows.filter(kind__in=kinds)
    total: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
    for row in rows.order_by().iterator():
        total[row.kind, row.key].merge(row.tally())
    return dict(total)


def _next_midnight(moment: datetime) -> datetime:
    midnight = _midnight(moment)
    return midnight if midnight == moment else midnight + timedelta(days=1)


def _midnight(moment: datetime) -> datetime:
    """Return the midnight of UTC at or before a moment."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

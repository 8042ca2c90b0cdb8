"""Fold minutes into hours and hours into days, and forget what is old.

Folding appends: one transaction adds the longer rows and marks the shorter ones.
It may be repeated, run twice at once, and meet rows that arrive late; every event
is in the longer rows exactly once.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from django.db import models, transaction
from django.db.models.functions import Trunc
from django.utils import timezone

from observability.models import Measurement
from observability.slo import Tally, encode_buckets

KEPT = {
    Measurement.Granularity.MINUTE: timedelta(days=14),
    Measurement.Granularity.HOUR: timedelta(days=400),
    Measurement.Granularity.DAY: timedelta(days=5 * 366),
}
# Flushers write every few seconds; after this long a row is late, and folded later.
_SETTLED = timedelta(minutes=5)
_BATCH = 500


def fold_hours(*, now: datetime | None = None) -> int:
    """Fold the minutes of every hour that has ended; returns the rows folded."""
    kinds = Measurement.Granularity
    return _fold(kinds.MINUTE, kinds.HOUR, now=now)


def fold_days(*, now: datetime | None = None) -> int:
    """Fold the hours of every UTC day that has ended; returns the rows folded."""
    kinds = Measurement.Granularity
    return _fold(kinds.HOUR, kinds.DAY, now=now)


def prune(*, now: datetime | None = None) -> int:
    """Delete folded rows past their time, and old days; returns how many."""
    moment = now or timezone.now()
    deleted = 0
    for granularity, kept in KEPT.items():
        rows = Measurement.objects.filter(
            granularity=granularity, starts_at__lt=moment - kept
        )
        if granularity != Measurement.Granularity.DAY:
            # What is not folded is nowhere else yet.
            rows = rows.filter(folded=True)
        deleted += _delete(rows)
    return deleted


def _delete(rows: models.QuerySet[Measurement]) -> int:
    # In pieces: one statement over a month of rows would hold its locks too long.
    deleted = 0
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        deleted += Measurement.objects.filter(pk__in=pks).delete()[0]
    return deleted


def _fold(source: str, target: str, *, now: datetime | None) -> int:
    moment = (now or timezone.now()).astimezone(UTC) - _SETTLED
    ended = moment.replace(minute=0, second=0, microsecond=0)
    if target == Measurement.Granularity.DAY:
        ended = ended.replace(hour=0)
    periods = (
        Measurement.objects.closed(source, before=ended)
        .annotate(period=Trunc("starts_at", target, tzinfo=UTC))
        .order_by("period")
        .values_list("period", flat=True)
        .distinct()
    )
    return sum(_fold_period(source, target, start) for start in list(periods))


@transaction.atomic
def _fold_period(source: str, target: str, start: datetime) -> int:
    end = start + timedelta(**{f"{target}s": 1})
    rows = list(
        Measurement.objects.closed(source, before=end)
        .filter(starts_at__gte=start)
        # A second folder waits here, and then finds these rows folded.
        .select_for_update()
    )
    tallies: defaultdict[tuple[str, str, int | None], Tally] = defaultdict(Tally)
    for row in rows:
        tallies[row.kind, row.key, row.tenant_id].merge(row.tally())
    Measurement.objects.bulk_create(
        [
            Measurement(
                granularity=target,
                starts_at=start,
                kind=kind,
                key=key,
                tenant_id=tenant_id,
                count=tally.count,
                bad=tally.bad,
                sum_us=tally.sum_us,
                max_us=tally.max_us,
                buckets=encode_buckets(tally.buckets),
            )
            for (kind, key, tenant_id), tally in tallies.items()
        ],
        batch_size=_BATCH,
    )
    pks = [row.pk for row in rows]
    for first in range(0, len(pks), _BATCH):
        Measurement.objects.filter(pk__in=pks[first : first + _BATCH]).update(
            folded=True
        )
    return len(rows)

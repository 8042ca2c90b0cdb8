"""Delete log lines and traces past their time, some hundred at once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from observability.log_index import remove_pairs
from observability.models import LogLevel, LogLine, StoredTrace

CHUNK = 500
_ENDED_LEVELS_KEPT = timedelta(days=90)


def prune_lines(*, now: datetime | None = None) -> int:
    """Delete old lines; warnings and errors are kept longer. Returns how many.

    Every chunk is a transaction of its own, so that nobody waits long for it.
    """
    moment = now or timezone.now()
    quiet = moment - timedelta(days=settings.SIGNALBOX_LOG_DAYS)
    loud = moment - timedelta(days=settings.SIGNALBOX_WARNING_LOG_DAYS)
    ended = Q(at__lt=quiet, level__lt=logging.WARNING) | Q(
        at__lt=loud, level__gte=logging.WARNING
    )
    deleted = 0
    while True:
        with transaction.atomic():
            rows = list(
                LogLine.objects.filter(ended)
                .order_by("at")
                .values_list("pk", "folded")[:CHUNK]
            )
            remove_pairs(connection, rows)
            LogLine.objects.filter(pk__in=[pk for pk, _folded in rows]).delete()
        deleted += len(rows)
        if len(rows) < CHUNK:
            return deleted


def prune_traces(*, now: datetime | None = None) -> int:
    """Delete traces past their days, and what levels ended long ago; returns traces."""
    moment = now or timezone.now()
    oldest = moment - timedelta(days=settings.SIGNALBOX_TRACE_DAYS)
    LogLevel.objects.filter(until__lt=moment - _ENDED_LEVELS_KEPT).delete()
    deleted = 0
    while True:
        old = StoredTrace.objects.filter(started_at__lt=oldest).order_by("started_at")
        keys = list(old.values_list("pk", flat=True)[:CHUNK])
        StoredTrace.objects.filter(pk__in=keys).delete()
        deleted += len(keys)
        if len(keys) < CHUNK:
            return deleted

"""A marked log line, trace and review, of the tenant that must not be seen."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from django.db import models
from django.utils import timezone

from observability.models import LogLine, Review, ReviewFinding, StoredTrace
from observability.review_values import (
    Cadence,
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
)
from observability.services import freeze, snapshot_of, store_records
from tenants.models import Tenant

TRACE = "feedfacefeedfacefeedfacefeedface"


def marked_watching(mark: str, tenant: Tenant) -> list[models.Model]:
    record = logging.makeLogRecord({"name": mark, "msg": f"{mark} line", "levelno": 30})
    store_records([record])
    trace = StoredTrace.objects.create(
        trace_id=TRACE,
        started_at=timezone.now(),
        took_us=1_000,
        kind="page",
        key=f"{mark}-page",
        tenant=tenant,
        kept="error",
        failed=True,
        spans=[],
    )
    review = _review(mark, tenant)
    return [
        LogLine.objects.get(logger=mark),
        trace,
        review,
        ReviewFinding.objects.get(review=review),
    ]


def _review(mark: str, tenant: Tenant) -> Review:
    words = {"ko": mark, "en": mark}
    period = Period(
        Cadence.MONTHLY,
        datetime(2026, 9, 30, 15, tzinfo=UTC),
        datetime(2026, 10, 31, 15, tzinfo=UTC),
    )
    section = Section(
        key=f"{mark}-section",
        title=words,
        figures=(Figure(f"{mark}-figure", words, 1),),
        tables=(ReviewTable(f"{mark}-table", words, (words,), ((mark,),)),),
        findings=(Finding(f"{mark}-finding", words),),
    )
    snapshot = snapshot_of([section], period=period, tenant=tenant)
    return freeze(snapshot, tenant=tenant).review

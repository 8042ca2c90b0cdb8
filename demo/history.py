"""Two hours of history for a new demo: what `demo.recording` recorded, moved to now.

Beside it stand what people would have made by then: an objective that burns and the
alert it raised, and a draft of a screen with a proposal of the copilot.
"""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from copilot.services import suggest
from demo.datasets import DATA
from demo.recording import LOG_FILE, MINUTES, TRACE_FILE, TRAFFIC_FILE
from observability.models import AlertRule, Measurement, Objective, StoredTrace
from observability.services import add_burn_rules, evaluate_all, store_records
from screens.models import Screen, ScreenVersion
from screens.services import copy_screen
from tenants.models import Tenant, User
from tenants.scope import Actor, using_tenant

WORKER = "demo-recording"
TENANT, STAFF, OWNER = "hanbit", "admin", "operator"
OBJECTIVE, DRAFT = "earthquakes-answer", "weather-next"
WISH = "기온을 막대그래프로"
_EVALUATED_MINUTES = 20


def load_history(*, now: datetime | None = None) -> bool:
    """Give a portal that has measured nothing yet two hours of history.

    Returns:
        False when there was a history already; then nothing is changed.
    """
    if Measurement.objects.filter(tenant__isnull=False).exists():
        return False
    moment = now or timezone.now()
    began = beginning(moment)
    tenants = dict(Tenant.objects.values_list("key", "pk"))
    with transaction.atomic():
        _load_traffic(began, tenants)
        _load_lines(began, tenants)
        _load_trace(began, tenants)
        tenant = Tenant.objects.get(key=TENANT)
        staff = User.objects.get(username=STAFF)
        actor = Actor(user_id=staff.pk, tenant_id=tenant.pk)
        with using_tenant(tenant):
            _promise(actor, moment)
            _ask_copilot(actor)
    evaluate_all(now=moment)
    return True


def beginning(now: datetime) -> datetime:
    """Return the minute with which a recording begins that has just ended."""
    minute = int(now.timestamp()) // 60 - MINUTES
    return datetime.fromtimestamp(minute * 60, tz=UTC)


def _recorded(name: str) -> Iterator[Mapping[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _load_traffic(began: datetime, tenants: Mapping[str, int]) -> None:
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
        for row in _recorded(TRAFFIC_FILE)
    ]
    Measurement.objects.bulk_create(rows, batch_size=1_000)


def _load_lines(began: datetime, tenants: Mapping[str, int]) -> None:
    rows = list(_recorded(LOG_FILE))
    for key, pk in tenants.items():
        with using_tenant(pk):
            store_records([_record(row, began) for row in rows if row["tenant"] == key])


def _record(row: Mapping[str, str], began: datetime) -> logging.LogRecord:
    level = logging.getLevelNamesMapping()[row["level"]]
    record = logging.makeLogRecord(
        {"name": row["logger"], "msg": row["message"], "levelno": level}
    )
    record.levelname = row["level"]
    record.created = (began + timedelta(seconds=int(row["second"]))).timestamp()
    return record


def _load_trace(began: datetime, tenants: Mapping[str, int]) -> None:
    told: dict[str, Any] = json.loads((DATA / TRACE_FILE).read_text(encoding="utf-8"))
    started = began + timedelta(seconds=told["second"])
    # Spans keep their distances; only the beginning of the page moves.
    first = min(span["start_ns"] for span in told["spans"])
    moved = int(started.timestamp() * 1e9) - first
    for span in told["spans"]:
        span["start_ns"] += moved
        span["end_ns"] += moved
        attributes = span["attributes"]
        if "signalbox.tenant" in attributes:
            attributes["signalbox.tenant"] = str(tenants[told["tenant"]])
    StoredTrace.objects.create(
        trace_id=told["trace_id"],
        started_at=started,
        took_us=told["took_us"],
        kind=told["kind"],
        key=told["key"],
        tenant_id=tenants[told["tenant"]],
        kept=told["kept"],
        failed=True,
        spans=told["spans"],
        worker=WORKER,
    )


def _promise(actor: Actor, now: datetime) -> None:
    """Promise that earthquakes answer; its rules catch up with the incident."""
    if Objective.objects.filter(key=OBJECTIVE).exists():
        return
    objective = Objective(
        key=OBJECTIVE,
        label={"ko": "지진 목록이 응답한다", "en": "The list of earthquakes answers"},
        kind="operation",
        measured_key="earthquakes-all",
        target="99.0",
        window_days=7,
        owner=User.objects.get(username=OWNER),
    )
    objective.full_clean()
    objective.save()
    add_burn_rules(objective, actor=actor)
    # The two faster paces look at six hours at most; the incident began within one.
    AlertRule.objects.filter(objective=objective).update(
        evaluated_until=_minute(now) - timedelta(minutes=_EVALUATED_MINUTES)
    )


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _ask_copilot(actor: Actor) -> None:
    """Copy a screen as a draft, and let the copilot propose a change of it."""
    published = Screen.objects.get(key="weather").published
    if published is None or Screen.objects.filter(key=DRAFT).exists():
        return
    draft = copy_screen(published, key=DRAFT, actor=actor)
    if isinstance(draft, ScreenVersion):
        suggest(draft.screen, WISH, actor=actor)

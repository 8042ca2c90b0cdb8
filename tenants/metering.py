"""Counts of queries and rows of this process, written off the request's path.

Counting and asking take a short lock and run no SQL. What other processes have counted
and not written yet is not seen: a quota is overshot by what they do between two
flushes, about a second, and by the rows of the answer that reaches it.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from django.db import Error as DatabaseFailure
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from tenants.audit import record
from tenants.models import Tenant, TenantUsage
from tenants.quotas import Level, Quota, Use, levels, overrun

_Counts = dict[tuple[int, date], Use]

logger = logging.getLogger(__name__)


def today() -> date:
    """Return the day of the portal's own zone, by which quotas are counted."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def resets_at() -> datetime:
    """Return when the running day ends, and with it what was used of it."""
    midnight = datetime.combine(today() + timedelta(days=1), time())
    return timezone.make_aware(midnight, timezone.get_default_timezone())


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database said of a tenant when it was last asked."""

    day: date
    quota: Quota
    use: Use


class Meter:
    """What this process has counted, and what it knows of the rest."""

    def __init__(self) -> None:
        self._flushing = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begin anew: in a forked child, and between two tests."""
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._pending: _Counts = {}
        self._on_its_way: _Counts = {}
        self._known: dict[int, _Known] = {}

    def learn(self, tenant_id: int, quota: Quota, use: Use) -> None:
        """Take what was just read from the database of a tenant's day."""
        known = _Known(today(), quota, use)
        with self._lock:
            self._known[tenant_id] = known

    def over(self, tenant_id: int) -> Level | None:
        """Return the daily limit that refuses the tenant's next query, or None."""
        name = (tenant_id, today())
        with self._lock:
            known = self._known.get(tenant_id)
            if known is None:
                return None
            use = known.use if known.day == name[1] else Use()
            for counts in (self._pending, self._on_its_way):
                use = _sum(use, counts.get(name, Use()))
        return overrun(known.quota, use)

    def count(self, tenant_id: int, *, queries: int = 0, rows: int = 0) -> None:
        name = (tenant_id, today())
        with self._lock:
            use = self._pending.get(name, Use())
            self._pending[name] = _sum(use, Use(queries, rows))

    def flush(self) -> int:
        """Add what was counted to the database; returns the rows written.

        What cannot be written is kept for the next time.
        """
        with self._flushing:
            with self._lock:
                self._on_its_way, self._pending = self._pending, {}
                taken = dict(self._on_its_way)
            written = {}
            try:
                for name, use in taken.items():
                    written[name] = _add(*name, use)
            except DatabaseFailure as error:
                logger.warning(
                    "Use of tenants is not written yet: %s", type(error).__name__
                )
            finally:
                self._settle(taken, written)
        return len(written)

    def _settle(self, taken: _Counts, written: Mapping[tuple[int, date], Use]) -> None:
        with self._lock:
            for name, use in taken.items():
                known = self._known.get(name[0])
                if name not in written:
                    before = self._pending.get(name, Use())
                    self._pending[name] = _sum(before, use)
                elif known is not None and known.day == name[1]:
                    self._known[name[0]] = replace(known, use=written[name])
            self._on_its_way = {}


def _sum(one: Use, other: Use) -> Use:
    return Use(one.queries + other.queries, one.rows + other.rows, one.storage)


@transaction.atomic
def _add(tenant_id: int, day: date, use: Use) -> Use:
    """Add to a tenant's day; return what all processes have written of it.

    Warns of every limit that is four fifths used, once a day.
    """
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        return use  # it was erased meanwhile
    TenantUsage.all_tenants.get_or_create(tenant=tenant, day=day)
    # The update comes first: it locks the row for what follows.
    rows = TenantUsage.all_tenants.filter(tenant=tenant, day=day)
    rows.update(queries=F("queries") + use.queries, rows=F("rows") + use.rows)
    row = rows.get()
    warn(tenant, row)
    return row.use()


def warn(tenant: Tenant, row: TenantUsage) -> None:
    """Audit and log every limit that is newly near or over, once for each day."""
    found = []
    for level in levels(tenant.quota(), row.use()):
        state = "over" if level.is_over else "near" if level.is_near else ""
        told = f"{level.limit}:{state}"
        if not state or told in row.warned:
            continue
        found.append(told)
        record(
            actor=None,
            action=f"quota.{state}",
            target=tenant,
            changes={"limit": level.limit.value, "percent": level.percent},
        )
        logger.warning(
            "Tenant %s has used %d %% of its %s (%d of %d).",
            tenant.key,
            level.percent,
            level.limit.value,
            level.used,
            level.allowed,
        )
    if found:
        warned = [*row.warned, *found]
        TenantUsage.all_tenants.filter(pk=row.pk).update(warned=warned)


meter = Meter()
os.register_at_fork(after_in_child=meter.forget)

"""What the tests of objectives and alerts share: minutes with a number of events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from observability.models import AlertRule, Measurement, Objective
from observability.slo import Tally, encode_buckets
from tenants.models import Tenant

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MS = 1_000


def tally_of(*, total: int, bad: int = 0, us: int = 10 * MS) -> Tally:
    tally = Tally()
    for number in range(total):
        tally.add(us, bad=number < bad)
    return tally


def row(
    tenant: Tenant | None,
    starts_at: datetime,
    tally: Tally,
    *,
    kind: str = "page",
    key: str = "orders",
    worker: str = "host:1",
) -> Measurement:
    return Measurement(
        starts_at=starts_at,
        kind=kind,
        key=key,
        tenant=tenant,
        worker=worker,
        count=tally.count,
        bad=tally.bad,
        sum_us=tally.sum_us,
        max_us=tally.max_us,
        buckets=encode_buckets(tally.buckets),
    )


def store(rows: Iterable[Measurement]) -> None:
    Measurement.objects.bulk_create(rows, batch_size=500)


def objective(tenant: Tenant, **fields: object) -> Objective:
    values = {
        "key": "orders-available",
        "kind": "page",
        "measured_key": "orders",
        "target": Decimal("99.9"),
        **fields,
    }
    made: Objective = Objective.all_tenants.create(tenant=tenant, **values)
    return made


def burn_rule(promised: Objective, pace: str, **fields: object) -> AlertRule:
    values = {
        "key": f"{promised.key}-{pace}",
        "type": "burn",
        "objective": promised,
        "pace": pace,
        **fields,
    }
    made: AlertRule = AlertRule.all_tenants.create(tenant=promised.tenant, **values)
    return made


def limit_rule(tenant: Tenant, **fields: object) -> AlertRule:
    values = {
        "key": "orders-slow",
        "type": "limit",
        "kind": "page",
        "measured_key": "orders",
        "metric": "p95",
        "limit": Decimal(100),
        "window_minutes": 5,
        "minimum_events": 10,
        **fields,
    }
    made: AlertRule = AlertRule.all_tenants.create(tenant=tenant, **values)
    return made

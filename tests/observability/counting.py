"""What the tests of objectives and alerts share: minutes with a number of events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from observability.evaluation import evaluate_all
from observability.models import Alert, AlertRule, Delivery, Measurement, Objective
from observability.slo import Tally, encode_buckets
from tenants.models import Tenant

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MS = 1_000
MINUTE = timedelta(minutes=1)


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


def traffic(
    tenant: Tenant, first: int, last: int, *, bad: int = 0, total: int = 100
) -> None:
    """Store events in the minutes of number `first` to `last` after noon."""
    store(
        row(tenant, NOON + number * MINUTE, tally_of(total=total, bad=bad))
        for number in range(first, last + 1)
    )


def evaluate(first: int, last: int) -> None:
    """Evaluate each minute of number `first` to `last` as it ends."""
    for number in range(first, last + 1):
        evaluate_all(now=NOON + (number + 1) * MINUTE + timedelta(seconds=35))


def told(tenant: Tenant) -> list[str]:
    rows = Delivery.all_tenants.filter(tenant=tenant).order_by("pk")
    return [
        f"{each.event} {each.alert.rule.pace}".strip() for each in rows if each.alert
    ]


def phases(tenant: Tenant) -> list[str]:
    rows = Alert.all_tenants.filter(tenant=tenant).order_by("pk")
    return [f"{each.rule.key} {each.phase}" for each in rows]

"""Decision tables that nobody asked are found, and rules that are off are told."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from branching.models import DecisionTable, Rule
from branching.services import review_section
from observability.models import Measurement
from observability.review_periods import last_ended
from observability.review_values import Cadence
from observability.slo import encode_buckets
from tenants.models import Tenant
from tenants.scope import Actor


def test_tables_nobody_asked_and_rules_that_are_off(
    in_acme: Tenant, globex: Tenant
) -> None:
    period = last_ended(timezone.now(), Cadence.MONTHLY, zone="Asia/Seoul")
    for key in ("asked", "dead"):
        table = DecisionTable.objects.create(key=key, default_operation="stock")
        for number, enabled in enumerate((True, False)):
            Rule.objects.create(
                table=table, key=f"rule-{number}", order=number, enabled=enabled,
                operation="stock",
            )  # fmt: skip
    for tenant, key in ((in_acme, "asked"), (globex, "dead")):
        Measurement.objects.create(
            tenant=tenant, kind="decision", key=key, count=4, sum_us=4, max_us=1,
            starts_at=period.starts + timedelta(days=2), buckets=encode_buckets({0: 4}),
        )  # fmt: skip

    section = review_section(period, Actor(0, in_acme.pk))

    figures = {figure.key: figure.value for figure in section.figures}
    assert figures == {"tables": 2, "decisions": 4, "dead-tables": 1, "rules-off": 2}
    dead, off = section.tables
    assert dead.rows == (("dead",),)
    assert off.rows == (("asked", "rule-1"), ("dead", "rule-1"))
    assert [finding.key for finding in section.findings] == ["dead-table:dead"]
    other = review_section(period, Actor(0, globex.pk))
    assert {figure.key: figure.value for figure in other.figures}["tables"] == 0

"""Objectives and alert rules in a review: counted again, and told when wrong."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from observability.models import Alert, Silence
from observability.objective_reviewing import alerts_part, objectives_part
from observability.review_periods import parse_period, period_before
from observability.review_values import Cadence, Period, Section
from observability.services import review_section
from tenants.models import Tenant, User
from tenants.scope import Actor
from tests.observability.counting import burn_rule, objective, row, store, tally_of

DAY = timedelta(days=1)


def period(name: str) -> Period:
    cadence = Cadence.QUARTERLY if "Q" in name else Cadence.MONTHLY
    found = parse_period(name, cadence, zone="Asia/Seoul")
    assert found is not None
    return found


def told(section: Section) -> tuple[dict[str, object], list[str]]:
    figures: dict[str, object] = {one.key: one.value for one in section.figures}
    return figures, [finding.key for finding in section.findings]


def test_an_objective_is_kept_or_missed_with_its_trend(
    acme: Tenant, globex: Tenant, user: User
) -> None:
    month = period("2026-10")
    before = period_before(month, zone="Asia/Seoul")
    objective(acme, target=Decimal(99), owner=user)
    objective(acme, key="quiet", measured_key="nothing")
    objective(globex, key="theirs")
    store(
        [
            row(acme, month.starts, tally_of(total=300, bad=4)),
            row(acme, month.ends - timedelta(minutes=1), tally_of(total=100, bad=2)),
            row(acme, month.ends, tally_of(total=50, bad=50)),
            row(acme, before.starts + DAY, tally_of(total=400, bad=1)),
            row(globex, month.starts, tally_of(total=9, bad=9)),
        ]
    )

    section = objectives_part(month, Actor(0, acme.pk))

    # 400 events at 99 % allow 4 bad ones; there were 6, and 1 of 4 the month before.
    assert section.tables[0].rows == (
        ("orders-available", "jo", 400, 6, -50.0, 75.0, None, None),
        ("quiet", section.tables[0].rows[1][1], None, None, None, None, None, None),
    )
    figures, findings = told(section)
    assert figures == {"objectives": 2, "missed-objectives": 1}
    assert findings == [
        "objective-missed:orders-available", "objective-without-owner:quiet",
    ]  # fmt: skip


def test_a_quarter_audits_every_rule_and_a_month_none(
    acme: Tenant, globex: Tenant, user: User
) -> None:
    quarter = period("2026-Q3")
    promised = objective(acme, owner=user)
    noisy = burn_rule(promised, "fast", key="noisy")
    burn_rule(promised, "slow", key="still", owner=user)
    objective(acme, key="bare", measured_key="bare", owner=user)
    burn_rule(objective(globex, key="theirs"), "fast")
    at = quarter.starts + DAY
    for minutes, taken in ((0, 4), (30, None)):
        fired = at + timedelta(minutes=minutes)
        Alert.all_tenants.create(
            tenant=acme, rule=noisy, phase="resolved", opened_at=fired,
            fired_at=fired, resolved_at=fired + timedelta(minutes=10),
            acknowledged_at=fired + timedelta(minutes=taken) if taken else None,
        )  # fmt: skip
    for start in (at, at + 6 * DAY):
        Silence.all_tenants.create(
            tenant=acme,
            rule=noisy,
            reason="x",
            starts_at=start,
            ends_at=start + 5 * DAY,
        )

    section = alerts_part(quarter, Actor(0, acme.pk))

    assert [row[:1] + row[2:] for row in section.tables[0].rows] == [
        ("noisy", 2, 1, 1, 240.0, 10.0),
        ("still", 0, 0, 0, None, 0.0),
    ]
    figures, findings = told(section)
    assert figures == {"rules": 2, "fired": 2, "flapped": 1, "acknowledged": 1}
    assert findings == [
        "rule-silenced:noisy",
        "rule-flapped:noisy",
        "rule-never-fired:still",
        "objective-without-rule:bare",
    ]
    assert alerts_part(period("2026-09"), Actor(0, acme.pk)).tables == ()


@pytest.mark.parametrize("name", ["2026-10", "2026-Q3"])
def test_both_parts_are_in_what_the_app_says(acme: Tenant, name: str) -> None:
    section = review_section(period(name), Actor(0, acme.pk))

    keys = {table.key for table in section.tables}
    assert "objectives" in keys
    assert ("alert-rules" in keys) is ("Q" in name)
    assert len(keys) == len(section.tables)
    figures = [figure.key for figure in section.figures]
    assert len(figures) == len(set(figures))

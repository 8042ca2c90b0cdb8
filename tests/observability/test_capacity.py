"""Rows and bytes are the tenant's own; growth comes from the reviews before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from observability.capacity import (
    SIZE,
    TABLE,
    capacity_part,
    database_bytes,
    table_sizes,
)
from observability.review_periods import parse_period
from observability.review_snapshots import Snapshot
from observability.review_values import (
    Cadence,
    Figure,
    Period,
    ReviewTable,
    Section,
    words,
)
from observability.reviews import freeze
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor

NAME = words("가", "A")


def month(number: int) -> Period:
    found = parse_period(f"2026-{number:02}", Cadence.MONTHLY, zone="Asia/Seoul")
    assert found is not None
    return found


def add_members(tenant: Tenant, count: int) -> None:
    for number in range(count):
        user = User.objects.create_user(f"{tenant.key}-{number}")
        Membership.objects.create(user=user, tenant=tenant)


def test_rows_are_counted_for_one_tenant_and_bytes_shared_by_rows(
    acme: Tenant, globex: Tenant
) -> None:
    add_members(acme, 3)
    add_members(globex, 9)

    sizes = {size.name: size for size in table_sizes(acme.pk)}

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM tenants_membership WHERE tenant_id = %s", [acme.pk]
        )
        [counted] = cursor.fetchone()
    assert sizes["tenants_membership"].rows == counted == 3
    whole = {size.name: size for size in table_sizes(globex.pk)}
    ours, theirs = sizes["tenants_membership"].bytes, whole["tenants_membership"].bytes
    assert ours is not None
    assert theirs is not None
    assert ours * 3 == pytest.approx(theirs, abs=3)


def test_the_database_has_a_size(acme: Tenant) -> None:
    assert database_bytes() > 50_000


def frozen(tenant: Tenant, number: int, *, days_ago: int, size: int, rows: int) -> None:
    """A review of before, as the store has it, that counted so much."""
    section = Section(
        "measured",
        NAME,
        figures=(Figure(SIZE, NAME, size),),
        tables=(
            ReviewTable(TABLE, NAME, (NAME,) * 2, (("tenants_membership", rows),)),
        ),
    )
    taken = timezone.now() - timedelta(days=days_ago)
    snapshot = Snapshot("acme", "Acme", month(number), "Asia/Seoul", taken, (section,))
    freeze(snapshot, tenant=tenant)


def test_growth_and_the_days_to_the_limit(acme: Tenant, settings: Settings) -> None:
    add_members(acme, 40)
    now = database_bytes()
    for number, days in ((7, 90), (8, 60), (9, 30)):
        size = now - days * 20_000
        frozen(acme, number, days_ago=days, size=size, rows=40 - days // 3)
    settings.SIGNALBOX_DATABASE_LIMIT_MB = (now + 1_000_000) // 1_000_000

    section = capacity_part(month(10), Actor(0, acme.pk))

    figures = {figure.key: figure.value for figure in section.figures}
    growth, days_left = figures["database-growth"], figures["days-to-limit"]
    assert isinstance(growth, float)
    assert isinstance(days_left, float)
    assert growth == pytest.approx(20_000, rel=0.2)
    left = settings.SIGNALBOX_DATABASE_LIMIT_MB * 1_000_000 - int(str(figures[SIZE]))
    assert days_left == pytest.approx(left / growth, rel=0.01, abs=0.051)  # told in 0.1
    rows = {row[0]: row for row in section.tables[0].rows}
    assert rows["tenants_membership"][3] == pytest.approx(1 / 3, rel=0.05)
    assert [finding.key for finding in section.findings] == ["database-full"]


def test_without_a_limit_or_a_past_nothing_is_foretold(
    acme: Tenant, settings: Settings
) -> None:
    add_members(acme, 1)
    settings.SIGNALBOX_DATABASE_LIMIT_MB = 0

    section = capacity_part(month(10), Actor(0, acme.pk))

    figures = {figure.key: figure.value for figure in section.figures}
    assert figures["database-growth"] is None
    assert figures["days-to-limit"] is None
    assert section.findings == ()
    assert all(row[3] is None for row in section.tables[0].rows)


def test_a_full_database_has_no_days_left(acme: Tenant, settings: Settings) -> None:
    settings.SIGNALBOX_DATABASE_LIMIT_MB = 0.001

    section = capacity_part(month(10), Actor(0, acme.pk))

    figures = {figure.key: figure.value for figure in section.figures}
    assert figures["days-to-limit"] == 0.0

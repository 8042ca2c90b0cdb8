"""Operations and sources that nobody called are found, and only these."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from guardian.shortcuts import assign_perm

from connectors.models import DataSource, Operation
from connectors.services import review_section
from connectors.specs import SourceKind
from observability.models import Measurement
from observability.review_periods import last_ended
from observability.review_values import Cadence, Period, ReviewTable, Section
from observability.slo import Tally, encode_buckets
from tenants.audit import record
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor, using_tenant


@pytest.fixture
def period() -> Period:
    return last_ended(timezone.now(), Cadence.MONTHLY, zone="Asia/Seoul")


def operations(*keys: str) -> dict[str, Operation]:
    source = DataSource.objects.create(
        key="plant", kind=SourceKind.SQL, address="sqlite:////tmp/none.sqlite3"
    )
    return {
        key: Operation.objects.create(key=key, source=source, sql="SELECT 1")
        for key in keys
    }


def called(
    tenant: Tenant, key: str, period: Period, *, count: int = 1, bad: int = 0,
    kind: str = "operation", days: int = 1,
) -> None:  # fmt: skip
    tally = Tally()
    for number in range(count):
        tally.add(1_000, bad=number < bad)
    Measurement.objects.create(
        tenant=tenant, kind=kind, key=key, count=count, bad=bad,
        starts_at=period.starts + timedelta(days=days),
        sum_us=tally.sum_us, max_us=tally.max_us, buckets=encode_buckets(tally.buckets),
    )  # fmt: skip


def table(section: Section, key: str) -> ReviewTable:
    return next(table for table in section.tables if table.key == key)


def test_dead_is_what_is_enabled_old_and_not_called(
    in_acme: Tenant, globex: Tenant, period: Period
) -> None:
    made = operations("used", "dead", "late", "early", "off", "new", "elsewhere")
    Operation.objects.filter(key="off").update(enabled=False)
    record(actor=None, action="operation.added", target=made["new"])
    called(in_acme, "used", period)
    called(in_acme, "late", period, days=40)
    called(in_acme, "early", period, days=-1)
    called(globex, "elsewhere", period)

    section = review_section(period, Actor(0, in_acme.pk))

    dead = ["dead", "early", "elsewhere", "late"]
    assert [row[0] for row in table(section, "dead-operations").rows] == dead
    found = [finding.key for finding in section.findings]
    assert [f"dead-operation:{key}" for key in dead] + ["dead-source:plant"] == found
    figures = {figure.key: figure.value for figure in section.figures}
    assert (figures["operations"], figures["dead-operations"]) == (6, 4)
    assert (figures["calls"], figures["dead-sources"]) == (1, 1)


def test_a_source_that_was_called_is_alive(in_acme: Tenant, period: Period) -> None:
    operations("used")
    called(in_acme, "used", period)
    called(in_acme, "plant", period, kind="data_source")

    assert review_section(period, Actor(0, in_acme.pk)).findings == ()


def test_what_failed_most_comes_first(in_acme: Tenant, period: Period) -> None:
    called(in_acme, "some", period, count=10, bad=2)
    called(in_acme, "most", period, count=5, bad=4)
    called(in_acme, "fine", period, count=50)

    section = review_section(period, Actor(0, in_acme.pk))

    expected = (("most", 5, 4), ("some", 10, 2))
    assert table(section, "failing-operations").rows == expected


def test_with_too_many_keys_no_operation_is_called_dead(
    in_acme: Tenant, period: Period
) -> None:
    operations("quiet")
    called(in_acme, "__other__", period)
    called(in_acme, "plant", period, kind="data_source")

    section = review_section(period, Actor(0, in_acme.pk))

    figures = {figure.key: figure.value for figure in section.figures}
    assert figures["dead-operations"] is None
    assert section.findings == ()


def test_grants_of_strangers_and_of_groups_that_are_no_teams_are_found(
    in_acme: Tenant, globex: Tenant, user: User, period: Period
) -> None:
    operation = operations("stock")["stock"]
    called(in_acme, "stock", period)
    called(in_acme, "plant", period, kind="data_source")
    stranger = User.objects.create_user("stranger")
    Membership.objects.create(user=stranger, tenant=globex)
    for holder in (user, stranger, Group.objects.create(name="loose")):
        assign_perm("use_operation", holder, operation)

    section = review_section(period, Actor(0, in_acme.pk))

    assert {finding.key for finding in section.findings} == {
        "orphan-grant:stock:loose", "orphan-grant:stock:stranger",
    }  # fmt: skip
    with using_tenant(globex):
        assert review_section(period, Actor(0, globex.pk)).findings == ()

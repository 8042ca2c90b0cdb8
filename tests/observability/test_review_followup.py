"""A review says what became of those before it, and goes on without a broken one."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection
from django.utils import timezone

from observability.models import Review, ReviewFinding
from observability.review_followup import followup_part
from observability.review_periods import last_ended, period_before, period_name
from observability.review_values import Cadence, Figure, Finding, Section, words
from observability.reviews import freeze, snapshot_of
from observability.services import review_section
from tenants.models import Tenant
from tenants.scope import Actor

SEOUL = "Asia/Seoul"
NOW = last_ended(timezone.now(), Cadence.MONTHLY, zone=SEOUL)
BEFORE = period_before(NOW, zone=SEOUL)
SECTION = Section(
    "one",
    words("하나", "One"),
    figures=(Figure("n", words("수", "N"), 7),),
    findings=tuple(
        Finding(key, words(f"{key} 고침", f"Mend {key}")) for key in ("a", "b", "c")
    ),
)


def before(tenant: Tenant) -> Review:
    made = snapshot_of([SECTION], period=BEFORE, tenant=tenant)
    return freeze(made, tenant=tenant).review


def age(review: Review, *, days: int) -> None:
    made = timezone.now() - timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE observability_review SET created_at = %s", [made])


def told(tenant: Tenant) -> tuple[dict[str, object], list[str]]:
    section = followup_part(NOW, Actor(0, tenant.pk))
    figures: dict[str, object] = {one.key: one.value for one in section.figures}
    return figures, [finding.key for finding in section.findings]


def test_open_and_overdue_findings_of_earlier_reviews(
    in_acme: Tenant, globex: Tenant
) -> None:
    before(in_acme)
    for key, state in (("one:a", "open"), ("one:b", "done")):
        row = ReviewFinding.objects.get(key=key)
        row.state, row.due_on = state, date(2026, 1, 1)
        row.save()

    assert told(in_acme) == (
        {"open-findings": 2, "overdue-findings": 1, "unsigned-reviews": 0},
        [],
    )
    assert set(told(globex)[0].values()) == {0}


def test_a_review_that_nobody_signs_is_told_after_two_weeks(in_acme: Tenant) -> None:
    review = before(in_acme)
    age(review, days=13)
    assert told(in_acme)[1] == []

    age(review, days=15)

    name = period_name(BEFORE, zone=SEOUL)
    assert told(in_acme)[1] == [f"unsigned-review:{name}"]


def test_a_changed_review_is_told_and_stops_no_later_one(in_acme: Tenant) -> None:
    before(in_acme)
    sound = snapshot_of([SECTION], period=NOW, tenant=in_acme).figure("one", "n")
    assert sound is not None
    assert sound.before == 7
    with connection.cursor() as cursor:
        cursor.execute("UPDATE observability_review SET snapshot = '{}'")

    section = review_section(NOW, Actor(0, in_acme.pk))

    name = period_name(BEFORE, zone=SEOUL)
    assert f"changed-review:{name}" in {finding.key for finding in section.findings}
    figure = snapshot_of([SECTION], period=NOW, tenant=in_acme).figure("one", "n")
    assert figure is not None
    assert figure.before is None

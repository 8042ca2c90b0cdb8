"""The command and the scheduler freeze a review once, and its figures are recounted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from django_tasks import TaskResultStatus
from pytest_django import Settings

from config.reviews import collect, write_due_reviews, write_review, write_reviews
from demo.loader import load_demo
from observability.models import Measurement, Review
from observability.review_documents import html, markdown
from observability.review_periods import last_ended, period_name
from observability.review_snapshots import Snapshot, as_text, digest_of
from observability.review_values import Cadence, Period
from observability.slo import Tally, encode_buckets
from tenants.models import Tenant, User
from tenants.scope import using_tenant

SEOUL = "Asia/Seoul"


@pytest.fixture
def demo(db: None) -> Tenant:
    load_demo()
    return Tenant.objects.get(key="hanbit")


def last(cadence: Cadence) -> Period:
    return last_ended(timezone.now(), cadence, zone=SEOUL)


def measured(
    tenant: Tenant, kind: str, key: str, *us: int, at: datetime, bad: int = 0
) -> None:
    tally = Tally()
    for number, one in enumerate(us):
        tally.add(one, bad=number < bad)
    Measurement.objects.create(
        tenant=tenant, kind=kind, key=key, starts_at=at, count=tally.count,
        bad=tally.bad, sum_us=tally.sum_us, max_us=tally.max_us,
        buckets=encode_buckets(tally.buckets),
    )  # fmt: skip


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("review", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def age(tenant: Tenant) -> None:
    """Let the tenant be older than its last quarter."""
    Tenant.objects.filter(pk=tenant.pk).update(
        created_at=timezone.now() - timedelta(days=400)
    )
    tenant.refresh_from_db()


# --- Collecting and freezing ------------------------------------------------------


def figures(snapshot: Snapshot) -> dict[str, object]:
    return {
        f"{section.key}/{figure.key}": figure.value
        for section in snapshot.sections
        for figure in section.figures
    }


def test_every_app_has_its_say_in_its_order(acme: Tenant) -> None:
    month = collect(last(Cadence.MONTHLY), tenant=acme)
    quarter = collect(last(Cadence.QUARTERLY), tenant=acme)

    keys = ["news", "measured", "connectors", "branching", "screens", "menus", "people"]
    assert [one.key for one in month.sections if one.key in keys] == keys
    assert quarter.sections[-1].key == "architecture"
    names = [f"{one.key}:{f.key}" for one in quarter.sections for f in one.findings]
    assert len(names) == len(set(names))


def scalar(statement: str, *arguments: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return int(cursor.fetchone()[0])


def test_figures_equal_a_recount_in_plain_sql(demo: Tenant) -> None:
    period = last(Cadence.MONTHLY)
    inside = period.starts + timedelta(days=3)
    other = Tenant.objects.exclude(pk=demo.pk).earliest("pk")
    measured(demo, "operation", "weather-days", 900, 1_000, 40_000, at=inside, bad=1)
    measured(demo, "operation", "penguins", 5_000, at=inside)
    measured(demo, "operation", "broken", 7_000, at=period.ends)
    measured(demo, "data_source", "demo-api", 800, at=inside)
    measured(demo, "decision", "quake-alert", 10, 20, at=inside)
    measured(demo, "menu", "weather", 10, 20, 30, at=inside)
    measured(demo, "page", "GET m/<slug>", 100, 200, at=inside, bad=2)
    measured(other, "operation", "electricity", 900, at=inside)
    during = inside + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_auditentry SET at = %s", [during])

    told = figures(collect(period, tenant=demo))

    def counted(statement: str) -> int:
        return scalar(statement, demo.pk)

    operations = counted(
        "SELECT COUNT(*) FROM connectors_operation o JOIN connectors_datasource s "
        "ON s.id = o.source_id WHERE o.tenant_id = %s AND o.enabled AND s.enabled"
    )
    expected = {
        "measured/requests": 2,
        "measured/failed-requests": 2,
        "measured/errors-of-every-kind": 3,
        "connectors/operations": operations,
        "connectors/calls": 4,
        "connectors/dead-operations": operations - 2,
        "connectors/dead-sources": counted(
            "SELECT COUNT(*) FROM connectors_datasource "
            "WHERE tenant_id = %s AND enabled AND key <> 'demo-api'"
        ),
        "branching/decisions": 2,
        "branching/dead-tables": counted(
            "SELECT COUNT(*) FROM branching_decisiontable "
            "WHERE tenant_id = %s AND key <> 'quake-alert'"
        ),
        "screens/open-screens": counted(
            "SELECT COUNT(*) FROM screens_screen WHERE tenant_id = %s "
            "AND NOT retired AND published_id IS NOT NULL"
        ),
        "screens/published-versions": counted(
            "SELECT COUNT(*) FROM tenants_auditentry "
            "WHERE tenant_id = %s AND action = 'screen.published'"
        ),
        "menus/opened": 3,
        "menus/screen-menus": counted(
            "SELECT COUNT(*) FROM menus_menu WHERE tenant_id = %s "
            "AND kind = 'screen' AND enabled"
        ),
        "people/changes": counted(
            "SELECT COUNT(*) FROM tenants_auditentry WHERE tenant_id = %s"
        ),
        "people/superusers": scalar(
            "SELECT COUNT(*) FROM tenants_user WHERE is_superuser AND is_active"
        ),
    }
    assert {key: told[key] for key in expected} == expected
    assert operations > 10
    assert expected["screens/published-versions"] > 3


def test_the_same_period_twice_changes_nothing_although_data_changed(
    demo: Tenant,
) -> None:
    period = last(Cadence.QUARTERLY)
    first = write_review(period, tenant=demo)
    texts = [
        write(first.review.read(), language)
        for write in (markdown, html)
        for language in ("ko", "en")
    ]
    inside = period.starts + timedelta(days=1)
    measured(demo, "page", "GET m/<slug>", 100, at=inside)
    User.objects.filter(username="operator").update(is_active=False)

    second = write_review(period, tenant=demo)

    assert (first.new, second.new) == (True, False)
    assert second.review.pk == first.review.pk
    assert digest_of(second.review.snapshot) == first.review.digest
    again = [
        write(second.review.read(), language)
        for write in (markdown, html)
        for language in ("ko", "en")
    ]
    assert [text.encode() for text in again] == [text.encode() for text in texts]
    fresh = collect(period, tenant=demo)
    assert as_text(fresh) != second.review.snapshot


# --- The command ------------------------------------------------------------------


def test_the_command_freezes_prints_and_tells(acme: Tenant) -> None:
    out, told = run("monthly", "--tenant", "acme", "--language", "en")

    review = Review.all_tenants.get()
    name = period_name(last(Cadence.MONTHLY), zone=SEOUL)
    assert out == markdown(review.read(), "en")
    assert f"acme {name}: Frozen now; draft, SHA-256 {review.digest}" in told

    again, told = run("monthly", "--tenant", "acme", "--language", "en")
    assert again == out
    assert "Frozen before, and nothing was changed" in told
    assert Review.all_tenants.count() == 1

    page, _told = run(
        "monthly", "--tenant", "acme", "--format", "html", "--period", name
    )
    assert page == html(review.read(), "ko")
    text, _told = run("monthly", "--tenant", "acme", "--format", "json")
    assert text == review.snapshot + "\n"
    assert run("monthly", "--tenant", "acme", "--json")[0] == text


def test_a_draft_freezes_nothing_and_may_be_of_today(acme: Tenant) -> None:
    now = period_name(
        last_ended(timezone.now() + timedelta(days=40), Cadence.MONTHLY, zone=SEOUL),
        zone=SEOUL,
    )

    out, told = run("monthly", "--tenant", "acme", "--period", now, "--draft")

    assert now in out
    assert told == ""
    assert not Review.all_tenants.exists()
    with pytest.raises(CommandError, match="has not ended"):
        run("monthly", "--tenant", "acme", "--period", now)


def test_without_a_tenant_every_active_one_has_its_review(acme: Tenant) -> None:
    Tenant.objects.create(key="gone", name="Gone", is_active=False)

    run("quarterly")

    reviewed = Review.all_tenants.values_list("tenant__key", flat=True)
    active = Tenant.objects.filter(is_active=True).values_list("key", flat=True)
    assert set(reviewed) == set(active)
    with pytest.raises(CommandError, match="No such active tenant"):
        run("quarterly", "--tenant", "gone")
    with pytest.raises(CommandError, match="no period of a quarterly review"):
        run("quarterly", "--period", "2026-10")


def test_the_command_says_when_a_snapshot_was_changed(acme: Tenant) -> None:
    run("monthly", "--tenant", "acme")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE observability_review SET snapshot = '{}'")

    with pytest.raises(CommandError, match="not the one that was frozen"):
        run("monthly", "--tenant", "acme")


# --- The scheduler ----------------------------------------------------------------


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_on_day_one_the_last_month_is_written_and_on_a_quarter_s_both(
    acme: Tenant,
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(created_at=moment("2026-03-01"))
    acme.refresh_from_db()

    def write(at: str) -> list[str]:
        return write_due_reviews(acme, now=moment(at))

    assert write("2026-05-31T14:59") == ["2026-04", "2026-Q1"]
    assert write("2026-05-31T15:00") == ["2026-05"]  # June begins in Seoul
    assert write("2026-06-01T00:00") == []
    assert write("2026-06-30T15:00") == ["2026-06", "2026-Q2"]
    assert write("2026-07-02T00:00") == []
    with using_tenant(acme):
        states = Review.objects.values_list("state", flat=True)
        assert set(states) == {Review.State.DRAFT}


def test_a_tenant_has_no_review_of_the_time_before_it(acme: Tenant) -> None:
    Tenant.objects.filter(pk=acme.pk).update(created_at=moment("2026-05-10"))
    acme.refresh_from_db()

    assert write_due_reviews(acme, now=moment("2026-05-20")) == []
    assert write_due_reviews(acme, now=moment("2026-06-02")) == ["2026-05"]


def test_the_task_writes_for_every_active_tenant_by_a_task_of_its_own(
    acme: Tenant, globex: Tenant, settings: Settings
) -> None:
    settings.TASKS = {
        "default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}
    }
    for tenant in Tenant.objects.all():
        age(tenant)

    result = write_reviews.enqueue()

    assert result.status == TaskResultStatus.SUCCESSFUL
    assert result.return_value == Tenant.objects.active().count() > 1
    assert Review.all_tenants.count() == 2 * Tenant.objects.active().count()
    write_reviews.enqueue()
    assert Review.all_tenants.count() == 2 * Tenant.objects.active().count()

"""Staff read reviews, see to findings, sign and export; strangers see nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from observability.models import Review, ReviewFinding
from observability.review_documents import html, markdown
from observability.review_periods import last_ended, period_before
from observability.review_values import (
    Cadence,
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    words,
)
from observability.reviews import freeze, snapshot_of
from tenants.models import AuditEntry, Membership, Team, Tenant, User
from tenants.scope import using_tenant

BACKEND = "tenants.backends.TenantBackend"
HOSTILE = "<script>alert('x')</script>"


def section(*keys: str) -> Section:
    return Section(
        "one",
        words("하나의 절", "One section"),
        figures=(Figure("n", words("요청 수", "Requests"), 1234),),
        tables=(
            ReviewTable(
                "t",
                words("표", "A table"),
                (words("이름", "Name"),),
                ((HOSTILE,),),
            ),
        ),
        findings=tuple(
            Finding(key, words(f"{key} 고침", f"Mend {key}")) for key in keys
        ),
    )


def make(tenant: Tenant, *keys: str, back: int = 0) -> Review:
    """Freeze the quarter that lies `back` before the last one."""
    period: Period = last_ended(timezone.now(), Cadence.QUARTERLY, zone="Asia/Seoul")
    for _number in range(back):
        period = period_before(period, zone="Asia/Seoul")
    made = snapshot_of([section(*keys or ("a",))], period=period, tenant=tenant)
    return freeze(made, tenant=tenant).review


@pytest.fixture
def staff(acme: Tenant) -> Callable[..., Client]:
    """Make a browser of somebody who may see reviews, and what else is named."""

    def sign_in(name: str, *codenames: str, language: str = "en") -> Client:
        user = User.objects.create_user(name, is_staff=True, language=language)
        Membership.objects.create(user=user, tenant=acme)
        team = Team.objects.create(tenant=acme, label=f"Team of {name}")
        wanted = {"view_review", "view_reviewfinding", *codenames}
        team.permissions.set(Permission.objects.filter(codename__in=wanted))
        team.add(user)
        client = Client()
        client.force_login(user, backend=BACKEND)
        return client

    return sign_in


def change_page(review: Review) -> str:
    return reverse("admin:observability_review_change", args=[review.pk])


def step(review: Review, name: str) -> str:
    return reverse(f"admin:observability_review_{name}", args=[review.pk])


def export(review: Review, form: str, language: str) -> str:
    page = reverse("admin:observability_review_export", args=[review.pk, form])
    return f"{page}?language={language}"


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("ko", ("하나의 절", "요청 수", "고침")),
        ("en", ("One section", "Requests", "Mend a")),
    ],
)
def test_the_page_shows_the_frozen_report(
    acme: Tenant, staff: Callable[..., Client], language: str, shown: tuple[str, ...]
) -> None:
    page = staff("ann", language=language).get(change_page(make(acme)))

    text = page.content.decode()
    assert page.status_code == 200
    assert all(one in text for one in shown)
    assert HOSTILE not in text
    assert "&lt;script&gt;alert" in text
    assert " style=" not in text


def test_a_finding_gets_an_owner_a_day_and_a_state_and_that_is_audited(
    acme: Tenant, staff: Callable[..., Client]
) -> None:
    review = make(acme, "a", "b")
    ann = staff("ann", "change_review", "change_reviewfinding")
    rows = list(ReviewFinding.all_tenants.order_by("pk"))
    form: dict[str, object] = {
        "findings-TOTAL_FORMS": 2,
        "findings-INITIAL_FORMS": 2,
        "findings-MIN_NUM_FORMS": 0,
        "findings-MAX_NUM_FORMS": 1000,
    }
    for number, one in enumerate(rows):
        form |= {
            f"findings-{number}-id": one.pk,
            f"findings-{number}-review": review.pk,
            f"findings-{number}-state": "open",
        }
    form |= {
        "findings-0-owner": User.objects.get(username="ann").pk,
        "findings-0-due_on": "2026-12-24",
        "findings-0-state": "accepted",
        "findings-0-note": "as agreed",
    }

    answer = ann.post(change_page(review), form)

    assert answer.status_code == 302, answer.content.decode()
    row = ReviewFinding.all_tenants.get(pk=rows[0].pk)
    assert (row.owner, row.due_on) == (User.objects.get(), date(2026, 12, 24))
    assert (row.state, row.note) == ("accepted", "as agreed")
    with using_tenant(acme):
        [entry] = AuditEntry.objects.filter(action="review.changed")
        assert "reviewfinding" in str(entry.changes)
    review.refresh_from_db()
    assert review.is_sound


def test_findings_are_seen_to_on_their_list_and_accepted_only_for_a_reason(
    acme: Tenant, staff: Callable[..., Client]
) -> None:
    make(acme)
    row = ReviewFinding.all_tenants.get()
    ann = staff("ann", "change_review", "change_reviewfinding")
    address = reverse("admin:observability_reviewfinding_changelist")
    form = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": row.pk,
        "form-0-owner": User.objects.get().pk,
        "form-0-due_on": "2026-12-24",
        "form-0-state": "accepted",
        "form-0-note": "",
        "_save": "Save",
    }

    refused = ann.post(address, form).content.decode()
    assert "Say in the note why this finding stays as it is." in refused
    assert ann.post(address, {**form, "form-0-note": "agreed"}).status_code == 302

    row.refresh_from_db()
    assert (row.state, row.note, row.owner) == (
        "accepted",
        "agreed",
        User.objects.get(),
    )
    with using_tenant(acme):
        [entry] = AuditEntry.objects.filter(action="reviewfinding.changed")
        assert entry.changes["state"] == ["open", "accepted"]


def test_a_review_goes_round_and_is_signed_by_two_without_a_script(
    acme: Tenant, staff: Callable[..., Client]
) -> None:
    review = make(acme)
    ann, bob = (staff(name, "sign_review") for name in ("ann", "bob"))

    begin = step(review, "begin")
    assert begin in ann.get(change_page(review)).content.decode()
    assert "Yes, begin" in ann.get(begin).content.decode()
    ann.post(begin)
    sign = step(review, "sign")
    assert sign in ann.get(change_page(review)).content.decode()
    assert "Yes, sign" in ann.get(sign).content.decode()
    first = ann.post(sign, follow=True).content.decode()
    assert "Your signature is recorded." in first
    assert "You have signed already." in ann.post(sign, follow=True).content.decode()
    assert "You have signed already." in ann.get(sign).content.decode()
    bob.post(sign)

    review.refresh_from_db()
    assert review.state == Review.State.SIGNED
    page = bob.get(change_page(review)).content.decode()
    assert re.search(r"ann \(.*bob \(.*2 / 2", page, re.DOTALL)
    assert sign not in page
    with using_tenant(acme):
        actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
        assert list(actions) == [
            "review.frozen", "review.begun", "review.signed", "review.signed",
        ]  # fmt: skip


def test_a_look_signs_nothing_and_who_may_not_sign_is_refused(
    acme: Tenant, staff: Callable[..., Client]
) -> None:
    review = make(acme)
    ann, eve = staff("ann", "sign_review"), staff("eve")
    ann.get(step(review, "begin"))
    review.refresh_from_db()
    assert review.state == Review.State.DRAFT
    ann.post(step(review, "begin"))
    ann.get(step(review, "sign"))

    assert eve.get(step(review, "sign")).status_code == 403
    assert eve.post(step(review, "sign")).status_code == 403
    assert eve.post(step(review, "begin")).status_code == 403
    assert step(review, "sign") not in eve.get(change_page(review)).content.decode()
    with using_tenant(acme):
        assert review.signatures.count() == 0


def test_a_form_of_another_page_does_not_sign(
    acme: Tenant, staff: Callable[..., Client]
) -> None:
    review = make(acme)
    staff("ann", "sign_review")
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(User.objects.get(username="ann"), backend=BACKEND)

    assert forged.post(step(review, "begin")).status_code == 403
    review.refresh_from_db()
    assert review.state == Review.State.DRAFT


@pytest.mark.parametrize("language", ["ko", "en"])
def test_exports_are_files_with_the_frozen_words(
    acme: Tenant, staff: Callable[..., Client], language: str
) -> None:
    review = make(acme)
    ann = staff("ann")

    for form, write in (("markdown", markdown), ("html", html)):
        answer = ann.get(export(review, form, language))
        assert answer.content.decode() == write(review.read(), language)
        assert answer["Content-Disposition"].startswith("attachment; filename=")
        assert f"-{language}." in answer["Content-Disposition"]
    assert ann.get(export(review, "pdf", language)).status_code == 404
    assert ann.get(export(review, "html", "xx")).status_code == 404


def test_a_tampered_review_is_neither_shown_nor_exported_nor_signed(
    acme: Tenant, staff: Callable[..., Client]
) -> None:
    review = make(acme)
    ann = staff("ann", "sign_review")
    ann.post(step(review, "begin"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE observability_review SET snapshot = '{}'")

    told = "The stored report is not the one that was frozen."
    assert told in ann.get(change_page(review)).content.decode()
    for form in ("markdown", "html"):
        page = ann.get(export(review, form, "en"), follow=True).content.decode()
        assert told in page
    assert told in ann.post(step(review, "sign"), follow=True).content.decode()


def test_nobody_adds_or_deletes_a_review(acme: Tenant) -> None:
    review = make(acme)
    root = User.objects.create_superuser("root")
    Membership.objects.create(user=root, tenant=acme)
    client = Client()
    client.force_login(root, backend=BACKEND)

    assert client.get(reverse("admin:observability_review_add")).status_code == 403
    for model in ("review", "reviewfinding"):
        page = reverse(f"admin:observability_{model}_delete", args=[review.pk])
        assert client.post(page, {"post": "yes"}).status_code in {302, 403}
    assert Review.all_tenants.count() == 1


def test_staff_of_another_tenant_find_nothing(
    acme: Tenant, globex: Tenant, staff: Callable[..., Client]
) -> None:
    foreign = make(globex, "secret")
    ann = staff("ann", "sign_review", "change_review", "change_reviewfinding")

    for page in (step(foreign, "sign"), step(foreign, "begin")):
        assert ann.get(page).status_code == 404
        assert ann.post(page).status_code == 404
    assert ann.get(export(foreign, "html", "en")).status_code == 404
    assert ann.get(change_page(foreign)).status_code == 302
    for model in ("review", "reviewfinding"):
        listed = ann.get(reverse(f"admin:observability_{model}_changelist"))
        assert "secret" not in listed.content.decode()
        assert "0 " in listed.content.decode()


def test_overdue_findings_are_seen_on_both_lists(
    acme: Tenant, staff: Callable[..., Client]
) -> None:
    make(acme, "late", "fine")
    late = ReviewFinding.all_tenants.get(key="one:late")
    late.due_on = timezone.localdate() - timedelta(days=1)
    late.save()
    ann = staff("ann")

    reviews = ann.get(reverse("admin:observability_review_changelist"))
    assert re.search(
        r'field-open_now">2<.*field-overdue_now">1<',
        reviews.content.decode(),
        re.DOTALL,
    )
    findings = reverse("admin:observability_reviewfinding_changelist")
    assert "Mend fine" in ann.get(findings).content.decode()
    overdue = ann.get(f"{findings}?overdue=yes").content.decode()
    assert "Mend late" in overdue
    assert "Mend fine" not in overdue


def test_many_findings_are_seen_to_on_their_list(
    acme: Tenant, staff: Callable[..., Client]
) -> None:
    """A form of so many rows would have more fields than the portal takes."""
    review = make(acme, *(f"key-{number}" for number in range(101)))
    ann = staff("ann", "change_review", "change_reviewfinding")

    page = ann.get(change_page(review)).content.decode()
    assert "findings-0-owner" not in page
    link = re.search(r'href="(/admin/observability/reviewfinding/[^"]+)"', page)
    assert link is not None
    listed = ann.get(link[1])
    assert listed.status_code == 200
    assert listed.content.decode().count("Mend key-") >= 100


@pytest.mark.parametrize("model", ["review", "reviewfinding"])
def test_lists_ask_no_more_for_many_rows_than_for_one(
    acme: Tenant, staff: Callable[..., Client], model: str
) -> None:
    ann = staff("ann", "change_review", "change_reviewfinding")
    address = reverse(f"admin:observability_{model}_changelist")
    make(acme)
    few = queries_of(ann, address)

    for back in range(1, 7):
        make(acme, "a", "b", "c", back=back)

    assert queries_of(ann, address) == few


def test_the_page_of_a_review_asks_no_more_for_many_findings(
    acme: Tenant, staff: Callable[..., Client]
) -> None:
    ann = staff("ann", "change_review", "change_reviewfinding")
    few = queries_of(ann, change_page(make(acme, "a", back=1)))

    many = make(acme, *(f"key-{number}" for number in range(30)))

    assert queries_of(ann, change_page(many)) == few


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)

"""A review is frozen once, signed by the right people, and never changes again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from observability.models import (
    Review,
    ReviewFinding,
    ReviewSignature,
)
from observability.review_documents import LANGUAGES, html, markdown
from observability.review_periods import parse_period, period_before
from observability.review_values import (
    Cadence,
    Figure,
    Finding,
    Period,
    Section,
    words,
)
from observability.reviews import (
    SignRule,
    begin_review,
    freeze,
    frozen_review,
    may_sign,
    overdue_findings,
    sign,
    snapshot_of,
)
from tenants.models import AuditEntry, Membership, Tenant, User
from tenants.scope import Actor, using_tenant

SEOUL = "Asia/Seoul"


def period(name: str = "2026-Q3") -> Period:
    cadence = Cadence.QUARTERLY if "Q" in name else Cadence.MONTHLY
    found = parse_period(name, cadence, zone=SEOUL)
    assert found is not None
    return found


def section(*keys: str, subjects: tuple[int, ...] = ()) -> Section:
    return Section(
        "one",
        words("하나", "One"),
        figures=(Figure("findings", words("수", "Count"), len(keys)),),
        findings=tuple(
            Finding(key, words(f"{key} 고침", f"Mend {key}")) for key in keys
        ),
        subjects=subjects,
    )


def frozen(tenant: Tenant, name: str = "2026-Q3", *sections: Section) -> Review:
    wanted = period(name)
    made = snapshot_of(sections or (section("a"),), period=wanted, tenant=tenant)
    return freeze(made, tenant=tenant).review


@pytest.fixture
def people(acme: Tenant) -> Callable[[str], Actor]:
    def make(name: str) -> Actor:
        user = User.objects.create_user(name)
        Membership.objects.create(user=user, tenant=acme)
        return Actor(user_id=user.pk, tenant_id=acme.pk)

    return make


def in_review(tenant: Tenant, actor: Actor, name: str = "2026-Q3") -> Review:
    review = frozen(tenant, name)
    assert begin_review(review, actor=actor)
    review.refresh_from_db()
    return review


# --- Freezing ---------------------------------------------------------------------


def test_the_same_period_twice_changes_nothing(in_acme: Tenant) -> None:
    wanted = period()
    first = snapshot_of([section("a")], period=wanted, tenant=in_acme)
    second = snapshot_of([section("b", "c")], period=wanted, tenant=in_acme)

    made, again = freeze(first, tenant=in_acme), freeze(second, tenant=in_acme)

    assert (made.new, again.new) == (True, False)
    assert again.review == made.review
    assert again.review.digest == made.review.digest
    assert [row.key for row in ReviewFinding.objects.all()] == ["one:a"]
    actions = AuditEntry.objects.filter(action="review.frozen")
    assert [entry.changes for entry in actions] == [{"digest": made.review.digest}]


def test_documents_read_the_same_from_the_store_although_the_tenant_changed(
    in_acme: Tenant,
) -> None:
    made = snapshot_of([section("a", "b")], period=period(), tenant=in_acme)
    before = [write(made, one) for write in (markdown, html) for one in LANGUAGES]
    review = freeze(made, tenant=in_acme).review

    in_acme.name = "Somebody else"
    in_acme.save()
    stored = Review.objects.get(pk=review.pk)

    after = [
        write(stored.read(), one) for write in (markdown, html) for one in LANGUAGES
    ]
    assert [text.encode() for text in after] == [text.encode() for text in before]


def test_a_figure_stands_beside_that_of_the_last_review(in_acme: Tenant) -> None:
    frozen(in_acme, "2026-Q2", section("a", "b", "c"))

    made = snapshot_of([section("a")], period=period(), tenant=in_acme)

    figure = made.figure("one", "findings")
    assert figure is not None
    assert (figure.value, figure.before) == (1, 3)


def test_tenants_have_reviews_of_their_own(acme: Tenant, globex: Tenant) -> None:
    for tenant, keys in ((acme, ("a",)), (globex, ("b", "c"))):
        frozen(tenant, "2026-Q3", section(*keys))

    with using_tenant(acme):
        assert [row.key for row in ReviewFinding.objects.all()] == ["one:a"]
        assert Review.objects.count() == 1
        assert overdue_findings(today=date(2030, 1, 1)) == 0
    assert frozen_review(period_before(period(), zone=SEOUL), tenant=acme) is None
    ours = frozen_review(period(), tenant=acme)
    assert ours is not None
    assert ours.read().tenant_key == "acme"


# --- Findings ---------------------------------------------------------------------


def test_what_is_found_again_keeps_its_owner_day_and_note(
    in_acme: Tenant, user: User
) -> None:
    frozen(in_acme, "2026-Q2", section("open", "accepted", "done", "gone"))
    for state in ("open", "accepted", "done"):
        row = ReviewFinding.objects.get(key=f"one:{state}")
        row.state, row.owner, row.note = state, user, f"because {state}"
        row.due_on = date(2026, 7, 1)
        row.save()

    review = frozen(in_acme, "2026-Q3", section("open", "accepted", "done", "new"))

    rows = {row.key: row for row in review.findings.all()}
    assert {key: row.state for key, row in rows.items()} == {
        "one:open": "open",
        "one:accepted": "accepted",
        "one:done": "open",
        "one:new": "open",
    }
    assert rows["one:done"].note == "because done"
    assert rows["one:open"].owner == user
    assert rows["one:open"].due_on == date(2026, 7, 1)
    assert rows["one:new"].owner is None


def test_overdue_is_what_is_open_and_late_and_counted_once(in_acme: Tenant) -> None:
    frozen(in_acme, "2026-Q2", section("late", "today", "done", "no-day"))
    days = {
        "late": date(2026, 6, 30),
        "today": date(2026, 7, 1),
        "done": date(2026, 1, 1),
    }
    for key, day in days.items():
        row = ReviewFinding.objects.get(key=f"one:{key}")
        row.due_on = day
        row.state = "done" if key == "done" else "open"
        row.save()

    assert overdue_findings(today=date(2026, 7, 1)) == 1
    frozen(in_acme, "2026-Q3", section("late"))
    [late] = ReviewFinding.objects.overdue(today=date(2026, 7, 1))
    assert late.review.starts == period("2026-Q3").starts


def test_two_findings_of_one_key_are_one(in_acme: Tenant) -> None:
    review = frozen(in_acme, "2026-Q3", section("a", "a"))

    assert review.findings.count() == 1


# --- Signing ----------------------------------------------------------------------


def test_a_quarter_needs_two_people(
    in_acme: Tenant, people: Callable[[str], Actor]
) -> None:
    ann, bob = people("ann"), people("bob")
    review = in_review(in_acme, ann)

    assert isinstance(sign(review, actor=ann), ReviewSignature)
    review.refresh_from_db()
    assert review.state == Review.State.IN_REVIEW
    assert sign(review, actor=ann) is SignRule.SIGNED_BEFORE
    assert review.signatures.count() == 1
    assert isinstance(sign(review, actor=bob), ReviewSignature)

    review.refresh_from_db()
    assert review.state == Review.State.SIGNED
    signed = review.signatures.values_list("username", "signed_digest")
    assert list(signed) == [("ann", review.digest), ("bob", review.digest)]
    assert sign(review, actor=people("eve")) is SignRule.ALREADY_SIGNED
    entries = AuditEntry.objects.filter(action="review.signed").order_by("pk")
    assert [entry.user_id for entry in entries] == [ann.user_id, bob.user_id]
    assert [entry.changes["state"] for entry in entries] == ["in-review", "signed"]


def test_a_month_needs_one(in_acme: Tenant, people: Callable[[str], Actor]) -> None:
    ann = people("ann")
    review = in_review(in_acme, ann, "2026-09")

    sign(review, actor=ann)

    review.refresh_from_db()
    assert review.state == Review.State.SIGNED


def test_a_draft_is_not_signed(in_acme: Tenant, people: Callable[[str], Actor]) -> None:
    ann = people("ann")
    review = frozen(in_acme)

    assert sign(review, actor=ann) is SignRule.NOT_IN_REVIEW
    assert begin_review(review, actor=ann)
    assert not begin_review(review, actor=ann)
    assert may_sign(Review.objects.get(), actor=ann) is None


def test_nobody_signs_for_his_own_access_alone(
    in_acme: Tenant, people: Callable[[str], Actor]
) -> None:
    ann, bob = people("ann"), people("bob")
    own = section("a", subjects=(ann.user_id,))
    review = frozen(in_acme, "2026-Q3", own)
    begin_review(review, actor=ann)

    assert sign(review, actor=ann) is SignRule.OWN_ACCESS
    assert isinstance(sign(review, actor=bob), ReviewSignature)

    both = section("a", subjects=(ann.user_id, bob.user_id))
    other = frozen(in_acme, "2026-Q2", both)
    begin_review(other, actor=ann)
    assert isinstance(sign(other, actor=ann), ReviewSignature)


def test_a_tenant_cannot_sign_for_another(
    acme: Tenant, globex: Tenant, people: Callable[[str], Actor]
) -> None:
    ann = people("ann")
    foreign = frozen(globex)

    with pytest.raises(Review.DoesNotExist):
        sign(foreign, actor=ann)
    with pytest.raises(Review.DoesNotExist):
        begin_review(foreign, actor=ann)

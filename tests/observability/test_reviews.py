"""A review is frozen once, signed by the right people, and never changes again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from observability.models import (
    Review,
    ReviewFinding,
    ReviewIsFinal,
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
    is_untouched,
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


# --- Nothing changes --------------------------------------------------------------


def tamper(review: Review, **columns: Any) -> None:
    """Write into the row as somebody with a database client would."""
    names = ", ".join(f"{name} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE observability_review SET {names} WHERE id = %s",
            [*columns.values(), review.pk],
        )
    review.refresh_from_db()


def test_a_changed_snapshot_is_found_and_not_signed(
    in_acme: Tenant, people: Callable[[str], Actor]
) -> None:
    ann = people("ann")
    review = in_review(in_acme, ann)
    assert is_untouched(review)

    tamper(review, snapshot=review.snapshot.replace('"value":1', '"value":0'))

    assert not is_untouched(review)
    assert sign(review, actor=ann) is SignRule.CHANGED


def test_a_changed_snapshot_with_a_new_digest_is_not_what_was_signed(
    in_acme: Tenant, people: Callable[[str], Actor]
) -> None:
    ann = people("ann")
    review = in_review(in_acme, ann, "2026-09")
    sign(review, actor=ann)
    other = frozen(in_acme, "2026-08", section())

    tamper(review, snapshot=other.snapshot, digest=other.digest)

    assert review.is_sound
    assert not is_untouched(review)


def changes_of(review: Review) -> dict[str, Callable[[], object]]:
    finding = review.findings.get()
    signature = review.signatures.first()
    assert signature is not None
    return {
        "save": review.save,
        "delete": review.delete,
        "update": lambda: Review.objects.update(state="draft"),
        "update all": lambda: Review.all_tenants.update(state="draft"),
        "bulk update": lambda: Review.objects.bulk_update([review], ["state"]),
        "delete all": lambda: Review.objects.all().delete(),
        "finding's delete": finding.delete,
        "findings' delete": lambda: ReviewFinding.objects.all().delete(),
        "signature's save": signature.save,
        "signature's delete": signature.delete,
        "signatures' update": lambda: ReviewSignature.objects.update(username="eve"),
        "signatures' delete": lambda: ReviewSignature.objects.all().delete(),
    }


def refused(change: Callable[[], object]) -> bool:
    try:
        change()
    except ReviewIsFinal:
        return True
    return False


def test_a_signed_review_never_changes(
    in_acme: Tenant, people: Callable[[str], Actor]
) -> None:
    ann = people("ann")
    review = in_review(in_acme, ann, "2026-09")
    sign(review, actor=ann)
    review.refresh_from_db()

    for name, change in changes_of(review).items():
        assert refused(change), name
    assert Review.objects.get().state == Review.State.SIGNED
    assert ReviewFinding.objects.count() == 1
    assert ReviewSignature.objects.get().username == "ann"


@pytest.mark.parametrize("name", ["snapshot", "digest", "cadence", "starts", "ends"])
def test_what_was_frozen_does_not_change_in_a_draft_either(
    in_acme: Tenant, name: str
) -> None:
    review = frozen(in_acme)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    setattr(review, name, moment if name in {"starts", "ends"} else "x")

    with pytest.raises(ReviewIsFinal, match=name):
        review.save()


def test_a_finding_is_seen_to_after_the_signature_but_its_text_stays(
    in_acme: Tenant, people: Callable[[str], Actor]
) -> None:
    ann = people("ann")
    review = in_review(in_acme, ann, "2026-09")
    sign(review, actor=ann)
    finding = review.findings.get()

    finding.state = ReviewFinding.State.DONE
    finding.save()
    finding.text = {"ko": "다름", "en": "Other"}
    with pytest.raises(ReviewIsFinal, match="text"):
        finding.save()

    assert ReviewFinding.objects.get().state == ReviewFinding.State.DONE


def test_a_user_who_goes_leaves_the_name_on_the_signature(
    in_acme: Tenant, people: Callable[[str], Actor]
) -> None:
    ann = people("ann")
    review = in_review(in_acme, ann, "2026-09")
    sign(review, actor=ann)

    User.objects.get(pk=ann.user_id).delete()

    signature = ReviewSignature.objects.get()
    assert (signature.user_id, signature.username) == (None, "ann")


def test_the_database_itself_keeps_one_signature_a_person(
    in_acme: Tenant, people: Callable[[str], Actor]
) -> None:
    ann = people("ann")
    review = in_review(in_acme, ann)
    sign(review, actor=ann)

    with pytest.raises(IntegrityError), transaction.atomic():
        ReviewSignature.objects.create(
            review=review, user_id=ann.user_id, username="x", signed_digest="y"
        )
    assert ReviewSignature.objects.count() == 1

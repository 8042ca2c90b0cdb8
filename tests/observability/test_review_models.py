"""What was frozen or signed never changes, and a change below the models is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from observability.models import (
    Review,
    ReviewFinding,
    ReviewIsFinal,
    ReviewSignature,
)
from observability.review_periods import parse_period
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
    is_untouched,
    sign,
    snapshot_of,
)
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor

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

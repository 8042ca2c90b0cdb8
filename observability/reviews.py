"""Freeze a review, send it round, sign it: every step once, and audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from observability.review_models import Review, ReviewFinding, ReviewSignature
from observability.review_snapshots import (
    Snapshot,
    as_text,
    digest_of,
    from_text,
    with_before,
)
from observability.review_values import Period, Section
from tenants.audit import record
from tenants.models import Tenant, User
from tenants.scope import Actor, using_tenant

_MOST_KEY = 200


@dataclass(frozen=True, slots=True)
class Frozen:
    """A review of a period.

    Attributes:
        new: False when it had been frozen before, and nothing was changed.
    """

    review: Review
    new: bool


class SignRule(StrEnum):
    """Why somebody may not sign."""

    NOT_IN_REVIEW = "not-in-review"
    ALREADY_SIGNED = "already-signed"  # by everybody who has to
    SIGNED_BEFORE = "signed-before"  # by the same person
    CHANGED = "changed"  # the snapshot is not the one that was frozen
    OWN_ACCESS = "own-access"  # nobody but the signer is looked at


def snapshot_of(
    sections: Sequence[Section], *, period: Period, tenant: Tenant
) -> Snapshot:
    """Put sections together, with what the last review said beside them."""
    earlier = latest_before(period, tenant=tenant)
    # One that was changed is told as a finding, and nothing is built on it.
    told = earlier.read() if earlier is not None and earlier.is_sound else None
    made = Snapshot(
        tenant_key=tenant.key,
        tenant_name=tenant.name,
        period=period,
        zone=settings.TIME_ZONE,
        taken_at=timezone.now(),
        sections=tuple(with_before(section, told) for section in sections),
    )
    # As it will be read from the store: a draft and its review say the same.
    return from_text(as_text(made))


def latest_before(period: Period, *, tenant: Tenant) -> Review | None:
    """Return the last review of the same cadence before `period`."""
    with using_tenant(tenant):
        earlier = Review.objects.of(period.cadence).filter(starts__lt=period.starts)
        return earlier.order_by("-starts").first()


def frozen_review(period: Period, *, tenant: Tenant) -> Review | None:
    with using_tenant(tenant):
        rows = Review.objects.of(period.cadence).filter(starts=period.starts)
        return rows.first()


def freeze(snapshot: Snapshot, *, tenant: Tenant) -> Frozen:
    """Store a review as a draft, with its findings; the first one of a period stays.

    A finding that the last review had too keeps its owner, due date, note and state;
    one that was closed as done is open again.
    """
    text = as_text(snapshot)
    with using_tenant(tenant):
        try:
            with transaction.atomic():
                review = Review.objects.create(
                    cadence=snapshot.period.cadence.value,
                    starts=snapshot.period.starts,
                    ends=snapshot.period.ends,
                    snapshot=text,
                    digest=digest_of(text),
                    created_at=snapshot.taken_at,
                )
                _add_findings(review, snapshot, tenant=tenant)
                changes = {"digest": review.digest}
                record(
                    actor=None, action="review.frozen", target=review, changes=changes
                )
        except IntegrityError:
            # It was there, or somebody else was faster; anything else is a bug.
            found = frozen_review(snapshot.period, tenant=tenant)
            if found is None:
                raise
            return Frozen(found, new=False)
    return Frozen(review, new=True)


def _add_findings(review: Review, snapshot: Snapshot, *, tenant: Tenant) -> None:
    earlier = latest_before(snapshot.period, tenant=tenant)
    known = {row.key: row for row in earlier.findings.all()} if earlier else {}
    rows: dict[str, ReviewFinding] = {}
    for section in snapshot.sections:
        for finding in section.findings:
            key = f"{section.key}:{finding.key}"[:_MOST_KEY]
            row = ReviewFinding(review=review, key=key, text=dict(finding.text))
            rows.setdefault(key, _carried(row, known.get(key)))
    ReviewFinding.objects.bulk_create(rows.values(), batch_size=500)


def _carried(row: ReviewFinding, before: ReviewFinding | None) -> ReviewFinding:
    if before is None:
        return row
    row.found_before = before
    row.owner_id, row.due_on, row.note = before.owner_id, before.due_on, before.note
    if before.state == ReviewFinding.State.ACCEPTED:
        row.state = before.state
    return row


@transaction.atomic
def begin_review(review: Review, *, actor: Actor) -> bool:
    """Send a draft round; returns whether it was one."""
    with using_tenant(actor.tenant_id):
        locked = Review.objects.select_for_update().get(pk=review.pk)
        if locked.state != Review.State.DRAFT:
            return False
        locked.state = Review.State.IN_REVIEW
        locked.save()
        record(actor=actor, action="review.begun", target=locked)
    return True


@transaction.atomic
def sign(review: Review, *, actor: Actor) -> ReviewSignature | SignRule:
    """Sign a review as the actor, or say which rule forbids it.

    The signature that makes them enough closes the review for ever.
    """
    with using_tenant(actor.tenant_id):
        locked = Review.objects.select_for_update().get(pk=review.pk)
        if (rule := may_sign(locked, actor=actor)) is not None:
            return rule
        user = User.objects.get(pk=actor.user_id)
        signature = ReviewSignature.objects.create(
            review=locked,
            user=user,
            username=user.get_username(),
            signed_digest=locked.digest,
        )
        if locked.signatures.count() >= locked.signatures_needed:
            locked.state = Review.State.SIGNED
            locked.save()
        changes = {"digest": locked.digest, "state": locked.state}
        record(actor=actor, action="review.signed", target=locked, changes=changes)
    return signature


def may_sign(review: Review, *, actor: Actor) -> SignRule | None:
    """Return the rule that keeps the actor from signing now, None when nothing does."""
    if review.state == Review.State.SIGNED:
        return SignRule.ALREADY_SIGNED
    if review.state != Review.State.IN_REVIEW:
        return SignRule.NOT_IN_REVIEW
    if not review.is_sound:
        return SignRule.CHANGED
    if review.signatures.filter(user_id=actor.user_id).exists():
        return SignRule.SIGNED_BEFORE
    if review.read().subjects == {actor.user_id}:
        return SignRule.OWN_ACCESS
    return None


def is_untouched(review: Review) -> bool:
    """Say whether the snapshot is the one that was frozen, and that was signed."""
    signed = review.signatures.values_list("signed_digest", flat=True)
    return review.is_sound and all(digest == review.digest for digest in signed)


def overdue_findings(*, today: date) -> int:
    """Count the open findings of the tenant in scope whose day has passed."""
    return ReviewFinding.objects.overdue(today=today).count()

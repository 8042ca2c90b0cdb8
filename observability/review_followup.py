"""What became of earlier reviews: open and overdue findings, missing signatures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from observability.review_models import Review, ReviewFinding
from observability.review_periods import period_name
from observability.review_values import Figure, Finding, Period, Section, words
from tenants.scope import Actor, using_tenant

SIGNED_WITHIN = timedelta(days=14)


def followup_part(period: Period, actor: Actor) -> Section:
    """Say what is left of the reviews before `period` ended."""
    today = timezone.now().astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    with using_tenant(actor.tenant_id):
        earlier = list(Review.objects.filter(ends__lt=period.ends).order_by("starts"))
        findings = ReviewFinding.objects.filter(review__in=earlier)
        left, late = findings.open().count(), findings.overdue(today=today).count()
        changed = [review for review in earlier if not review.is_sound]
    limit = timezone.now() - SIGNED_WITHIN
    unsigned = [
        review
        for review in earlier
        if review.state != Review.State.SIGNED and review.created_at < limit
    ]
    return Section(
        key="followup",
        title=words("지난 점검의 후속", "What became of earlier reviews"),
        figures=tuple(_figures(left, late, len(unsigned))),
        findings=tuple(_findings(changed, unsigned)),
    )


def _figures(left: int, late: int, unsigned: int) -> Iterator[Figure]:
    yield Figure(
        "open-findings",
        words("지난 점검의 열린 항목", "Open findings of earlier reviews"),
        left,
        source="observability_reviewfinding: state=open",
    )
    yield Figure(
        "overdue-findings",
        words("그중 기한이 지난 것", "Overdue ones among them"),
        late,
        source="observability_reviewfinding: due_on",
    )
    yield Figure(
        "unsigned-reviews",
        words(
            f"{SIGNED_WITHIN.days}일 넘게 서명되지 않은 점검",
            f"Reviews unsigned for over {SIGNED_WITHIN.days} days",
        ),
        unsigned,
        source="observability_review: state, created_at",
    )


def _findings(changed: list[Review], unsigned: list[Review]) -> Iterator[Finding]:
    for review in changed:
        name = period_name(review.period, zone=settings.TIME_ZONE)
        yield Finding(
            f"changed-review:{name}",
            words(
                f"{name} 점검: 저장된 보고서가 동결된 것과 다릅니다. "
                "백업과 비교하십시오.",
                f"The stored report of {name} is not the one that was frozen. Compare "
                "it with a backup.",
            ),
        )
    for review in unsigned:
        name = period_name(review.period, zone=settings.TIME_ZONE)
        yield Finding(
            f"unsigned-review:{name}",
            words(
                f"{name} 점검이 {SIGNED_WITHIN.days}일 넘게 서명되지 않았습니다.",
                f"The review of {name} has waited for its signatures for over "
                f"{SIGNED_WITHIN.days} days.",
            ),
        )

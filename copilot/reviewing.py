"""What the copilot tells the monthly and quarterly review."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.db.models import QuerySet

from copilot.measures import ece
from copilot.models import Feedback, Suggestion
from copilot.records import note_reverts
from observability.review_values import Cell, Figure, Finding, Period, Section
from tenants.scope import Actor, using_tenant

_LABELS: Final = {
    "proposals": {"ko": "제안", "en": "Proposals"},
    "accepted-as-is": {"ko": "그대로 수락", "en": "Accepted as they were"},
    "abstention": {"ko": "묻거나 거절한 비율", "en": "Asked or refused instead"},
    "reverted": {"ko": "하루 안에 되돌림", "en": "Reverted within a day"},
    "calibration-gap": {"ko": "확신도 오차", "en": "Calibration gap"},
}
_UNITS: Final = {"proposals": ""}
_SOURCES: Final = {
    "proposals": "copilot.Suggestion, kind=proposal, created_at in the period",
    "accepted-as-is": "copilot.Feedback accepted / (accepted + edited + rejected)",
    "abstention": "copilot.Suggestion, kind question or refusal / all",
    "reverted": "copilot.Feedback reverted / (accepted + edited)",
    "calibration-gap": "|mean confidence - accepted share| of ten groups, weighted",
}
_MUCH_REVERTED: Final = 20.0


def review_section(period: Period, actor: Actor) -> Section:
    """Return the copilot's figures of a period, of the actor's tenant.

    Shares are in per cent of proposals made in the period, whenever they were
    decided; a share of nothing is None.
    """
    with using_tenant(actor.tenant_id):
        note_reverts(_of(period), actor=actor)
        now = _values(period)
        length = period.ends - period.starts
        earlier = replace(period, starts=period.starts - length, ends=period.starts)
        before = _values(earlier)
    figures = tuple(
        Figure(
            key,
            label,
            now[key],
            unit=_UNITS.get(key, "%"),
            before=before[key],
            source=_SOURCES[key],
        )
        for key, label in _LABELS.items()
    )
    title = {"ko": "화면 편집 코파일럿", "en": "Screen editor copilot"}
    return Section("copilot", title, figures, findings=_findings(now["reverted"]))


def _findings(reverted: Cell) -> tuple[Finding, ...]:
    if not isinstance(reverted, float) or reverted <= _MUCH_REVERTED:
        return ()
    text = {
        "ko": (
            f"수락한 제안 가운데 {reverted:.1f} %가 하루 안에 되돌려졌습니다. "
            "거절 사유와 골든 세트를 확인하세요."
        ),
        "en": f"{reverted:.1f} % of the accepted proposals were reverted within a day. "
        "Look at the reasons of rejections and at the golden set.",
    }
    return (Finding("copilot-reverted", text),)


def _of(period: Period) -> QuerySet[Suggestion]:
    return Suggestion.objects.filter(
        created_at__gte=period.starts, created_at__lt=period.ends
    )


def _values(period: Period) -> dict[str, Cell]:
    rows = list(_of(period).prefetch_related("feedback"))
    proposals = [row for row in rows if row.kind == Suggestion.Kind.PROPOSAL]
    outcomes = [{each.outcome for each in row.feedback.all()} for row in proposals]
    shown = Feedback.Outcome
    decided = [
        o for o in outcomes if o & {shown.ACCEPTED, shown.EDITED, shown.REJECTED}
    ]
    taken = [o for o in outcomes if o & {shown.ACCEPTED, shown.EDITED}]
    said = [
        (row.probability, shown.ACCEPTED in o and shown.REVERTED not in o)
        for row, o in zip(proposals, outcomes, strict=True)
        if row.probability is not None and o in decided
    ]
    gap = ece([p for p, _ in said], [y for _, y in said]) if said else None
    return {
        "proposals": len(proposals),
        "accepted-as-is": _percent(
            sum(shown.ACCEPTED in each for each in decided), len(decided)
        ),
        "abstention": _percent(len(rows) - len(proposals), len(rows)),
        "reverted": _percent(sum(shown.REVERTED in o for o in taken), len(taken)),
        "calibration-gap": None if gap is None else round(100 * gap, 1),
    }


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None

"""Answers as stored rows, and back; what people did with them, and what it teaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from copilot.confidence import FEWEST_LABELS, Fit, Label, fit_confidence
from copilot.edits import Edit, edits_as_json, read_edits
from copilot.modelling import Call
from copilot.models import Calibration, Feedback, ModelCall, Suggestion
from copilot.proposals import (
    Answer,
    Choice,
    Confidence,
    GateResult,
    Proposal,
    Question,
    Refusal,
)
from screens.models import Screen, ScreenVersion
from tenants.scope import Actor

REVERT_WINDOW: Final = timedelta(hours=24)
MOST_LABELS: Final = 2_000
_LEARN_EVERY: Final = 10
_DECIDED: Final = ("accepted", "edited", "rejected")


# --- Answers -----------------------------------------------------------------------
@transaction.atomic
def store(
    answer: Answer,
    *,
    instruction: str,
    screen: Screen,
    version: ScreenVersion,
    actor: Actor,
    calls: Sequence[Call] = (),
) -> Suggestion:
    """Keep an answer; a proposal counts as shown."""
    row = Suggestion(
        screen=screen,
        base_version=version.number,
        base_digest=version.digest,
        author_id=actor.user_id,
        instruction=instruction[:500],
        engine=answer.engine,
        kind=_kind(answer),
    )
    match answer:
        case Proposal():
            row.edits = edits_as_json(answer.edits)
            row.patch = [dict(step) for step in answer.patch]
            row.gates = [_gate_as_json(each) for each in answer.gates]
            row.features = dict(answer.features)
            row.probability = answer.confidence.probability
            row.basis, row.labels = answer.confidence.basis, answer.confidence.labels
            row.risky = answer.risky
        case Question():
            row.rule, row.words = answer.rule, dict(answer.words)
            row.choices = [edits_as_json(each.edits) for each in answer.choices]
        case Refusal():
            row.rule, row.words = answer.rule, dict(answer.words)
            row.gates = [_gate_as_json(each) for each in answer.gates]
    row.save()
    for call in calls:
        ModelCall.objects.create(
            suggestion=row,
            model=call.model,
            prompt_digest=call.prompt_digest,
            outcome=call.outcome,
            tokens=call.tokens,
            elapsed_ms=call.elapsed_ms,
        )
    if row.kind == Suggestion.Kind.PROPOSAL:
        note(row, Feedback.Outcome.SHOWN, actor=actor)
    return row


def edits_of(row: Suggestion) -> tuple[Edit, ...]:
    """Return the edits of a stored proposal.

    Raises:
        ValueError: what is stored is no list of edits: a bug or a missing migration.
    """
    return _edits(row.edits)


def choices_of(row: Suggestion) -> tuple[Choice, ...]:
    """Return the choices of a stored question."""
    return tuple(Choice(_edits(each)) for each in row.choices)


def gates_of(row: Suggestion) -> tuple[GateResult, ...]:
    return tuple(GateResult(**each) for each in row.gates)


def _edits(raw: Any) -> tuple[Edit, ...]:
    edits = read_edits(raw)
    if not isinstance(edits, tuple):
        raise ValueError(f"Stored edits cannot be read: {edits}.")
    return edits


def _kind(answer: Answer) -> str:
    match answer:
        case Proposal():
            return Suggestion.Kind.PROPOSAL
        case Question():
            return Suggestion.Kind.QUESTION
        case Refusal():
            return Suggestion.Kind.REFUSAL


def _gate_as_json(result: GateResult) -> dict[str, Any]:
    return {name: getattr(result, name) for name in GateResult.__slots__}


# --- Feedback ----------------------------------------------------------------------
def note(
    row: Suggestion,
    outcome: str,
    *,
    actor: Actor,
    reason: str = "",
    patch: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Keep what somebody did; the same thing twice counts once."""
    _row, made = Feedback.objects.get_or_create(
        suggestion=row,
        outcome=outcome,
        defaults={
            "reason": reason,
            "patch": [dict(step) for step in patch],
            "user_id": actor.user_id,
        },
    )
    if made and outcome in _DECIDED:
        learn(row.engine)


def note_reverts(suggestions: QuerySet[Suggestion], *, actor: Actor) -> int:
    """Notice accepted proposals whose document was put back within a day.

    By the copilot's undo, by the editor's revert, or by hand: what counts is that a
    later version equals the one before the proposal.
    """
    found = 0
    accepted = suggestions.filter(accepted_version__isnull=False).exclude(
        feedback__outcome=Feedback.Outcome.REVERTED
    )
    for row in accepted:
        versions = ScreenVersion.objects.filter(screen_id=row.screen_id)
        own = versions.filter(number=row.accepted_version or 0).first()
        if own is None:
            continue
        back = versions.filter(
            number__gt=own.number,
            digest=row.base_digest,
            created_at__lte=own.created_at + REVERT_WINDOW,
        )
        if back.exists():
            note(row, Feedback.Outcome.REVERTED, actor=actor)
            found += 1
    return found


def labels_of(engine: str) -> list[Label]:
    """Return what people did with an engine's newest proposals.

    A proposal that was put back within a day was not accepted as it was.
    """
    rows = (
        Suggestion.objects.filter(
            kind=Suggestion.Kind.PROPOSAL,
            engine=engine,
            feedback__outcome__in=_DECIDED,
        )
        .distinct()
        .prefetch_related("feedback")[:MOST_LABELS]
    )
    found = []
    for row in rows:
        outcomes = {each.outcome for each in row.feedback.all()}
        kept = "accepted" in outcomes and "reverted" not in outcomes
        found.append(Label(row.features, kept, row.instruction))
    return found


# --- Confidence --------------------------------------------------------------------
def learn(engine: str) -> Calibration | None:
    """Fit the confidence of an engine again, when enough was answered since."""
    labels = labels_of(engine)
    newest = Calibration.objects.filter(engine=engine).first()
    since = len(labels) - (newest.labels if newest else 0)
    if len(labels) < FEWEST_LABELS or 0 <= since < _LEARN_EVERY:
        return None
    fit = fit_confidence(labels)
    return Calibration.objects.create(
        engine=engine, fit=fit.as_json(), labels=fit.labels, basis=fit.basis
    )


def confidence_of(proposal: Proposal) -> Confidence:
    """Say how sure the copilot is of a proposal, by the newest fit of its engine."""
    newest = Calibration.objects.filter(engine=proposal.engine).first()
    if newest is None:
        decided = Feedback.objects.filter(
            suggestion__engine=proposal.engine, outcome__in=_DECIDED
        )
        return Confidence(labels=decided.values("suggestion").distinct().count())
    fit = Fit.of_json(newest.fit)
    return Confidence(fit.probability(proposal.features), fit.basis, fit.labels)


def tokens_today() -> int:
    """Return the tokens that the tenant in scope has used since midnight, UTC."""
    since = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = ModelCall.objects.filter(created_at__gte=since)
    return sum(rows.values_list("tokens", flat=True))

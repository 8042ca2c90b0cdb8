"""The copilot's public verbs: propose, accept, reject, undo, and its review figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.outcomes import Json
from copilot.catalogue import subject_for
from copilot.engine import answer, choice_edits, finished
from copilot.gates import Passage, pass_gates
from copilot.llm import Model, configured_model
from copilot.modelling import Call, Conversation
from copilot.models import CopilotPolicy, Feedback, Suggestion
from copilot.proposals import Answer, GateResult, Proposal
from copilot.records import (
    REVERT_WINDOW,
    choices_of,
    confidence_of,
    edits_of,
    note,
    note_reverts,
    store,
    tokens_today,
)
from copilot.reviewing import review_section
from copilot.subject import Subject
from screens.document import DocumentError
from screens.models import Screen, ScreenVersion
from screens.services import StaleBase, save_version
from tenants.scope import Actor, using_tenant

__all__ = [
    "NeedsConfirmation",
    "NotOpen",
    "Shut",
    "accept",
    "accept_edited",
    "choose",
    "note_reverts",
    "propose",
    "reject",
    "review_section",
    "subject_of",
    "suggest",
    "undo",
]


@dataclass(frozen=True, slots=True)
class NeedsConfirmation:
    """The change removes or unbinds so much that it has to be confirmed."""

    gate: GateResult


@dataclass(frozen=True, slots=True)
class Shut:
    """A gate stands against it now, whatever it said when it was proposed."""

    gates: tuple[GateResult, ...]


@dataclass(frozen=True, slots=True)
class NotOpen:
    """The suggestion is no proposal, or was settled before."""


Accepted = (
    ScreenVersion | StaleBase | NeedsConfirmation | Shut | NotOpen
    | tuple[DocumentError, ...]
)  # fmt: skip


# --- Proposing ---------------------------------------------------------------------
def propose(
    version: ScreenVersion,
    instruction: str,
    *,
    actor: Actor,
    model: Model | None = None,
) -> Answer:
    """Answer an instruction about a version of a screen. Saves and calls nothing.

    The rules come first. A model is asked only when they abstain, the operator has
    configured one, and the tenant's policy lets it know names.

    Args:
        model: Another model than the configured one.
    """
    found, _calls = _proposed(version, instruction, actor, model)
    return found


def suggest(
    screen: Screen,
    instruction: str,
    *,
    actor: Actor,
    model: Model | None = None,
) -> Suggestion | None:
    """Propose for the newest version of a screen, and keep the answer.

    Returns:
        The kept answer, or None when the screen has no version to change yet.
    """
    with using_tenant(actor.tenant_id):
        version = _newest(screen)
        if version is None:
            return None
        found, calls = _proposed(version, instruction, actor, model)
        return store(
            found,
            instruction=instruction,
            screen=screen,
            version=version,
            actor=actor,
            calls=calls,
        )


def choose(suggestion: Suggestion, index: int, *, actor: Actor) -> Suggestion | None:
    """Answer a question with one of its choices: a suggestion of its own.

    Returns:
        None when there is no such choice, or the screen has changed since.
    """
    with using_tenant(actor.tenant_id):
        edits = choice_edits(choices_of(suggestion), index)
        version = _newest(suggestion.screen)
        if edits is None or version is None:
            return None
        if version.number != suggestion.base_version:
            return None
        found = finished(edits, _subject(version, actor), engine=suggestion.engine)
        return store(
            _with_confidence(found),
            instruction=suggestion.instruction,
            screen=suggestion.screen,
            version=version,
            actor=actor,
        )


def subject_of(suggestion: Suggestion, *, actor: Actor) -> Subject | None:
    """Return what a suggestion is about: the version it is based on."""
    version = ScreenVersion.objects.filter(
        screen=suggestion.screen_id, number=suggestion.base_version
    ).first()
    return None if version is None else _subject(version, actor)


def _proposed(
    version: ScreenVersion, instruction: str, actor: Actor, model: Model | None
) -> tuple[Answer, list[Call]]:
    with using_tenant(actor.tenant_id):
        subject = _subject(version, actor)
        talk = _conversation(actor, model)
        ask_model = talk.ask if talk is not None else None
        found = answer(instruction, subject, ask_model=ask_model)
        return _with_confidence(found), talk.calls if talk is not None else []


def _with_confidence(found: Answer) -> Answer:
    if isinstance(found, Proposal):
        return replace(found, confidence=confidence_of(found))
    return found


def _conversation(actor: Actor, model: Model | None) -> Conversation | None:
    """Return a talk with the model, or None when the tenant tells it nothing."""
    policy = CopilotPolicy.objects.first() or CopilotPolicy()
    if policy.sharing == CopilotPolicy.Sharing.OFF:
        return None
    asked = model or configured_model(tenant_id=actor.tenant_id)
    if asked is None:
        return None
    return Conversation(
        asked,
        repairs=settings.SIGNALBOX_MODEL_REPAIRS,
        most_tokens=settings.SIGNALBOX_MODEL_TOKENS,
        budget=max(0, policy.tokens_per_day - tokens_today()),
        descriptions=policy.sharing == CopilotPolicy.Sharing.DESCRIPTIONS,
    )


def _subject(version: ScreenVersion, actor: Actor) -> Subject:
    body: Any = version.body
    return subject_for(body, actor=actor, key=version.screen.key)


def _newest(screen: Screen) -> ScreenVersion | None:
    versions = ScreenVersion.objects.filter(screen=screen).select_related("screen")
    return versions.order_by("-number").first()


# --- Deciding ----------------------------------------------------------------------
def accept(
    suggestion: Suggestion, *, actor: Actor, confirmed: bool = False
) -> Accepted:
    """Save a proposal as a draft, exactly as it was shown.

    All gates run again, with the rights of the actor now. A proposal for a version
    that is no longer the newest is refused.

    Args:
        confirmed: The actor has confirmed a risky change.
    """
    return _accept(suggestion, suggestion.patch, actor=actor, confirmed=confirmed)


def accept_edited(
    suggestion: Suggestion, patch: Json, *, actor: Actor, confirmed: bool = False
) -> Accepted:
    """Save what the actor made of a proposal; its patch passes the same gates."""
    edited = patch != suggestion.patch
    return _accept(suggestion, patch, actor=actor, confirmed=confirmed, edited=edited)


@transaction.atomic
def _accept(
    suggestion: Suggestion,
    patch: Json,
    *,
    actor: Actor,
    confirmed: bool,
    edited: bool = False,
) -> Accepted:
    with using_tenant(actor.tenant_id):
        row = Suggestion.objects.select_for_update().get(pk=suggestion.pk)
        if row.kind != Suggestion.Kind.PROPOSAL or _settled(row):
            return NotOpen()
        base = _newest(row.screen)
        if base is None:
            return NotOpen()
        if (base.number, base.digest) != (row.base_version, row.base_digest):
            return StaleBase(base)
        edits = () if edited else edits_of(row)
        passage = pass_gates(patch, _subject(base, actor), edits=edits)
        if not passage.open:
            return Shut(passage.shut)
        if passage.risky and not confirmed:
            return NeedsConfirmation(_risk(passage))
        saved = save_version(
            row.screen,
            passage.body,
            actor=actor,
            base_version=base.number,
            note=_("Copilot: %s") % row.instruction,
        )
        if isinstance(saved, ScreenVersion):
            row.accepted_version = saved.number
            row.save()
            outcome = Feedback.Outcome.EDITED if edited else Feedback.Outcome.ACCEPTED
            written: Any = patch if edited else []
            note(row, outcome, actor=actor, patch=written)
        return saved


def _settled(row: Suggestion) -> bool:
    return row.feedback.exclude(outcome=Feedback.Outcome.SHOWN).exists()


def _risk(passage: Passage) -> GateResult:
    return next(each for each in passage.results if each.gate == "risk")


def reject(suggestion: Suggestion, reason: str, *, actor: Actor) -> bool:
    """Keep that a proposal was rejected, and why; False when it is settled.

    Raises:
        ValueError: `reason` is none of `Feedback.Reason`.
    """
    if reason not in Feedback.Reason.values:
        raise ValueError(f"{reason!r} is no reason: use one of Feedback.Reason.")
    with using_tenant(actor.tenant_id):
        if suggestion.kind != Suggestion.Kind.PROPOSAL or _settled(suggestion):
            return False
        note(suggestion, Feedback.Outcome.REJECTED, actor=actor, reason=reason)
        return True


@transaction.atomic
def undo(suggestion: Suggestion, *, actor: Actor) -> Accepted:
    """Save the document from before a proposal again, byte for byte, as a draft.

    Refused once somebody has saved another version: revert in the editor then.
    """
    with using_tenant(actor.tenant_id):
        row = Suggestion.objects.select_for_update().get(pk=suggestion.pk)
        if row.accepted_version is None or row.undone_version is not None:
            return NotOpen()
        versions = ScreenVersion.objects.filter(screen=row.screen_id)
        before = versions.get(number=row.base_version)
        accepted = versions.get(number=row.accepted_version)
        saved = save_version(
            row.screen,
            before.body,
            actor=actor,
            base_version=row.accepted_version,
            note=_("Undo of the copilot: %s") % row.instruction,
        )
        if isinstance(saved, ScreenVersion):
            row.undone_version = saved.number
            row.save()
            if timezone.now() <= accepted.created_at + REVERT_WINDOW:
                note(row, Feedback.Outcome.REVERTED, actor=actor)
        return saved

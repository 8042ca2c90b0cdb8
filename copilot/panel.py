"""What the panel shows of an answer: words, differences, previews, gates."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import get_language

from connectors.outcomes import Json
from copilot import messages
from copilot.models import Feedback, Suggestion
from copilot.records import choices_of, edits_of, gates_of
from copilot.samples import sample
from copilot.services import subject_of
from copilot.subject import Subject, in_language
from renderers.presentation import Format, Presentation, RenderContext
from renderers.services import render_outcome
from screens.document import Document, document_as_json, parse_document
from screens.patches import Patched, apply_patch
from tenants.scope import Actor

_SAMPLE_ROWS: Final = 4
_KINDS: Final = {"+": "added", "-": "removed", "@": "place"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a difference: ``added``, ``removed``, ``place`` or ``same``."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A look before and after, drawn on sample rows; "" where there is none."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class GateLine:
    """One gate in words."""

    ok: bool
    name: str
    fault: str
    pointer: str


def card(suggestion: Suggestion, *, actor: Actor) -> dict[str, Any]:
    """Return what the template needs to show one answer."""
    subject = subject_of(suggestion, actor=actor)
    shown: dict[str, Any] = {
        "suggestion": suggestion,
        "is_model": suggestion.engine == "model",
        "gates": [_gate(each) for each in gates_of(suggestion)],
        "reasons": Feedback.Reason.choices,
    }
    if suggestion.kind == Suggestion.Kind.QUESTION:
        shown["text"] = messages.question_text(suggestion.rule, suggestion.words)
        shown["choices"] = list(_choices(suggestion, subject))
    elif suggestion.kind == Suggestion.Kind.REFUSAL:
        shown["text"] = messages.refusal_text(suggestion.rule, suggestion.words)
    elif subject is not None:
        shown |= _proposal(suggestion, subject)
    return shown


def patch_text(patch: Json) -> str:
    """Write a patch for people: one operation a line."""
    if not isinstance(patch, list):
        return json.dumps(patch, ensure_ascii=False, indent=2)
    steps = (json.dumps(step, ensure_ascii=False) for step in patch)
    return "[\n  " + ",\n  ".join(steps) + "\n]" if patch else "[]"


def _proposal(suggestion: Suggestion, subject: Subject) -> dict[str, Any]:
    done = apply_patch(dict(subject.body), suggestion.patch)
    after = done.body if isinstance(done, Patched) else None
    outcomes = {each.outcome for each in suggestion.feedback.all()}
    return {
        "edits": [messages.edit_text(e, subject) for e in edits_of(suggestion)],
        "patch": patch_text(suggestion.patch),
        "lines": _difference(subject.body, after),
        "previews": _previews(subject, after) if isinstance(after, dict) else [],
        "confidence": messages.confidence_word(suggestion.probability),
        "percent": None
        if suggestion.probability is None
        else round(100 * suggestion.probability),
        "basis": messages.basis_text(suggestion.basis),
        "is_open": outcomes <= {Feedback.Outcome.SHOWN},
        "is_rejected": Feedback.Outcome.REJECTED in outcomes,
        "can_undo": suggestion.accepted_version is not None
        and suggestion.undone_version is None,
    }


def _choices(suggestion: Suggestion, subject: Subject | None) -> Iterator[str]:
    for choice in choices_of(suggestion):
        if subject is not None:
            yield " ".join(messages.edit_text(e, subject) for e in choice.edits)


def _gate(result: Any) -> GateLine:
    return GateLine(
        result.ok,
        messages.gate_text(result),
        messages.gate_fault(result),
        result.pointer,
    )


# --- Differences and previews ------------------------------------------------------
def _difference(before: Mapping[str, Any], after: Json) -> list[Line]:
    old, new = _as_text(dict(before)), _as_text(after)
    found = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3)
    lines = list(found)[2:]
    return [Line(_KINDS.get(line[:1], "same"), line) for line in lines]


def _as_text(body: Json) -> str:
    """Write a document in the order of its schema, whatever order it was kept in."""
    document = parse_document(body)
    ordered = document_as_json(document) if isinstance(document, Document) else body
    return json.dumps(ordered, ensure_ascii=False, indent=2)


def _previews(subject: Subject, body: dict[str, Any]) -> list[Preview]:
    """Draw every look that changes, and every one that comes or goes."""
    after = subject.with_body(body)
    language = get_language() or "ko"
    found = []
    for name in dict.fromkeys(e["id"] for e in [*subject.blocks, *after.blocks]):
        old, new = subject.block(name), after.block(name)
        for response in dict.fromkeys([*_looks(old), *_looks(new)]):
            if old is not None and new is not None and _alike(old, new, response):
                continue
            title = in_language((new or old or {}).get("title", ""), language)
            found.append(
                Preview(
                    title,
                    _drawn(subject, old, response, "before"),
                    _drawn(after, new, response, "after"),
                )
            )
    return found


def _looks(block: Mapping[str, Any] | None) -> list[str]:
    return list(block["responses"]) if block else []


def _alike(old: Mapping[str, Any], new: Mapping[str, Any], response: str) -> bool:
    return bool(
        old["responses"].get(response) == new["responses"].get(response)
        and old["title"] == new["title"]
        and old["source"] == new["source"]
    )


def _drawn(
    subject: Subject, block: Mapping[str, Any] | None, response: str, side: str
) -> str:
    if block is None or response not in block["responses"]:
        return ""
    look = block["responses"][response]
    language = get_language() or "ko"
    context = RenderContext(
        f"{side}-{block['id']}-{response}",
        in_language(block["title"], language),
        language=language,
    )
    presentation = Presentation(Format(look["format"]), look.get("options", {}))
    rows = sample(subject, block, response, _SAMPLE_ROWS)
    return render_outcome(rows, presentation, context).html

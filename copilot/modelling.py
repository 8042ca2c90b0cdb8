"""Ask a model for edits, and let it correct itself; trust nothing it says.

What it answers is read, compiled and led through the same gates as every other
proposal. It is told what was wrong, a few times; a refused permission ends the talk.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.outcomes import Json
from copilot.edits import Edit, EditFault, edit_schema, read_edits
from copilot.engine import finished
from copilot.gates import NEVER_REPAIRED
from copilot.llm import Completion, Model, NoCompletion
from copilot.prompt import MessageOfChat, messages_for, tokens_in
from copilot.proposals import Answer, Proposal, Question, Refusal
from copilot.subject import Subject

ENGINE: Final = "model"
_FORBIDDEN: Final = frozenset({
    "unknown-operation", "unknown-table", "unknown-argument",
})  # fmt: skip
"""A model that names what it was not told gets no second try to find a way around."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as it is kept: what it cost, not what was said."""

    model: str
    prompt_digest: str
    outcome: str
    tokens: int
    elapsed_ms: float


@dataclass
class Conversation:
    """A talk with a model about one instruction.

    Attributes:
        repairs: Times it may try again.
        most_tokens: Tokens of one answer.
        budget: Tokens it may use in all.
        calls: What it cost so far.
    """

    model: Model
    repairs: int = 2
    most_tokens: int = 2_000
    budget: int = 200_000
    descriptions: bool = False
    calls: list[Call] = field(default_factory=list)

    def ask(self, instruction: str, subject: Subject) -> Answer | None:
        """Return the model's answer, checked; None when it gave none."""
        messages = messages_for(instruction, subject, descriptions=self.descriptions)
        schema = edit_schema(
            blocks=[each["id"] for each in subject.blocks],
            operations=list(subject.operations),
        )
        last: Answer | None = None
        for attempt in range(self.repairs + 1):
            expected = sum(tokens_in(each["content"]) for each in messages)
            if self._used() + expected + self.most_tokens > self.budget:
                self._note(messages, "budget", NoCompletion("budget"))
                return last
            said = self.model.complete(
                messages, schema=schema, most_tokens=self.most_tokens
            )
            if isinstance(said, NoCompletion):
                self._note(messages, said.reason, said)
                return last
            found = _read(said.text)
            answer = _answer(found, subject, attempt)
            self._note(messages, _outcome(answer), said)
            fault = _fault(found, answer)
            if not fault:
                return answer
            last = answer
            messages = [*messages, *_again(said.text, fault)]
        return last

    def _used(self) -> int:
        return sum(each.tokens for each in self.calls)

    def _note(
        self,
        messages: Sequence[MessageOfChat],
        outcome: str,
        said: Completion | NoCompletion,
    ) -> None:
        written = json.dumps(list(messages), ensure_ascii=False).encode()
        tokens = said.tokens if isinstance(said, Completion) else 0
        digest = hashlib.sha256(written).hexdigest()
        self.calls.append(
            Call(self.model.name, digest, outcome[:24], tokens, said.elapsed_ms)
        )


# --- Reading -----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Said:
    """What could be read of an answer: edits, or words, or a fault."""

    edits: tuple[Edit, ...] = ()
    question: bool = False
    refusal: bool = False
    own_number: float = 0.0
    fault: str = ""


def _read(text: str) -> _Said:
    """Read an answer; fences and words around the object are forgiven."""
    start, end = text.find("{"), text.rfind("}")
    try:
        raw: Any = json.loads(text[start : end + 1]) if start >= 0 else None
    except (ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict):
        return _Said(fault="The answer was no JSON object. Answer with one only.")
    if raw.get("question"):
        return _Said(question=True)
    if raw.get("refusal"):
        return _Said(refusal=True)
    edits = read_edits(raw.get("edits"))
    if isinstance(edits, EditFault):
        return _Said(fault=f"Edit {edits.index}: wrong {edits.slot}: {edits.found!r}.")
    return _Said(edits, own_number=_share(raw.get("confidence")))


def _share(number: Json) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return 0.0
    return float(number) if 0 <= number <= 1 else 0.0


def _answer(said: _Said, subject: Subject, attempt: int) -> Answer:
    # The words of a model are never shown: they may say anything.
    if said.question:
        return Question("model-asks", engine=ENGINE)
    if said.refusal:
        return Refusal("model-refuses", engine=ENGINE)
    if said.fault:
        return Refusal("model-unreadable", engine=ENGINE)
    features = {
        "own_number": said.own_number,
        "repairs": float(attempt),
        "edits": float(len(said.edits)),
    }
    return finished(said.edits, subject, engine=ENGINE, features=features)


def _fault(said: _Said, answer: Answer) -> str:
    """Return what to tell the model, or "" when its answer stands."""
    if said.fault:
        return said.fault
    if not isinstance(answer, Refusal) or said.refusal:
        return ""
    shut = [each for each in answer.gates if not each.ok]
    if answer.rule in _FORBIDDEN or any(each.gate in NEVER_REPAIRED for each in shut):
        return ""
    told = [f"{each.gate} {each.rule} at {each.pointer} {each.found}" for each in shut]
    return "; ".join(told) or f"{answer.rule}: {answer.words.get('found', '')}"


def _again(text: str, fault: str) -> list[MessageOfChat]:
    wish = f"That was refused: {fault[:1_000]} Correct it; do only what was asked."
    return [
        {"role": "assistant", "content": text[:4_000]},
        {"role": "user", "content": wish},
    ]


def _outcome(answer: Answer) -> str:
    match answer:
        case Proposal():
            return "proposal"
        case Question():
            return "question"
        case Refusal():
            return answer.rule

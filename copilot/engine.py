"""From an instruction to an answer: grammar, then perhaps a model, compiler, gates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from copilot.compiling import CompileFault, compile_edits
from copilot.edits import Edit, Kind
from copilot.gates import Passage, pass_gates
from copilot.grammar import understand
from copilot.proposals import Answer, Choice, GateResult, Proposal, Question, Refusal
from copilot.subject import Subject

AskModel: TypeAlias = Callable[[str, Subject], Answer | None]
"""Asks a model; None when it may not be asked or did not answer."""

# The grammar is sure of these answers, and a model is not asked for another.
_SURE: Final = frozenset({
    "which-block", "which-response", "which-format", "which-order", "limit-or-page",
    "where-to", "which-size", "empty", "too-long", "new-name",
})  # fmt: skip


def answer(
    instruction: str, subject: Subject, *, ask_model: AskModel | None = None
) -> Answer:
    """Answer an instruction; the model is asked only where the grammar abstains."""
    found = understand(instruction, subject)
    if not isinstance(found, Question | Refusal):
        return finished(found.edits, subject, features=found.features)
    sure = found.rule in _SURE or found.rule.startswith("cannot-")
    if ask_model is not None and not sure:
        other = ask_model(instruction, subject)
        if other is not None:
            return other
    return checked(found, subject)


def checked(found: Question | Refusal, subject: Subject) -> Question | Refusal:
    """Keep the choices of a question that would pass the gates."""
    if isinstance(found, Refusal) or not found.choices:
        return found
    kept = tuple(
        choice
        for choice in found.choices
        if isinstance(finished(choice.edits, subject), Proposal)
    )
    if not kept and found.rule == "half-understood":
        return Question("not-understood", found.words)
    return replace(found, choices=kept)


def finished(
    edits: Sequence[Edit],
    subject: Subject,
    *,
    engine: str = "grammar",
    features: Mapping[str, float] | None = None,
) -> Proposal | Refusal:
    """Compile edits and lead them through every gate."""
    compiled = compile_edits(edits, subject)
    if isinstance(compiled, CompileFault):
        return Refusal(compiled.rule, {"found": compiled.found}, engine=engine)
    passage = pass_gates(list(compiled.patch), subject, edits=edits)
    if not passage.open or passage.body is None:
        return refused(passage, engine=engine)
    steps = [step for step in compiled.patch if step["op"] != "test"]
    more = {
        "patch_size": float(len(steps)),
        "adds_block": float(any(edit.kind is Kind.ADD_BLOCK for edit in edits)),
    }
    return Proposal(
        tuple(edits),
        compiled.patch,
        passage.body,
        passage.results,
        engine=engine,
        features={**(features or {}), **more},
        risky=passage.risky,
    )


def refused(passage: Passage, *, engine: str) -> Refusal:
    """Say which gate stood against it; an unknown reference reads as one."""
    shut: tuple[GateResult, ...] = passage.shut
    first = shut[0]
    if all(each.gate == "change" for each in shut):
        return Refusal("no-change", gates=passage.results, engine=engine)
    if first.gate == "references":
        return Refusal(
            first.rule, {"found": first.found}, passage.results, engine=engine
        )
    words = {"gate": first.gate, "pointer": first.pointer, "found": first.found}
    return Refusal("gate-shut", words, passage.results, engine=engine)


def choice_edits(choices: Sequence[Choice], index: int) -> tuple[Edit, ...] | None:
    """Return the edits of one choice, or None when there is no such choice."""
    return choices[index].edits if 0 <= index < len(choices) else None

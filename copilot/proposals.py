"""What the copilot answers: a proposal, a question or a refusal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from connectors.outcomes import Json
from copilot.edits import Edit
from screens.patches import Step

Words: TypeAlias = Mapping[str, str]
"""Values for the words of a rule in ``copilot.messages``, by name."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate found.

    Attributes:
        gate: ``size``, ``applies``, ``document``, ``references``, ``renders``,
            ``effect``, ``risk`` or ``change``.
        ok: Whether the proposal may pass. Risk passes, once it is confirmed.
        rule: Which rule failed; "" when all is well.
        pointer: Where, as a JSON Pointer; "" for the whole document.
        found: What was found there.
    """

    gate: str
    ok: bool
    rule: str = ""
    pointer: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure the copilot is, or that it cannot say yet.

    Attributes:
        probability: That the person accepts this without editing it; None while
            there are too few answers to learn from.
        basis: ``too-few``, ``base-rate``, ``logistic``, ``platt`` or ``isotonic``.
        labels: How many answers of people it was learned from.
    """

    probability: float | None = None
    basis: str = "too-few"
    labels: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that passed every gate and waits for a person.

    Attributes:
        edits: What it does, in order; empty for a patch a person wrote.
        patch: The same as RFC 6902, with a ``test`` on every block it touches.
        body: The document after it.
        gates: What every gate found.
        engine: ``grammar``, ``model`` or ``person``.
        features: Numbers the confidence is made of, by name.
        risky: It removes or unbinds so much that it needs a confirmation of its own.
    """

    edits: tuple[Edit, ...]
    patch: tuple[Step, ...]
    body: Json
    gates: tuple[GateResult, ...]
    engine: str = "grammar"
    confidence: Confidence = field(default_factory=Confidence)
    features: Mapping[str, float] = field(default_factory=dict)
    risky: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to a question: what it would do, one click away."""

    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """The instruction can mean several things, or lacks something.

    Attributes:
        rule: What is asked, a rule of ``copilot.messages``.
        words: Values for its words.
        choices: Answers, each a whole change; empty when only words can answer.
    """

    rule: str
    words: Words = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    engine: str = "grammar"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The copilot will not do this, and why.

    Attributes:
        rule: Why, a rule of ``copilot.messages``.
        words: Values for its words.
        gates: What the gates found, when one of them refused.
    """

    rule: str
    words: Words = field(default_factory=dict)
    gates: tuple[GateResult, ...] = ()
    engine: str = "grammar"


Answer: TypeAlias = Proposal | Question | Refusal

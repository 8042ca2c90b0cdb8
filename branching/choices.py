"""What a decision is, as values: calls, fallbacks, traces, responses. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from branching.conditions import Condition
from connectors.outcomes import Json, Outcome
from connectors.parameters import Argument

MAX_FALLBACKS = 3


class Event(StrEnum):
    """What a fallback step answers."""

    UPSTREAM = "upstream"
    TIMEOUT = "timeout"
    CIRCUIT_OPEN = "circuit_open"
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    EMPTY = "empty"


class FallbackKind(StrEnum):
    OPERATION = "operation"
    LAST_GOOD = "last_good"
    STATIC = "static"


@dataclass(frozen=True, slots=True)
class Call:
    """One operation to call, with the arguments the rule maps for it."""

    operation: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fallback:
    """One step tried when the call before it failed.

    Attributes:
        on: Events it answers.
        kind: What is tried.
        response: Named response that shows it.
        call: The other operation, for OPERATION.
        max_age_s: Oldest acceptable answer, for LAST_GOOD.
        static: A text, or a list of objects, for STATIC.
    """

    on: frozenset[Event]
    kind: FallbackKind
    response: str
    call: Call | None = None
    max_age_s: int = 86_400
    static: Json = None


class Verdict(StrEnum):
    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """What became of one rule.

    Attributes:
        rule: Key of the rule.
        verdict: Whether it matched.
        condition: The first condition that failed or was unknown, in the notation
            ``fact plan eq pro``; "" when the rule matched. ``messages`` has words.
        found: The value read for it, as text; "" when nothing was read.
        why: Rule id of ``messages``: ``not-met``, ``missing``, ``wrong-type``,
            ``argument`` (a fact the rule's call needs is unknown), ``disabled``, or
            the problem of the reading; "" when the rule matched.
        failed: That condition as a value; the literal is masked beside a secret.
        negated: Whether an odd number of NOTs is around it.
    """

    rule: str
    verdict: Verdict
    condition: str = ""
    found: str = ""
    why: str = ""
    failed: Condition | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """Why a decision came out as it did: facts read and every rule in order.

    Attributes:
        facts: Value of every fact the table reads, as text; secrets are masked.
        rules: What became of each rule, in order.
        sources: Where each fact came from: ``db``, ``cache``, ``operation``,
            ``given``; or ``failed`` when it could not be read.
        problems: Rule ids of ``messages`` for the facts that failed.
        notes: Rule ids for the whole, such as ``unique-violated``.
    """

    facts: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[RuleTrace, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What one rule of a decision table chose.

    Attributes:
        table: Key of the table; "" for a block that names its operation itself.
        rule: Key of the rule, ``default`` when none matched, several joined with
            ``+`` for COLLECT.
        calls: What to call; several for COLLECT, whose rows are joined.
        response: Name of the response to show.
        fallbacks: Steps tried in order when a call fails; at most three.
        trace: Why.
    """

    table: str
    rule: str
    calls: tuple[Call, ...]
    response: str
    fallbacks: tuple[Fallback, ...] = ()
    trace: Trace = Trace()


@dataclass(frozen=True, slots=True)
class Response:
    """The named response and the outcome it shows; `step` counts fallbacks used."""

    name: str
    outcome: Outcome
    step: int = 0
    reason: str = ""


def direct_decision(operation: str, arguments: Mapping[str, Argument]) -> Decision:
    """Return the constant decision of a block that names its operation itself."""
    return Decision(
        table="",
        rule="direct",
        calls=(Call(operation, arguments),),
        response="default",
    )

"""Conditions and groups as values, compiled to closures. Pure: no Django, no clock.

Logic is Kleene's: True, False, unknown. A rule matches on True alone, and the NOT
of unknown is unknown, so a fact that failed never opens a branch by negation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from branching.operators import OPERATORS, Test, Truth, fold, negation
from connectors.parameters import Argument

MAX_DEPTH = 3
MASK = "•••"
"""Shown instead of the value of a secret fact."""


class OperandKind(StrEnum):
    FACT = "fact"
    PARAMETER = "parameter"
    USER = "user"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Operand:
    """What a condition looks at: a fact, a parameter, the user, or the moment."""

    kind: OperandKind
    name: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One typed comparison.

    Attributes:
        operand: What is looked at.
        operator: A name of ``operators.OPERATORS``; another is always unknown.
        value: Literal of the operand's type; a tuple for operators that take
            several or a pair; None for those that take none.
        ignore_case: Compare texts by their case-folded, composed form.
    """

    operand: Operand
    operator: str
    value: Argument = None
    ignore_case: bool = False


class GroupKind(StrEnum):
    ALL = "all"
    ANY = "any"
    NOT = "not"  # none of its members


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions and groups together, at most three groups deep.

    ALL without members is True; ANY without members is False; NOT is the opposite
    of ANY.

    Raises:
        ValueError: it would be deeper than three groups.
    """

    kind: GroupKind
    members: tuple[Condition | Group, ...] = ()

    def __post_init__(self) -> None:
        if self.depth > MAX_DEPTH:
            raise ValueError(f"Groups may be {MAX_DEPTH} deep, found {self.depth}.")

    @property
    def depth(self) -> int:
        inner = (member.depth for member in self.members if isinstance(member, Group))
        return 1 + max(inner, default=0)


class Source(StrEnum):
    """Where the value of a fact comes from."""

    DATABASE = "db"
    CACHE = "cache"
    OPERATION = "operation"
    GIVEN = "given"  # tried out with a value somebody typed


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read for a fact.

    Attributes:
        value: The value; None for null.
        source: Where it comes from.
        problem: Why it could not be read, as a rule id of ``messages``; "" when it
            was. A reading with a problem is unknown to every operator.
        secret: Whether the value is kept out of traces.
    """

    value: Argument = None
    source: Source = Source.GIVEN
    problem: str = ""
    secret: bool = False


NOT_READ = Reading(problem="not-read")


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision may look at.

    A fact that is absent here was not read, and is unknown. An absent parameter or
    attribute is missing: ``missing`` is True for it, and the rest unknown.
    """

    facts: Mapping[str, Reading] = field(default_factory=dict)
    parameters: Mapping[str, Argument] = field(default_factory=dict)
    user: Mapping[str, Argument] = field(default_factory=dict)
    context: Mapping[str, Argument] = field(default_factory=dict)


def reading_of(operand: Operand, facts: Facts) -> Reading:
    """Return what is known about the operand."""
    match operand.kind:
        case OperandKind.FACT:
            return facts.facts.get(operand.name, NOT_READ)
        case OperandKind.PARAMETER:
            return Reading(facts.parameters.get(operand.name))
        case OperandKind.USER:
            return Reading(facts.user.get(operand.name))
        case OperandKind.CONTEXT:
            return Reading(facts.context.get(operand.name))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A condition at its place: `negated` when an odd number of NOTs is around it."""

    condition: Condition
    negated: bool = False


Answer: TypeAlias = tuple[Truth, Leaf | None]
"""The truth, and the condition that decided it."""

Closure: TypeAlias = Callable[[Facts], Answer]


def compile_group(member: Condition | Group, *, negated: bool = False) -> Closure:
    """Return a closure that tests the facts and names the deciding condition."""
    if isinstance(member, Condition):
        return _compile_condition(member, negated=negated)
    inner_negated = negated != (member.kind is GroupKind.NOT)
    closures = tuple(
        compile_group(inner, negated=inner_negated) for inner in member.members
    )
    match member.kind:
        case GroupKind.ALL:
            return _sequence(closures, stop=False)
        case GroupKind.ANY:
            return _sequence(closures, stop=True)
        case GroupKind.NOT:
            return _opposite(_sequence(closures, stop=True))


def _sequence(closures: tuple[Closure, ...], *, stop: bool) -> Closure:
    """AND stops at the first False, OR at the first True; then unknown counts."""

    def sequence(facts: Facts) -> Answer:
        answer: Answer = (not stop, None)
        unknown: Answer | None = None
        for closure in closures:
            this = closure(facts)
            if this[0] is stop:
                return this
            if this[0] is None:
                unknown = unknown or this
            elif answer[1] is None:
                answer = this
        return unknown or answer

    return sequence


def _opposite(closure: Closure) -> Closure:
    def opposite(facts: Facts) -> Answer:
        truth, leaf = closure(facts)
        return negation(truth), leaf

    return opposite


def _unknown(found: object, value: object) -> Truth:
    return None


def _test_of(condition: Condition) -> tuple[Test, Argument]:
    operator = OPERATORS.get(condition.operator)
    if operator is None:
        return _unknown, None
    if not (condition.ignore_case and operator.folds):
        return operator.test, condition.value
    test = operator.test
    value: Argument = fold(condition.value)  # type: ignore[assignment]
    return lambda found, value: test(fold(found), value), value


def _compile_condition(condition: Condition, *, negated: bool) -> Closure:
    test, value = _test_of(condition)
    operand = condition.operand
    leaf = Leaf(condition, negated)
    answers: dict[Truth, Answer] = {truth: (truth, leaf) for truth in (True, False)}
    unknown: Answer = (None, leaf)

    def of_fact(facts: Facts) -> Answer:
        reading = facts.facts.get(operand.name, NOT_READ)
        if reading.problem:
            return unknown
        return answers.get(test(reading.value, value), unknown)

    def of_other(facts: Facts) -> Answer:
        return answers.get(test(reading_of(operand, facts).value, value), unknown)

    return of_fact if operand.kind is OperandKind.FACT else of_other


def operands_of(member: Condition | Group) -> frozenset[Operand]:
    """Return every operand that the condition or group looks at."""
    if isinstance(member, Condition):
        return frozenset({member.operand})
    return frozenset().union(*map(operands_of, member.members))


def as_text(value: object, *, limit: int = 80) -> str:
    """Return a value as text for a trace, cut at `limit` characters."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 1_000:
            # Python refuses to write integers of thousands of digits.
            return f"2^{value.bit_length() - 1}" if value > 0 else "-2^…"
        case list() | tuple():
            shown = ", ".join(as_text(item, limit=limit) for item in value[:limit])
        case Decimal():
            shown = str(value)
        case _:
            shown = str(value)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def masked(condition: Condition, reading: Reading) -> Condition:
    """Return the condition without its literal, when what it looks at is secret."""
    return replace(condition, value=MASK) if reading.secret else condition


def notation(leaf: Leaf) -> str:
    """Return a condition in the notation of logs, such as ``not fact plan eq pro``."""
    condition = leaf.condition
    words = [condition.operand.kind.value, condition.operand.name, condition.operator]
    if leaf.negated:
        words.insert(0, "not")
    if condition.value is not None:
        words.append(as_text(condition.value))
    return " ".join(words)

"""Decision tables as values, and their compiled form. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from branching.choices import Fallback
from branching.conditions import (
    Closure,
    Condition,
    Group,
    GroupKind,
    Operand,
    OperandKind,
    compile_group,
    operands_of,
)
from connectors.parameters import Argument, ParameterType


class HitPolicy(StrEnum):
    """Which of several matching rules counts.

    FIRST takes the first in order, PRIORITY the highest priority (the first of
    equals), COLLECT all of them. Under UNIQUE no two rules may match: when they do,
    neither is trusted and the default answers, with the note ``unique-violated``.
    """

    FIRST = "first"
    UNIQUE = "unique"
    PRIORITY = "priority"
    COLLECT = "collect"


@dataclass(frozen=True, slots=True)
class CallTemplate:
    """A call whose arguments are literals, or operands taken when it is chosen."""

    operation: str
    arguments: Mapping[str, Argument | Operand] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FallbackTemplate:
    """A fallback step before its call's arguments are known."""

    step: Fallback
    call: CallTemplate | None = None


_ALWAYS = Group(GroupKind.ALL)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a decision table.

    Attributes:
        key: Unique in its table; never ``default``, which is the default rule's.
        when: What must be True; ALL of nothing matches always.
        calls: What to call.
        response: Name of the response to show.
        priority: Larger wins under PRIORITY.
        enabled: A rule that is off never matches.
    """

    key: str
    when: Condition | Group = _ALWAYS
    calls: tuple[CallTemplate, ...] = ()
    response: str = "default"
    priority: int = 0
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One decision table.

    Attributes:
        key: Key of the table, unique in its tenant.
        default: Answers when no rule matches; its conditions are not looked at.
        parameters: Parameters that the rules may look at, by name.
    """

    key: str
    default: Rule
    rules: tuple[Rule, ...] = ()
    hit_policy: HitPolicy = HitPolicy.FIRST
    fallbacks: tuple[FallbackTemplate, ...] = ()
    parameters: Mapping[str, ParameterType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompiledTable:
    """A table whose conditions are closures, and the operands it looks at."""

    spec: TableSpec
    tests: tuple[Closure, ...]
    operands: frozenset[Operand]

    @property
    def facts(self) -> frozenset[str]:
        """Keys of the facts to read before deciding."""
        kind = OperandKind.FACT
        return frozenset(each.name for each in self.operands if each.kind is kind)


def compile_table(spec: TableSpec) -> CompiledTable:
    """Compile the conditions of a table; once per version of it."""
    operands = frozenset[Operand]().union(
        *(operands_of(rule.when) for rule in spec.rules),
        *(operands_of_calls(rule.calls) for rule in (*spec.rules, spec.default)),
        *(operands_of_calls((f.call,)) for f in spec.fallbacks if f.call is not None),
    )
    tests = tuple(compile_group(rule.when) for rule in spec.rules)
    return CompiledTable(spec, tests, operands)


def operands_of_calls(calls: Sequence[CallTemplate]) -> frozenset[Operand]:
    return frozenset(
        value
        for call in calls
        for value in call.arguments.values()
        if isinstance(value, Operand)
    )

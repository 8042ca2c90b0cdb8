"""``decide``, and the values around it. Pure: no Django, no network, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from branching.choices import (
    MAX_FALLBACKS,
    Call,
    Decision,
    Event,
    Fallback,
    FallbackKind,
    Response,
    RuleTrace,
    Trace,
    Verdict,
    direct_decision,
)
from branching.conditions import (
    MASK,
    Answer,
    Closure,
    Facts,
    Operand,
    OperandKind,
    as_text,
    masked,
    notation,
    reading_of,
)
from branching.responses import event_of, next_step, respond, static_outcome
from branching.rules import (
    CallTemplate,
    CompiledTable,
    FallbackTemplate,
    HitPolicy,
    Rule,
    TableSpec,
    compile_table,
    operands_of_calls,
)
from connectors.parameters import Argument

__all__ = [
    "Call",
    "CallTemplate",
    "CompiledTable",
    "Decision",
    "Event",
    "Fallback",
    "FallbackKind",
    "FallbackTemplate",
    "HitPolicy",
    "Response",
    "Rule",
    "RuleTrace",
    "TableSpec",
    "Trace",
    "Verdict",
    "compile_table",
    "decide",
    "direct_decision",
    "event_of",
    "next_step",
    "respond",
    "static_outcome",
]


def decide(table: CompiledTable, facts: Facts) -> Decision:
    """Choose what to call and which response to show; never raises.

    Every rule is tested, so that the trace says of each one what became of it.
    """
    spec = table.spec
    pairs = zip(spec.rules, table.tests, strict=True)
    traces = tuple(_trace_rule(rule, test, facts) for rule, test in pairs)
    matched = [
        rule
        for rule, trace in zip(spec.rules, traces, strict=True)
        if trace.verdict is Verdict.MATCHED
    ]
    chosen, notes = _apply(spec.hit_policy, matched)
    winners = chosen or (spec.default,)
    calls = tuple(call for rule in winners for call in rule.calls)
    return Decision(
        table=spec.key,
        rule="+".join(rule.key for rule in chosen) or "default",
        calls=tuple(_resolve(call, facts) for call in calls),
        response=winners[0].response,
        fallbacks=tuple(
            _resolve_step(template, facts)
            for template in spec.fallbacks[:MAX_FALLBACKS]
        ),
        trace=_trace(table, facts, traces, notes),
    )


def _apply(
    policy: HitPolicy, matched: Sequence[Rule]
) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    if not matched:
        return (), ()
    match policy:
        case HitPolicy.FIRST:
            return (matched[0],), ()
        case HitPolicy.UNIQUE if len(matched) > 1:
            return (), ("unique-violated",)
        case HitPolicy.UNIQUE:
            return (matched[0],), ()
        case HitPolicy.PRIORITY:
            return (max(matched, key=lambda rule: rule.priority),), ()
        case HitPolicy.COLLECT:
            return tuple(matched), ()


def _trace_rule(rule: Rule, test: Closure, facts: Facts) -> RuleTrace:
    if not rule.enabled:
        return RuleTrace(rule.key, Verdict.NOT_MATCHED, why="disabled")
    answer = test(facts)
    if answer[0]:
        unknown = _unknown_argument(rule, facts)
        return RuleTrace(rule.key, Verdict.MATCHED) if unknown is None else unknown
    return _explain(rule.key, answer, facts)


def _unknown_argument(rule: Rule, facts: Facts) -> RuleTrace | None:
    """A rule whose call needs an unreadable fact is unknown, never called without."""
    for operand in operands_of_calls(rule.calls):
        reading = reading_of(operand, facts)
        if reading.problem:
            name = f"{operand.kind} {operand.name}"
            return RuleTrace(
                rule.key, Verdict.UNKNOWN, name, found=reading.problem, why="argument"
            )
    return None


def _explain(rule: str, answer: Answer, facts: Facts) -> RuleTrace:
    truth, leaf = answer
    verdict = Verdict.UNKNOWN if truth is None else Verdict.NOT_MATCHED
    if leaf is None:  # an ANY group without members
        return RuleTrace(rule, verdict, why="empty-group")
    reading = reading_of(leaf.condition.operand, facts)
    if reading.problem:
        why = reading.problem
    elif truth is not None:
        why = "not-met"
    else:
        why = "missing" if reading.value is None else "wrong-type"
    condition = masked(leaf.condition, reading)
    return RuleTrace(
        rule,
        verdict,
        condition=notation(replace(leaf, condition=condition)),
        found=MASK if reading.secret else as_text(reading.value),
        why=why,
        failed=condition,
        negated=leaf.negated,
    )


def _trace(
    table: CompiledTable,
    facts: Facts,
    rules: tuple[RuleTrace, ...],
    notes: tuple[str, ...],
) -> Trace:
    readings = {
        name: reading_of(Operand(OperandKind.FACT, name), facts)
        for name in sorted(table.facts)
    }
    return Trace(
        facts={
            name: MASK if reading.secret else as_text(reading.value)
            for name, reading in readings.items()
        },
        rules=rules,
        sources={
            name: "failed" if reading.problem else reading.source.value
            for name, reading in readings.items()
        },
        problems={
            name: reading.problem
            for name, reading in readings.items()
            if reading.problem
        },
        notes=notes,
    )


def _resolve(template: CallTemplate, facts: Facts) -> Call:
    """Fill in the arguments; what is missing is left out, and the operation's own
    default or its error about a missing argument applies."""
    arguments: dict[str, Argument] = {}
    for name, value in template.arguments.items():
        if isinstance(value, Operand):
            value = reading_of(value, facts).value
            if value is None:
                continue
        arguments[name] = value
    return Call(template.operation, arguments)


def _resolve_step(template: FallbackTemplate, facts: Facts) -> Fallback:
    if template.call is None:
        return template.step
    return replace(template.step, call=_resolve(template.call, facts))

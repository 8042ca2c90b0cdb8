"""The app's verbs: decide for a whole page, decide once, and name what tables name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from branching.attributes import read_attributes
from branching.conditions import Facts
from branching.decisions import Decision, decide
from branching.facts import given, load_facts, read_facts
from branching.models import DecisionTable, Fact
from branching.operators import FactType
from branching.reviewing import review_section
from branching.rules import CompiledTable
from branching.tables import load_tables
from connectors.parameters import Argument, ParameterType
from observability.services import measure
from tenants.scope import Actor, using_tenant

__all__ = [
    "TableMissing",
    "TableNames",
    "choose_response",
    "decide_all",
    "fact_types",
    "review_section",
    "table_names",
]


@dataclass(frozen=True, slots=True)
class TableMissing:
    """The actor's tenant has no decision table of that key."""

    key: str


@dataclass(frozen=True, slots=True)
class TableNames:
    """What a table may name, for checks when a screen is published.

    Attributes:
        label: Name by language.
        operations: Operations of its rules (also of those that are off), of its
            default and of its fallbacks.
        responses: Named responses of the same.
        parameters: Parameters it takes, by name.
    """

    label: Mapping[str, str]
    operations: frozenset[str]
    responses: frozenset[str]
    parameters: Mapping[str, ParameterType]


def decide_all(
    requests: Sequence[tuple[str, Mapping[str, Argument]]], *, actor: Actor
) -> list[Decision | TableMissing]:
    """Decide for all blocks of a page at once.

    The number of queries does not depend on how many tables, rules or scalar facts
    there are; each fact is read once for the same values.

    Args:
        requests: Key of a table and its parameters, each of its own type.

    Returns:
        One decision per request, in order. A failed fact never raises.
    """
    with using_tenant(actor.tenant_id):
        return _decide_all(requests, {}, actor)


def choose_response(
    key: str,
    *,
    arguments: Mapping[str, Argument],
    actor: Actor,
    overrides: Mapping[str, Argument] | None = None,
) -> Decision:
    """Decide by one table.

    Args:
        overrides: Values of facts to try out instead of those that are read.

    Raises:
        DecisionTable.DoesNotExist: the actor's tenant has no such table.
    """
    with using_tenant(actor.tenant_id):
        [decision] = _decide_all([(key, arguments)], overrides or {}, actor)
    if isinstance(decision, TableMissing):
        raise DecisionTable.DoesNotExist(f"There is no decision table {key!r}.")
    return decision


def _decide_all(
    requests: Sequence[tuple[str, Mapping[str, Argument]]],
    overrides: Mapping[str, Argument],
    actor: Actor,
) -> list[Decision | TableMissing]:
    tables = load_tables({key for key, _arguments in requests})
    needed = frozenset[str]().union(*(table.facts for table in tables.values()))
    facts = load_facts(needed - set(overrides))
    surroundings = _surroundings(tables, facts, requests, actor)
    keys = [
        tables[key].facts - set(overrides) if key in tables else frozenset()
        for key, _arguments in requests
    ]
    wanted = list(zip(keys, surroundings, strict=True))
    readings = read_facts(wanted, facts=facts, actor=actor)
    return [
        _decide(
            key,
            tables.get(key),
            replace(around, facts=given(overrides, read)),
            actor,
        )
        for (key, _arguments), around, read in zip(
            requests, surroundings, readings, strict=True
        )
    ]


def _surroundings(
    tables: Mapping[str, CompiledTable],
    facts: Mapping[str, Fact],
    requests: Sequence[tuple[str, Mapping[str, Argument]]],
    actor: Actor,
) -> list[Facts]:
    operands = {operand for table in tables.values() for operand in table.operands}
    operands |= {operand for fact in facts.values() for operand in fact.operands}
    user, context = read_attributes(operands, actor=actor)
    return [
        Facts(parameters=arguments, user=user, context=context)
        for _key, arguments in requests
    ]


def _decide(
    key: str, table: CompiledTable | None, facts: Facts, actor: Actor
) -> Decision | TableMissing:
    with measure("decision", key=key, tenant=str(actor.tenant_id)) as timing:
        if table is None:
            timing.failed("missing")
            return TableMissing(key)
        decision = decide(table, facts)
        timing.note("rule", decision.rule)
        if decision.trace.problems:
            timing.note("failed_facts", len(decision.trace.problems))
        return decision


def table_names(*, actor: Actor) -> Mapping[str, TableNames]:
    """Return what every table of the actor's tenant names, by key; two queries."""
    with using_tenant(actor.tenant_id):
        rows = list(DecisionTable.objects.prefetch_related("rules"))
        return {row.key: _names(row) for row in rows}


def _names(row: DecisionTable) -> TableNames:
    rules = list(row.rules.all())
    steps = row.fallbacks
    operations = {row.default_operation, *(rule.operation for rule in rules)}
    responses = {row.default_response, *(rule.response for rule in rules)}
    operations |= {step["operation"] for step in steps if step.get("operation")}
    responses |= {step["response"] for step in steps}
    return TableNames(
        label=dict(row.label or {}),
        operations=frozenset(operations),
        responses=frozenset(responses),
        parameters={name: ParameterType(t) for name, t in row.parameters.items()},
    )


def fact_types(table: str, *, actor: Actor) -> Mapping[str, FactType]:
    """Return the facts that a table looks at, with their types, by key."""
    with using_tenant(actor.tenant_id):
        compiled = load_tables([table]).get(table)
        keys = compiled.facts if compiled is not None else frozenset()
        rows = Fact.objects.filter(key__in=keys).order_by("key")
        return {key: FactType(t) for key, t in rows.values_list("key", "type")}

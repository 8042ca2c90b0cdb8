"""From stored tables to compiled ones, compiled once per version and process."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from django.conf import settings

from branching.attributes import CONTEXT_ATTRIBUTES, USER_ATTRIBUTES
from branching.conditions import Condition, Group, GroupKind, Operand, OperandKind
from branching.definitions import parse_call, parse_fallbacks, parse_parameters
from branching.literals import LiteralRefused, fact_type_of, parse_literal
from branching.models import Condition as ConditionRow
from branching.models import DecisionTable, Fact
from branching.models import Rule as RuleRow
from branching.operators import FactType
from branching.rules import CompiledTable, HitPolicy, Rule, TableSpec, compile_table
from connectors.parameters import Argument, ParameterType

MOST_KEPT = 512
logger = logging.getLogger(__name__)


class _Compiled:
    """The compiled tables of this process, by the stamp of their version."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables: OrderedDict[UUID, CompiledTable] = OrderedDict()

    def get(self, stamp: UUID) -> CompiledTable | None:
        with self._lock:
            table = self._tables.get(stamp)
            if table is not None:
                self._tables.move_to_end(stamp)
            return table

    def put(self, stamp: UUID, table: CompiledTable) -> None:
        with self._lock:
            self._tables[stamp] = table
            while len(self._tables) > MOST_KEPT:
                self._tables.popitem(last=False)


_compiled = _Compiled()


def load_tables(keys: Collection[str]) -> dict[str, CompiledTable]:
    """Return the compiled tables of the tenant in scope, by key.

    A table whose definition cannot be read is logged and left out.

    One query when all of them are compiled already, else three more (rules,
    conditions, types of facts), however many tables are asked.
    """
    stamps = dict(
        DecisionTable.objects.filter(key__in=set(keys)).values_list("key", "stamp")
    )
    found = {key: _compiled.get(stamp) for key, stamp in stamps.items()}
    missing = [key for key, table in found.items() if table is None]
    tables = {key: table for key, table in found.items() if table is not None}
    for row, table in _compile_rows(missing) if missing else ():
        _compiled.put(row.stamp, table)
        tables[row.key] = table
    return tables


def _compile_rows(
    keys: Collection[str],
) -> Iterable[tuple[DecisionTable, CompiledTable]]:
    rows = list(
        DecisionTable.objects.filter(key__in=keys).prefetch_related("rules__conditions")
    )
    names = {
        condition.name
        for row in rows
        for rule in row.rules.all()
        for condition in rule.conditions.all()
        if condition.operand == ConditionRow.Operand.FACT
    }
    kinds = dict(Fact.objects.filter(key__in=names).values_list("key", "type"))
    facts = {key: FactType(kind) for key, kind in kinds.items()}
    return [
        (row, compile_table(spec))
        for row in rows
        if (spec := _readable_spec(row, facts)) is not None
    ]


def _readable_spec(
    row: DecisionTable, facts: Mapping[str, FactType]
) -> TableSpec | None:
    """A table written past its checks must not take the page with it."""
    try:
        return table_spec(row, facts)
    except (ValueError, KeyError):  # of parsing: unknown names, shapes, types
        logger.exception("decision table %s cannot be read", row.key)
        return None


def table_spec(row: DecisionTable, facts: Mapping[str, FactType]) -> TableSpec:
    """Return a stored table as a value.

    Args:
        facts: Types of the facts its conditions look at.
    """
    parameters = parse_parameters(row.parameters)
    default = Rule(
        key="default",
        calls=(parse_call(row.default_operation, row.default_arguments),),
        response=row.default_response,
    )
    return TableSpec(
        key=row.key,
        default=default,
        rules=tuple(_rule(rule, parameters, facts) for rule in row.rules.all()),
        hit_policy=HitPolicy(row.hit_policy),
        fallbacks=parse_fallbacks(row.fallbacks),
        parameters=parameters,
    )


def _rule(
    row: RuleRow,
    parameters: Mapping[str, ParameterType],
    facts: Mapping[str, FactType],
) -> Rule:
    members = [
        (condition.group, _condition(condition, parameters, facts))
        for condition in row.conditions.all()
    ]
    return Rule(
        key=row.key,
        when=grouped(members),
        calls=(parse_call(row.operation, row.arguments),),
        response=row.response,
        priority=row.priority,
        enabled=row.enabled,
    )


def _condition(
    row: ConditionRow,
    parameters: Mapping[str, ParameterType],
    facts: Mapping[str, FactType],
) -> Condition:
    """Read the literal again by the type of today: one that no longer fits is null,
    and the condition unknown, until somebody saves it again."""
    kind: FactType | None = None
    match row.operand:
        case "fact":
            kind = facts.get(row.name)
        case "parameter":
            parameter = parameters.get(row.name)
            kind = fact_type_of(parameter) if parameter else None
        case "user":
            kind = USER_ATTRIBUTES.get(row.name)
        case "context":
            kind = CONTEXT_ATTRIBUTES.get(row.name)
    value: Argument = None
    if kind is not None:
        zone = settings.TIME_ZONE
        try:
            value = parse_literal(
                row.value, kind=kind, operator=row.operator, time_zone=zone
            )
        except LiteralRefused:
            value = None
    operand = Operand(OperandKind(row.operand), row.name)
    return Condition(operand, row.operator, value, row.ignore_case)


def grouped(members: Iterable[tuple[str, Condition]]) -> Group:
    """Build the groups that paths such as ``any1/not1`` name, inside one ALL.

    A group stands where its first condition stands.
    """
    tree: dict[str, object] = {}
    for place, (path, condition) in enumerate(members):
        level = tree
        for part in filter(None, path.split("/")):
            level = level.setdefault(part, {})  # type: ignore[assignment]
        level[f"#{place}"] = condition
    return _group(GroupKind.ALL, tree)


def _group(kind: GroupKind, level: Mapping[str, object]) -> Group:
    members: list[Condition | Group] = []
    for name, member in level.items():
        if isinstance(member, Condition):
            members.append(member)
        elif isinstance(member, dict):
            members.append(_group(GroupKind(name.rstrip("0123456789")), member))
    return Group(kind, tuple(members))

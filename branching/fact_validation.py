"""What a fact refuses when it is saved. Knows the row by its fields only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from branching.conditions import Operand, OperandKind
from branching.definitions import Filter, parse_filters
from branching.fact_models import FactModel, fact_models
from branching.literals import LiteralRefused, argument, parse_literal
from branching.operators import OPERATORS, FactType
from branching.validation import (
    Faults,
    check_arguments,
    check_label,
    check_operands,
    find_operation,
)
from connectors.specs import SourceKind

_BINDINGS = (OperandKind.PARAMETER, OperandKind.USER, OperandKind.CONTEXT)
_WITHOUT_FIELD: Mapping[str, FactType] = {
    "count": FactType.INTEGER,
    "exists": FactType.BOOLEAN,
}
_NUMBERS = (FactType.INTEGER, FactType.DECIMAL)
_NO_ZERO = (FactType.DATE, FactType.DATETIME)


def operands_of_fact(fact: Any) -> tuple[Operand, ...]:
    """Return what a fact takes from parameters, the user and the moment.

    A definition that cannot be read takes nothing; reading the fact says so.
    """
    try:
        if fact.kind == "operation":
            values = fact.arguments.values() if isinstance(fact.arguments, dict) else ()
            read = [argument(value) for value in values]
            return tuple(operand for operand in read if isinstance(operand, Operand))
        filters = parse_filters(fact.filters)
    except LiteralRefused:
        return ()
    return tuple(each.operand for each in filters if each.operand is not None)


def clean_fact(fact: Any) -> None:
    """Check a fact: that it reads only what it may, and holds what it says."""
    faults = Faults()
    check_label(faults, fact.label)
    if fact.empty == "zero" and fact.type in _NO_ZERO:
        faults.add("empty", "fact-zero")
    if fact.kind == "operation":
        _check_operation(faults, fact)
    else:
        _check_rows(faults, fact)
    faults.refuse()


def _check_operation(faults: Faults, fact: Any) -> None:
    if not fact.operation:
        faults.add("operation", "value-missing")
    spec = find_operation(faults, "operation", fact.operation)
    if spec is not None and spec.kind is not SourceKind.SQL:
        faults.add("operation", "fact-sql", found=fact.operation)
    operands = check_arguments(
        faults, "arguments", fact.arguments, spec=spec, kinds=_BINDINGS
    )
    check_operands(faults, "arguments", operands, parameters=None)
    if fact.shape == "row" and not fact.column:
        faults.add("column", "fact-column")
    if (fact.shape == "list") is not (fact.type == FactType.LIST):
        expected = FactType.LIST if fact.shape == "list" else fact.shape
        faults.add("type", "fact-type", found=str(expected))


def _check_rows(faults: Faults, fact: Any) -> None:
    allowed = fact_models()
    model = allowed.get(fact.model)
    if model is None:
        listed = ", ".join(sorted(allowed)) or "–"
        faults.add("model", "fact-model", found=fact.model or "–", expected=listed)
        return
    _check_field(faults, fact, model)
    filters = faults.attempt("filters", lambda: parse_filters(fact.filters)) or ()
    for each in filters:
        _check_filter(faults, each, model)
    operands = [each.operand for each in filters if each.operand is not None]
    for operand in operands:
        if operand.kind not in _BINDINGS:
            expected = ", ".join(kind.value for kind in _BINDINGS)
            faults.add("filters", "binding-kind", expected=expected)
    check_operands(faults, "filters", operands, parameters=None)


def _refuse_field(faults: Faults, where: str, name: str, model: FactModel) -> None:
    expected = ", ".join(sorted(model.fields)) or "–"
    faults.add(where, "fact-field", found=name or "–", expected=expected)


def _check_field(faults: Faults, fact: Any, model: FactModel) -> None:
    read = _WITHOUT_FIELD.get(fact.aggregate)
    if read is None:
        if fact.field not in model.fields:
            _refuse_field(faults, "field", fact.field, model)
            return
        read = _type_read(faults, fact, model.type_of(fact.field))
    holds = FactType(fact.type)
    if read is not holds and not (read in _NUMBERS and holds is FactType.DECIMAL):
        faults.add("type", "fact-type", found=read.value)


def _type_read(faults: Faults, fact: Any, kind: FactType) -> FactType:
    """Return the type that the aggregate makes of the field's type."""
    numbers_only = fact.aggregate in ("sum", "avg") and kind not in _NUMBERS
    unordered = fact.aggregate in ("max", "min") and kind is FactType.BOOLEAN
    if numbers_only or unordered:
        faults.add(
            "aggregate", "fact-aggregate", found=kind.value, expected=fact.aggregate
        )
    if fact.aggregate == "avg":
        return FactType.DECIMAL
    return FactType.LIST if fact.aggregate == "list" else kind


def _check_filter(faults: Faults, each: Filter, model: FactModel) -> None:
    if each.field not in model.fields:
        _refuse_field(faults, "filters", each.field, model)
        return
    if each.operand is not None:
        return
    kind = model.type_of(each.field)
    if kind not in OPERATORS[each.operator].types:
        shown = f"{each.field} {each.operator}"
        faults.add("filters", "operator-type", found=kind.value, expected=shown)
        return
    try:
        parse_literal(
            each.raw, kind=kind, operator=each.operator, time_zone=settings.TIME_ZONE
        )
    except LiteralRefused as refused:
        faults.take("filters", refused)

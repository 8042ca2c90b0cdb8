"""What tables, rules and conditions refuse when they are saved.

Models import this module, so it knows rows by their fields only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Manager, Model

from branching.attributes import CONTEXT_ATTRIBUTES, USER_ATTRIBUTES
from branching.conditions import Operand, OperandKind
from branching.definitions import parse_fallbacks, parse_parameters
from branching.literals import (
    LiteralRefused,
    argument,
    fact_type_of,
    parse_literal,
    stored,
)
from branching.messages import refusal
from branching.operators import OPERATORS, FactType, operators_for
from connectors.services import load_operations, operation_keys
from connectors.specs import OperationSpec
from tenants.scope import Actor, required_tenant_id


class Faults:
    """Collects what is wrong with one row, and refuses it all at once."""

    def __init__(self) -> None:
        self._found: dict[str, list[ValidationError]] = {}

    def add(self, field: str, rule: str, **values: str) -> None:
        error = ValidationError(refusal(rule, **values), code=rule)
        self._found.setdefault(field, []).append(error)

    def take(self, field: str, refused: LiteralRefused) -> None:
        self.add(field, refused.rule, found=refused.found, expected=refused.expected)

    def attempt(self, field: str, read: Callable[[], Any]) -> Any:
        """Return what `read` gives, or None after noting what it refused."""
        try:
            return read()
        except LiteralRefused as refused:
            self.take(field, refused)
            return None

    def unknown(self, field: str, rule: str, name: str, known: Collection[str]) -> None:
        nearest = "".join(get_close_matches(name, list(known), n=1))
        listed = ", ".join(sorted(known)[:20])
        self.add(field, rule, found=name, nearest=nearest, expected=listed)

    def refuse(self) -> None:
        """Raise what was collected, if anything."""
        if self._found:
            raise ValidationError(self._found)


def portal_actor() -> Actor:
    """The portal itself, in the tenant in scope: for checks, never for pages."""
    return Actor(user_id=0, tenant_id=required_tenant_id())


def check_label(faults: Faults, label: Any) -> None:
    """A label is a mapping from languages to texts; an empty one is allowed."""
    languages = dict(settings.LANGUAGES)
    texts = isinstance(label, dict) and all(
        key in languages and isinstance(text, str) and text.strip()
        for key, text in label.items()
    )
    if not texts:
        faults.add("label", "label")


def find_operation(faults: Faults, field: str, key: str) -> OperationSpec | None:
    """Return the operation, or note that there is none."""
    spec = load_operations([key], actor=portal_actor()).get(key) if key else None
    if spec is None and key:
        known = operation_keys(actor=portal_actor())
        faults.unknown(field, "unknown-operation", key, known)
    return spec


def check_arguments(
    faults: Faults,
    field: str,
    raw: Any,
    *,
    spec: OperationSpec | None,
    kinds: Collection[OperandKind],
) -> list[Operand]:
    """Check an argument mapping; return the operands it binds."""
    if not isinstance(raw, dict):
        faults.add(field, "arguments")
        return []
    found = []
    for name, value in raw.items():
        read = faults.attempt(field, lambda value=value: argument(value))  # type: ignore[misc]
        if isinstance(read, Operand) and read.kind not in kinds:
            faults.add(field, "binding-kind", expected=", ".join(sorted(kinds)))
        elif isinstance(read, Operand):
            found.append(read)
        if spec is not None and name not in (
            known := {p.name for p in spec.parameters}
        ):
            faults.unknown(field, "unknown-argument", name, known)
    return found


def check_operands(
    faults: Faults,
    field: str,
    operands: Collection[Operand],
    *,
    parameters: Mapping[str, Any] | None,
    facts: Manager[Any] | None = None,
) -> None:
    """Check that operands of arguments exist, and that no secret is sent.

    Args:
        parameters: Of the table; None when the table is not known yet.
    """
    for operand in operands:
        if operand.kind is OperandKind.PARAMETER and parameters is not None:
            if operand.name not in parameters:
                faults.unknown(field, "unknown-parameter", operand.name, parameters)
        elif operand.kind is OperandKind.FACT and facts is not None:
            fact = facts.filter(key=operand.name).first()
            if fact is None:
                _unknown_fact(faults, field, operand.name, facts)
            elif fact.secret:
                faults.add(field, "secret-argument", found=operand.name)
        elif operand.kind in _ATTRIBUTES:
            known = _ATTRIBUTES[operand.kind]
            if operand.name not in known:
                faults.unknown(field, "unknown-attribute", operand.name, known)


_ATTRIBUTES = {
    OperandKind.USER: USER_ATTRIBUTES,
    OperandKind.CONTEXT: CONTEXT_ATTRIBUTES,
}


def _unknown_fact(faults: Faults, field: str, key: str, facts: Manager[Any]) -> None:
    faults.unknown(
        field, "unknown-fact", key, list(facts.values_list("key", flat=True))
    )


def clean_table(table: Any) -> None:
    """Check a table: label, parameters, default and fallbacks."""
    faults = Faults()
    check_label(faults, table.label)
    parameters = faults.attempt(
        "parameters", lambda: parse_parameters(table.parameters)
    )
    _check_call(
        faults,
        ("default_operation", "default_arguments"),
        (table.default_operation, table.default_arguments),
        parameters=parameters,
    )
    steps = faults.attempt("fallbacks", lambda: parse_fallbacks(table.fallbacks)) or ()
    for template, raw in zip(steps, table.fallbacks if steps else (), strict=True):
        if template.call is not None:
            _check_call(
                faults,
                ("fallbacks", "fallbacks"),
                (template.call.operation, raw.get("arguments", {})),
                parameters=parameters,
            )
    faults.refuse()


def _check_call(
    faults: Faults,
    fields: tuple[str, str],
    call: tuple[str, Any],
    *,
    parameters: Mapping[str, Any] | None,
) -> None:
    """Check a call that may not depend on facts."""
    spec = find_operation(faults, fields[0], call[0])
    kinds = (OperandKind.PARAMETER, OperandKind.USER, OperandKind.CONTEXT)
    operands = check_arguments(faults, fields[1], call[1], spec=spec, kinds=kinds)
    check_operands(faults, fields[1], operands, parameters=parameters)


def clean_rule(rule: Any, *, facts: Manager[Any]) -> None:
    """Check a rule: its operation, and where its arguments come from."""
    faults = Faults()
    spec = find_operation(faults, "operation", rule.operation)
    operands = check_arguments(
        faults, "arguments", rule.arguments, spec=spec, kinds=tuple(OperandKind)
    )
    table = _related(rule, "table")
    check_operands(
        faults,
        "arguments",
        operands,
        parameters=_parameters_of(table),
        facts=facts,
    )
    faults.refuse()


def _related(row: Model, name: str) -> Any:
    """Return the row at the other end, or None while a form has not chosen it."""
    cached = row._state.fields_cache.get(name)
    if cached is None and getattr(row, f"{name}_id") is not None:
        cached = getattr(row, name)
    return cached


def _parameters_of(table: Any) -> Mapping[str, Any] | None:
    if table is None or not isinstance(table.parameters, dict):
        return None
    return dict(table.parameters)


def clean_condition(condition: Any, *, facts: Manager[Any]) -> None:
    """Check a condition, and store its value typed for what it looks at."""
    faults = Faults()
    kind = _type_of_operand(faults, condition, facts)
    if kind is None or condition.operator not in OPERATORS:
        faults.refuse()
        return
    operator = OPERATORS[condition.operator]
    if kind not in operator.types:
        allowed = ", ".join(operators_for(kind))
        faults.add("operator", "operator-type", found=kind.value, expected=allowed)
        faults.refuse()
    textual = kind in (FactType.TEXT, FactType.LIST)
    if condition.ignore_case and not (operator.folds and textual):
        faults.add("ignore_case", "ignore-case")
    try:
        value = parse_literal(
            condition.value,
            kind=kind,
            operator=condition.operator,
            time_zone=settings.TIME_ZONE,
        )
    except LiteralRefused as refused:
        faults.take("value", refused)
    else:
        condition.value = stored(value)
    faults.refuse()


def _type_of_operand(
    faults: Faults, condition: Any, facts: Manager[Any]
) -> FactType | None:
    rule = _related(condition, "rule")
    table = _related(rule, "table") if rule is not None else None
    parameters = _parameters_of(table)
    name = condition.name
    match condition.operand:
        case OperandKind.FACT:
            return _type_of_fact(faults, name, facts, parameters)
        case OperandKind.PARAMETER if parameters is not None:
            types = (
                faults.attempt("name", lambda: parse_parameters(dict(parameters))) or {}
            )
            if name in types:
                return fact_type_of(types[name])
            faults.unknown("name", "unknown-parameter", name, parameters)
        case OperandKind.USER | OperandKind.CONTEXT:
            known = _ATTRIBUTES[OperandKind(condition.operand)]
            if name in known:
                return known[name]
            faults.unknown("name", "unknown-attribute", name, known)
    return None


def _type_of_fact(
    faults: Faults,
    name: str,
    facts: Manager[Any],
    parameters: Mapping[str, Any] | None,
) -> FactType | None:
    fact = facts.filter(key=name).first()
    if fact is None:
        _unknown_fact(faults, "name", name, facts)
        return None
    for operand in fact.operands:
        needed = operand.kind is OperandKind.PARAMETER and operand.name
        if needed and parameters is not None and needed not in parameters:
            faults.add("name", "fact-parameter", found=name, expected=needed)
    return FactType(fact.type)

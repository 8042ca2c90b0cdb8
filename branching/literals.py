"""Literals of conditions and filters: what staff typed, stored JSON, typed values.

Pure. Text is parsed once, when it is saved, into the type of what it is compared
with; nothing is converted when a decision is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import cast

from branching.conditions import Operand, OperandKind
from branching.operators import OPERATORS, FactType, Shape, comparable
from connectors.outcomes import Json
from connectors.parameters import (
    Argument,
    ParameterSpec,
    ParameterType,
    as_text,
    parse_arguments,
)


class LiteralRefused(ValueError):
    """A literal that the operator does not take.

    Attributes:
        rule: Rule id of ``messages``.
        found: What was given, as text.
        expected: What would have been right, as text.
    """

    def __init__(self, rule: str, *, found: str = "", expected: str = "") -> None:
        super().__init__(f"{rule}: found {found!r}, expected {expected}")
        self.rule = rule
        self.found = found
        self.expected = expected


def fact_type_of(parameter: ParameterType) -> FactType:
    """Return the type that conditions see; a choice is a text."""
    if parameter is ParameterType.CHOICE:
        return FactType.TEXT
    return FactType(parameter.value)


def parse_literal(
    raw: Json, *, kind: FactType, operator: str, time_zone: str = "UTC"
) -> Argument:
    """Read the value side of a condition.

    Args:
        raw: Text as typed (several values with commas, or as a JSON list), or the
            JSON that `stored` made.
        time_zone: A date and time without an offset is read in it.

    Raises:
        LiteralRefused: it does not fit the type or the operator.
    """
    shape = OPERATORS[operator].shape
    if shape is Shape.NONE:
        if raw not in (None, ""):
            raise LiteralRefused("no-value", found=_shown(raw))
        return None
    item_kind = FactType.TEXT if kind is FactType.LIST else kind
    if shape is Shape.ONE:
        return _parse_one(raw, item_kind, time_zone)
    items = tuple(_parse_one(item, item_kind, time_zone) for item in _split(raw))
    if shape is Shape.PAIR:
        _check_pair(items, raw)
    return items  # type: ignore[return-value]


def _split(raw: Json) -> list[Json]:
    if isinstance(raw, str):
        raw = _listed(raw)
    if not isinstance(raw, list) or not raw:
        raise LiteralRefused("value-missing", found=_shown(raw))
    return raw


def _listed(text: str) -> Json:
    if text.lstrip().startswith("["):
        try:
            return cast("Json", json.loads(text))
        except ValueError:
            raise LiteralRefused("not-json", found=text[:80]) from None
    return [part.strip() for part in text.split(",") if part.strip()]


def _parse_one(raw: Json, kind: FactType, time_zone: str) -> Argument:
    if raw is None or raw == "" or isinstance(raw, list | dict):
        raise LiteralRefused("value-missing", found=_shown(raw), expected=kind.value)
    spec = ParameterSpec("value", ParameterType(kind.value))
    parsed = parse_arguments([spec], {"value": raw}, time_zone=time_zone)
    if isinstance(parsed, tuple) or parsed["value"] is None:
        raise LiteralRefused("literal-type", found=_shown(raw), expected=kind.value)
    return parsed["value"]


def _check_pair(items: tuple[Argument, ...], raw: Json) -> None:
    if len(items) != 2:
        raise LiteralRefused("two-values", found=_shown(raw))
    low, high = comparable(items[0]), comparable(items[1])
    if low is None or high is None or low[1] > high[1]:
        raise LiteralRefused("empty-range", found=_shown(raw))


def stored(value: Argument) -> Json:
    """Write a typed literal as JSON that `parse_literal` reads back."""
    match value:
        case tuple():
            return [stored(item) for item in value]
        case Decimal() | date():
            return as_text(value)
    return value


def typed(value: Argument) -> str:
    """Write a literal the way staff type it."""
    if isinstance(value, tuple) and any("," in as_text(item) for item in value):
        return json.dumps(stored(value), ensure_ascii=False)
    return (
        ", ".join(map(as_text, value)) if isinstance(value, tuple) else as_text(value)
    )


def conform(value: object, kind: FactType) -> Argument:
    """Return a value read from a data source as the fact's type holds it.

    Only what loses nothing: integral decimals become integers, integers and floats
    become decimals, items of lists become texts.

    Raises:
        LiteralRefused: it is of another type.
    """
    match kind, value:
        case _, None:
            return None
        case FactType.BOOLEAN, bool():
            return value
        case FactType.INTEGER, int() if not isinstance(value, bool):
            return value
        case FactType.INTEGER, Decimal() if _integral(value):
            return int(value)
        case FactType.DECIMAL, int() | Decimal() | float() if comparable(
            value
        ) and not isinstance(value, bool):
            return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        case FactType.TEXT, str():
            return value
        case FactType.DATE | FactType.DATETIME, date():
            found = comparable(value)
            if found is not None and found[0].value == kind.value:
                return value
        case FactType.LIST, list() | tuple():
            return tuple(as_text(item) for item in value if item is not None)
    raise LiteralRefused("wrong-type", found=_shown(value), expected=kind.value)


def _integral(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) < 40 and value == int(value)


_BINDINGS = {
    "parameter": OperandKind.PARAMETER,
    "fact": OperandKind.FACT,
    "user": OperandKind.USER,
    "context": OperandKind.CONTEXT,
}


def binding(raw: Json) -> Operand | None:
    """Return the operand that ``{"parameter": "site"}`` and its like name.

    Raises:
        LiteralRefused: an object that is no binding.
    """
    if not isinstance(raw, Mapping):
        return None
    if len(raw) == 1:
        [(kind, name)] = raw.items()
        if kind in _BINDINGS and isinstance(name, str) and name:
            return Operand(_BINDINGS[kind], name)
    raise LiteralRefused("binding", found=_shown(raw))


def argument(raw: Json) -> Argument | Operand:
    """Read one argument of a call: a binding, or a JSON scalar or list of scalars.

    Raises:
        LiteralRefused: it is neither.
    """
    if operand := binding(raw):
        return operand
    items = raw if isinstance(raw, list) else [raw]
    if any(isinstance(item, list | dict) for item in items):
        raise LiteralRefused("binding", found=_shown(raw))
    values = tuple(_scalar(item) for item in items)
    return values if isinstance(raw, list) else values[0]  # type: ignore[return-value]


def _scalar(item: Json) -> Argument:
    # A float would lose what was typed; operations take decimals.
    return Decimal(repr(item)) if isinstance(item, float) else item  # type: ignore[return-value]


def _shown(raw: object) -> str:
    text = raw if isinstance(raw, str) else repr(raw)
    return text if len(text) <= 80 else text[:79] + "…"

"""JSON of tables and facts as values: parameters, fallbacks, filters. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from branching.choices import MAX_FALLBACKS, Event, Fallback, FallbackKind
from branching.conditions import Operand
from branching.literals import LiteralRefused, argument
from branching.rules import CallTemplate, FallbackTemplate
from connectors.outcomes import Json
from connectors.parameters import ParameterType

FILTER_OPERATORS: Mapping[str, str] = {
    "eq": "exact",
    "ne": "exact",
    "lt": "lt",
    "le": "lte",
    "gt": "gt",
    "ge": "gte",
    "in": "in",
    "contains": "contains",
    "starts_with": "startswith",
    "exists": "isnull",
    "missing": "isnull",
}
"""Operators of a fact's filters, with the lookup of the ORM that each uses."""

_KEYS = {
    "on",
    "kind",
    "response",
    "operation",
    "arguments",
    "max_age_s",
    "static",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of a fact; `operand` when its value is bound, else `raw`."""

    field: str
    operator: str
    raw: Json
    operand: Operand | None


def parse_parameters(raw: Json) -> dict[str, ParameterType]:
    """Read ``{"site": "text"}``.

    Raises:
        LiteralRefused: it is no mapping from names to types.
    """
    types = {kind.value for kind in ParameterType}
    listed = isinstance(raw, dict) and all(
        name and isinstance(kind, str) and kind in types for name, kind in raw.items()
    )
    if not listed:
        raise LiteralRefused("parameters", expected=", ".join(sorted(types)))
    items = cast("dict[str, str]", raw).items()
    return {name: ParameterType(kind) for name, kind in items}


def parse_call(operation: str, raw: Json) -> CallTemplate:
    """Read the arguments of a call.

    Raises:
        LiteralRefused: they are no mapping, or one of them is neither a plain value
            nor a binding.
    """
    if not isinstance(raw, dict):
        raise LiteralRefused("arguments")
    arguments = {name: argument(value) for name, value in raw.items()}
    return CallTemplate(operation, arguments)


def parse_filters(raw: Json) -> tuple[Filter, ...]:
    """Read ``[["plan", "eq", "pro"], …]``.

    Raises:
        LiteralRefused: an entry is not of that shape.
    """
    if not isinstance(raw, list):
        raise _no_filter(raw)
    return tuple(_parse_filter(entry) for entry in raw)


def _no_filter(entry: Json) -> LiteralRefused:
    shown = json.dumps(entry, ensure_ascii=False)[:80]
    expected = ", ".join(FILTER_OPERATORS)
    return LiteralRefused("fact-filter", found=shown, expected=expected)


def _parse_filter(entry: Json) -> Filter:
    if not isinstance(entry, list) or len(entry) not in (2, 3):
        raise _no_filter(entry)
    field, operator, raw = [*entry, None][:3]
    known = isinstance(operator, str) and operator in FILTER_OPERATORS
    if not isinstance(field, str) or not known:
        raise _no_filter(entry)
    read = argument(raw) if isinstance(raw, dict) else None
    operand = read if isinstance(read, Operand) else None
    return Filter(field, cast("str", operator), raw, operand)


def parse_fallbacks(raw: Json) -> tuple[FallbackTemplate, ...]:
    """Read the fallback chain of a table.

    Raises:
        LiteralRefused: it is no list of at most three steps, or a step is wrong.
    """
    if not isinstance(raw, list) or len(raw) > MAX_FALLBACKS:
        raise LiteralRefused("fallback-list")
    return tuple(_parse_step(step, place) for place, step in enumerate(raw, start=1))


def _parse_step(raw: Json, place: int) -> FallbackTemplate:
    def refuse(expected: str) -> LiteralRefused:
        return LiteralRefused("fallback-step", found=str(place), expected=expected)

    if not isinstance(raw, dict) or not set(raw) <= _KEYS:
        raise refuse(", ".join(sorted(_KEYS)))
    on, kind, response = raw.get("on"), raw.get("kind"), raw.get("response")
    events = {event.value for event in Event}
    if not (
        isinstance(on, list)
        and on
        and all(isinstance(event, str) and event in events for event in on)
    ):
        raise refuse("on: " + ", ".join(sorted(events)))
    kinds = {each.value for each in FallbackKind}
    if not isinstance(kind, str) or kind not in kinds:
        raise refuse("kind: " + ", ".join(FallbackKind))
    if not isinstance(response, str) or not response:
        raise refuse("response")
    if "refused" in on and kind != FallbackKind.STATIC:
        raise refuse("refused → kind: static")
    return _step(raw, FallbackKind(kind), refuse)


def _step(raw: Mapping[str, Any], kind: FallbackKind, refuse: Any) -> FallbackTemplate:
    call, max_age_s, static = None, 86_400, None
    match kind:
        case FallbackKind.OPERATION:
            operation = raw.get("operation")
            if not isinstance(operation, str) or not operation:
                raise refuse("operation")
            call = parse_call(operation, raw.get("arguments", {}))
        case FallbackKind.LAST_GOOD:
            max_age_s = raw.get("max_age_s", max_age_s)
            if not isinstance(max_age_s, int) or isinstance(max_age_s, bool):
                raise refuse("max_age_s ≥ 1")
            if max_age_s < 1:
                raise refuse("max_age_s ≥ 1")
        case FallbackKind.STATIC:
            static = raw.get("static")
            if not isinstance(static, str | list) or not static:
                raise refuse('static: "…" / [{…}]')
            if isinstance(static, list) and not all(
                isinstance(row, dict) for row in static
            ):
                raise refuse('static: "…" / [{…}]')
    on = frozenset(Event(event) for event in raw["on"])
    step = Fallback(on, kind, raw["response"], max_age_s=max_age_s, static=static)
    return FallbackTemplate(step, call)

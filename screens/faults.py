"""What is wrong with a screen document: every fault at once, by JSON Pointer. Pure.

The shape is judged by the published JSON Schema; what a schema cannot say (ids used
twice, parameters that do not exist, options of a format) is judged after it, on
whatever parts have the right shape.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final, cast

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from connectors.outcomes import Json
from connectors.parameters import (
    LARGEST_INTEGER,
    Bound,
    ParameterSpec,
    ParameterType,
    parse_arguments,
)
from screens.schema import MAX_BYTES, RESERVED_PARAMETERS, SCHEMA

MAX_DEPTH: Final = 24
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class DocumentError:
    """One fault of a document.

    Attributes:
        pointer: JSON Pointer (RFC 6901) to the place, "" for the whole document.
        rule: Short id of the rule that was broken, such as ``required``.
        message: The fault, what was found, and the way out; "" until
            ``screens.messages.with_words`` has put it in words.
        found: What was there, as text, cut at 80 characters.
        expected: What would have been right, as text: a name, a bound, a list.
    """

    pointer: str
    rule: str
    message: str = ""
    found: str = ""
    expected: str = ""


def document_faults(body: Json) -> tuple[DocumentError, ...]:
    """Return every fault of `body`, in order of their pointers; none for a good one."""
    if unstorable := tuple(_unstorable(body)):
        return unstorable
    faults = [*_shape_faults(body), *_meaning_faults(body)]
    places = ((each.pointer, each.rule, each.expected) for each in faults)
    by_place = dict(zip(places, faults, strict=True))  # a $ref may report twice
    return tuple(by_place[place] for place in sorted(by_place))


def pointer_to(path: Sequence[str | int]) -> str:
    """Write a path as a JSON Pointer (RFC 6901)."""
    return "".join(
        "/" + str(step).replace("~", "~0").replace("/", "~1") for step in path
    )


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _nearest(name: str, known: Iterator[str] | Sequence[str]) -> str:
    return "".join(get_close_matches(name[:_SHOWN], list(known), n=1))


# --- What no database and no JSON reader can hold ---------------------------------
def _unstorable(body: Json) -> Iterator[DocumentError]:
    """Yield faults that forbid looking further: text, numbers, depth and size."""
    waiting: list[tuple[tuple[str | int, ...], Json]] = [((), body)]
    clean = True
    while waiting:
        path, value = waiting.pop()
        if len(path) > MAX_DEPTH:
            yield DocumentError("", "depth", expected=str(MAX_DEPTH))
            return
        if rule := _unstorable_scalar(value):
            clean = False
            yield DocumentError(pointer_to(path), rule)
        elif isinstance(value, dict):
            for name, item in value.items():
                if rule := _unstorable_scalar(name):
                    clean = False
                    yield DocumentError(pointer_to(path), rule)
                else:
                    waiting.append(((*path, name), item))
        elif isinstance(value, list):
            waiting.extend(((*path, index), item) for index, item in enumerate(value))
    if clean:
        size = len(json.dumps(body, ensure_ascii=False).encode())
        if size > MAX_BYTES:
            yield DocumentError("", "size", found=str(size), expected=str(MAX_BYTES))


def _unstorable_scalar(value: object) -> str:
    match value:
        case str():
            foul = any(mark == "\0" or "\ud800" <= mark <= "\udfff" for mark in value)
            return "character" if foul else ""
        case bool():
            return ""
        case int():
            return "number" if abs(value) > LARGEST_INTEGER else ""
        case float():
            # PostgreSQL gives a huge float back as the integer it is.
            storable = math.isfinite(value) and abs(value) <= LARGEST_INTEGER
            return "" if storable else "number"
        case _:
            return ""


# --- Shape ------------------------------------------------------------------------
def _whole_pattern(
    validator: Any, pattern: str, instance: object, schema: object
) -> Iterator[ValidationError]:
    # Python's "$" also matches before a last line feed, ECMAScript's does not.
    exact = re.sub(r"\$$", r"\\Z", pattern)
    if isinstance(instance, str) and not re.search(exact, instance):
        yield ValidationError(f"does not match {pattern}")


_extended: Final[Any] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _whole_pattern}
)
_validator: Final = _extended(SCHEMA)


def _shape_faults(body: Json) -> Iterator[DocumentError]:
    for error in _validator.iter_errors(body):
        path = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            yield from _unknown_names(path, error)
        elif error.validator == "required":
            yield from _missing_names(path, error)
        elif error.validator == "oneOf":
            if not isinstance(error.instance, dict):
                continue  # the type is told already
            yield DocumentError(
                pointer_to(path),
                "one-source",
                found=", ".join(sorted(error.instance)),
                expected="operation, decision_table",
            )
        else:
            rule = _RULES.get(str(error.validator), str(error.validator))
            yield DocumentError(
                pointer_to(path),
                rule,
                found=_shown(error.instance),
                expected=_expected(error),
            )


_RULES: Final = {"propertyNames": "name", "pattern": "name", "const": "enum"}


def _expected(error: ValidationError) -> str:
    wanted = error.validator_value
    if isinstance(wanted, list):
        return ", ".join(str(item) for item in wanted)
    return _shown(wanted)


def _unknown_names(
    path: tuple[str | int, ...], error: ValidationError
) -> Iterator[DocumentError]:
    known = sorted(error.schema["properties"]) if isinstance(error.schema, dict) else []
    found: Any = error.instance
    for name in found:
        if name not in known:
            near = _nearest(name, known)
            yield DocumentError(
                pointer_to((*path, name)),
                "unknown",
                found=_shown(name),
                expected=near or ", ".join(known),
            )


def _missing_names(
    path: tuple[str | int, ...], error: ValidationError
) -> Iterator[DocumentError]:
    wanted, found = error.validator_value, cast("Any", error.instance)
    for name in wanted if isinstance(wanted, list) else []:
        if name not in found:
            yield DocumentError(pointer_to(path), "required", expected=name)


# --- Meaning ----------------------------------------------------------------------
def _meaning_faults(body: Json) -> Iterator[DocumentError]:
    parameters = list(_objects(body, "parameters"))
    blocks = list(_objects(body, "blocks"))
    yield from _repeated("parameters", "name", parameters)
    yield from _repeated("blocks", "id", blocks)
    for index, parameter in parameters:
        yield from _parameter_faults(("parameters", index), parameter)
    names = [p["name"] for _, p in parameters if isinstance(p.get("name"), str)]
    for index, block in blocks:
        path = ("blocks", index)
        yield from _argument_faults(path, block, [str(name) for name in names])
        yield from _response_faults(path, block)


def _objects(body: Json, name: str) -> Iterator[tuple[int, dict[str, Json]]]:
    items = body.get(name) if isinstance(body, dict) else None
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield index, item


def _repeated(
    place: str, name: str, objects: Sequence[tuple[int, dict[str, Json]]]
) -> Iterator[DocumentError]:
    seen: set[str] = set()
    for index, item in objects:
        value = item.get(name)
        if isinstance(value, str):
            if value in seen:
                pointer = pointer_to((place, index, name))
                yield DocumentError(pointer, "unique", found=value)
            seen.add(value)


def _parameter_faults(
    path: tuple[str | int, ...], parameter: Mapping[str, Json]
) -> Iterator[DocumentError]:
    if parameter.get("name") in RESERVED_PARAMETERS:
        name = _shown(parameter["name"])
        yield DocumentError(pointer_to((*path, "name")), "reserved", found=name)
    kind = parameter_type(parameter)
    if kind is ParameterType.CHOICE and "choices" not in parameter:
        yield DocumentError(pointer_to(path), "required", expected="choices")
    if kind is None:
        return
    bounds = {}
    for name in ("minimum", "maximum"):
        raw = parameter.get(name)
        if raw is not None:
            bounds[name] = parse_bound(raw, kind)
            if bounds[name] is None:
                yield DocumentError(
                    pointer_to((*path, name)),
                    "bound",
                    found=_shown(raw),
                    expected=_bound_type(kind).value,
                )
    default = parameter.get("default")
    if default is not None and None not in bounds.values():
        yield from _default_faults(path, parameter, kind, bounds)


def _default_faults(
    path: tuple[str | int, ...],
    parameter: Mapping[str, Json],
    kind: ParameterType,
    bounds: Mapping[str, Bound | None],
) -> Iterator[DocumentError]:
    choices = parameter.get("choices")
    spec = ParameterSpec(
        name="default",
        type=kind,
        choices=tuple(map(str, choices)) if isinstance(choices, list) else (),
        minimum=bounds.get("minimum"),
        maximum=bounds.get("maximum"),
    )
    parsed = parse_arguments([spec], {"default": parameter["default"]})  # type: ignore[dict-item]
    for error in parsed if isinstance(parsed, tuple) else ():
        yield DocumentError(
            pointer_to((*path, "default")),
            f"default-{error.rule}",
            found=error.found,
            expected=error.expected,
        )


def parameter_type(parameter: Mapping[str, Json]) -> ParameterType | None:
    """Return the type a parameter names (text when it names none), None when wrong."""
    named = parameter.get("type", ParameterType.TEXT.value)
    known = {kind.value: kind for kind in ParameterType}
    return known.get(named) if isinstance(named, str) else None


def _bound_type(kind: ParameterType) -> ParameterType:
    """Say what a bound is: of the parameter's type, or a length or count."""
    own = {ParameterType.DECIMAL, ParameterType.DATE, ParameterType.DATETIME}
    return kind if kind in own else ParameterType.INTEGER


def parse_bound(raw: Json, kind: ParameterType) -> Bound | None:
    """Read a bound: a number, a date, or a length; None when it is not one."""
    if kind in {ParameterType.BOOLEAN, ParameterType.CHOICE}:
        return None
    read_as = _bound_type(kind)
    if isinstance(raw, float) and raw.is_integer() and kind is not read_as:
        raw = int(raw)
    parsed = parse_arguments([ParameterSpec("bound", read_as)], {"bound": raw})  # type: ignore[dict-item]
    value = parsed["bound"] if isinstance(parsed, dict) else None
    if isinstance(value, Decimal) and isinstance(raw, int):
        return raw
    return value if not isinstance(value, str | float | tuple | bool) else None


def _argument_faults(
    path: tuple[str | int, ...], block: Mapping[str, Json], names: Sequence[str]
) -> Iterator[DocumentError]:
    source = block.get("source")
    arguments = source.get("arguments") if isinstance(source, dict) else None
    if not isinstance(arguments, dict):
        return
    for key, value in arguments.items():
        named = value.get("parameter") if isinstance(value, dict) else None
        if isinstance(named, str) and named not in names:
            yield DocumentError(
                pointer_to((*path, "source", "arguments", key, "parameter")),
                "parameter",
                found=_shown(named),
                expected=_nearest(named, names) or ", ".join(names),
            )


def _response_faults(
    path: tuple[str | int, ...], block: Mapping[str, Json]
) -> Iterator[DocumentError]:
    source, responses = block.get("source"), block.get("responses")
    if not isinstance(responses, dict):
        return
    if (
        isinstance(source, dict)
        and "operation" in source
        and "default" not in responses
    ):
        yield DocumentError(
            pointer_to((*path, "responses")),
            "default-response",
            found=", ".join(sorted(responses))[:_SHOWN],
        )

"""Typed parameters of operations and screens. Pure: no Django, no network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeAlias, TypeGuard
from zoneinfo import ZoneInfo

from connectors.outcomes import Value

Argument: TypeAlias = Value | tuple[Value, ...]
Bound: TypeAlias = int | Decimal | date | datetime


class ParameterType(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    LIST = "list"  # several texts, written with commas


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One parameter: its name, type, and the values it takes.

    Attributes:
        name: Name in addresses and templates.
        type: What its value is.
        required: Whether a call without it is refused.
        default: Value when none is given; of the parameter's type.
        minimum: Smallest number or date, shortest text, or fewest items of a LIST;
            None for no bound. A date bounds a DATETIME by its day; a datetime is
            aware. A bound of another kind than the parameter does not apply.
        maximum: Largest number or date, longest text, or most items; as above.
        choices: Values a CHOICE takes (also the items a LIST may hold, when given).
        label: Name by language for people.
    """

    name: str
    type: ParameterType = ParameterType.TEXT
    required: bool = False
    default: Argument = None
    minimum: Bound | None = None
    maximum: Bound | None = None
    choices: tuple[str, ...] = ()
    label: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArgumentError:
    """One argument that was refused.

    Attributes:
        name: The parameter, or the unknown name.
        rule: ``unknown``, ``missing``, ``type``, ``minimum``, ``maximum``, ``choice``.
        found: What was given, as text, cut at 80 characters.
        expected: What would have been right, as text: the type's name, the bound,
            the choices with commas, or the nearest known name.
    """

    name: str
    rule: str
    found: str = ""
    expected: str = ""


Raw: TypeAlias = str | Sequence[str] | Argument

MOST_ITEMS = 1_000
LARGEST_INTEGER = 2**63 - 1  # what every database we call can hold
_SHOWN = 80
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL = re.compile(
    r"[+-]?([0-9]{1,60}\.?[0-9]{0,60}|\.[0-9]{1,60})(e[+-]?[0-9]{1,3})?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BOOLEANS = {
    "true": True,
    "1": True,
    "on": True,
    "false": False,
    "0": False,
    "off": False,
}


class _RefusalError(Exception):
    """A value that a parameter does not take: which rule, and what it takes."""

    def __init__(self, rule: str, expected: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.expected = expected


def parse_arguments(
    specs: Iterable[ParameterSpec],
    raw: Mapping[str, Raw],
    *,
    time_zone: str = "UTC",
    allow_unknown: bool = False,
) -> dict[str, Argument] | tuple[ArgumentError, ...]:
    """Turn what was given into one typed value per parameter, or say all that is wrong.

    Text is parsed; a value that already has the parameter's type is taken as it is,
    any other value is refused (True is not the integer 1). Empty text, None and an
    empty sequence count as not given. The result names every parameter.

    Args:
        raw: Texts by name, as an address has them (one text or a list of texts), or
            typed values.
        time_zone: IANA name; a date and time without an offset is read in it.
        allow_unknown: Pass over names that no parameter has, instead of refusing.
    """
    known = {spec.name: spec for spec in specs}
    zone = ZoneInfo(time_zone)
    values: dict[str, Argument] = {}
    errors = [] if allow_unknown else _unknown_names(raw, known)
    for name, spec in known.items():
        given = _given(raw.get(name), spec)
        if given is None:
            values[name] = spec.default
            if spec.required and spec.default is None:
                errors.append(ArgumentError(name, "missing", "", spec.type.value))
            continue
        try:
            values[name] = _PARSERS[spec.type](given, spec, zone)
        except _RefusalError as refused:
            found = _shown(given)
            errors.append(ArgumentError(name, refused.rule, found, refused.expected))
    return tuple(errors) if errors else values


def as_text(argument: Argument) -> str:
    """Write an argument as an address has it; `parse_arguments` reads it back."""
    match argument:
        case None:
            return ""
        case bool():
            return "true" if argument else "false"
        case date():
            return argument.isoformat()
        case tuple():
            return ",".join(as_text(item) for item in argument)
        case _:
            return str(argument)


def _unknown_names(
    raw: Mapping[str, Raw], known: Mapping[str, ParameterSpec]
) -> list[ArgumentError]:
    errors = []
    for name in raw:
        if name not in known:
            nearest = get_close_matches(name[:_SHOWN], list(known), n=1)
            found = _shown(raw[name])
            errors.append(
                ArgumentError(name[:_SHOWN], "unknown", found, "".join(nearest))
            )
    return errors


def _given(value: object, spec: ParameterSpec) -> object:
    """Return what was given, or None for nothing; one text in a list is that text."""
    if isinstance(value, list | tuple) and spec.type is not ParameterType.LIST:
        if len(value) > 1:
            return value
        value = value[0] if value else None
    if isinstance(value, str):
        blank = value if spec.type is ParameterType.TEXT else value.strip()
        return blank or None
    if isinstance(value, list | tuple) and not any(
        item.strip(" ,\t\n") if isinstance(item, str) else True for item in value
    ):
        return None
    return value


def _shown(value: object) -> str:
    match value:
        case str():
            text = value
        case list() | tuple():
            text = ",".join(_shown(item) for item in value[:_SHOWN])
        case bool() | None | int() | float() | Decimal() | date():
            # An integer of thousands of digits cannot be written as text in Python.
            huge = isinstance(value, int) and abs(value) > LARGEST_INTEGER
            text = hex(value) if isinstance(value, int) and huge else as_text(value)
        case _:
            text = type(value).__name__
    return text[:_SHOWN]


def _is_clean(value: object) -> TypeGuard[str]:
    """Tell whether this is text that every data source can carry."""
    if not isinstance(value, str) or "\x00" in value:
        return False
    return value.isascii() or not any("\ud800" <= mark <= "\udfff" for mark in value)


def _text(value: object, spec: ParameterSpec, zone: ZoneInfo) -> Argument:
    if not _is_clean(value):
        raise _RefusalError("type", ParameterType.TEXT.value)
    _check_bounds(len(value), spec)
    return value


def _integer(value: object, spec: ParameterSpec, zone: ZoneInfo) -> Argument:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _RefusalError("type", ParameterType.INTEGER.value)
    if value > LARGEST_INTEGER:
        raise _RefusalError("maximum", str(LARGEST_INTEGER))
    if value < -LARGEST_INTEGER:
        raise _RefusalError("minimum", str(-LARGEST_INTEGER))
    _check_bounds(value, spec)
    return value


def _decimal(value: object, spec: ParameterSpec, zone: ZoneInfo) -> Argument:
    wrong = _RefusalError("type", ParameterType.DECIMAL.value)
    if isinstance(value, str) and not _DECIMAL.fullmatch(value.lower()):
        raise wrong
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise wrong
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise wrong
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise wrong from None
    if not number.is_finite() or abs(number.adjusted()) > 300:
        raise wrong
    _check_bounds(number, spec)
    return number


def _boolean(value: object, spec: ParameterSpec, zone: ZoneInfo) -> Argument:
    if isinstance(value, bool):
        return value
    found = _BOOLEANS.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise _RefusalError("type", ParameterType.BOOLEAN.value)
    return found


def _date(value: object, spec: ParameterSpec, zone: ZoneInfo) -> Argument:
    wrong = _RefusalError("type", ParameterType.DATE.value)
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise wrong from None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise wrong
    _check_bounds(value, spec)
    return value


def _datetime(value: object, spec: ParameterSpec, zone: ZoneInfo) -> Argument:
    wrong = _RefusalError("type", ParameterType.DATETIME.value)
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if not isinstance(value, datetime):
            raise wrong
        if value.utcoffset() is None:
            value = value.replace(tzinfo=zone)
        value.astimezone(UTC)  # the first and last day of the calendar overflow
    except (ValueError, OverflowError):
        raise wrong from None
    _check_bounds(value, spec)
    return value


def _choice(value: object, spec: ParameterSpec, zone: ZoneInfo) -> Argument:
    if not isinstance(value, str) or value not in spec.choices:
        raise _RefusalError("choice", ", ".join(spec.choices))
    return value


def _list(value: object, spec: ParameterSpec, zone: ZoneInfo) -> Argument:
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise _RefusalError("type", ParameterType.LIST.value)
    items: list[str] = []
    for part in parts:
        if not _is_clean(part):
            raise _RefusalError("type", ParameterType.LIST.value)
        items += [item.strip() for item in part.split(",") if item.strip()]
    if spec.choices and not set(items) <= set(spec.choices):
        raise _RefusalError("choice", ", ".join(spec.choices))
    if len(items) > MOST_ITEMS:
        raise _RefusalError("maximum", str(MOST_ITEMS))
    _check_bounds(len(items), spec)
    return tuple(items)


def _check_bounds(
    measured: int | Decimal | date | datetime, spec: ParameterSpec
) -> None:
    """Compare a value, a length or a count with the bounds of its kind."""
    low = _comparable(spec.minimum, measured)
    if low is not None and spec.minimum is not None and low[1] < low[0]:
        raise _RefusalError("minimum", as_text(spec.minimum))
    high = _comparable(spec.maximum, measured)
    if high is not None and spec.maximum is not None and high[1] > high[0]:
        raise _RefusalError("maximum", as_text(spec.maximum))


def _comparable(
    bound: Bound | None, measured: int | Decimal | date | datetime
) -> tuple[Decimal, Decimal] | None:
    """Return bound and value as numbers of one scale, or None when kinds differ."""
    if isinstance(bound, datetime) and isinstance(measured, datetime):
        if bound.utcoffset() is None:
            return None
        return _instant(bound), _instant(measured)
    if isinstance(bound, date) and isinstance(measured, date):
        return Decimal(bound.toordinal()), Decimal(measured.toordinal())
    if isinstance(bound, int | Decimal) and isinstance(measured, int | Decimal):
        return Decimal(bound), Decimal(measured)
    return None


def _instant(moment: datetime) -> Decimal:
    passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Decimal(passed.days * 86_400 + passed.seconds) + Decimal(
        passed.microseconds
    ).scaleb(-6)


_PARSERS: dict[ParameterType, Callable[[object, ParameterSpec, ZoneInfo], Argument]] = {
    ParameterType.TEXT: _text,
    ParameterType.INTEGER: _integer,
    ParameterType.DECIMAL: _decimal,
    ParameterType.BOOLEAN: _boolean,
    ParameterType.DATE: _date,
    ParameterType.DATETIME: _datetime,
    ParameterType.CHOICE: _choice,
    ParameterType.LIST: _list,
}

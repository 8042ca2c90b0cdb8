"""Values of a document as the texts of a form, and back. Pure.

What a form sends is compared with what it was given before anything is read: a text
that nobody changed leaves its value as it is, to the last detail.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connectors.outcomes import Json
from screens.pointers import ABSENT, Found

PARAMETER_MODE: Final = "parameter:"
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL: Final = re.compile(
    r"[+-]?([0-9]{1,60}\.?[0-9]{0,60}|\.[0-9]{1,60})([eE][+-]?[0-9]{1,3})?"
)
_BOOLEANS: Final = {"true": True, "false": False}


class Kind(StrEnum):
    """How a value is written in a form."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LINES = "lines"  # several texts, one on each line
    SCALAR = "scalar"  # a mode, and a text that the mode explains
    JSON = "json"


class Mode(StrEnum):
    """What the text of a SCALAR is; ``parameter:<name>`` besides."""

    NOTHING = ""
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    LIST = "list"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Written:
    """What a form shows for a value."""

    text: str
    mode: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A text that no value can be made of.

    Attributes:
        rule: ``not-json``, ``repeated-key``, ``not-number``, ``not-boolean``, ``kind``.
        found: The text, or what the parser said of it.
        expected: Line and column, where there are any.
    """

    rule: str
    found: str
    expected: str = ""


def unified(text: str) -> str:
    """Write line ends as one character: browsers send two, whatever they were given."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def as_json(value: Json) -> str:
    """Write any value as JSON for people."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def are_lines(value: Found) -> bool:
    """Say whether a value is a list of texts that lines can express."""
    return isinstance(value, list) and all(
        isinstance(item, str) and item == item.strip() and len(item.splitlines()) == 1
        for item in value
    )


def write(kind: Kind, value: Found) -> Written:
    """Say how a form shows a value that its field can express."""
    if kind is Kind.SCALAR:
        return _write_scalar(value)
    if kind is Kind.JSON:
        return Written("" if value is ABSENT else as_json(value))
    if kind is Kind.LINES and isinstance(value, list):
        return Written("\n".join(map(str, value)))
    return Written(_plain(value))


def read(kind: Kind, written: Written, *, old: Found) -> Found | Unread:
    """Make the value of a text that somebody changed; ABSENT when it was emptied.

    A number that is none stays a text: whoever judges the document tells the fault,
    and nothing typed is lost.

    Args:
        old: The value before; a single line stays a text where there was no list.
    """
    text = written.text
    if kind is Kind.SCALAR:
        return _read_scalar(written)
    if text == "" and kind is not Kind.LINES:
        return ABSENT
    match kind:
        case Kind.NUMBER:
            number = _number(text)
            return text if number is None else number
        case Kind.BOOLEAN:
            return _BOOLEANS.get(text, text)
        case Kind.LINES:
            return _lines(text, old)
        case Kind.JSON:
            return _json(text)
        case _:
            return text


def _plain(value: Found) -> str:
    if value is ABSENT:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _lines(text: str, old: Found) -> Found:
    lines = [line.strip() for line in unified(text).split("\n") if line.strip()]
    if not lines:
        return ABSENT
    return lines[0] if isinstance(old, str) and len(lines) == 1 else list(lines)


def _number(text: str) -> int | float | None:
    stripped = text.strip()
    if _INTEGER.fullmatch(stripped):
        return int(stripped)
    if _DECIMAL.fullmatch(stripped):
        number = float(stripped)
        return number if math.isfinite(number) else None
    return None


def _json(text: str) -> Found | Unread:
    try:
        value: Json = json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_once
        )
    except _RepeatedError as error:
        return Unread("repeated-key", str(error)[:80])
    except json.JSONDecodeError as error:
        return Unread("not-json", error.msg, f"{error.lineno}:{error.colno}")
    except (RecursionError, ValueError):
        return Unread("not-number", text[:80])
    return value


class _RepeatedError(Exception):
    """An object names a key twice; which of both was meant, nobody knows."""


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        raise _RepeatedError(next(name for name in names if names.count(name) > 1))
    return found


def _refuse_constant(name: str) -> Json:
    raise ValueError(name)


def _write_scalar(value: Found) -> Written:
    match value:
        case str():
            return Written(value, Mode.TEXT)
        case bool():
            return Written(json.dumps(value), Mode.BOOLEAN)
        case int() | float():
            return Written(json.dumps(value), Mode.NUMBER)
        case None:
            return Written("", Mode.NULL)
        case {"parameter": str(name), **others} if not others:
            return Written("", PARAMETER_MODE + name)
        case list() if value and are_lines(value):
            return Written("\n".join(map(str, value)), Mode.LIST)
        case list() | dict():
            return Written(as_json(value), Mode.JSON)
        case _:
            return Written("", Mode.NOTHING)


def _read_scalar(written: Written) -> Found | Unread:
    text, mode = written.text, written.mode
    if mode.startswith(PARAMETER_MODE):
        return {"parameter": mode.removeprefix(PARAMETER_MODE)}
    match mode:
        case Mode.TEXT:
            return text
        case Mode.NUMBER:
            number = _number(text)
            return Unread("not-number", text[:80]) if number is None else number
        case Mode.BOOLEAN:
            truth = _BOOLEANS.get(text.strip().lower())
            return Unread("not-boolean", text[:80]) if truth is None else truth
        case Mode.NULL:
            return None
        case Mode.LIST:
            lines = _lines(text, ABSENT)
            return [] if lines is ABSENT else lines
        case Mode.JSON:
            return _json(text)
        case _:
            return Unread("kind", text[:80]) if text.strip() else ABSENT

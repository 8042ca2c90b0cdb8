"""Places in a JSON document by JSON Pointer (RFC 6901): find, put, drop. Pure."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Literal, TypeAlias

from connectors.outcomes import Json
from screens.faults import pointer_to

_LONGEST_INDEX: Final = 9


class Absent(Enum):
    """Nothing stands at a place; JSON's null is something."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
Found: TypeAlias = Json | Literal[Absent.ABSENT]


def steps_of(pointer: str) -> tuple[str, ...]:
    """Read a pointer into its steps; "" is the whole document."""
    steps = pointer.split("/")[1:]
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def parent_of(pointer: str) -> tuple[str, str]:
    """Part a pointer into that of its parent and its last step."""
    steps = steps_of(pointer)
    return pointer_to(steps[:-1]), steps[-1]


def find(body: Json, pointer: str) -> Found:
    """Return what stands at `pointer`, or ABSENT."""
    found: Any = body
    for step in steps_of(pointer):
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and (index := index_of(step, found)) is not None:
            found = found[index]
        else:
            return ABSENT
    return found  # type: ignore[no-any-return]


def put(body: Json, pointer: str, value: Json) -> Json:
    """Write `value` at `pointer` in place; objects on the way are made.

    Returns:
        The document, which is `value` itself for the pointer "".

    Raises:
        LookupError: the way leads through something that is no object or list.
    """
    if not pointer:
        return value
    place: Any = body
    *way, last = steps_of(pointer)
    for step in way:
        if isinstance(place, dict):
            place = place.setdefault(step, {})
        else:
            place = _item(place, step, pointer)
    if isinstance(place, dict):
        place[last] = value
        return body
    _item(place, last, pointer)
    place[int(last)] = value
    return body


def drop(body: Json, pointer: str) -> None:
    """Remove what stands at `pointer`, in place; nothing when it is not there."""
    parent, last = parent_of(pointer)
    place = find(body, parent)
    if isinstance(place, dict):
        place.pop(last, None)
    elif isinstance(place, list) and (index := index_of(last, place)) is not None:
        del place[index]


def index_of(step: str, items: list[Any]) -> int | None:
    """Read a step as an index of `items`; None when it is none."""
    numeric = step.isascii() and step.isdecimal() and len(step) <= _LONGEST_INDEX
    return int(step) if numeric and int(step) < len(items) else None


def _item(place: Any, step: str, pointer: str) -> Any:
    index = index_of(step, place) if isinstance(place, list) else None
    if index is None:
        raise LookupError(f"{pointer} leads through {step!r}, which is not there.")
    return place[index]

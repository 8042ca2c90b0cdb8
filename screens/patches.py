"""JSON Patch (RFC 6902) on a document: apply, and undo. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

import jsonpatch
from jsonpointer import JsonPointerException

from connectors.outcomes import Json

Step: TypeAlias = Mapping[str, Json]
"""One operation: ``{"op": …, "path": …}`` with ``value`` or ``from``."""

Patch: TypeAlias = Sequence[Step]

OPS: Final = ("add", "remove", "replace", "move", "copy", "test")
_NEEDS: Final = {
    "add": "value",
    "replace": "value",
    "test": "value",
    "move": "from",
    "copy": "from",
}


@dataclass(frozen=True, slots=True)
class Patched:
    """The document after a patch; the one before is left as it was."""

    body: Json


@dataclass(frozen=True, slots=True)
class PatchFault:
    """A patch that cannot be applied; nothing was changed.

    Attributes:
        index: Which operation, from 0; -1 for the patch as a whole.
        rule: ``shape``: no operation of RFC 6902. ``path``: it leads nowhere, or
            into itself. ``test``: the document has another value there.
        pointer: The operation's ``path``, or "".
    """

    index: int
    rule: str
    pointer: str = ""


def apply_patch(body: Json, patch: Json | Patch) -> Patched | PatchFault:
    """Apply a patch in order, all of it or nothing.

    A ``test`` tells true from 1, as JSON does and Python does not.
    """
    steps = _read(patch)
    if isinstance(steps, PatchFault):
        return steps
    now = copy.deepcopy(body)
    for index, step in enumerate(steps):
        # `now` is a copy already; another one for every step would be waste.
        applied = _applied(now, step, index, in_place=True)
        if isinstance(applied, PatchFault):
            return applied
        now = applied.body
    return Patched(now)


def invert_patch(body: Json, patch: Json | Patch) -> list[Step] | PatchFault:
    """Return the patch that leads from the patched document back to `body`."""
    steps = _read(patch)
    if isinstance(steps, PatchFault):
        return steps
    now = copy.deepcopy(body)
    back: list[list[Step]] = []
    for index, step in enumerate(steps):
        applied = _applied(now, step, index)
        if isinstance(applied, PatchFault):
            return applied
        back.append(_inverse(now, step))
        now = applied.body
    return [step for steps in reversed(back) for step in steps]


def same(one: object, other: object) -> bool:
    """Compare as JSON: 1 equals 1.0, and neither equals true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            same(value, other[name]) for name, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            same(left, right) for left, right in zip(one, other, strict=True)
        )
    return (type(one) is type(other) and one == other) or _both_numbers(one, other)


def segments(pointer: str) -> tuple[str, ...]:
    """Split a JSON Pointer; ``~1`` is a slash and ``~0`` a tilde."""
    parts = pointer.split("/")[1:]
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def _both_numbers(one: object, other: object) -> bool:
    return (
        isinstance(one, int | float) and isinstance(other, int | float) and one == other
    )


def _read(patch: Json | Patch) -> tuple[Step, ...] | PatchFault:
    if not isinstance(patch, Sequence) or isinstance(patch, str):
        return PatchFault(-1, "shape")
    for index, step in enumerate(patch):
        if not isinstance(step, Mapping):
            return PatchFault(index, "shape")
        op, path = step.get("op"), step.get("path")
        if op not in OPS or not _is_pointer(path):
            return PatchFault(index, "shape", path if isinstance(path, str) else "")
        needed = _NEEDS.get(str(op))
        lacks = needed is not None and needed not in step
        if lacks or (needed == "from" and not _is_pointer(step.get("from"))):
            return PatchFault(index, "shape", str(path))
    return tuple(cast("Sequence[Step]", patch))


def _is_pointer(value: object) -> bool:
    return isinstance(value, str) and (value == "" or value.startswith("/"))


def _applied(
    body: Json, step: Step, index: int, *, in_place: bool = False
) -> Patched | PatchFault:
    op, path = step["op"], str(step["path"])
    if op == "test":
        found = _lookup(body, path)
        if found is None or not same(found.body, step["value"]):
            return PatchFault(index, "test" if found else "path", path)
        return Patched(body)
    if op in {"move", "copy"} and _lookup(body, str(step["from"])) is None:
        return PatchFault(index, "path", path)
    if op == "move" and path.startswith(f"{step['from']}/"):
        return PatchFault(index, "path", path)
    if op in {"remove", "replace"} and _lookup(body, path) is None:
        return PatchFault(index, "path", path)
    if op == "remove" and path == "":
        return PatchFault(index, "path", path)
    if op == "move" and path == step["from"]:
        return Patched(body)
    try:
        patch = jsonpatch.JsonPatch([copy.deepcopy(dict(step))])
        return Patched(cast("Json", patch.apply(body, in_place=in_place)))
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError):
        # TypeError: a path through a number or a text.
        return PatchFault(index, "path", path)


def _lookup(body: Json, pointer: str) -> Patched | None:
    now: Any = body
    for part in segments(pointer):
        if isinstance(now, dict) and part in now:
            now = now[part]
        elif isinstance(now, list) and _is_index(part) and int(part) < len(now):
            now = now[int(part)]
        else:
            return None
    return Patched(now)


def _is_index(part: str) -> bool:
    # No leading zeros, RFC 6901 section 4; no superscripts, which are digits, too.
    return part.isascii() and part.isdecimal() and (part == "0" or part[0] != "0")


def _inverse(body: Json, step: Step) -> list[Step]:
    """Return what undoes one operation that can be applied to `body`."""
    path = str(step["path"])
    match step["op"]:
        case "add" | "copy":
            return [_undo_add(body, path)]
        case "remove":
            return [{"op": "add", "path": path, "value": _value(body, path)}]
        case "replace":
            return [{"op": "replace", "path": path, "value": _value(body, path)}]
        case "move":
            return _undo_move(body, path, str(step["from"]))
        case _:
            return []


def _undo_add(body: Json, path: str) -> Step:
    parent = _parent(body, path)
    if isinstance(parent, list):
        return {"op": "remove", "path": _resolved(path, len(parent))}
    if _lookup(body, path) is not None:
        return {"op": "replace", "path": path, "value": _value(body, path)}
    return {"op": "remove", "path": path}


def _undo_move(body: Json, path: str, origin: str) -> list[Step]:
    if path == origin:
        return []
    if origin.startswith(f"{path}/") and not isinstance(_parent(body, path), list):
        # What was moved took the place of what it was in.
        return [{"op": "replace", "path": path, "value": _value(body, path)}]
    moved = _value(body, origin)
    taken = jsonpatch.JsonPatch([{"op": "remove", "path": origin}]).apply(body)
    # The place is read once the moved value is gone, as RFC 6902 does.
    back = _undo_add(taken, path)
    return [back, {"op": "add", "path": origin, "value": moved}]


def _value(body: Json, path: str) -> Json:
    found = _lookup(body, path)
    if found is None:
        raise LookupError(f"Nothing at {path!r}: the operation was not applied first.")
    return copy.deepcopy(found.body)


def _parent(body: Json, path: str) -> Json:
    return None if path == "" else _value(body, path.rpartition("/")[0])


def _resolved(path: str, length: int) -> str:
    head, _slash, last = path.rpartition("/")
    return f"{head}/{length}" if last == "-" else path

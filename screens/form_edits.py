"""The properties form of a document: its parts, what was typed, and actions. Pure.

A form never stands for a document: it is laid over one. What was sent is written into
the document at the places whose text somebody changed, and nothing else is touched.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from connectors.outcomes import Json
from renderers.presentation import Format
from screens.faults import DocumentError
from screens.form_nodes import (
    Field,
    Group,
    Node,
    adders_of,
    fields_of,
    places_of,
    with_errors,
)
from screens.form_places import Place, Surroundings, resolved
from screens.form_schema import json_field, node_of
from screens.form_values import Kind, Unread, Written, read, unified
from screens.pointers import (
    ABSENT,
    drop,
    find,
    index_of,
    parent_of,
    put,
    steps_of,
)
from screens.schema import SCHEMA

WHOLE: Final = ""
"""The part of a form that shows the screen itself: everything but its blocks."""

MOST_FIELDS: Final = 400
_LONGEST: Final = (30, 8, 0)
_BLOCKS: Final = "/blocks"


@dataclass(frozen=True, slots=True)
class Applied:
    """A document with what was typed in it.

    Attributes:
        unread: Texts that no value could be made of, by pointer; the document keeps
            the old values there.
    """

    body: Json
    unread: Mapping[str, tuple[Written, Unread]]


def block_pointers(body: Json) -> list[str]:
    """Return the pointer of every block, in order."""
    blocks = find(body, _BLOCKS)
    count = len(blocks) if isinstance(blocks, list) else 0
    return [f"{_BLOCKS}/{index}" for index in range(count)]


def part_of(body: Json, pointer: str) -> str:
    """Return the part of the form that shows the place: a block, or the screen."""
    steps = steps_of(pointer)
    block = f"{_BLOCKS}/{steps[1]}" if len(steps) > 1 else ""
    return block if block in block_pointers(body) else WHOLE


def nodes_of(body: Json, part: str, around: Surroundings) -> tuple[Node, ...]:
    """Make one part of the form; long lists become JSON before it grows too large."""
    nodes: tuple[Node, ...] = ()
    for longest in _LONGEST:
        limited = replace(around, longest=longest)
        root = Place(WHOLE, {**SCHEMA, "title": ""}, body, limited)
        nodes = _screen(root) if part == WHOLE else _block(root, part)
        if sum(1 for _ in fields_of(nodes)) <= MOST_FIELDS:
            break
    return nodes


def _screen(root: Place) -> tuple[Node, ...]:
    if not isinstance(root.value, dict):
        return (json_field(root),)
    hidden = {"version"} if root.value.get("version") == 1 else set()
    hidden |= {"blocks"} if isinstance(root.value.get("blocks", []), list) else set()
    shown = {
        name: each for name, each in SCHEMA["properties"].items() if name not in hidden
    }
    made = node_of(replace(root, schema={**root.schema, "properties": shown}))
    nodes = made.nodes if isinstance(made, Group) else (made,)
    return tuple(node for node in nodes if node.pointer.removeprefix("/") not in hidden)


def _block(root: Place, part: str) -> tuple[Node, ...]:
    blocks = root.inside("blocks", SCHEMA["properties"]["blocks"])
    made = node_of(blocks.inside(steps_of(part)[-1], blocks.schema["items"]))
    return made.nodes if isinstance(made, Group) else (made,)


# --- What was typed ---------------------------------------------------------------
def form_data(nodes: Sequence[Node]) -> dict[str, str]:
    """Return what a browser sends for a form in which nobody types."""
    data: dict[str, str] = {}
    for field in fields_of(nodes):
        data[field.text_name] = unified(field.shown.text).replace("\n", "\r\n")
        if field.kind is Kind.SCALAR:
            data[field.mode_name] = field.shown.mode
    return data


def apply(body: Json, nodes: Sequence[Node], sent: Mapping[str, str]) -> Applied:
    """Write what was sent into a copy of the document, where its text differs.

    Args:
        nodes: The form as it was made from this document.
        sent: Texts by name of control; what is not there was not on the page.
    """
    changed: Json = copy.deepcopy(body)
    unread = {}
    for field in fields_of(nodes):
        written = _sent(field, sent)
        if written is None or _is_same(written, field.shown):
            continue
        value = read(field.kind, written, old=field.value)
        if value is ABSENT and not _may_go(field, changed):
            value = "" if field.kind is Kind.TEXT else Unread("kind", "")
        if isinstance(value, Unread):
            unread[field.pointer] = written, value
        elif value is ABSENT:
            _remove(changed, field)
        else:
            changed = put(changed, field.pointer, value)
    return Applied(changed, unread)


def _sent(field: Field, sent: Mapping[str, str]) -> Written | None:
    text, mode = sent.get(field.text_name), sent.get(field.mode_name)
    if field.kind is not Kind.SCALAR:
        return None if text is None else Written(unified(text))
    if text is None or mode is None:
        return None
    return Written(unified(text), mode)


def _is_same(written: Written, shown: Written) -> bool:
    return written == Written(unified(shown.text), shown.mode)


def _may_go(field: Field, body: Json) -> bool:
    """Say whether an emptied place is left out: not in a list, nor the whole."""
    if not field.pointer:
        return False
    return not isinstance(find(body, parent_of(field.pointer)[0]), list)


def _remove(body: Json, field: Field) -> None:
    drop(body, field.pointer)
    parent = parent_of(field.pointer)[0]
    if field.prune and find(body, parent) == {}:
        drop(body, parent)


def with_unread(
    nodes: Sequence[Node], unread: Mapping[str, tuple[Written, Unread]]
) -> tuple[Node, ...]:
    """Show what was typed where no value could be made of it."""
    if not unread:
        return tuple(nodes)
    return tuple(_with_unread(node, unread) for node in nodes)


def _with_unread(node: Node, unread: Mapping[str, tuple[Written, Unread]]) -> Node:
    if isinstance(node, Group):
        return replace(node, nodes=with_unread(node.nodes, unread))
    if node.pointer not in unread:
        return node
    return replace(node, shown=unread[node.pointer][0])


# --- Errors -----------------------------------------------------------------------
def place_of(error: DocumentError) -> str:
    """Return where an error is shown: what is missing has a field, too."""
    if error.rule == "required":
        return f"{error.pointer}/{error.expected}"
    return error.pointer


def at_fields(
    nodes: Sequence[Node], errors: Sequence[DocumentError]
) -> tuple[Node, ...]:
    """Put every error at the nearest field or group of its place."""
    places = set(places_of(nodes))
    found: dict[str, tuple[DocumentError, ...]] = {}
    for error in errors:
        nearest = nearest_of(places, place_of(error))
        found[nearest] = (*found.get(nearest, ()), error)
    return with_errors(nodes, found)


def nearest_of(places: set[str], pointer: str) -> str:
    """Return the place itself, or the nearest one around it that is among `places`."""
    while pointer and pointer not in places:
        pointer = parent_of(pointer)[0]
    return pointer


# --- Actions ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Acted:
    """A document after an action, and the part of the form to show now."""

    body: Json
    part: str


def act(
    body: Json, nodes: Sequence[Node], *, verb: str, pointer: str, name: str = ""
) -> Acted | DocumentError:
    """Do what a button says to a copy of the document, or say why not.

    Args:
        verb: ``open``, ``add``, ``remove``, ``up``, ``down``, ``duplicate``,
            ``split``, ``expand`` or ``fit``.
        name: Name of a new entry, where entries have names.
    """
    changed: Any = copy.deepcopy(body)
    if verb == "add":
        return _add(changed, nodes, pointer, name.strip())
    if verb != "open":
        if find(changed, pointer) is ABSENT or not pointer:
            return DocumentError(pointer, "gone")
        pointer = _ACTIONS[verb](changed, pointer)
    return Acted(changed, part_of(changed, pointer))


def _add(
    body: Json, nodes: Sequence[Node], pointer: str, name: str
) -> Acted | DocumentError:
    if pointer == _BLOCKS:
        return _add_block(body)
    adder = next((each for each in adders_of(nodes) if each.pointer == pointer), None)
    if adder is None:
        return DocumentError(pointer, "gone")
    blank = copy.deepcopy(adder.blank)
    entries = find(body, pointer)
    if not adder.named:
        items = entries if isinstance(entries, list) else []
        put(body, pointer, [*items, blank])
        return Acted(body, part_of(body, pointer))
    if not name:
        return DocumentError(pointer, "new-name")
    if isinstance(entries, dict) and name in entries:
        return DocumentError(pointer, "taken-name", found=name)
    put(body, pointer, {**(entries if isinstance(entries, dict) else {}), name: blank})
    return Acted(body, part_of(body, pointer))


def _add_block(body: Json) -> Acted | DocumentError:
    blocks = find(body, _BLOCKS)
    if not isinstance(body, dict) or not isinstance(blocks, list | type(ABSENT)):
        return DocumentError(_BLOCKS, "gone")
    items = blocks if isinstance(blocks, list) else []
    block: Json = {
        "id": free_id(items, "block"),
        "title": {"ko": "새 블록", "en": "New block"},
        "source": {},
        "responses": {"default": {"format": "table"}},
    }
    body["blocks"] = [*items, block]
    return Acted(body, f"{_BLOCKS}/{len(items)}")


def free_id(blocks: Sequence[Json], stem: str) -> str:
    """Return the first of ``stem-2``, ``stem-3``, … that no block has."""
    taken = {block.get("id") for block in blocks if isinstance(block, dict)}
    number = 2
    # Ids have at most 40 characters; the number needs some of them.
    while (made := f"{stem[:36]}-{number}") in taken:
        number += 1
    return made


def _remove_at(body: Json, pointer: str) -> str:
    drop(body, pointer)
    return parent_of(pointer)[0]


def _move(step: int) -> Any:
    def move(body: Json, pointer: str) -> str:
        parent, last = parent_of(pointer)
        items = find(body, parent)
        index = index_of(last, items) if isinstance(items, list) else None
        if not isinstance(items, list) or index is None:
            return pointer
        to = index + step
        if not 0 <= to < len(items):
            return pointer
        items[index], items[to] = items[to], items[index]
        return f"{parent}/{to}"

    return move


def _duplicate(body: Json, pointer: str) -> str:
    parent, last = parent_of(pointer)
    items = find(body, parent)
    index = index_of(last, items) if isinstance(items, list) else None
    if not isinstance(items, list) or index is None:
        return pointer
    twin = copy.deepcopy(items[index])
    if isinstance(twin, dict) and isinstance(twin.get("id"), str):
        twin["id"] = free_id(items, str(twin["id"]))
    items.insert(index + 1, twin)
    return f"{parent}/{index + 1}"


def _split(body: Json, pointer: str) -> str:
    text = find(body, pointer)
    if isinstance(text, str):
        put(body, pointer, {"ko": text, "en": text})
    return pointer


def _expand(body: Json, pointer: str) -> str:
    name = find(body, pointer)
    if isinstance(name, str):
        put(body, pointer, {"name": name})
    return pointer


def _fit(body: Json, pointer: str) -> str:
    options = find(body, pointer)
    chosen = find(body, f"{parent_of(pointer)[0]}/format")
    if isinstance(options, dict) and chosen in set(Format):
        known = resolved({"$ref": f"#/$defs/{chosen}"})["properties"]
        kept = {name: each for name, each in options.items() if name in known}
        put(body, pointer, kept)
    return pointer


_ACTIONS: Final = {
    "remove": _remove_at,
    "up": _move(-1),
    "down": _move(1),
    "duplicate": _duplicate,
    "split": _split,
    "expand": _expand,
    "fit": _fit,
}

VERBS: Final = frozenset(_ACTIONS) | {"open", "add"}
"""What buttons of the form may ask for."""

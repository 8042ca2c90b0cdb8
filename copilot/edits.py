"""Typed edits of a screen, addressed by block id. Pure.

Both engines speak this language, and so does a person's click. It is flat, so that a
model can be held to it, and closed, so that every edit has a compiler, a footprint, a
post-condition and words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from jsonschema import Draft202012Validator

from connectors.outcomes import Json
from connectors.parameters import ParameterType
from renderers.presentation import Format

MOST_EDITS: Final = 12


class Kind(StrEnum):
    """What an edit does; the slots it needs stand in `SHAPES`."""

    ADD_BLOCK = "add_block"
    REMOVE_BLOCK = "remove_block"
    SET_TITLE = "set_title"
    SET_SCREEN_TITLE = "set_screen_title"
    MOVE_BLOCK = "move_block"
    SWAP = "swap"
    SET_WIDTH = "set_width"
    SET_HEIGHT = "set_height"
    SET_FORMAT = "set_format"
    SET_COLUMNS = "set_columns"
    SET_LABEL = "set_label"
    SET_NUMBER_FORMAT = "set_number_format"
    SET_UNIT = "set_unit"
    SET_SORT = "set_sort"
    SET_LIMIT = "set_limit"
    ADD_TOTAL = "add_total"
    ADD_EMPHASIS = "add_emphasis"
    SET_CHART_TYPE = "set_chart_type"
    SET_CHART_X = "set_chart_x"
    SET_CHART_Y = "set_chart_y"
    SET_CHART_SERIES = "set_chart_series"
    SET_STACK = "set_stack"
    ADD_PARAMETER = "add_parameter"
    REMOVE_PARAMETER = "remove_parameter"
    SET_DEFAULT = "set_default"
    SET_ARGUMENT = "set_argument"
    BIND_PARAMETER = "bind_parameter"


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one thing.

    Attributes:
        kind: What is done.
        block: Id of the block; "" for edits of the screen.
        response: Name of the block's response, for edits of how it looks.
        name: What in the block or the screen: a column, a parameter, an argument, a
            language, or another block.
        value: What it becomes; its shape depends on the kind.
    """

    kind: Kind
    block: str = ""
    response: str = ""
    name: str = ""
    value: Json = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Which slots a kind of edit needs, and the JSON Schema of its value."""

    block: bool = True
    response: bool = False
    name: bool = False
    value: Mapping[str, Any] | None = None


_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 200}
_COLUMN: Final = {"type": "string", "minLength": 1, "maxLength": 200}
_TWELVE: Final = {"type": "integer", "minimum": 1, "maximum": 12}
_SCALAR: Final = {"type": ["string", "number", "integer", "boolean"]}
_OPTIONS: Final = [
    "line", "bar", "area", "pie", "scatter", "histogram", "heatmap",
]  # fmt: skip
_ADDED: Final = {
    "type": "object",
    "required": ["operation", "format"],
    "additionalProperties": False,
    "properties": {
        "operation": _TEXT,
        "format": {"enum": [form.value for form in Format]},
        "title": _TEXT,
        "chart_type": {"enum": _OPTIONS},
        "width": _TWELVE,
    },
}
_SORT: Final = {
    "type": "array",
    "maxItems": 5,
    "items": {
        "type": "object",
        "required": ["column", "descending"],
        "additionalProperties": False,
        "properties": {"column": _COLUMN, "descending": {"type": "boolean"}},
    },
}
_EMPHASIS: Final = {
    "type": "object",
    "required": ["operator", "tone"],
    "additionalProperties": False,
    "properties": {
        "operator": {"enum": ["<", "<=", ">", ">=", "==", "!=", "contains", "missing"]},
        "value": _SCALAR,
        "tone": {"enum": ["good", "warn", "bad"]},
    },
}
_PARAMETER: Final = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "type": {"enum": [kind.value for kind in ParameterType]},
        "default": _SCALAR,
        "choices": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 50},
    },
}
_NAMES: Final = {"type": "array", "items": _COLUMN, "minItems": 1, "maxItems": 100}

SHAPES: Final[Mapping[Kind, Shape]] = {
    Kind.ADD_BLOCK: Shape(value=_ADDED),
    Kind.REMOVE_BLOCK: Shape(),
    Kind.SET_TITLE: Shape(name=True, value=_TEXT),
    Kind.SET_SCREEN_TITLE: Shape(block=False, name=True, value=_TEXT),
    Kind.MOVE_BLOCK: Shape(value={"enum": ["first", "last", "before", "after"]}),
    Kind.SWAP: Shape(name=True),
    Kind.SET_WIDTH: Shape(value=_TWELVE),
    Kind.SET_HEIGHT: Shape(value=_TWELVE),
    Kind.SET_FORMAT: Shape(
        response=True, value={"enum": [form.value for form in Format]}
    ),
    Kind.SET_COLUMNS: Shape(response=True, value=_NAMES),
    Kind.SET_LABEL: Shape(response=True, name=True, value=_TEXT),
    Kind.SET_NUMBER_FORMAT: Shape(response=True, name=True, value=_TEXT),
    Kind.SET_UNIT: Shape(
        response=True, name=True, value={"type": "string", "maxLength": 20}
    ),
    Kind.SET_SORT: Shape(response=True, value=_SORT),
    Kind.SET_LIMIT: Shape(
        response=True, value={"type": "integer", "minimum": 1, "maximum": 5_000}
    ),
    Kind.ADD_TOTAL: Shape(
        response=True, name=True, value={"enum": ["sum", "avg", "min", "max"]}
    ),
    Kind.ADD_EMPHASIS: Shape(response=True, name=True, value=_EMPHASIS),
    Kind.SET_CHART_TYPE: Shape(response=True, value={"enum": _OPTIONS}),
    Kind.SET_CHART_X: Shape(response=True, value=_COLUMN),
    Kind.SET_CHART_Y: Shape(
        response=True,
        value={"type": "array", "items": _COLUMN, "minItems": 1, "maxItems": 12},
    ),
    Kind.SET_CHART_SERIES: Shape(response=True, value=_COLUMN),
    Kind.SET_STACK: Shape(
        response=True, value={"enum": ["none", "stacked", "percent"]}
    ),
    Kind.ADD_PARAMETER: Shape(block=False, name=True, value=_PARAMETER),
    Kind.REMOVE_PARAMETER: Shape(block=False, name=True),
    Kind.SET_DEFAULT: Shape(block=False, name=True, value=_SCALAR),
    Kind.SET_ARGUMENT: Shape(name=True, value=_SCALAR),
    Kind.BIND_PARAMETER: Shape(name=True, value=_TEXT),
}
"""Every kind of edit with the slots it needs."""

_OPTIONAL_NAME: Final = frozenset({Kind.MOVE_BLOCK})
_VALIDATORS: Final = {
    kind: Draft202012Validator(dict(shape.value))
    for kind, shape in SHAPES.items()
    if shape.value is not None
}


@dataclass(frozen=True, slots=True)
class EditFault:
    """Why something is no edit: which one, from 0, and which slot is wrong."""

    index: int
    slot: str
    found: str


def read_edits(raw: Json) -> tuple[Edit, ...] | EditFault:
    """Turn JSON from outside into edits, or say what is wrong with the first bad one.

    A missing response is ``default``; slots a kind does not have must be absent, so
    that nothing is meant and then dropped.
    """
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_EDITS:
        return EditFault(-1, "edits", type(raw).__name__)
    edits = []
    for index, each in enumerate(raw):
        edit = _read_edit(each, index)
        if isinstance(edit, EditFault):
            return edit
        edits.append(edit)
    return tuple(edits)


def edit_as_json(edit: Edit) -> dict[str, Json]:
    """Write an edit; `read_edits` reads it back."""
    shape = SHAPES[edit.kind]
    written: dict[str, Json] = {"kind": edit.kind.value}
    for slot in ("block", "response", "name"):
        if text := getattr(edit, slot):
            written[slot] = text
    if shape.value is not None:
        written["value"] = edit.value
    return written


def edits_as_json(edits: Sequence[Edit]) -> list[Json]:
    return [edit_as_json(edit) for edit in edits]


def _read_edit(raw: Json, index: int) -> Edit | EditFault:
    if not isinstance(raw, dict):
        return EditFault(index, "edit", type(raw).__name__)
    # What a model leaves empty it does not mean.
    given = {name: value for name, value in raw.items() if value not in ("", None)}
    kinds = {kind.value: kind for kind in Kind}
    named = given.pop("kind", None)
    kind = kinds.get(named) if isinstance(named, str) else None
    if kind is None:
        return EditFault(index, "kind", str(named)[:80])
    shape = SHAPES[kind]
    if shape.response:
        given.setdefault("response", "default")
    wanted = {"block": shape.block, "response": shape.response, "name": shape.name}
    for slot, needed in wanted.items():
        found = given.get(slot)
        if needed and not (isinstance(found, str) and len(found) <= 200):
            return EditFault(index, slot, str(found)[:80])
    allowed = {slot for slot, needed in wanted.items() if needed}
    allowed |= {"name"} if kind in _OPTIONAL_NAME else set()
    allowed |= {"value"} if shape.value is not None else set()
    for slot, value in given.items():
        if slot not in allowed or (slot != "value" and not isinstance(value, str)):
            return EditFault(index, slot[:80], str(value)[:80])
    if kind in _VALIDATORS and not _VALIDATORS[kind].is_valid(given.get("value")):
        return EditFault(index, "value", str(given.get("value"))[:80])
    return Edit(
        kind,
        block=str(given.get("block", "")),
        response=str(given.get("response", "")),
        name=str(given.get("name", "")),
        value=given.get("value"),
    )


def edit_schema(*, blocks: Sequence[str], operations: Sequence[str]) -> dict[str, Any]:
    """Return the flat JSON Schema a model is held to, with the real ids in it."""
    scalar = {"type": ["string", "number", "boolean", "array", "object", "null"]}
    text = {"type": "string"}
    edit = {
        "type": "object",
        "additionalProperties": False,
        "required": ["kind"],
        "properties": {
            "kind": {"enum": [kind.value for kind in Kind]},
            "block": {**text, "description": f"One of: {', '.join(blocks)}"},
            "response": text,
            "name": text,
            "value": {
                **scalar,
                "description": f"Operations: {', '.join(operations)}",
            },
        },
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["edits"],
        "properties": {
            "edits": {"type": "array", "maxItems": MOST_EDITS, "items": edit},
            "question": text,
            "refusal": text,
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        },
    }

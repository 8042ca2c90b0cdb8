"""The JSON Schema of a screen document, as published. Pure."""

from __future__ import annotations

from typing import Any, Final

from connectors.parameters import ParameterType
from renderers.presentation import Format
from renderers.schemas import SCHEMAS as OPTIONS
from renderers.schemas import gettext_noop

MAX_BLOCKS: Final = 24
MAX_BYTES: Final = 256 * 1024
MAX_DEADLINE_MS: Final = 60_000
RESERVED_PARAMETERS: Final = frozenset({"page"})
"""Names a page uses in its own address."""

_KEY: Final = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$", "maxLength": 80}
_NAME: Final = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 40}
_DEADLINE: Final = {
    "type": "integer",
    "minimum": 100,
    "maximum": MAX_DEADLINE_MS,
    "title": gettext_noop("Deadline (ms)"),
    "description": gettext_noop("Milliseconds after which nothing is awaited."),
}
_TITLE: Final = {"$ref": "#/$defs/words", "title": gettext_noop("Title")}
_SCALARS: Final = ["null", "boolean", "integer", "number", "string"]


def _text(*, shortest: int = 1) -> dict[str, Any]:
    """Describe a text: plain, or one per language."""
    plain = {"type": "string", "minLength": shortest, "maxLength": 500}
    return {
        "type": ["string", "object"],
        "minLength": shortest,
        "maxLength": 500,
        "minProperties": 1,
        "properties": {"ko": plain, "en": plain},
        "additionalProperties": False,
    }


_ARGUMENT: Final = {
    "type": [*_SCALARS, "array", "object"],
    "items": {"type": _SCALARS},
    "maxItems": 100,
    "required": ["parameter"],
    "properties": {"parameter": _NAME},
    "additionalProperties": False,
}

_PARAMETER: Final = {
    "title": gettext_noop("Parameter"),
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {
            **_NAME,
            "title": gettext_noop("Name"),
            "description": gettext_noop("Stands in the address, such as city."),
        },
        "type": {
            "type": "string",
            "enum": [kind.value for kind in ParameterType],
            "title": gettext_noop("Type"),
        },
        "label": {"$ref": "#/$defs/words", "title": gettext_noop("Label")},
        "required": {"type": "boolean", "title": gettext_noop("Required")},
        "default": {
            "title": gettext_noop("Default"),
            "type": [*_SCALARS, "array"],
            "items": {"type": "string"},
            "maxItems": 100,
        },
        "choices": {
            "title": gettext_noop("Choices"),
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 200},
            "uniqueItems": True,
            "minItems": 1,
            "maxItems": 200,
        },
        "minimum": {
            "type": ["number", "string"],
            "title": gettext_noop("Smallest value"),
        },
        "maximum": {
            "type": ["number", "string"],
            "title": gettext_noop("Largest value"),
        },
    },
    "additionalProperties": False,
}


def _options(form: Format) -> dict[str, Any]:
    return {name: each for name, each in OPTIONS[form].items() if name != "$schema"}


_PRESENTATION: Final = {
    "type": "object",
    "required": ["format"],
    "properties": {
        "format": {
            "type": "string",
            "enum": [form.value for form in Format],
            "title": gettext_noop("How it looks"),
            "description": gettext_noop(
                "After another choice, press Check: its options are shown then."
            ),
        },
        "options": {"type": "object", "title": gettext_noop("Options")},
    },
    "additionalProperties": False,
    "allOf": [
        {
            "if": {
                "required": ["format"],
                "properties": {"format": {"const": form.value}},
            },
            "then": {"properties": {"options": {"$ref": f"#/$defs/{form.value}"}}},
        }
        for form in Format
    ],
}

_BLOCK: Final = {
    "type": "object",
    "required": ["id", "title", "source", "responses"],
    "properties": {
        "id": {
            "type": "string",
            "pattern": "^[a-z][a-z0-9-]*$",
            "maxLength": 40,
            "title": gettext_noop("Id"),
            "description": gettext_noop("Once in its screen; part of addresses."),
        },
        "title": _TITLE,
        "width": {
            "type": "integer",
            "minimum": 1,
            "maximum": 12,
            "title": gettext_noop("Width"),
            "description": gettext_noop("Columns of twelve."),
        },
        "height": {
            "type": "integer",
            "minimum": 1,
            "maximum": 12,
            "title": gettext_noop("Height"),
            "description": gettext_noop("Rows that are reserved."),
        },
        "deadline_ms": _DEADLINE,
        "source": {
            "title": gettext_noop("Source"),
            "description": gettext_noop("One operation, or one decision table."),
            "type": "object",
            "properties": {
                "operation": {**_KEY, "title": gettext_noop("Operation")},
                "decision_table": {**_KEY, "title": gettext_noop("Decision table")},
                "arguments": {
                    "title": gettext_noop("Arguments"),
                    "description": gettext_noop(
                        "What the call takes: fixed values, or parameters of the "
                        "screen."
                    ),
                    "type": "object",
                    "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$"},
                    "additionalProperties": {"$ref": "#/$defs/argument"},
                },
            },
            "additionalProperties": False,
            "oneOf": [{"required": ["operation"]}, {"required": ["decision_table"]}],
        },
        "responses": {
            "title": gettext_noop("Responses"),
            "description": gettext_noop(
                "How each named response looks; an operation has one, called default."
            ),
            "type": "object",
            "minProperties": 1,
            "maxProperties": 20,
            "propertyNames": {"pattern": "^[a-z][a-z0-9_-]*$"},
            "additionalProperties": {"$ref": "#/$defs/presentation"},
        },
    },
    "additionalProperties": False,
}

SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Signalbox screen document",
    "description": (
        "One screen: its parameters, and blocks that each show one operation, or "
        "what one decision table chooses."
    ),
    "type": "object",
    "required": ["version", "title", "blocks"],
    "properties": {
        "version": {"const": 1},
        "title": _TITLE,
        "description": {
            **_text(shortest=0),
            "title": gettext_noop("Description"),
        },
        "deadline_ms": _DEADLINE,
        "parameters": {
            "title": gettext_noop("Parameters"),
            "description": gettext_noop("What a reader may choose on the page."),
            "type": "array",
            "maxItems": 30,
            "items": {"$ref": "#/$defs/parameter"},
        },
        "blocks": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_BLOCKS,
            "items": {"$ref": "#/$defs/block"},
        },
    },
    "additionalProperties": False,
    "$defs": {
        "words": _text(),
        "argument": _ARGUMENT,
        "parameter": _PARAMETER,
        "presentation": _PRESENTATION,
        "block": _BLOCK,
        **{form.value: _options(form) for form in Format},
    },
}

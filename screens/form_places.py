"""Places of a document for which a form is made: pointer, schema, value. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from screens.faults import pointer_to
from screens.form_nodes import Button, Option
from screens.pointers import ABSENT, Found, find
from screens.schema import SCHEMA

Schema: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a form offers besides the schema.

    Attributes:
        options: By the last step of a place: what may be chosen there.
        known: Names for new entries, by the pointer of their map.
        parameters: Names of the screen's parameters.
        longest: Entries of a list or map that are shown as fields.
    """

    options: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    longest: int = 25


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a document: its pointer, schema, value, and how it is called."""

    pointer: str
    schema: Schema
    value: Found
    around: Surroundings
    label: str = ""
    name: str = ""
    required: bool = False
    buttons: tuple[Button, ...] = ()
    item: bool = False

    def inside(self, step: str | int, schema: Schema, **changes: Any) -> Place:
        """Return the place one step further in."""
        pointer = self.pointer + pointer_to((step,))
        body: Any = {} if self.value is ABSENT else self.value
        value = find(body, pointer_to((step,)))
        clean: dict[str, Any] = {
            "label": "", "name": "", "required": False, "buttons": (), "item": False,
        }  # fmt: skip
        given = resolved(schema)
        return replace(
            self, pointer=pointer, schema=given, value=value, **clean | changes
        )


def resolved(schema: Schema) -> Schema:
    """Follow a reference into the definitions; what stands beside it wins."""
    reference = str(schema.get("$ref", ""))
    if not reference:
        return schema
    found: Schema = SCHEMA["$defs"][reference.removeprefix("#/$defs/")]
    beside = {name: each for name, each in schema.items() if name != "$ref"}
    return {**resolved(found), **beside}


def types_of(schema: Schema) -> frozenset[str]:
    """Return the types a schema allows."""
    named = schema.get("type", "string" if "enum" in schema else ())
    return frozenset([named] if isinstance(named, str) else named)


def label_of(name: str, schema: Schema) -> str:
    """Return the title of a place's schema, or its name."""
    return str(resolved(schema).get("title", name))

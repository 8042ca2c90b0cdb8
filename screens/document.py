"""A screen as a document: parse, validate, errors by JSON Pointer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, cast

from connectors.outcomes import Json
from connectors.parameters import (
    Argument,
    Bound,
    ParameterSpec,
    ParameterType,
    parse_arguments,
)
from renderers.presentation import Format, Presentation
from screens.faults import DocumentError, document_faults, parse_bound
from screens.schema import SCHEMA

__all__ = [
    "SCHEMA",
    "Block",
    "Document",
    "DocumentError",
    "FromParameter",
    "Source",
    "Text",
    "document_as_json",
    "parse_document",
]


@dataclass(frozen=True, slots=True)
class Text:
    """A text in several languages; ``in_language`` falls back to any there is.

    A plain text, meant for every language, stands under the language "".
    """

    by_language: Mapping[str, str]

    def in_language(self, language: str) -> str:
        found = self.by_language.get(language)
        if found is None:
            found = next(iter(self.by_language.values()), "")
        return found


@dataclass(frozen=True, slots=True)
class FromParameter:
    """An argument taken from a parameter of the screen."""

    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """What a block shows: one operation, or what a decision table chooses."""

    operation: str = ""
    decision_table: str = ""
    arguments: Mapping[str, Argument | FromParameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """One card of a screen.

    Attributes:
        id: Unique in its document; part of addresses.
        width: Columns of twelve.
        height: Rows of the page's grid that are reserved.
        deadline_ms: Milliseconds for everything the block does.
    """

    id: str
    title: Text
    source: Source
    responses: Mapping[str, Presentation]
    width: int = 6
    height: int = 4
    deadline_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class Document:
    """A whole screen."""

    title: Text
    blocks: tuple[Block, ...]
    description: Text = Text({})
    parameters: tuple[ParameterSpec, ...] = ()
    deadline_ms: int = 10_000


def parse_document(body: Json) -> Document | tuple[DocumentError, ...]:
    """Turn JSON into a document, or return every fault it has.

    The shape is that of `SCHEMA`. The faults carry rule ids and values; their words
    come from ``screens.messages.with_words``.
    """
    faults = document_faults(body)
    if faults:
        return faults
    given = cast("dict[str, Any]", body)
    defaults = Document(Text({}), ())
    return Document(
        title=_text(given["title"]),
        blocks=tuple(_block(block) for block in given["blocks"]),
        description=_text(given.get("description", "")),
        parameters=tuple(_parameter(each) for each in given.get("parameters", [])),
        deadline_ms=int(given.get("deadline_ms", defaults.deadline_ms)),
    )


def document_as_json(document: Document) -> dict[str, Json]:
    """Write a document in full; `parse_document` reads the same document back."""
    return {
        "version": 1,
        "title": _text_as_json(document.title),
        "description": _text_as_json(document.description),
        "deadline_ms": document.deadline_ms,
        "parameters": [_parameter_as_json(each) for each in document.parameters],
        "blocks": [_block_as_json(block) for block in document.blocks],
    }


# --- Reading ----------------------------------------------------------------------
def _text(raw: Any) -> Text:
    if isinstance(raw, str):
        return Text({"": raw} if raw else {})
    return Text(dict(raw))


def _parameter(raw: Mapping[str, Any]) -> ParameterSpec:
    kind = ParameterType(raw.get("type", ParameterType.TEXT))
    spec = ParameterSpec(
        name=raw["name"],
        type=kind,
        required=raw.get("required", False),
        minimum=_bound(raw.get("minimum"), kind),
        maximum=_bound(raw.get("maximum"), kind),
        choices=tuple(raw.get("choices", ())),
        label=_text(raw.get("label", "")).by_language,
    )
    default = parse_arguments([spec], {spec.name: raw.get("default")})
    if isinstance(default, dict):
        return replace(spec, default=default[spec.name])
    return spec


def _bound(raw: Json, kind: ParameterType) -> Bound | None:
    return None if raw is None else parse_bound(raw, kind)


def _block(raw: Mapping[str, Any]) -> Block:
    defaults = Block("", Text({}), Source(), {})
    source = raw["source"]
    return Block(
        id=raw["id"],
        title=_text(raw["title"]),
        source=Source(
            operation=source.get("operation", ""),
            decision_table=source.get("decision_table", ""),
            arguments={
                name: _argument(value)
                for name, value in source.get("arguments", {}).items()
            },
        ),
        responses={
            name: Presentation(Format(each["format"]), each.get("options", {}))
            for name, each in raw["responses"].items()
        },
        width=int(raw.get("width", defaults.width)),
        height=int(raw.get("height", defaults.height)),
        deadline_ms=int(raw.get("deadline_ms", defaults.deadline_ms)),
    )


def _argument(raw: Any) -> Argument | FromParameter:
    if isinstance(raw, dict):
        return FromParameter(raw["parameter"])
    if isinstance(raw, list):
        return tuple(raw)
    return cast("Argument", raw)


# --- Writing ----------------------------------------------------------------------
def _text_as_json(text: Text) -> Json:
    if set(text.by_language) <= {""}:
        return text.by_language.get("", "")
    return dict(text.by_language)


def _parameter_as_json(spec: ParameterSpec) -> dict[str, Json]:
    written: dict[str, Json] = {
        "name": spec.name,
        "type": spec.type.value,
        "required": spec.required,
    }
    if spec.label:
        written["label"] = _text_as_json(Text(spec.label))
    if spec.choices:
        written["choices"] = list(spec.choices)
    for name, value in (
        ("default", spec.default),
        ("minimum", spec.minimum),
        ("maximum", spec.maximum),
    ):
        if value is not None:
            written[name] = _value_as_json(value)
    return written


def _value_as_json(value: Argument | Bound) -> Json:
    """Write a value so that its parameter reads it back: decimals and dates as text."""
    if isinstance(value, tuple):
        return [_value_as_json(item) for item in value]
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def _block_as_json(block: Block) -> dict[str, Json]:
    source: dict[str, Json] = {
        "arguments": {
            name: {"parameter": value.name}
            if isinstance(value, FromParameter)
            else _value_as_json(value)
            for name, value in block.source.arguments.items()
        }
    }
    if block.source.operation:
        source["operation"] = block.source.operation
    else:
        source["decision_table"] = block.source.decision_table
    return {
        "id": block.id,
        "title": _text_as_json(block.title),
        "width": block.width,
        "height": block.height,
        "deadline_ms": block.deadline_ms,
        "source": source,
        "responses": {
            name: {"format": each.format.value, "options": dict(each.options)}
            for name, each in block.responses.items()
        },
    }

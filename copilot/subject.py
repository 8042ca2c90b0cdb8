"""What the copilot speaks about: one document, and what its actor may use. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from connectors.outcomes import Column, Json
from connectors.parameters import ParameterSpec

LANGUAGES: Final = ("ko", "en")


@dataclass(frozen=True, slots=True)
class OperationWords:
    """An operation as the copilot may know it: names and types, never a value."""

    key: str
    label: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    parameters: tuple[ParameterSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """One document and what the actor may use in it.

    Attributes:
        body: The document as it is stored.
        operations: Operations the actor may use; a hidden one is simply not here.
        tables: Responses of the decision tables the actor may use, by key.
        key: Key of the screen.
    """

    body: Mapping[str, Any]
    operations: Mapping[str, OperationWords]
    tables: Mapping[str, frozenset[str]] = field(default_factory=dict)
    key: str = ""

    def with_body(self, body: Mapping[str, Any]) -> Subject:
        return replace(self, body=body)

    @property
    def blocks(self) -> list[dict[str, Any]]:
        return list(self.body.get("blocks", []))

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return list(self.body.get("parameters", []))

    def block(self, name: str) -> dict[str, Any] | None:
        return next((each for each in self.blocks if each["id"] == name), None)

    def parameter(self, name: str) -> dict[str, Any] | None:
        return next((each for each in self.parameters if each["name"] == name), None)

    def operation_of(self, block: Mapping[str, Any]) -> OperationWords | None:
        return self.operations.get(block["source"].get("operation", ""))

    def columns_of(self, block: Mapping[str, Any], response: str) -> tuple[Column, ...]:
        """Return the columns a response may name, with the labels it gives them.

        Columns that only the options name count, too: the operation may declare none.
        """
        operation = self.operation_of(block)
        known = {each.name: each for each in (operation.columns if operation else ())}
        look = block["responses"].get(response, {})
        for name, label in _named(look.get("options", {})):
            column = known.get(name, Column(name))
            known[name] = replace(column, label={**column.label, **label})
        return tuple(known.values())


def words(text: Json) -> dict[str, str]:
    """Read a text of a document by language; a plain one stands under ""."""
    if isinstance(text, str):
        return {"": text} if text else {}
    return {str(k): str(v) for k, v in text.items()} if isinstance(text, dict) else {}


def in_language(text: Json | Mapping[str, str], language: str) -> str:
    """Return a text of a document in a language, or in any there is."""
    found = words(dict(text) if isinstance(text, Mapping) else text)
    return found.get(language) or next(iter(found.values()), "")


def language_of(text: str) -> str:
    """Say whether a text is Korean or English, by its letters."""
    return "ko" if any("가" <= mark <= "힣" for mark in text) else "en"


def shown_columns(options: Mapping[str, Any]) -> list[str]:
    """Return the names of the columns that options of rows list."""
    return [_name(each) for each in options.get("columns", [])]


def _name(column: Any) -> str:
    return str(column["name"]) if isinstance(column, dict) else str(column)


def _named(options: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for each in options.get("columns", []):
        label = each.get("label", {}) if isinstance(each, dict) else {}
        yield _name(each), dict(label)
    for name, label in options.get("labels", {}).items():
        yield str(name), dict(label)
    for slot in ("x", "y", "series", "value"):
        found = options.get(slot, [])
        for name in (
            found
            if isinstance(found, Sequence) and not isinstance(found, str)
            else [found]
        ):
            yield str(name), {}

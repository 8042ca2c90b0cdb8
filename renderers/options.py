"""Validate the options of a presentation against the schema of its format."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from renderers import messages
from renderers.presentation import Format
from renderers.schemas import SCHEMAS

__all__ = ["SCHEMAS", "option_errors"]

RULES = {
    "additionalProperties": "unknown",
    "enum": "choice",
    "type": "type",
    "required": "required",
    "minimum": "minimum",
    "maximum": "maximum",
    "minLength": "too_short",
    "minItems": "too_short",
    "maxLength": "too_long",
    "maxItems": "too_long",
    "maxProperties": "too_long",
    "pattern": "pattern",
    "uniqueItems": "repeated",
}


def option_errors(
    format: Format,  # noqa: A002 - the door's name
    options: Mapping[str, Any],
) -> list[tuple[str, str, str]]:
    """Say what is wrong with `options`, in the active language.

    Returns:
        Triples of a JSON Pointer into the options, the id of the broken rule, and
        the fault with the way out; in the order of the document. Empty when valid.
    """
    errors = _validator(format).iter_errors(dict(options))
    found = [triple for error in errors for triple in _triples(error)]
    return sorted(found)


@cache
def _validator(format: Format) -> Draft202012Validator:  # noqa: A002
    return Draft202012Validator(SCHEMAS[format])


def _triples(error: ValidationError) -> Iterator[tuple[str, str, str]]:
    rule = RULES.get(str(error.validator), str(error.validator))
    schema = error.schema if isinstance(error.schema, dict) else {}
    if rule == "unknown" and isinstance(error.instance, dict):
        known = list(schema.get("properties", {}))
        for name in sorted(set(error.instance) - set(known), key=str):
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
            text = messages.unknown_option(str(name), near=near, known=known)
            yield _pointer([*error.absolute_path, name]), rule, text
        return
    yield (
        _pointer(list(error.absolute_path)),
        rule,
        messages.option_error(
            rule, found=error.instance, expected=error.validator_value
        ),
    )


def _pointer(path: list[Any]) -> str:
    """Write a path as JSON Pointer (RFC 6901)."""
    return "".join(
        "/" + str(part).replace("~", "~0").replace("/", "~1") for part in path
    )

"""What the editor page works with: text to JSON and back, and differences."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, cast

from connectors.outcomes import Json
from screens.document import Document, DocumentError, document_as_json, parse_document
from screens.json_lines import line_of, lines_by_pointer
from tenants.forms import json_fault

_EXCERPT: Final = 120

EMPTY: Final[dict[str, Json]] = {
    "version": 1,
    "title": {"ko": "", "en": ""},
    "parameters": [],
    "blocks": [],
}
"""Where the first version of a screen begins."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a difference: ``added``, ``removed``, ``place`` or ``same``."""

    kind: str
    text: str


def read_json(text: str) -> tuple[Json, DocumentError | None]:
    """Read what somebody typed; the second is the fault when it is no JSON."""
    try:
        body = json.loads(
            text, object_pairs_hook=_once, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        place = f"{error.lineno}:{error.colno}"
        fault = json_fault(error.msg)
        return None, DocumentError("", "not-json", found=fault, expected=place)
    except _Repeated as error:
        return None, DocumentError("", "repeated-key", found=str(error)[:80])
    except (RecursionError, ValueError):
        # Nested too deep, NaN, or an integer of thousands of digits.
        return None, DocumentError("", "number")
    return cast("Json", body), None


class _Repeated(Exception):
    """An object names a key twice; which of both was meant, nobody knows."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        raise _Repeated(next(name for name in names if names.count(name) > 1))
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def as_text(body: Json) -> str:
    """Write a body for people: in the order of the schema when it is a document.

    A database may keep the keys of JSON in an order of its own.
    """
    document = parse_document(body)
    ordered = document_as_json(document) if isinstance(document, Document) else body
    text = json.dumps(ordered, ensure_ascii=False, indent=2)
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair: it can be told as an escape, and never be sent.
        return json.dumps(ordered, indent=2)
    return text


def for_hidden_field(body: Json) -> str:
    """Write a body for a hidden field: ASCII, so that nothing bends it on its way."""
    return json.dumps(body)


@dataclass(frozen=True, slots=True)
class Located:
    """A fault with its place in the text.

    Attributes:
        line: From 1; None when the text is no JSON that could be searched.
        excerpt: That line, without the spaces around it, cut at 120 characters.
        has_form: Whether the place can be shown among the properties.
    """

    error: DocumentError
    line: int | None = None
    excerpt: str = ""
    has_form: bool = False


def located(errors: Sequence[DocumentError], text: str) -> list[Located]:
    """Say of every fault on which line of the text its place begins."""
    if not errors:
        return []
    _body, fault = read_json(text)
    if fault is not None:
        line = _line_of_fault(fault)
        return [Located(error, line, _excerpt(text, line)) for error in errors]
    lines = lines_by_pointer(text)
    found = [(error, line_of(lines, error.pointer)) for error in errors]
    return [
        Located(error, line, _excerpt(text, line), has_form=True)
        for error, line in found
    ]


def _line_of_fault(fault: DocumentError) -> int | None:
    line = fault.expected.partition(":")[0]
    return int(line) if fault.rule == "not-json" and line.isdecimal() else None


def _excerpt(text: str, line: int | None) -> str:
    # Lines as JSON counts them: other characters that end lines do not count.
    found = text.split("\n")[line - 1].strip() if line else ""
    return found if len(found) <= _EXCERPT else found[: _EXCERPT - 1] + "…"


def difference(before: str, after: str) -> list[DiffLine]:
    """Compare two texts as a unified difference without its file names."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), lineterm="", n=3
    )
    return [DiffLine(_kind(line), line) for line in list(lines)[2:]]


def _kind(line: str) -> str:
    kinds = {"+": "added", "-": "removed", "@": "place"}
    return kinds.get(line[:1], "same")

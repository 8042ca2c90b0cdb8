"""From the bytes of an HTTP answer to a table or a text. Pure; may take CPU.

The declared format decides; otherwise the content type; otherwise, for plain text and
answers without a type, the first character.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from functools import lru_cache
from itertools import islice
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from connectors.cells import as_text
from connectors.failures import CallFailed
from connectors.mapping import Mapped, table_from_records, table_from_rows
from connectors.notes import note
from connectors.outcomes import Reason, Table
from connectors.specs import BodyFormat, OperationSpec

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BY_TYPE = {
    "application/json": BodyFormat.JSON,
    "text/json": BodyFormat.JSON,
    "text/csv": BodyFormat.CSV,
    "application/csv": BodyFormat.CSV,
    "text/tab-separated-values": BodyFormat.TSV,
    "application/xml": BodyFormat.TEXT,
    "application/yaml": BodyFormat.TEXT,
    "application/javascript": BodyFormat.TEXT,
}
_DELIMITERS = {BodyFormat.CSV: ",", BodyFormat.TSV: "\t"}
_KOREAN = "cp949"
_READ_AS = {kind: note("read-as", format=kind.value) for kind in BodyFormat}


def read_body(
    body: bytes, spec: OperationSpec, *, content_type: str, charset: str
) -> tuple[Table | str, tuple[str, ...]]:
    """Read an answer as its operation says; return the data and notes about it.

    Args:
        content_type: Lower-case type without parameters, or an empty text.
        charset: As the answer names it, or an empty text.

    Raises:
        CallFailed: UNREADABLE.
    """
    kind, guessed = _format_of(body, spec, content_type)
    text, notes = _decoded(body, kind, spec, charset)
    if kind is BodyFormat.AUTO:
        kind, guessed = _sniffed(text), True
    if guessed:
        notes.append(_READ_AS[kind])
    match kind:
        case BodyFormat.JSON:
            data = _parse_json(text, spec)
            mapped = _rows(_picked(data, spec), spec)
        case BodyFormat.CSV | BodyFormat.TSV:
            mapped = _delimited(text, spec, kind)
        case _:
            return as_text(text), tuple(notes)
    if isinstance(mapped, str):
        return mapped, tuple(notes)
    return mapped.table, (*notes, *mapped.notes)


def _format_of(
    body: bytes, spec: OperationSpec, content_type: str
) -> tuple[BodyFormat, bool]:
    """Return the format and whether it was guessed; AUTO when the text must tell."""
    if spec.body_format is not BodyFormat.AUTO:
        return spec.body_format, False
    if not body.strip():
        # An answer without a body, such as 204, has no rows.
        return (BodyFormat.CSV if spec.columns else BodyFormat.TEXT), False
    if content_type in {"", "text/plain"}:
        return BodyFormat.AUTO, True
    if content_type in _BY_TYPE:
        return _BY_TYPE[content_type], False
    if content_type.endswith("+json"):
        return BodyFormat.JSON, False
    if content_type.startswith("text/") or content_type.endswith("+xml"):
        return BodyFormat.TEXT, False
    raise _unreadable(spec, "content-type", found=content_type[:80])


def _sniffed(text: str) -> BodyFormat:
    if text.lstrip()[:1] not in {"{", "["}:
        return BodyFormat.TEXT
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return BodyFormat.TEXT  # such as a log line that begins with [INFO]
    return BodyFormat.JSON


def _decoded(
    body: bytes, kind: BodyFormat, spec: OperationSpec, charset: str
) -> tuple[str, list[str]]:
    codec = next((name for bom, name in _BOMS if body.startswith(bom)), charset)
    try:
        return body.decode(codec or "utf-8"), []
    except LookupError as error:
        raise _unreadable(spec, "charset-unknown", charset=charset[:40]) from error
    except UnicodeError as error:
        if codec or kind is BodyFormat.JSON:
            raise _unreadable(
                spec, "charset", charset=codec or "utf-8", at=_position(error)
            ) from error
        return _decoded_korean(body, spec, error)


def _decoded_korean(
    body: bytes, spec: OperationSpec, error: UnicodeError
) -> tuple[str, list[str]]:
    """Try the code page that Korean files without a charset are written in."""
    try:
        text = body.decode(_KOREAN)
    except UnicodeError:
        raise _unreadable(
            spec, "charset", charset="utf-8", at=_position(error)
        ) from error
    return text, [note("charset-guessed", charset=_KOREAN)]


def _position(error: UnicodeError) -> int:
    return error.start if isinstance(error, UnicodeDecodeError) else 0


def _parse_json(text: str, spec: OperationSpec) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _unreadable(
            spec, "json", line=error.lineno, column=error.colno
        ) from error
    except (ValueError, RecursionError) as error:  # a number of 4,300 digits, a bomb
        raise _unreadable(spec, "json-too-deep") from error


@lru_cache(maxsize=512)
def compiled_path(expression: str) -> jmespath.parser.ParsedResult:
    """Compile a JMESPath expression once.

    Raises:
        JMESPathError: it does not compile.
    """
    return jmespath.compile(expression)


def _picked(data: Any, spec: OperationSpec) -> Any:
    if not spec.rows_path:
        return data
    try:
        picked = compiled_path(spec.rows_path).search(data)
    except (JMESPathError, TypeError, ValueError, RecursionError) as error:
        raise _unreadable(spec, "rows-path", path=spec.rows_path) from error
    if picked is None:
        raise _unreadable(spec, "rows-path-nothing", path=spec.rows_path)
    return picked


def _rows(data: Any, spec: OperationSpec) -> Mapped | str:
    if data is None:
        return Mapped(Table(spec.columns, ()))
    if isinstance(data, dict):
        return table_from_records([data], spec.columns, row_limit=spec.row_limit)
    if not isinstance(data, list):
        return as_text(data)
    if data and all(isinstance(row, list) for row in data[: spec.row_limit + 1]):
        return _rows_of_lists(data, spec)
    return table_from_records(data, spec.columns, row_limit=spec.row_limit)


def _rows_of_lists(data: list[Any], spec: OperationSpec) -> Mapped:
    rows = [row for row in data[: spec.row_limit + 1] if isinstance(row, list)]
    width = max(map(len, rows))
    names = [column.name for column in spec.columns][:width]
    names += [f"column_{index}" for index in range(len(names) + 1, width + 1)]
    return table_from_rows(
        names, rows, spec.columns, row_limit=spec.row_limit, total=len(data)
    )


def _delimited(text: str, spec: OperationSpec, kind: BodyFormat) -> Mapped:
    """Read RFC 4180 text; its first row is the heading, empty cells are None."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=_DELIMITERS[kind], strict=True
    )
    filled = (row for row in reader if row)
    try:
        heading = next(filled, None)
        rows = list(islice(filled, spec.row_limit + 1))
    except csv.Error as error:
        raise _unreadable(spec, "csv", line=reader.line_num) from error
    if heading is None:
        return Mapped(Table(spec.columns, ()))
    cells = [[cell if cell != "" else None for cell in row] for row in rows]
    return table_from_rows(
        heading, cells, spec.columns, row_limit=spec.row_limit, texts=True
    )


def _unreadable(spec: OperationSpec, rule: str, **values: Any) -> CallFailed:
    return CallFailed(Reason.UNREADABLE, rule, source=spec.source.key, **values)

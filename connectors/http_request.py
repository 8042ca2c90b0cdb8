"""From an operation and its arguments to the request that is sent. Pure.

A placeholder is ``{name}``; any other brace is itself. Values never change the shape
of a request: one path segment, one query value, one header value, one JSON value.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlencode

from connectors.addresses import Address, AddressError, parse_address
from connectors.failures import CallFailed
from connectors.outcomes import Reason
from connectors.parameters import Argument, as_text
from connectors.specs import AuthKind, BodyKind, OperationSpec, SourceSpec

RESERVED = frozenset({"tenant", "user"})
MASK = "***"

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_PATH_LITERALS = "/-._~!$&'()*+,;=:@%"
_FORBIDDEN_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent.

    Attributes:
        method: Such as ``GET``.
        address: Scheme, host, port, encoded path and encoded query.
        headers: Names and values; those in `private` are secrets.
        body: Encoded body, or None.
        private: Lower-case names of headers that prove who we are.
        shown: The address for people, secrets masked; for testers of the operation.
    """

    method: str
    address: Address
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    private: frozenset[str] = frozenset()
    shown: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        return url_of(self.address)

    def shown_headers(self) -> tuple[tuple[str, str], ...]:
        """The headers with every secret masked."""
        return tuple(
            (name, MASK if name.lower() in self.private else value)
            for name, value in self.headers
        )


def url_of(address: Address) -> str:
    """Write an address out, its port always given."""
    query = f"?{address.query}" if address.query else ""
    return f"{address.scheme}://{address.host}:{address.port}{address.path}{query}"


def placeholders(text: str) -> frozenset[str]:
    """Return the names that a template asks for."""
    return frozenset(_PLACEHOLDER.findall(text))


def header_name_error(name: str) -> str:
    """Return the rule a header name breaks, or an empty text."""
    if not _TOKEN.fullmatch(name):
        return "header-name"
    lower = name.lower()
    if lower in _FORBIDDEN_HEADERS or lower.startswith("proxy-"):
        return "header-forbidden"
    return ""


def header_value_ok(value: str) -> bool:
    """Say whether a header can carry the value: Latin-1 without control characters."""
    return _HEADER_VALUE.fullmatch(value) is not None


def build_request(
    spec: OperationSpec, values: Mapping[str, Argument], *, now_accepted: str = "*/*"
) -> Request:
    """Fill an operation's templates.

    Args:
        values: One value for every placeholder, the reserved ones included.
        now_accepted: Value of the ``Accept`` header.

    Raises:
        CallFailed: INVALID, when a value cannot stand where the template puts it;
            REFUSED, when the stored address is not one.
    """
    base = _base(spec.source)
    path = base.path.rstrip("/") + _path(spec.path, values)
    pairs = _pairs(spec.query, values)
    shown_pairs = list(pairs)
    if spec.source.auth is AuthKind.API_KEY_QUERY:
        pairs.append((spec.source.username, spec.source.secret))
        shown_pairs.append((spec.source.username, MASK))
    body, content_type = _body(spec, values)
    headers, private = _headers(spec, values, {"Accept": now_accepted} | content_type)
    address = Address(
        base.scheme,
        base.host,
        base.port,
        path or "/",
        _encoded(pairs),
    )
    shown = _encoded(shown_pairs, safe=MASK)
    return Request(
        method=spec.method,
        address=address,
        headers=tuple(headers.items()),
        body=body,
        private=private,
        shown=f"{spec.method} {path or '/'}" + (f"?{shown}" if shown else ""),
    )


def _encoded(pairs: list[tuple[str, str]], *, safe: str = "") -> str:
    return urlencode(pairs, quote_via=quote, safe=safe) if pairs else ""


def _headers(
    spec: OperationSpec, values: Mapping[str, Argument], headers: dict[str, str]
) -> tuple[dict[str, str], frozenset[str]]:
    """Return all headers, and the lower-case names of those that may be secret."""
    private = {name.lower() for name, _ in spec.source.headers}
    _add_headers(headers, spec.source.headers)
    _add_headers(headers, _filled_headers(spec.headers, values))
    for name, value in _authorization(spec.source):
        private.add(name.lower())
        _add_headers(headers, [(name, value)])
    return headers, frozenset(private)


def _base(source: SourceSpec) -> Address:
    try:
        return _parsed_base(source.base_url)
    except AddressError as error:
        raise CallFailed(Reason.REFUSED, error.rule, source=source.key) from error


@lru_cache(maxsize=1024)
def _parsed_base(text: str) -> Address:
    """Parse a base address once; one that is refused is parsed, and refused, anew."""
    return parse_address(text)


def _add_headers(headers: dict[str, str], more: Iterable[tuple[str, str]]) -> None:
    """Set headers by name in any case; a later one replaces an earlier."""
    for name, value in more:
        for present in [key for key in headers if key.lower() == name.lower()]:
            del headers[present]
        headers[name] = value


def _path(template: str, values: Mapping[str, Argument]) -> str:
    if not template:
        return ""
    pieces = list(_path_pieces(template))
    for index in range(1, len(pieces), 2):
        text = as_text(values.get(pieces[index]))
        if not text:
            raise CallFailed(Reason.INVALID, "path-value-empty", name=pieces[index])
        pieces[index] = quote(text, safe="")
    path = "".join(pieces)
    if any(unquote(segment) in {".", ".."} for segment in path.split("/")):
        raise CallFailed(Reason.INVALID, "path-dots")
    return path


@lru_cache(maxsize=1024)
def _path_pieces(template: str) -> tuple[str, ...]:
    """Split a path template: quoted literals, and between them names of values."""
    template = template if template.startswith("/") else f"/{template}"
    return tuple(
        piece if index % 2 else quote(piece, safe=_PATH_LITERALS)
        for index, piece in enumerate(_PLACEHOLDER.split(template))
    )


def _pairs(
    templates: Iterable[tuple[str, str]], values: Mapping[str, Argument]
) -> list[tuple[str, str]]:
    """Fill query or form values; one that is not given is left out."""
    pairs: list[tuple[str, str]] = []
    for name, template in templates:
        whole = _PLACEHOLDER.fullmatch(template)
        value = values.get(whole[1]) if whole else _filled(template, values)
        if isinstance(value, tuple):
            pairs += [(name, as_text(item)) for item in value]
        elif value is not None:
            pairs.append((name, as_text(value)))
    return pairs


def _filled(template: str, values: Mapping[str, Argument]) -> str:
    return _PLACEHOLDER.sub(lambda found: as_text(values.get(found[1])), template)


def _filled_headers(
    templates: Iterable[tuple[str, str]], values: Mapping[str, Argument]
) -> list[tuple[str, str]]:
    filled = []
    for name, template in templates:
        whole = _PLACEHOLDER.fullmatch(template)
        if whole and values.get(whole[1]) is None:
            continue
        value = _filled(template, values)
        if header_name_error(name) or not header_value_ok(value):
            raise CallFailed(Reason.INVALID, "header-value", name=name)
        filled.append((name, value))
    return filled


def _authorization(source: SourceSpec) -> list[tuple[str, str]]:
    match source.auth:
        case AuthKind.BASIC:
            pair = f"{source.username}:{source.secret}".encode()
            return [("Authorization", f"Basic {base64.b64encode(pair).decode()}")]
        case AuthKind.BEARER:
            name, value = "Authorization", f"Bearer {source.secret}"
        case AuthKind.API_KEY_HEADER:
            name, value = source.username, source.secret
        case _:
            return []
    if header_name_error(name) or not header_value_ok(value):
        raise CallFailed(Reason.REFUSED, "secret-header", source=source.key)
    return [(name, value)]


def _body(
    spec: OperationSpec, values: Mapping[str, Argument]
) -> tuple[bytes | None, dict[str, str]]:
    """Return the encoded body and the header that names its type."""
    if spec.body_kind is BodyKind.NONE or not spec.body:
        return None, {}
    template = json.loads(spec.body)
    if spec.body_kind is BodyKind.FORM:
        templates = [(str(name), str(value)) for name, value in template.items()]
        form = urlencode(_pairs(templates, values)).encode()
        return form, {"Content-Type": "application/x-www-form-urlencoded"}
    filled = _filled_json(template, values)
    text = json.dumps(filled, ensure_ascii=False, default=_json_value)
    return text.encode("utf-8", "replace"), {"Content-Type": "application/json"}


def _filled_json(template: Any, values: Mapping[str, Argument]) -> Any:
    """Fill texts inside JSON; a text that is one placeholder becomes its value."""
    match template:
        case str():
            whole = _PLACEHOLDER.fullmatch(template)
            if whole:
                value = values.get(whole[1])
                return list(value) if isinstance(value, tuple) else value
            return _filled(template, values)
        case list():
            return [_filled_json(item, values) for item in template]
        case dict():
            return {key: _filled_json(item, values) for key, item in template.items()}
        case _:
            return template


def _json_value(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"No JSON for {type(value).__name__}.")

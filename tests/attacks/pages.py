"""What the attacks look at: every address there is, and what a page holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from django.utils import timezone


def in_a_week() -> datetime:
    return timezone.now() + timedelta(days=7)


def body_of(response: Any) -> str:
    """Read a whole answer, streamed or not; the test client closes it at its end."""
    if response.streaming:
        data = b"".join(response.streaming_content)
    else:
        data = response.content
    return data.decode("utf-8", "replace")


def routes() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every route of the portal as ``(route, converters by argument)``."""
    yield from _below(get_resolver(), "", {})


def _below(
    resolver: URLResolver, prefix: str, converters: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in resolver.url_patterns:
        pattern = entry.pattern
        known = converters | getattr(pattern, "converters", {})
        route = prefix + (
            str(pattern) if isinstance(pattern, RoutePattern) else "<regex>"
        )
        if isinstance(entry, URLResolver):
            yield from _below(entry, route, known)
        elif isinstance(entry, URLPattern):
            yield route, known


def filled(route: str, value: str) -> str:
    """Put one value in place of every argument of a route."""
    parts = []
    for piece in route.split("<"):
        _argument, closed, rest = piece.partition(">")
        parts.append(value + rest if closed else piece)
    return "/" + "".join(parts)


class Found(HTMLParser):
    """Elements and attributes of a page, as a browser would find them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inline_scripts: list[str] = []
        self.islands: list[str] = []
        self._script: dict[str, str] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        if tag == "script":
            self._script, self._text = given, ""

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag != "script" or self._script is None:
            return
        if self._script.get("type") == "application/json":
            self.islands.append(self._text)
        elif self._text.strip():
            self.inline_scripts.append(self._text.strip())
        self._script = None


def found_in(html: str) -> Found:
    parser = Found()
    parser.feed(html)
    parser.close()
    return parser


def handlers(found: Found) -> list[tuple[str, str]]:
    """Return every attribute that would run script, and every such address."""
    return [
        (tag, name)
        for tag, attributes in found.elements
        for name, value in attributes.items()
        if name.startswith("on")
        or name in {"style", "srcdoc"}
        or (
            name in {"href", "src", "action", "formaction", "data"}
            and value.strip().lower().startswith(("javascript:", "data:", "vbscript:"))
        )
    ]

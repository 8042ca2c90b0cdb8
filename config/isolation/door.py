"""Requests to the portal in this process, through its own WSGI handler.

The handler is the one that the server calls, with every middleware, and the bytes are
those that would leave. The test client would do nearly the same, but it brings the
test framework into a production process.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils.crypto import get_random_string


@contextmanager
def _connections_kept() -> Iterator[None]:
    """Keep the connections that a server gives back around each request.

    The walk is one long visit: its own rows may stand in an open transaction.
    """
    signals = request_started, request_finished
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks.

    Attributes:
        kind: Which kind of user, such as ``member``.
        session: Key of the session that says who it is; empty for a stranger.
        token: Bearer token of the API; empty for none.
    """

    kind: str
    session: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as text.

    Attributes:
        head: Every header, one a line: redirects, cookies and names of files too.
        body: The whole body, unpacked where it was packed.
    """

    status: int
    head: str
    body: str
    location: str = ""

    @property
    def text(self) -> str:
        return f"{self.head}\n\n{self.body}"


@dataclass(slots=True)
class Door:
    """Where requests are made; counts them."""

    requests: int = 0
    _handler: WSGIHandler = field(default_factory=WSGIHandler)
    _secret: str = field(default_factory=lambda: get_random_string(32))

    def ask(
        self,
        visitor: Visitor,
        address: str,
        *,
        posted: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one request and read its answer to the end.

        Args:
            address: Path and query; the path is not escaped yet.
            posted: Fields of a form; with None the method is GET.
        """
        self.requests += 1
        environ = self._environ(visitor, address, posted)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            started.append((status, headers))

        with _connections_kept():
            response: Any = self._handler(environ, start)
            try:
                body = b"".join(response)
            finally:
                response.close()
        status, headers = started[-1]
        return Answer(
            status=int(status.split(" ", 1)[0]),
            head="\n".join(f"{name}: {value}" for name, value in headers),
            body=readable(body),
            location=dict(headers).get("Location", ""),
        )

    def _environ(
        self, visitor: Visitor, address: str, posted: Mapping[str, str] | None
    ) -> dict[str, Any]:
        path, _mark, query = address.partition("?")
        body = urlencode(posted or {}).encode()
        host = _host()
        cookies: SimpleCookie = SimpleCookie()
        cookies[settings.CSRF_COOKIE_NAME] = self._secret
        cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        if visitor.session:
            cookies[settings.SESSION_COOKIE_NAME] = visitor.session
        environ = {
            "REQUEST_METHOD": "GET" if posted is None else "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": path.encode().decode("latin-1"),
            "QUERY_STRING": quote(query, safe="=&%+"),
            "SERVER_NAME": host,
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": host,
            "HTTP_COOKIE": cookies.output(header="", sep=";"),
            "HTTP_REFERER": f"https://{host}/",
            "HTTP_X_FORWARDED_PROTO": "https",
            "HTTP_X_CSRFTOKEN": self._secret,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if posted is not None:
            environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
            environ["CONTENT_LENGTH"] = str(len(body))
        if visitor.token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {visitor.token}"
        return environ


def _host() -> str:
    """Return a host that the settings allow."""
    for name in settings.ALLOWED_HOSTS:
        if name != "*":
            return str(name).removeprefix(".")
    return "localhost"


def readable(body: bytes) -> str:
    """Return a body as text; packed files (gzip, spreadsheets) as what is in them."""
    return "\n".join(part.decode("utf-8", "replace") for part in _unpacked(body))


def _unpacked(body: bytes) -> Iterator[bytes]:
    if body.startswith(b"\x1f\x8b"):
        yield gzip.decompress(body)
    elif body.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            for name in packed.namelist():
                yield name.encode() + b"\n" + packed.read(name)
    else:
        yield body

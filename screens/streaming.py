"""Stream a page: the head at once, blocks as they finish, and always the tail."""

from __future__ import annotations

import logging
import select
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from screens import frame
from screens.pages import Drawn, OpenPage

logger = logging.getLogger(__name__)

PEEK_S: Final = 0.25
"""Seconds between two looks whether the reader is still there."""

WRITE_TIMEOUT_S: Final = 30
"""Seconds after which a reader who takes nothing is given up."""

_MARKER: Final = mark_safe("<!-- blocks of the screen -->")


class StreamedPage:
    """The bytes of a page, in pieces: head, finished blocks together, tail.

    An iterator object with `close`, and no generator, because a generator that was
    never started cannot be closed. Django calls `close` when the response ends.
    """

    def __init__(
        self, page: OpenPage, head: str, tail: str, request: HttpRequest
    ) -> None:
        self._page = page
        self._tail = tail
        self._socket: socket.socket | None = request.META.get("gunicorn.socket")
        self._done = 0
        self._failed = 0
        self._ended = False
        # Drawn before the response starts: the scope of the request still holds.
        self._head: str | None = head + frame.opening(page)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        if self._head is not None:
            head, self._head = self._head, None
            _limit_writes(self._socket)
            return head.encode()
        while not self._page.finished:
            if drawn := self._page.take(timeout=PEEK_S):
                return self._page.in_context(self._cells, drawn).encode()
            if reader_is_gone(self._socket):
                logger.info("The reader of screen %s left.", self._page.key)
                self.close()
                raise StopIteration
        self.close()
        end = self._page.in_context(self._closing)
        return (end + self._tail).encode()

    def close(self) -> None:
        """Cancel what still runs."""
        self._ended = True
        self._page.close()

    def _cells(self, drawn: Sequence[Drawn]) -> str:
        return "".join(map(self._cell, drawn))

    def _cell(self, drawn: Drawn) -> str:
        self._done += 1
        self._failed += drawn.failed
        try:
            return str(frame.cell(self._page, drawn))
        except Exception:
            # The status is already sent: a cut page would be worse than a bare card.
            logger.exception("Block %s could not be framed.", drawn.block.id)
        self._failed += not drawn.failed
        return str(frame.bare_cell(drawn.block.id))

    def _closing(self) -> str:
        return frame.closing(self._page, done=self._done, failed=self._failed)


def stream_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    page: OpenPage,
) -> HttpResponseBase:
    """Answer with a page whose blocks stream into ``{{ blocks }}`` of the template.

    The template is drawn whole before the first byte is sent, so that sessions,
    messages and form tokens work in it. It puts ``{{ screen_head }}`` into its head.
    """
    extra = {"page": page, "blocks": _MARKER, "screen_head": frame.head(page)}
    try:
        shell = render_to_string(template, {**context, **extra}, request)
        head, _, tail = shell.partition(_MARKER)
        if request.method == "HEAD":
            page.close()
            return _unstored(HttpResponse())
        return _unstored(StreamingHttpResponse(StreamedPage(page, head, tail, request)))
    except BaseException:
        page.close()
        raise


def _unstored(response: HttpResponseBase) -> HttpResponseBase:
    response["X-Accel-Buffering"] = "no"
    response["Cache-Control"] = "no-store"
    return response


def reader_is_gone(connection: socket.socket | None) -> bool:
    """Look at the server's socket; False where the server does not show it."""
    if connection is None:
        return False
    if connection.fileno() < 0:
        return True
    # Not recv with MSG_DONTWAIT alone: on a socket with a timeout Python waits for
    # the whole timeout before it calls recv at all.
    poller = select.poll()
    poller.register(connection, select.POLLIN)
    if not poller.poll(0):
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _limit_writes(connection: socket.socket | None) -> None:
    if connection is not None:
        connection.settimeout(WRITE_TIMEOUT_S)

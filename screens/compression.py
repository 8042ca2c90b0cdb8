"""Compress answers so that streamed pieces still arrive one by one.

Django's own middleware holds a stream back until its compressor has enough; here
every piece is flushed. The gzip header carries a name of random length, which hides
the exact size of a page from an eavesdropper (BREACH, as Django does).
"""

from __future__ import annotations

import re
import secrets
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Self

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.utils.cache import patch_vary_headers

SMALLEST: Final = 500
"""Bytes below which compressing costs more than it saves."""

_LEVEL: Final = 6
_LONGEST_NAME: Final = 100
_ACCEPTS_GZIP: Final = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")


class Gzip:
    """One gzip member, made piece by piece."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._checksum = 0
        self._size = 0

    def head(self) -> bytes:
        """Return the header (RFC 1952): a name is present, and no time."""
        name = b"a" * secrets.randbelow(_LONGEST_NAME)
        return b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + name + b"\0"

    def piece(self, data: bytes) -> bytes:
        """Compress `data` so that the reader can decode all of it at once."""
        self._checksum = zlib.crc32(data, self._checksum)
        self._size += len(data)
        packed = self._compressor.compress(data)
        return packed + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def tail(self) -> bytes:
        ending = struct.pack("<LL", self._checksum, self._size & 0xFFFFFFFF)
        return self._compressor.flush(zlib.Z_FINISH) + ending


class CompressedStream:
    """The compressed pieces of a stream, one for one; closing closes the stream."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._gzip = Gzip()
        self._pending = self._gzip.head()
        self._ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        pending, self._pending = self._pending, b""
        for data in self._pieces:
            return pending + self._gzip.piece(data)
        self._ended = True
        return pending + self._gzip.tail()


class StreamingGZipMiddleware:
    """Compress what a reader accepts, and keep streams flowing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if response.has_header("Content-Encoding"):
            return response
        if isinstance(response, StreamingHttpResponse):
            return _compress_stream(request, response)
        if isinstance(response, HttpResponse) and len(response.content) > SMALLEST:
            return _compress_whole(request, response)
        return response


def _accepts(request: HttpRequest, response: HttpResponseBase) -> bool:
    patch_vary_headers(response, ("Accept-Encoding",))
    return bool(_ACCEPTS_GZIP.search(request.headers.get("Accept-Encoding", "")))


def _compress_stream(
    request: HttpRequest, response: StreamingHttpResponse
) -> HttpResponseBase:
    # Files are served with a length and ranges; an asynchronous stream is not ours.
    if response.is_async or response.has_header("Content-Length"):
        return response
    if not _accepts(request, response):
        return response
    # The response keeps the first stream among the things it closes.
    response.streaming_content = CompressedStream(response.streaming_content)  # type: ignore[arg-type]
    response["Content-Encoding"] = "gzip"
    return response


def _compress_whole(request: HttpRequest, response: HttpResponse) -> HttpResponseBase:
    if not _accepts(request, response):
        return response
    packer = Gzip()
    packed = packer.head() + packer.piece(response.content) + packer.tail()
    if len(packed) >= len(response.content):
        return response
    response.content = packed
    response["Content-Length"] = str(len(packed))
    response["Content-Encoding"] = "gzip"
    etag = response.get("ETag", "")
    if etag.startswith('"'):
        response["ETag"] = "W/" + etag
    return response

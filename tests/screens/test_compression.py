"""Compression that lets every piece through at once."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from screens.compression import Gzip, StreamingGZipMiddleware

LONG = b"signal " * 200


def answer(response: HttpResponseBase, *, accepts: str = "gzip, br") -> Any:
    request = RequestFactory().get("/", headers={"Accept-Encoding": accepts})

    def view(_request: HttpRequest) -> HttpResponseBase:
        return response

    return StreamingGZipMiddleware(view)(request)


def test_every_piece_of_a_stream_can_be_read_before_the_next_is_made() -> None:
    pieces = [b"head ", "블록".encode(), b"tail"]
    waiting: Iterator[bytes] = iter(pieces)
    response = answer(StreamingHttpResponse(waiting))
    reader = zlib.decompressobj(wbits=31)

    packed = iter(response.streaming_content)
    read = [reader.decompress(next(packed)) for _ in pieces]
    rest = reader.decompress(b"".join(packed))

    assert read == pieces
    assert rest == b""
    assert reader.eof
    assert response["Content-Encoding"] == "gzip"
    assert response["Vary"] == "Accept-Encoding"


class Pieces:
    closed = False

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"x"])

    def close(self) -> None:
        self.closed = True


@pytest.mark.django_db(transaction=True)
def test_closing_the_response_closes_the_stream_beneath() -> None:
    pieces = Pieces()

    answer(StreamingHttpResponse(pieces)).close()

    assert pieces.closed


def test_a_whole_answer_is_compressed_when_that_saves_something() -> None:
    response = answer(HttpResponse(LONG, headers={"ETag": '"e"'}))

    assert gzip.decompress(response.content) == LONG
    assert response["Content-Length"] == str(len(response.content))
    assert response["ETag"] == 'W/"e"'


@pytest.mark.parametrize("accepts", ["", "br", "gzip;q=0", "gzip; q=0.0, br"])
def test_a_reader_who_wants_no_gzip_gets_none(accepts: str) -> None:
    response = answer(HttpResponse(LONG), accepts=accepts)

    assert response.content == LONG
    assert "Content-Encoding" not in response
    assert response["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(HttpResponse(b"short"), id="too short to gain"),
        pytest.param(
            HttpResponse(LONG, headers={"Content-Encoding": "br"}), id="done already"
        ),
        pytest.param(
            StreamingHttpResponse([LONG], headers={"Content-Length": "1400"}),
            id="a file with its length",
        ),
    ],
)
def test_what_would_not_gain_is_left_alone(response: HttpResponseBase) -> None:
    before = dict(response.items())

    found = answer(response)

    assert dict(found.items()) == before


def test_the_length_of_the_name_hides_the_exact_size() -> None:
    sizes = {len(Gzip().head()) for _ in range(200)}

    assert len(sizes) > 10


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=6))
def test_any_pieces_come_back_joined(pieces: list[bytes]) -> None:
    packer = Gzip()

    packed = packer.head() + b"".join(map(packer.piece, pieces)) + packer.tail()

    assert gzip.decompress(packed) == b"".join(pieces)

"""From an operation and its arguments to a request."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.failures import CallFailed
from connectors.http_request import MASK, build_request, header_name_error
from connectors.outcomes import Reason
from connectors.specs import AuthKind, BodyKind, OperationSpec, SourceKind, SourceSpec

SECRET = "s3cr3t-planted-here-Zq"
SOURCE = SourceSpec(
    "up", SourceKind.HTTP, 1, "acme", base_url="https://api.example.com/v1/"
)
SPEC = OperationSpec(key="x", source=SOURCE)


def with_auth(kind: AuthKind, username: str = "") -> OperationSpec:
    return replace(
        SPEC, source=replace(SOURCE, auth=kind, username=username, secret=SECRET)
    )


def test_a_path_is_joined_beneath_the_base_address() -> None:
    request = build_request(replace(SPEC, path="sites/{id}"), {"id": 5})

    assert request.url == "https://api.example.com:443/v1/sites/5"


@given(st.text(min_size=1))
def test_a_value_is_always_one_segment_of_the_path(value: str) -> None:
    try:
        request = build_request(replace(SPEC, path="/a/{x}/b"), {"x": value})
    except (CallFailed, UnicodeEncodeError):
        assert value in {".", ".."} or not value.isprintable() or not value
        return
    segments = request.address.path.split("/")
    assert len(segments) == 5
    assert unquote(segments[3]) == value
    assert request.address.path.isascii()


@pytest.mark.parametrize("value", [".", ".."])
def test_dot_segments_are_refused(value: str) -> None:
    with pytest.raises(CallFailed) as caught:
        build_request(replace(SPEC, path="/a/{x}"), {"x": value})

    assert (caught.value.reason, caught.value.rule) == (Reason.INVALID, "path-dots")


@pytest.mark.parametrize("literal", ["/a/%2e%2e/b", "/a/{x}{x}"])
def test_encoded_and_composed_dot_segments_are_refused(literal: str) -> None:
    with pytest.raises(CallFailed):
        build_request(replace(SPEC, path=literal), {"x": "."})


@pytest.mark.parametrize("value", [None, ""])
def test_a_path_needs_its_value(value: str | None) -> None:
    with pytest.raises(CallFailed) as caught:
        build_request(replace(SPEC, path="/{x}"), {"x": value})

    assert caught.value.rule == "path-value-empty"


def test_query_values_are_encoded_repeated_or_left_out() -> None:
    spec = replace(
        SPEC,
        query=(
            ("q", "{q}"),
            ("tag", "{tags}"),
            ("none", "{none}"),
            ("mix", "a-{q}"),
            ("on", "{on}"),
            ("day", "{day}"),
        ),
    )

    request = build_request(
        spec,
        {
            "q": "a&b=c d",
            "tags": ("x", "y"),
            "none": None,
            "on": True,
            "day": date(2026, 1, 2),
        },
    )

    assert request.address.query == (
        "q=a%26b%3Dc%20d&tag=x&tag=y&mix=a-a%26b%3Dc%20d&on=true&day=2026-01-02"
    )


def test_json_keeps_types_and_forms_are_encoded() -> None:
    template = json.dumps(
        {
            "a": "{n}",
            "b": ["{t}", "x-{n}"],
            "c": 1,
            "d": "{l}",
            "e": "{f}",
            "g": "{day}",
        }
    )
    values: dict[str, Any] = {
        "n": Decimal("2.50"),
        "t": 'quote " here',
        "l": ("x",),
        "f": Decimal(3),
        "day": date(2026, 1, 2),
    }
    posted = replace(SPEC, method="POST", body_kind=BodyKind.JSON, body=template)
    form = replace(posted, body_kind=BodyKind.FORM, body='{"a": "{n}", "z": "{none}"}')

    request = build_request(posted, values)

    assert json.loads(request.body or b"") == {
        "a": 2.5, "b": ['quote " here', "x-2.50"], "c": 1, "d": ["x"], "e": 3,
        "g": "2026-01-02",
    }  # fmt: skip
    assert ("Content-Type", "application/json") in request.headers
    assert build_request(form, values).body == b"a=2.50"


@pytest.mark.parametrize(
    ("spec", "header"),
    [
        (with_auth(AuthKind.BEARER), ("Authorization", f"Bearer {SECRET}")),
        (with_auth(AuthKind.API_KEY_HEADER, "X-Key"), ("X-Key", SECRET)),
        (
            with_auth(AuthKind.BASIC, "jo"),
            ("Authorization", "Basic am86czNjcjN0LXBsYW50ZWQtaGVyZS1acQ=="),
        ),
    ],
)
def test_a_request_proves_who_it_is(
    spec: OperationSpec, header: tuple[str, str]
) -> None:
    request = build_request(spec, {})

    assert header in request.headers
    assert dict(request.shown_headers())[header[0]] == MASK


def test_an_api_key_in_the_query_is_masked_for_people() -> None:
    request = build_request(with_auth(AuthKind.API_KEY_QUERY, "key"), {})

    assert f"key={SECRET}" in request.url
    assert request.shown == f"GET /v1?key={MASK}"


def test_nothing_shown_or_logged_of_a_request_holds_a_secret() -> None:
    for kind in AuthKind:
        spec = with_auth(kind, "key")
        request = build_request(spec, {})

        told = f"{spec!r} {spec.source!r} {request!r} {request.shown}"
        told += repr(request.shown_headers())
        assert SECRET not in told


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\x00", "한"])
def test_a_header_cannot_be_injected(value: str) -> None:
    with pytest.raises(CallFailed) as caught:
        build_request(replace(SPEC, headers=(("X-A", "v{x}"),)), {"x": value})

    assert caught.value.rule == "header-value"


def test_a_header_without_its_value_is_left_out() -> None:
    request = build_request(replace(SPEC, headers=(("X-A", "{x}"),)), {"x": None})

    assert "X-A" not in dict(request.headers)


def test_a_secret_with_a_line_break_is_refused_without_being_shown() -> None:
    broken = replace(SOURCE, auth=AuthKind.BEARER, secret="a\nb")

    with pytest.raises(CallFailed) as caught:
        build_request(replace(SPEC, source=broken), {})

    assert (caught.value.reason, caught.value.rule) == (Reason.REFUSED, "secret-header")


def test_a_later_header_replaces_an_earlier_in_any_case() -> None:
    source = replace(SOURCE, headers=(("accept", "text/csv"),))

    request = build_request(replace(SPEC, source=source), {})

    assert [name for name, _ in request.headers] == ["accept"]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Host", "header-forbidden"),
        ("content-length", "header-forbidden"),
        ("Transfer-Encoding", "header-forbidden"),
        ("Connection", "header-forbidden"),
        ("Proxy-Authorization", "header-forbidden"),
        ("a b", "header-name"),
        ("a:b", "header-name"),
        ("", "header-name"),
        ("X-Fine", ""),
    ],
)
def test_names_of_headers_are_checked(name: str, rule: str) -> None:
    assert header_name_error(name) == rule


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(CallFailed) as caught:
        build_request(replace(SPEC, source=replace(SOURCE, base_url="gopher://x")), {})

    assert caught.value.reason is Reason.REFUSED

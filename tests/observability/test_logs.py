"""One line a record, stamped, without secrets, and never an exception."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from observability.logs import JsonFormatter, TextFormatter, current_request
from observability.redaction import LONGEST, is_secret_name, redact, redact_text
from observability.services import current_trace_id, measure
from tenants.scope import using_tenant

PLANTED = "hunter2-planted-secret"


def record(message: object, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "signalbox.test", "levelno": logging.WARNING, "levelname": "WARNING"}
    )
    made.msg, made.args = message, args
    vars(made).update(extra)
    return made


def line(made: logging.LogRecord) -> dict[str, Any]:
    text = JsonFormatter().format(made)
    assert "\n" not in text
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_a_line_is_json_with_time_level_logger_and_message() -> None:
    parsed = line(record("%s orders\nwaiting", 3))

    assert parsed["message"] == "3 orders\nwaiting"
    assert (parsed["level"], parsed["logger"]) == ("WARNING", "signalbox.test")
    assert datetime.fromisoformat(parsed["time"]).utcoffset().total_seconds() == 0  # type: ignore[union-attr]
    assert set(parsed) == {"time", "level", "logger", "message"}


def test_a_line_tells_trace_tenant_and_user_without_a_query() -> None:
    user = SimpleNamespace(pk=42)
    token = current_request.set(SimpleNamespace(_cached_user=user))  # type: ignore[arg-type]
    with measure("page", key="home"), using_tenant(7):
        parsed = line(record("x"))
        trace_id = current_trace_id()
    current_request.reset(token)

    assert parsed["trace_id"] == trace_id
    assert parsed["tenant"] == "7"
    assert len(parsed["user"]) == 12
    assert "42" not in parsed["user"] or parsed["user"] != "42"


def test_a_visitor_has_no_user() -> None:
    token = current_request.set(SimpleNamespace())  # type: ignore[arg-type]
    parsed = line(record("x"))
    current_request.reset(token)

    assert "user" not in parsed


def test_what_was_given_as_extra_is_kept_by_name() -> None:
    parsed = line(record("x", rows=7, nested={"a": [1, None, "b"]}, level="mine"))

    assert parsed["rows"] == 7
    assert parsed["nested"] == {"a": [1, None, "b"]}
    assert parsed["level"] == "WARNING"


SECRETS = {
    "keyword": f"password={PLANTED}",
    "quoted words": f'password="two words {PLANTED}"',
    "json": json.dumps({"client_secret": PLANTED, "ok": 1}),
    "json in json": json.dumps(json.dumps({"client_secret": PLANTED})),
    "repr": repr({"api_key": PLANTED}),
    "prefix and suffix": f"SIGNALBOX_SECRET_KEY_OLD: {PLANTED}",
    "header": f"Authorization: Token {PLANTED}",
    "cookie": f"Cookie: theme=dark; sessionid={PLANTED}",
    "bearer": f"sent Bearer {PLANTED} upstream",
    "basic": f"sent Basic {PLANTED} upstream",
    "jwt": f"got eyJhbGciOiJIUzI1NiJ9.{PLANTED}.{PLANTED}",
    "userinfo": f"postgresql://portal:{PLANTED}@db.example/portal",
    "userinfo with at": f"postgresql://portal:p@ss{PLANTED}@db.example/portal",
    "dsn": f"https://{PLANTED}@sentry.example/1",
    "query": f"GET https://api.example/x?limit=5&access_token={PLANTED}&page=2",
    "short query name": f"https://api.example/x?key={PLANTED}",
    "known prefix": f"use ghp_{PLANTED} please",
    "private key": (
        f"-----BEGIN RSA PRIVATE KEY-----\n{PLANTED}\n-----END RSA PRIVATE KEY-----"
    ),
}


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_no_line_holds_a_planted_secret(
    text: str, formatter: logging.Formatter
) -> None:
    try:
        raise ValueError(text)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)

    for made in (
        record(text),
        record("got %s", text),
        record("got %r", {"note": text}),
        record("x", extra_text=text),
        record("x", exc_info=info),
    ):
        assert PLANTED.encode() not in formatter.format(made).encode()


@pytest.mark.parametrize(
    "extra",
    [
        {"password": PLANTED},
        {"headers": {"X-Api-Key": PLANTED, "Accept": "*/*"}},
        {"rows": [{"csrfmiddlewaretoken": PLANTED}]},
        {"SENTRY_DSN": PLANTED},
        {"token": {"value": PLANTED}},
    ],
    ids=["top", "mapping", "list", "setting", "mapping of a secret name"],
)
def test_no_extra_holds_a_planted_secret(extra: dict[str, object]) -> None:
    assert PLANTED not in JsonFormatter().format(record("x", **extra))


@pytest.mark.parametrize(
    "text",
    [
        "12 input_tokens used",
        "tokens: 5",
        "passenger=Kim",
        "결제 실패 3건",
        "GET http://api.example:8901/x?page=2",
        "mail to jo@example.org",
    ],
)
def test_harmless_text_is_left_alone(text: str) -> None:
    assert redact_text(text) == text


def test_the_host_of_an_address_can_still_be_read() -> None:
    shown = redact_text("postgresql://portal:secret@db.example:5432/portal")

    assert shown == "postgresql://***@db.example:5432/portal"


class Odd:
    def __str__(self) -> str:
        raise RuntimeError("odd")

    __repr__ = __str__


class OddError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("odd")


def odd_records() -> dict[str, logging.LogRecord]:
    circle: dict[str, object] = {}
    circle["again"] = circle
    try:
        raise OddError
    except OddError as error:
        info = (type(error), error, error.__traceback__)
    return {
        "wrong number of arguments": record("%s %s", 1),
        "message that is no text": record(Odd()),
        "odd argument": record("%s", Odd()),
        "odd extra": record("x", odd=Odd()),
        "odd key": record("x", odd={Odd(): 1, 2: 3}),
        "circle": record("x", circle=circle),
        "not a number": record("x", share=float("nan")),
        "bytes": record("x", body=b"\xff\x00"),
        "lone surrogate": record("x \ud800"),
        "odd exception": record("x", exc_info=info),
        "broken stack": record("x", exc_info=(ValueError, ValueError("x"), object())),
        "empty exception": record("x", exc_info=(None, None, None)),
        "very long": record("y" * 100_000),
    }


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
@pytest.mark.parametrize("name", odd_records())
def test_odd_objects_are_logged_and_never_raise(
    name: str, formatter: logging.Formatter
) -> None:
    text = formatter.format(odd_records()[name])

    assert text
    assert len(text) < LONGEST + 1_000
    if isinstance(formatter, JsonFormatter):
        json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} in JSON"))


def test_redaction_takes_no_longer_on_hostile_text() -> None:
    import time

    started = time.perf_counter()
    for text in ("token" * 10_000, "a" * 50_000, "://" * 20_000, "password=\\" * 5_000):
        redact_text(text)

    assert time.perf_counter() - started < 2


def test_a_terminal_line_is_short_and_shows_the_stack() -> None:
    try:
        raise ValueError("no such menu")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)

    first, *rest = TextFormatter().format(record("it broke", exc_info=info)).split("\n")

    assert "WARNING it broke  [signalbox.test]" in first
    assert rest[-1] == "ValueError: no such menu"


@pytest.mark.parametrize("name", ["password", "X-Api-Key", "SENTRY_DSN", "authToken"])
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)
    assert redact(name, "x") == "***"


@pytest.mark.parametrize("name", ["key", "input_tokens", "status", "design"])
def test_names_of_no_secret(name: str) -> None:
    assert not is_secret_name(name)

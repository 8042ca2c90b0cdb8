"""One HTTP exchange: walls, limits, redirects, cancellation."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from connectors import http
from connectors.failures import CallFailed
from connectors.http import Answer
from connectors.http_request import build_request
from connectors.loop import engine
from connectors.outcomes import Reason
from connectors.specs import AuthKind, OperationSpec
from tests.connectors.conftest import SECRET, Upstream


def fetch(spec: OperationSpec, *, seconds: float = 5.0) -> Answer:
    async def run() -> Answer:
        request = build_request(spec, {})
        return await http.exchange(
            request,
            spec.source,
            deadline=time.monotonic() + seconds,
        )

    return engine().run(run())


def refused(spec: OperationSpec, *, seconds: float = 5.0) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        fetch(spec, seconds=seconds)
    return caught.value


def at(spec: OperationSpec, path: str) -> OperationSpec:
    path, _, query = path.partition("?")
    pairs = tuple(tuple(pair.split("=", 1)) for pair in query.split("&") if pair)
    return replace(spec, path=path, query=pairs)  # type: ignore[arg-type]


def test_an_answer_comes_with_its_type_and_body(spec: OperationSpec) -> None:
    answer = fetch(spec)

    assert answer.status == 200
    assert answer.content_type == "application/json"
    assert answer.charset == "utf-8"
    assert b"seoul" in answer.body


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (400, Reason.UPSTREAM),
        (401, Reason.DENIED),
        (403, Reason.DENIED),
        (404, Reason.UPSTREAM),
        (500, Reason.UPSTREAM),
        (503, Reason.UPSTREAM),
        (304, Reason.UPSTREAM),
    ],
)
def test_a_status_that_is_no_success_is_a_failure(
    spec: OperationSpec, code: int, reason: Reason
) -> None:
    failed = refused(at(spec, f"/status/{code}"))

    assert failed.reason is reason
    assert failed.status == code


def test_a_gzip_bomb_stops_at_the_cap(spec: OperationSpec) -> None:
    small = replace(spec.source, max_body_bytes=1024 * 1024)

    failed = refused(replace(at(spec, "/bomb"), source=small))

    assert failed.rule == "body-too-large"
    assert failed.values["limit"] == 1024 * 1024


def test_a_body_of_500_megabytes_stops_at_the_cap(
    spec: OperationSpec, upstream: Upstream
) -> None:
    started = time.monotonic()

    failed = refused(at(spec, "/huge"))

    assert failed.rule == "body-too-large"
    assert upstream.gone.wait(2)
    assert time.monotonic() - started < 4


def test_a_broken_packing_is_unreadable(spec: OperationSpec) -> None:
    failed = refused(at(spec, "/half-gzip"))

    assert (failed.reason, failed.rule) == (Reason.UNREADABLE, "body-broken")


@pytest.mark.parametrize("name", ["br", "gzip, gzip", "x-unknown", "zstd"])
def test_a_packing_we_did_not_offer_is_unreadable(
    spec: OperationSpec, name: str
) -> None:
    failed = refused(at(spec, f"/packed/{name}"))

    assert failed.reason is Reason.UNREADABLE


def test_a_drip_ends_at_the_deadline_and_the_server_sees_it(
    spec: OperationSpec, upstream: Upstream
) -> None:
    started = time.monotonic()

    failed = refused(at(spec, "/drip"), seconds=0.3)

    assert failed.rule == "timeout"
    # It names the time there was, not the longer one the operation may take.
    assert failed.values["limit"] in range(200, 301)
    assert time.monotonic() - started < 1.0
    assert upstream.gone.wait(2)


def test_silence_ends_at_the_read_timeout(spec: OperationSpec) -> None:
    hasty = replace(spec.source, read_timeout_ms=100)

    failed = refused(replace(at(spec, "/slow"), source=hasty))

    assert (failed.reason, failed.rule) == (Reason.TIMEOUT, "timeout-read")


def test_a_cancelled_call_is_seen_by_the_server(
    spec: OperationSpec, upstream: Upstream
) -> None:
    async def run() -> None:
        request = build_request(at(spec, "/slow"), {})
        await http.exchange(request, spec.source, deadline=time.monotonic() + 10)

    future = engine().start(run())
    assert upstream.reached.wait(5)

    future.cancel()

    assert upstream.gone.wait(2)


def test_a_closed_port_is_no_connection(spec: OperationSpec) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        there = replace(
            spec.source,
            base_url=f"http://127.0.0.1:{port}",
            allowed_networks=(f"127.0.0.1:{port}",),
        )

        failed = refused(replace(spec, source=there))

    assert (failed.reason, failed.rule) == (Reason.UPSTREAM, "no-connection")


def raw_server(answer: bytes) -> Callable[[], tuple[socket.socket, int]]:
    def start() -> tuple[socket.socket, int]:
        listening = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            with suppress(OSError):  # until the test closes it
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        connection.recv(65_536)
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return listening, listening.getsockname()[1]

    return start


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (b"", "connection-lost"),
        (b"SSH-2.0-OpenSSH_9\r\n", "not-http"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", "not-http"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "body-broken"),
    ],
)
def test_what_is_not_http_is_told(
    spec: OperationSpec, answer: bytes, rule: str
) -> None:
    listening, port = raw_server(answer)()
    there = replace(
        spec.source,
        base_url=f"http://127.0.0.1:{port}",
        allowed_networks=(f"127.0.0.1:{port}",),
    )

    with listening:
        failed = refused(replace(spec, source=there))

    assert failed.rule == rule


def test_tls_that_is_none_is_told(spec: OperationSpec, upstream: Upstream) -> None:
    there = replace(spec.source, base_url=f"https://127.0.0.1:{upstream.port}")

    failed = refused(replace(spec, source=there))

    assert (failed.reason, failed.rule) == (Reason.UPSTREAM, "tls")


def test_a_name_without_an_address_is_told(spec: OperationSpec) -> None:
    there = replace(spec.source, base_url="http://nothing.invalid")

    failed = refused(replace(spec, source=there))

    assert (failed.reason, failed.rule) == (Reason.UPSTREAM, "name-unknown")


# --- Redirects ------------------------------------------------------------------------


def test_three_redirects_are_followed_and_a_fourth_is_not(spec: OperationSpec) -> None:
    answer = fetch(at(spec, "/hops/2"))
    failed = refused(at(spec, "/hops/3"))

    assert b"seoul" in answer.body
    assert failed.rule == "redirects"


@pytest.mark.parametrize(
    ("target", "rule"),
    [
        ("http://127.0.0.1:1/", "address-inner"),
        ("http://169.254.169.254/latest", "address-metadata"),
        ("//127.0.0.2/x", "address-inner"),
        ("http://[::1]/x", "address-inner"),
        ("http://[::ffff:10.0.0.1]/x", "address-inner"),
        ("http://localhost:1/x", "address-inner"),
        ("file:///etc/passwd", "redirect-address"),
        ("http://user@127.0.0.1/", "redirect-address"),
        ("http://0x7f.1/", "redirect-address"),
    ],
)
def test_a_redirect_meets_every_wall_again(
    spec: OperationSpec, target: str, rule: str
) -> None:
    failed = refused(replace(spec, path="/to", query=(("url", target),)))

    assert (failed.reason, failed.rule) == (Reason.REFUSED, rule)


def test_a_redirect_without_a_target_is_a_failure(spec: OperationSpec) -> None:
    assert refused(at(spec, "/nowhere")).rule == "status"


def test_a_redirect_from_https_to_http_is_refused(spec: OperationSpec) -> None:
    safe = replace(spec.source, base_url="https://example.org")
    request = build_request(replace(spec, source=safe), {})

    with pytest.raises(CallFailed) as caught:
        http._redirected(request, 302, "http://example.org/", safe)

    assert caught.value.rule == "redirect-downgrade"


def test_secrets_stay_at_their_origin(spec: OperationSpec) -> None:
    source = replace(
        spec.source,
        base_url="https://example.org",
        auth=AuthKind.BEARER,
        secret=SECRET,
        headers=(("X-Team", SECRET),),
    )
    request = build_request(replace(spec, source=source), {})

    same = http._redirected(request, 302, "/elsewhere", source)
    other = http._redirected(request, 302, "https://example.org:444/", source)

    assert SECRET in repr(same.headers)
    assert SECRET not in repr(other.headers)


def test_a_redirected_post_becomes_a_get_unless_it_must_stay(
    spec: OperationSpec,
) -> None:
    post = replace(build_request(spec, {}), method="POST", body=b"{}")

    see_other = http._redirected(post, 303, "/x", spec.source)
    temporary = http._redirected(post, 307, "/x", spec.source)

    assert (see_other.method, see_other.body) == ("GET", None)
    assert (temporary.method, temporary.body) == ("POST", b"{}")

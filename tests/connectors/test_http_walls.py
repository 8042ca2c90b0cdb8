"""connectors/http.py: the walls before an address, and what crosses them."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from connectors import http
from connectors.addresses import policy_of
from connectors.failures import CallFailed
from connectors.http import Answer
from connectors.http_request import build_request
from connectors.loop import Engine, engine
from connectors.outcomes import Reason
from connectors.specs import OperationSpec, SourceSpec
from tests.connectors.conftest import Upstream
from tests.connectors.test_http import at, fetch, refused

# --- Walls ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.2",
        "[::ffff:127.0.0.2]",
        "１２７.0.0.2",
        "127。0。0。2",
        "127.1",
        "2130706433",
        "0177.0.0.2",
        "127.0.0.2.",
        "0x7f.0.0.2",
        "0x7f000002",
        "[64:ff9b::7f00:2]",
        "[2002:7f00:2::]",
        "[2001:0:7f00:2::]",
        "[fe80::1%25eth0]",
        "[::127.0.0.2]",
        "localhost",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
    ],
)
def test_no_spelling_of_an_inner_address_gets_through(
    spec: OperationSpec, host: str
) -> None:
    there = replace(spec.source, base_url=f"http://{host}:9/")

    failed = refused(replace(spec, source=there))

    assert failed.reason is Reason.REFUSED


def test_a_name_with_one_inner_answer_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolver = http.CheckedResolver(policy_of(()))

    async def run() -> None:
        loop = asyncio.get_running_loop()

        async def both(*args: Any, **kwargs: Any) -> list[Any]:
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            return [(*kind, ("93.184.216.34", 80)), (*kind, ("10.0.0.1", 80))]

        monkeypatch.setattr(loop, "getaddrinfo", both)
        await resolver.resolve("two.example", 80)

    with pytest.raises(CallFailed) as caught:
        asyncio.run(run())

    assert caught.value.rule == "address-inner"


def test_the_socket_factory_refuses_what_the_others_did_not_see() -> None:
    make = http.checked_socket(policy_of(("127.0.0.1:80",)))
    kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")

    allowed = make((*kind, ("127.0.0.1", 80)))
    with pytest.raises(CallFailed):
        make((*kind, ("127.0.0.1", 81)))

    allowed.close()


def test_a_shrunk_allow_list_closes_the_pooled_connection(spec: OperationSpec) -> None:
    fetch(spec)
    closed = replace(spec.source, allowed_networks=())

    failed = refused(replace(spec, source=closed))

    assert failed.rule == "address-inner"


def test_a_changed_policy_replaces_the_session(spec: OperationSpec) -> None:
    async def session(source: SourceSpec) -> Any:
        return await http._session(source)

    first = engine().run(session(spec.source))
    again = engine().run(session(spec.source))
    wider = replace(
        spec.source, allowed_networks=(*spec.source.allowed_networks, "10.0.0.0/8:443")
    )
    other = engine().run(session(wider))

    assert first is again
    assert other is not first
    assert first.closed


def test_proxies_and_cookies_of_the_environment_are_ignored(
    spec: OperationSpec, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    fetch(at(spec, "/echo"))

    headers = upstream.seen[0]["headers"]
    assert headers["Accept-Encoding"] == "gzip, deflate"
    assert "Cookie" not in headers


def test_only_own_services_learn_of_the_trace(
    spec: OperationSpec, settings: Any
) -> None:
    named = replace(spec.source, base_url="http://weather.example")
    tracer = TracerProvider().get_tracer("test")

    with tracer.start_as_current_span("call"):
        own = http._trace_headers(build_request(spec, {}), spec.source)
        stranger = build_request(replace(spec, source=named), {})
        told_nothing = http._trace_headers(stranger, named)
        settings.SIGNALBOX_TRACE_HOSTS = ["weather.example"]
        told = http._trace_headers(stranger, named)

    assert [name for name, _ in own] == ["traceparent"]
    assert told_nothing == []
    assert [name for name, _ in told] == ["traceparent"]


def test_the_same_answers_come_on_asyncio_without_uvloop(spec: OperationSpec) -> None:
    plain = Engine(threads=1, new_loop=asyncio.new_event_loop)

    async def run(path: str) -> Answer:
        request = build_request(at(spec, path), {})
        return await http.exchange(request, spec.source, deadline=time.monotonic() + 5)

    try:
        answer = plain.run(run("/json"))
        with pytest.raises(CallFailed) as caught:
            plain.run(run("/to?url=http://127.0.0.2:1/"))
    finally:
        plain.shutdown()

    assert answer.status == 200
    assert caught.value.rule == "address-inner"

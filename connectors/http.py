"""One HTTP exchange over aiohttp, behind three walls.

The strict parse sees the address as text, the resolver sees every answer for a name,
and the socket factory sees every address about to be connected to, literals included.
Runs on an engine's loop only.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import ContentEncodingError
from django.conf import settings
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from yarl import URL

from connectors.addresses import (
    Address,
    AddressError,
    Policy,
    first_refusal,
    parse_address,
    policy_of,
)
from connectors.failures import CallFailed
from connectors.http_request import Request, url_of
from connectors.loop import Engine
from connectors.outcomes import Reason
from connectors.specs import SourceSpec

MAX_REDIRECTS = 3
_CHUNK_BYTES = 64 * 1024
_PER_HOST = 64
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_trace_context = TraceContextTextMapPropagator()
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, its body decoded from gzip or deflate.

    Attributes:
        content_type: Lower-case type without parameters; empty when none was given.
        charset: Of the content type; empty when none was given.
    """

    status: int
    content_type: str
    charset: str
    body: bytes


async def exchange(
    request: Request,
    source: SourceSpec,
    *,
    deadline: float,
    redirects: int = MAX_REDIRECTS,
) -> Answer:
    """Send a request and read the whole answer before `deadline`.

    Args:
        redirects: Most redirects that are followed.
        deadline: ``time.monotonic()`` seconds; spans names, connecting, redirects
            and the body.

    Raises:
        CallFailed: with the words' rule; see ``connectors.messages``.
    """
    loop = asyncio.get_running_loop()
    # uvloop's clock is not time.monotonic(), so only the difference is used.
    left = deadline - time.monotonic()
    until = loop.time() + left
    try:
        async with asyncio.timeout_at(until):
            return await _follow(request, source, redirects)
    except (aiohttp.ClientError, TimeoutError) as error:
        _fail(error, source, timeout_ms=max(0, round(left * 1_000)))


async def _follow(request: Request, source: SourceSpec, redirects: int) -> Answer:
    session = await _session(source)
    for _ in range(redirects + 1):
        async with _sent(session, request, source) as response:
            if response.status not in _REDIRECTS:
                return await _read(response, source)
            target = response.headers.get("Location")
            if not target:
                _failed_status(response.status, source)
            request = _redirected(request, response.status, target, source)
    raise CallFailed(Reason.UPSTREAM, "redirects", source=source.key, limit=redirects)


def _sent(
    session: aiohttp.ClientSession, request: Request, source: SourceSpec
) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
    way = _way_to(source.allowed_networks, request.address.host, request.address.port)
    if way.refusal:
        raise CallFailed(Reason.REFUSED, way.refusal, source=source.key)
    return session.request(
        request.method,
        URL(request.url, encoded=True),
        headers=[
            *request.headers,
            *_trace_headers(request, source),
            ("Accept-Encoding", "gzip, deflate"),
        ],
        data=request.body,
        allow_redirects=False,
        timeout=_timeout(source.connect_timeout_ms, source.read_timeout_ms),
    )


@lru_cache(maxsize=256)
def _timeout(connect_ms: int, read_ms: int) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=None, connect=connect_ms / 1000, sock_read=read_ms / 1000
    )


class _Way(NamedTuple):
    """What an allow-list says of a host that is a literal; nothing of a name."""

    refusal: str
    listed: bool


@lru_cache(maxsize=1024)
def _way_to(networks: tuple[str, ...], host: str, port: int) -> _Way:
    """Refuse an inner literal also when a pooled connection to it is still open.

    Kept by the allow-list itself, so that a changed one is asked anew.
    """
    literal = Address("http", host, port).literal
    if literal is None:
        return _Way("", listed=False)
    policy = policy_of(networks)
    return _Way(policy.refusal(literal, port), listed=policy.lists(literal, port))


def _trace_headers(request: Request, source: SourceSpec) -> list[tuple[str, str]]:
    """Return ``traceparent`` for our own services; others learn nothing of a trace.

    Own are literal addresses of the allow-list, and the hosts that
    ``settings.SIGNALBOX_TRACE_HOSTS`` lists.
    """
    address = request.address
    way = _way_to(source.allowed_networks, address.host, address.port)
    if not way.listed and address.host not in getattr(
        settings, "SIGNALBOX_TRACE_HOSTS", ()
    ):
        return []
    carrier: dict[str, str] = {}
    _trace_context.inject(carrier)
    return list(carrier.items())


def _redirected(
    request: Request, status: int, target: str, source: SourceSpec
) -> Request:
    try:
        address = parse_address(urljoin(url_of(request.address), target))
    except (AddressError, ValueError) as error:
        raise CallFailed(
            Reason.REFUSED, "redirect-address", source=source.key
        ) from error
    if request.address.scheme == "https" and address.scheme != "https":
        raise CallFailed(Reason.REFUSED, "redirect-downgrade", source=source.key)
    address = replace(address, path=address.path or "/")
    method, body, headers = request.method, request.body, request.headers
    if status == 303 or (status in {301, 302} and method == "POST"):
        method, body = "GET", None
        headers = tuple(
            pair for pair in headers if not pair[0].lower().startswith("content-")
        )
    if address.origin != request.address.origin:
        headers = tuple(
            pair for pair in headers if pair[0].lower() not in request.private
        )
    return replace(request, method=method, address=address, body=body, headers=headers)


async def _read(response: aiohttp.ClientResponse, source: SourceSpec) -> Answer:
    if not 200 <= response.status < 300:
        _failed_status(response.status, source)
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise CallFailed(
            Reason.UNREADABLE, "encoding", source=source.key, encoding=encoding[:40]
        )
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > source.max_body_bytes:
            raise CallFailed(
                Reason.UNREADABLE,
                "body-too-large",
                source=source.key,
                limit=source.max_body_bytes,
            )
    given = "Content-Type" in response.headers
    return Answer(
        status=response.status,
        content_type=response.content_type.lower() if given else "",
        charset=(response.charset or "") if given else "",
        body=bytes(body),
    )


def _failed_status(status: int, source: SourceSpec) -> NoReturn:
    if status in {401, 403}:
        raise CallFailed(
            Reason.DENIED, "status-denied", status=status, source=source.key
        )
    raise CallFailed(Reason.UPSTREAM, "status", status=status, source=source.key)


def _fail(error: Exception, source: SourceSpec, *, timeout_ms: int) -> NoReturn:
    """Say in our words what aiohttp raised; its own quote addresses."""
    failed: CallFailed
    match error:
        case aiohttp.ConnectionTimeoutError():
            failed = CallFailed(
                Reason.TIMEOUT,
                "timeout-connect",
                source=source.key,
                limit=source.connect_timeout_ms,
            )
        case aiohttp.SocketTimeoutError():
            failed = CallFailed(
                Reason.TIMEOUT,
                "timeout-read",
                source=source.key,
                limit=source.read_timeout_ms,
            )
        case TimeoutError():
            failed = CallFailed(
                Reason.TIMEOUT, "timeout", source=source.key, limit=timeout_ms
            )
        case aiohttp.ClientPayloadError():
            failed = CallFailed(Reason.UNREADABLE, "body-broken", source=source.key)
        case aiohttp.ClientResponseError() if _is_packing(error):
            failed = CallFailed(Reason.UNREADABLE, "encoding-other", source=source.key)
        case aiohttp.ClientResponseError():
            failed = CallFailed(Reason.UPSTREAM, "not-http", source=source.key)
        case aiohttp.ClientSSLError():
            failed = CallFailed(Reason.UPSTREAM, "tls", source=source.key)
        case aiohttp.ClientConnectorDNSError():
            failed = CallFailed(Reason.UPSTREAM, "name-unknown", source=source.key)
        case aiohttp.ClientConnectorError():
            failed = CallFailed(Reason.UPSTREAM, "no-connection", source=source.key)
        case _:
            failed = CallFailed(Reason.UPSTREAM, "connection-lost", source=source.key)
    raise failed from error


def _is_packing(error: BaseException | None) -> bool:
    """Say whether a packing aiohttp has no decoder for lies beneath an error."""
    while error is not None:
        if isinstance(error, ContentEncodingError):
            return True
        error = error.__cause__ or error.__context__
    return False


# --- Sessions ---------------------------------------------------------------------


async def _session(source: SourceSpec) -> aiohttp.ClientSession:
    """Return the client session of this policy and TLS setting.

    A pooled connection outlives a changed allow-list, so a session whose policy has
    changed is closed and replaced.
    """
    kept = Engine.current().kept
    name = ("http", source.verify_tls)
    found = kept.get(name)
    if found is not None and found[0] == source.allowed_networks:
        session = found[1]
        assert isinstance(session, aiohttp.ClientSession)  # noqa: S101 - for mypy
        return session
    session = _new_session(
        policy_of(source.allowed_networks), verify_tls=source.verify_tls
    )
    kept[name] = (source.allowed_networks, session)
    if found is not None:
        await found[1].close()
    return session


def _new_session(policy: Policy, *, verify_tls: bool) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=CheckedResolver(policy),
        socket_factory=checked_socket(policy),
        use_dns_cache=False,
        limit=0,
        limit_per_host=_PER_HOST,
        keepalive_timeout=15,
        ssl=_tls() if verify_tls else False,
    )
    return aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        max_line_size=8190,
        max_field_size=8190,
    )


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class CheckedResolver(AbstractResolver):
    """Resolves names; every answer must pass the policy, or none is used."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        infos = await asyncio.get_running_loop().getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM
        )
        addresses = [str(sockaddr[0]) for *_, sockaddr in infos]
        rule = first_refusal(self._policy, addresses, port)
        if rule:
            raise CallFailed(Reason.REFUSED, rule)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=info[0],
                proto=info[2],
                flags=socket.AI_NUMERICHOST,
            )
            for info, address in zip(infos, addresses, strict=True)
        ]

    async def close(self) -> None:
        """Nothing is kept."""


def checked_socket(policy: Policy) -> Callable[[Any], socket.socket]:
    """Return a factory that makes a socket for a permitted address only."""

    def make(info: Any) -> socket.socket:
        family, kind, proto, _, sockaddr = info
        rule = policy.refusal(ip_address(sockaddr[0]), sockaddr[1])
        if rule:
            raise CallFailed(Reason.REFUSED, rule)
        return socket.socket(family=family, type=kind, proto=proto)

    return make

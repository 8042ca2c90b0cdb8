"""Messages that the portal itself sends: a notification, a question to a model.

The same walls and limits as for data sources. No redirect is followed: only a 2xx
answer of the address itself counts, and a message goes nowhere else.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from django.conf import settings

from connectors import http, messages
from connectors.addresses import AddressError, parse_address
from connectors.failures import CallFailed
from connectors.http_request import Request, header_value_ok
from connectors.loop import engine
from connectors.outcomes import Failure, Reason
from connectors.specs import SourceKind, SourceSpec
from observability.services import measure

DEFAULT_TIMEOUT_MS = 10_000
MAX_ANSWER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """One POST to an address outside.

    Attributes:
        name: What it is for, such as ``webhook`` or ``model``; in messages and
            measurements, so from a small set.
        url: Address; inner ones only where ``SIGNALBOX_INTERNAL_NETWORKS`` lists them.
        body: As sent.
        headers: Names and values, the content type among them.
        timeout_ms: Milliseconds for the whole exchange.
        max_answer_bytes: Largest decoded answer.
    """

    name: str
    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    timeout_ms: int = DEFAULT_TIMEOUT_MS
    max_answer_bytes: int = MAX_ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Sent:
    """The message arrived: what the other side answered, with a status of 2xx."""

    status: int
    body: bytes = field(repr=False)
    elapsed_ms: float = 0.0


def send(message: Message, *, tenant_id: int) -> Sent | Failure:
    """Send a message and wait for the answer; never raises for what fails outside."""
    started = time.monotonic()
    source = SourceSpec(
        message.name,
        SourceKind.HTTP,
        tenant_id,
        "",
        connect_timeout_ms=message.timeout_ms,
        read_timeout_ms=message.timeout_ms,
        max_body_bytes=message.max_answer_bytes,
        allowed_networks=tuple(settings.SIGNALBOX_INTERNAL_NETWORKS),
    )
    deadline = started + message.timeout_ms / 1000
    with measure("outgoing", key=message.name, tenant=str(tenant_id)) as timing:
        try:
            request = _request(message)
            answer = engine().run(
                http.exchange(request, source, deadline=deadline, redirects=0)
            )
        except CallFailed as failed:
            timing.failed(failed.reason.value)
            values = {"source": message.name, **failed.values, "status": failed.status}
            text = messages.failure_text(failed.rule, values)
            return Failure(failed.reason, text, _ms(started), failed.status)
    return Sent(answer.status, answer.body, _ms(started))


def _request(message: Message) -> Request:
    try:
        address = parse_address(message.url)
    except AddressError as error:
        raise CallFailed(Reason.REFUSED, error.rule) from error
    for name, value in message.headers:
        if not header_value_ok(value):
            raise CallFailed(Reason.INVALID, "header-value", name=name)
    return Request(
        method="POST",
        address=replace(address, path=address.path or "/"),
        headers=message.headers,
        body=message.body,
    )


def _ms(started: float) -> float:
    return (time.monotonic() - started) * 1000

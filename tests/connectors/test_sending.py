"""connectors/sending.py: what the portal itself sends, to a real HTTP server."""

import json
import time

import pytest
from django.conf import LazySettings

from connectors.outcomes import Failure, Reason
from connectors.services import Message, Sent, send
from tests.connectors.conftest import SECRET, Upstream


@pytest.fixture
def listed(upstream: Upstream, settings: LazySettings) -> Upstream:
    settings.SIGNALBOX_INTERNAL_NETWORKS = [upstream.network]
    return upstream


def message(upstream: Upstream, path: str, **fields: object) -> Message:
    headers = (("Content-Type", "application/json"), ("X-Signature", SECRET))
    return Message("webhook", f"{upstream.url}{path}", b'{"a": 1}', headers, **fields)  # type: ignore[arg-type]


def test_the_body_and_headers_arrive_and_the_answer_comes_back(
    listed: Upstream,
) -> None:
    sent = send(message(listed, "/echo"), tenant_id=1)

    assert isinstance(sent, Sent), sent
    assert sent.status == 200
    [told] = json.loads(sent.body)
    assert told["method"] == "POST"
    assert told["body"] == '{"a": 1}'
    assert told["headers"]["X-Signature"] == SECRET


@pytest.mark.parametrize(
    ("path", "reason", "status"),
    [
        pytest.param("/status/500", Reason.UPSTREAM, 500, id="an error"),
        pytest.param("/status/401", Reason.DENIED, 401, id="a refusal"),
        pytest.param(
            "/to?status=307&url=/echo", Reason.UPSTREAM, None, id="a redirect"
        ),
    ],
)
def test_anything_but_success_is_a_failure(
    listed: Upstream, path: str, reason: Reason, status: int | None
) -> None:
    failed = send(message(listed, path), tenant_id=1)

    assert isinstance(failed, Failure)
    assert (failed.reason, failed.status) == (reason, status)
    assert SECRET not in failed.message
    assert listed.seen == []


def test_an_inner_address_that_is_not_listed_is_refused(
    upstream: Upstream, settings: LazySettings
) -> None:
    settings.SIGNALBOX_INTERNAL_NETWORKS = []

    failed = send(message(upstream, "/echo"), tenant_id=1)

    assert isinstance(failed, Failure)
    assert failed.reason is Reason.REFUSED
    assert upstream.seen == []


@pytest.mark.parametrize("url", ["", "ftp://example.org/", "http://a b/", "nonsense"])
def test_what_is_no_address_is_told(url: str) -> None:
    failed = send(Message("webhook", url, b""), tenant_id=1)

    assert isinstance(failed, Failure)
    assert failed.reason is Reason.REFUSED
    assert failed.message


def test_a_header_that_cannot_be_sent_is_told(listed: Upstream) -> None:
    bad = Message("model", f"{listed.url}/echo", b"", (("X-Key", "a\r\nb"),))

    failed = send(bad, tenant_id=1)

    assert isinstance(failed, Failure)
    assert failed.reason is Reason.INVALID
    assert listed.seen == []


def test_silence_ends_at_the_timeout(listed: Upstream) -> None:
    started = time.monotonic()

    failed = send(message(listed, "/slow", timeout_ms=300), tenant_id=1)

    assert isinstance(failed, Failure)
    assert failed.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 10


def test_a_large_answer_is_cut_off(listed: Upstream) -> None:
    failed = send(message(listed, "/echo", max_answer_bytes=16), tenant_id=1)

    assert isinstance(failed, Failure)
    assert failed.reason is Reason.UNREADABLE

"""A streamed page: head at once, blocks as they finish, and always the tail."""

from __future__ import annotations

import re
import socket
import time
from unittest import mock

import pytest
from django.http import HttpRequest, StreamingHttpResponse
from django.template import Engine, engines
from django.template.backends.django import DjangoTemplates
from django.test import RequestFactory
from django.utils import translation

from connectors.models import Operation
from screens import frame, streaming
from screens.models import Screen
from screens.services import Addresses, OpenPage, open_screen
from screens.streaming import StreamedPage, stream_page
from tenants.scope import Actor
from tests.screens.conftest import BOUND_S, MakeOperation, MakeScreen, Upstream, block

pytestmark = pytest.mark.usefixtures("in_acme")

HERE = Addresses(
    block=lambda name: f"/m/ops/blocks/{name}/",
    csv=lambda name: f"/m/ops/blocks/{name}.csv",
)


def opened(screen: Screen, actor: Actor, **arguments: str) -> OpenPage:
    page = open_screen(screen, arguments=arguments, actor=actor, addresses=HERE)
    assert isinstance(page, OpenPage), page
    return page


def request_with(connection: socket.socket | None = None) -> HttpRequest:
    request = RequestFactory().get("/")
    if connection is not None:
        request.META["gunicorn.socket"] = connection
    return request


def test_a_page_is_head_cells_and_tail(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("stock", "/rows/stock")
    operation("bad", "/broken")
    page = opened(screen(block("stock", width=4), block("bad", height=2)), chief)

    html = b"".join(StreamedPage(page, "<head>", "<tail>", request_with())).decode()

    assert html.startswith("<head>")
    assert html.endswith("<tail>")
    assert '<template shadowrootmode="open">' in html
    assert html.count('<slot name="b-') == 2
    assert html.index("<slot></slot>") > html.index('<slot name="b-bad">')
    assert '<div class="cell w4 h4" slot="b-stock">' in html
    assert '<div class="cell w6 h2" slot="b-bad">' in html
    assert 'aria-labelledby="block-stock-title"' in html
    assert "2 of 2 blocks loaded, 1 failed." in html
    assert "style=" not in html


def test_skeletons_reserve_the_place_and_lead_to_the_block_alone(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("stock", "/rows/{city}", parameters=["city"])
    made = screen(
        block("stock", arguments={"city": {"parameter": "city"}}),
        parameters=[{"name": "city"}],
    )

    with opened(made, chief, city="A&B") as page:
        html = page.in_context(frame.opening, page)

    assert 'part="skeleton w6 h4"' in html
    assert "Block stock: not here yet." in html
    assert 'href="/m/ops/blocks/stock/?city=A%26B"' in html


def test_the_card_says_where_its_data_comes_from(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("stock", "/rows/stock")

    with opened(screen(block("stock")), chief) as page:
        html = page.in_context(frame.card, page, next(page))

    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "Source: stock" in text
    assert "2 rows" in text
    assert 'hx-target="#block-stock"' in html
    assert 'href="/m/ops/blocks/stock.csv"' in html


def test_titles_and_data_are_escaped(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("stock", "/rows/<script>alert(1)</script>".replace("/script", "x"))
    made = screen(block("stock", title={"en": "<img src=x>"}))

    with opened(made, chief) as page:
        streamed = StreamedPage(page, "", "", request_with())
        html = b"".join(streamed).decode()

    assert "<img" not in html
    assert "<script>" not in html


def test_the_head_and_finished_blocks_are_sent_while_others_run(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("slow", "/gate/slow")
    operation("fast", "/rows/fast")
    page = opened(screen(block("slow"), block("fast")), chief)
    pieces = StreamedPage(page, "HEAD", "TAIL", request_with())

    first, second = next(pieces), next(pieces)
    upstream.opened["slow"].set()
    rest = b"".join(pieces)

    assert first.startswith(b"HEAD")
    assert b"block-fast" in second
    assert b"TAIL" not in second
    assert b"block-slow" in rest
    assert rest.endswith(b"TAIL")


def test_a_reader_who_left_stops_the_calls(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("hang", "/hang/h")
    page = opened(screen(block("hang")), chief)
    ours, theirs = socket.socketpair()
    pieces = StreamedPage(page, "", "TAIL", request_with(ours))
    next(pieces)
    assert upstream.started["h"].wait(BOUND_S)

    theirs.close()
    rest = list(pieces)

    assert rest == []
    assert upstream.left["h"].wait(BOUND_S)
    assert ours.gettimeout() == streaming.WRITE_TIMEOUT_S
    ours.close()


@pytest.mark.parametrize("timeout_s", [None, 30.0])
def test_a_reader_who_waits_is_not_gone(timeout_s: float | None) -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(timeout_s)
    started = time.monotonic()

    assert not streaming.reader_is_gone(None)
    assert not streaming.reader_is_gone(ours)
    theirs.send(b"x")
    assert not streaming.reader_is_gone(ours)
    theirs.close()
    ours.close()
    assert streaming.reader_is_gone(ours)
    # It looks, and never waits: a socket with a timeout once held a page for 30 s.
    assert time.monotonic() - started < 10


def test_a_card_that_cannot_be_framed_costs_itself_only(
    operation: MakeOperation,
    screen: MakeScreen,
    chief: Actor,
    caplog: pytest.LogCaptureFixture,
) -> None:
    operation("a", "/rows/a")
    page = opened(screen(block("a")), chief)

    with mock.patch("screens.frame.cell", side_effect=ZeroDivisionError("a bug")):
        html = b"".join(StreamedPage(page, "", "TAIL", request_with())).decode()

    assert 'slot="b-a"' in html
    assert "1 of 1 block loaded, 1 failed." in html
    assert html.endswith("TAIL")
    assert "could not be framed" in caplog.text


def _engine() -> Engine:
    backend = engines["django"]
    assert isinstance(backend, DjangoTemplates)
    return backend.engine


TEMPLATE = "{{ screen_head }}|before {{ blocks }} after"


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> str:
    """Draw a page's shell from a text instead of a file."""
    made = engines["django"].from_string(TEMPLATE)

    def draw(_name: str, context: dict[str, object], request: HttpRequest) -> str:
        return str(made.render(context, request))

    monkeypatch.setattr(streaming, "render_to_string", draw)
    return "any.html"


def test_the_shell_is_drawn_around_the_blocks(
    operation: MakeOperation, screen: MakeScreen, chief: Actor, template: str
) -> None:
    operation("a", "/rows/a")
    page = opened(screen(block("a")), chief)
    request = request_with()
    request.user = None  # type: ignore[assignment]
    request.tenant = None  # type: ignore[attr-defined]

    with mock.patch.object(_engine(), "template_context_processors", ()):
        response = stream_page(request, template, {}, page=page)

    assert isinstance(response, StreamingHttpResponse)
    html = b"".join(response).decode()
    assert html.index("before") < html.index('id="block-a"') < html.index(" after")
    assert "async" in html
    assert "defer" not in html
    assert response["X-Accel-Buffering"] == "no"
    assert response["Cache-Control"] == "no-store"


def test_a_head_request_leaves_no_run(
    operation: MakeOperation,
    screen: MakeScreen,
    upstream: Upstream,
    chief: Actor,
    template: str,
) -> None:
    operation("a", "/hang/a")
    page = opened(screen(block("a")), chief)
    assert upstream.started["a"].wait(BOUND_S)
    request = request_with()
    request.method = "HEAD"

    with mock.patch.object(_engine(), "template_context_processors", ()):
        response = stream_page(request, template, {}, page=page)

    assert not response.streaming
    assert upstream.left["a"].wait(BOUND_S)


def test_a_shell_that_cannot_be_drawn_leaves_no_run(
    operation: MakeOperation, screen: MakeScreen, upstream: Upstream, chief: Actor
) -> None:
    operation("a", "/hang/a")
    page = opened(screen(block("a")), chief)
    assert upstream.started["a"].wait(BOUND_S)

    with pytest.raises(Exception, match=r"no-such\.html"):
        stream_page(request_with(), "no-such.html", {}, page=page)

    assert upstream.left["a"].wait(BOUND_S)
    assert Operation.objects.count() == 1


def test_skeletons_are_drawn_anew_for_another_language_or_address(
    operation: MakeOperation, screen: MakeScreen, chief: Actor
) -> None:
    operation("stock", "/rows/stock")
    made = screen(block("stock"))
    seen = []

    for language, site in [("ko", "a"), ("en", "a"), ("ko", "a"), ("ko", "b")]:
        address = f"/{site}/{{}}/".format
        there = Addresses(block=address, csv=address)
        with translation.override(language):
            page = open_screen(made, arguments={}, actor=chief, addresses=there)
            assert isinstance(page, OpenPage)
            with page:
                seen.append(frame.opening(page))

    assert seen[0] == seen[2]
    assert len(set(seen)) == 3
    assert "/b/stock/" in seen[3]
    assert "not here yet" in seen[1]

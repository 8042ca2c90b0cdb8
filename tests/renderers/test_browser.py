"""Grids and charts come alive in a real browser under the strict policy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, sync_playwright

from tests.renderers.conftest import Draw, decimals, integers, table
from tests.servers import chromium

pytestmark = pytest.mark.browser

POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:"
TYPES = {".css": "text/css", ".js": "text/javascript"}


class _Site(ThreadingHTTPServer):
    """Serves one page and the static files, with the portal's policy."""

    page = b""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    server: _Site

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        body, kind = self.server.page, "text/html; charset=utf-8"
        if path.startswith("/static/"):
            found = finders.find(path.removeprefix("/static/"))
            body = Path(str(found)).read_bytes()
            kind = TYPES[Path(path).suffix]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the test does."""


@pytest.fixture
def site() -> Iterator[_Site]:
    with _Site(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test when anything reaches its console."""
    said: list[str] = []
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    page.close()
    assert said == []


def serve(site: _Site, *blocks: str) -> str:
    head = render_to_string("renderers/head.html")
    site.page = (
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>Blocks</title>{head}"
        '<link rel="stylesheet" href="/static/admin/css/base.css">'
        '<link rel="stylesheet" href="/static/admin/css/dark_mode.css"></head><body>'
        f"{''.join(blocks)}</body></html>"
    ).encode()
    return site.address


def test_a_grid_sorts_and_filters_and_keeps_its_row_count_true(
    site: _Site, page: Page, draw: Draw
) -> None:
    rows = [[f"site {n} <b>", n * 7 % 120 if n else None] for n in range(120)]
    block = draw(table(["site", integers("stock")], *rows), "grid")
    page.goto(serve(site, block.html))
    page.wait_for_selector("[data-upgraded=yes] .tabulator-row")

    grid = page.locator(".tabulator")
    assert grid.get_attribute("aria-rowcount") == "121"
    assert page.locator(".rb-grid-drawn").is_hidden()
    page.locator(".tabulator-col", has_text="stock").locator(
        ".tabulator-col-title"
    ).click()
    first = page.locator(".tabulator-row").first
    page.wait_for_function(
        "document.querySelector('.tabulator-row').innerText.includes('site 103 <b>')"
    )
    assert "1" in first.inner_text()
    page.get_by_label("Filter stock").press_sequentially(">= 118")
    page.get_by_text("2 of 120 rows").wait_for()
    assert grid.get_attribute("aria-rowcount") == "3"
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_text("120 of 120 rows").wait_for()


@pytest.mark.parametrize("kind", ["line", "bar", "area", "pie", "scatter", "heatmap"])
def test_a_chart_comes_alive_and_follows_the_theme(
    site: _Site, page: Page, draw: Draw, kind: str
) -> None:
    rows = [[a, b, n * 1.5] for n, a in enumerate("xyz") for b in ("<b>", "q")]
    data = table(["a", "b", decimals("v")], *rows)
    page.goto(serve(site, draw(data, "chart", {"type": kind}).html))
    page.wait_for_selector("[data-upgraded=yes] .main-svg")

    plot = page.get_by_role("img", name="Stock by site").first
    plot.wait_for()
    page.locator(".rb-svg").wait_for(state="hidden")
    ink = "document.querySelector('.rb-plotly').layout.font.color"
    assert page.evaluate(ink) == "rgb(51, 51, 51)"
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"{ink} === 'rgb(238, 238, 238)'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_paper_stand_the_drawings_of_the_server(
    site: _Site, page: Page, draw: Draw
) -> None:
    data = table(["a", integers("n")], ["x", 12_345], ["y", 2])
    page.goto(serve(site, draw(data, "grid").html, draw(data, "chart").html))
    page.wait_for_selector(".rb-grid.rb-live .tabulator-row")
    page.wait_for_selector(".rb-plot.rb-live .main-svg")

    page.emulate_media(media="print")

    assert page.locator(".rb-grid-drawn td", has_text="12,345").is_visible()
    assert page.locator(".tabulator").is_hidden()
    assert page.locator(".rb-svg").is_visible()
    assert page.locator(".rb-plotly").is_hidden()


def test_a_block_that_comes_late_is_upgraded_too(
    site: _Site, page: Page, draw: Draw
) -> None:
    block = draw(table([integers("n")], [1], [2]), "grid")
    page.goto(serve(site, "<main></main>"))
    page.wait_for_function("window.SignalboxBlocks")
    assert page.evaluate("typeof window.Tabulator") == "undefined"

    page.evaluate(
        "html => { document.querySelector('main').innerHTML = html }", block.html
    )

    page.wait_for_selector("[data-upgraded=yes] .tabulator-row")


def test_without_scripts_every_number_is_there(
    site: _Site, browser: Browser, draw: Draw
) -> None:
    data = table(["a", integers("n")], ["x", 12_345], ["y", 2])
    address = serve(site, draw(data, "grid").html, draw(data, "chart").html)
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address)

        assert page.locator(".rb-grid-drawn td", has_text="12,345").is_visible()
        assert page.locator(".rb-svg").is_visible()
        page.locator("details > summary").click()
        assert page.locator("details td", has_text="12,345").is_visible()

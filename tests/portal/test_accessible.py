"""Every part of the portal is three clicks away, and axe finds nothing against it.

Each way begins at the portal's home or at the admin's front page and follows links as
a person would. At its end axe-core looks for violations of WCAG 2.2 A and AA, the page
must not scroll sideways, and a picture is written for people to look at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.portal.conftest import Login
from tests.portal.test_journeys import DESKTOP, PHONE, picture, speak

pytestmark = pytest.mark.browser

CLICKS = 3
DESKTOP_SIZE: Any = DESKTOP["viewport"]
PHONE_SIZE: Any = PHONE["viewport"]
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"],
    },
    "resultTypes": ["violations"],
}


@dataclass(frozen=True, slots=True)
class Way:
    """How one page is reached.

    Attributes:
        name: Of its pictures.
        start: Address where the way begins.
        links: Ends of the addresses of the links to follow, one after the other; a
            star stands for the number of a row.
    """

    name: str
    start: str
    links: tuple[str, ...] = ()


LEVELS, LOGS, TRACES = (
    "/admin-tools/latency/", "/admin-tools/logs/", "/admin-tools/traces/",
)  # fmt: skip
SCREENS = "/admin/screens/screen/"
WAYS = (
    Way("home", "/"),
    Way("weather", "/", ("/m/weather/",)),
    Way("resilience", "/", ("/m/resilience/",)),
    Way("inside", "/", ("/m/inside/",)),
    Way("admin", "/admin/"),
    Way("admin-menus", "/admin/", ("/admin/menus/menu/",)),
    Way("admin-operations", "/admin/", ("/admin/connectors/operation/",)),
    Way("admin-tables", "/admin/", ("/admin/branching/decisiontable/",)),
    Way("service-levels", "/admin/", (LEVELS,)),
    Way("objectives", "/admin/", ("/admin/observability/objective/",)),
    Way("alert-rules", "/admin/", ("/admin/observability/alertrule/",)),
    Way("alerts", "/admin/", ("/admin/observability/alert/",)),
    Way("alert", "/admin/", ("/admin/observability/alert/", "/change/")),
    Way("silences", "/admin/", ("/admin/observability/silence/",)),
    Way("alert-channels", "/admin/", ("/admin/observability/alertchannel/",)),
    Way("deliveries", "/admin/", ("/admin/observability/delivery/",)),
    Way("logs", "/admin/", (LEVELS, LOGS)),
    Way("log-levels", "/admin/", ("/admin/observability/loglevel/",)),
    Way("traces", "/admin/", (LEVELS, TRACES)),
    Way("trace", "/admin/", (LEVELS, TRACES, "/admin-tools/traces/*/")),
    Way("screen-properties", "/admin/", (SCREENS, "/screens/weather/properties/")),
    Way(
        "screen-json",
        "/admin/",
        (SCREENS, "/screens/weather/properties/", "/screens/weather/edit/"),
    ),
    Way(
        "screen-versions",
        "/admin/",
        (SCREENS, "/screens/weather/properties/", "/screens/weather/versions/"),
    ),
    Way(
        "copilot",
        "/admin/",
        (
            SCREENS,
            "/screens/weather-next/properties/",
            "/screens/weather-next/copilot/",
        ),
    ),
    Way("suggestion", "/admin/", ("/admin/copilot/suggestion/", "/change/")),
    Way(
        "copilot-reliability",
        "/admin/",
        (
            "/admin/copilot/evaluationrun/",
            "/admin/copilot/evaluationrun/reliability/",
        ),
    ),
    Way("reviews", "/admin/", ("/admin/observability/review/",)),
    Way("review", "/admin/", ("/admin/observability/review/", "/change/")),
    Way("review-findings", "/admin/", ("/admin/observability/reviewfinding/",)),
    Way("system", "/admin/", ("/admin-tools/system/",)),
)


def follow(page: Page, way: Way) -> None:
    """Go the way by clicking links; the sides of the admin are no help."""
    assert len(way.links) <= CLICKS
    page.goto(way.start)
    for end in way.links:
        first, _any, last = end.partition("*")
        link = page.locator(
            f"#container a[href*='{first}'][href$='{last or first}']:visible, "
            f"#container a[href*='{end}?']:visible"
        ).first
        expect(link, f"{way.name}: no link to {end} on {page.url}").to_be_visible()
        with page.expect_navigation():
            link.click()


def sideways(page: Page) -> list[str]:
    wide = page.evaluate(
        "() => document.documentElement.scrollWidth - window.innerWidth"
    )
    return [f"scrolls sideways by {wide} px"] if wide > 0 else []


def violations(page: Page) -> list[str]:
    """Return what axe finds: rule, and the first places."""
    found: dict[str, Any] = Axe().run(page, options=RULES).response
    return [
        f"{each['id']}: {node['html'][:160]} ({'; '.join(node['target'])})"
        for each in found["violations"]
        for node in each["nodes"][:4]
    ]


LOOKS = {
    "ko": (("desktop", "light"), ("phone", "dark")),
    "en": (("desktop", "light"), ("desktop", "dark"), ("phone", "light")),
}


def look(page: Page, size: str, scheme: Any) -> None:
    """Show the page as a reader with such a window and theme opens it."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(PHONE_SIZE if size == "phone" else DESKTOP_SIZE)
    page.reload()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_is_near_and_open_to_everybody(login: Login, language: str) -> None:
    page = login("admin", color_scheme="light", **DESKTOP)
    speak(page, language)
    found: dict[str, list[str]] = {}
    for way in WAYS:
        look(page, "desktop", "light")
        follow(page, way)
        for size, scheme in LOOKS[language]:
            look(page, size, scheme)
            expect(page.locator("html")).to_have_attribute("lang", language)
            expect(page.locator("h1").first).to_be_visible()
            name = f"{way.name}-{size}-{scheme}-{language}"
            picture(page, name)
            if faults := [*sideways(page), *violations(page)]:
                found[name] = faults

    assert found == {}, json.dumps(found, indent=1, ensure_ascii=False)

"""Every part of the portal is three clicks away, and axe finds nothing against it.

Each way begins at the portal's home or at the admin's front page and follows links as
a person would. At its end axe-core looks for violations of WCAG 2.2 A and AA, the page
must not scroll sideways, and a picture is written for people to look at.
"""

from __future__ import annotations

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
        links: Ends of the addresses of the links to follow, one after the other.
    """

    name: str
    start: str
    links: tuple[str, ...] = ()


WAYS = (
    Way("home", "/"),
    Way("weather", "/", ("/m/weather/",)),
    Way("resilience", "/", ("/m/resilience/",)),
    Way("inside", "/", ("/m/inside/",)),
    Way("admin", "/admin/"),
    Way("admin-menus", "/admin/", ("/admin/menus/menu/",)),
    Way("admin-screens", "/admin/", ("/admin/screens/screen/",)),
    Way(
        "screen-editor",
        "/admin/",
        ("/admin/screens/screen/", "/screens/weather/edit/"),
    ),
    Way("admin-operations", "/admin/", ("/admin/connectors/operation/",)),
    Way("admin-tables", "/admin/", ("/admin/branching/decisiontable/",)),
)


def follow(page: Page, way: Way) -> None:
    """Go the way by clicking links; the sides of the admin are no help."""
    assert len(way.links) <= CLICKS
    page.goto(way.start)
    for end in way.links:
        link = page.locator(
            f"#container a[href$='{end}']:visible, #container a[href*='{end}?']:visible"
        ).first
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


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [
        ("desktop", "light", "ko"), ("desktop", "light", "en"),
        ("desktop", "dark", "en"), ("phone", "dark", "ko"), ("phone", "light", "en"),
    ],
)  # fmt: skip
def test_every_page_is_near_and_open_to_everybody(
    login: Login, size: str, scheme: str, language: str
) -> None:
    page = login("admin", color_scheme=scheme, **DESKTOP)
    speak(page, language)
    found: dict[str, list[str]] = {}
    for way in WAYS:
        page.set_viewport_size(DESKTOP_SIZE)
        follow(page, way)
        if size == "phone":
            page.set_viewport_size(PHONE_SIZE)
            page.reload()
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("h1").first).to_be_visible()
        picture(page, f"{way.name}-{size}-{scheme}-{language}")
        if faults := [*sideways(page), *violations(page)]:
            found[way.name] = faults

    assert found == {}

"""People use the portal in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.portal.conftest import SCREENSHOTS, Login, Portal

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True}
HIDDEN_FROM_THE_VIEWER = (
    "/m/resilience/",
    "/m/inside/",
    "/m/resilience/blocks/healthy/",
    "/m/resilience/blocks/healthy.csv",
    "/api/menus/resilience/run/",
)
DESKTOP = {"viewport": {"width": 1360, "height": 900}}


def picture(page: Page, name: str) -> None:
    """Write a screenshot of the whole page for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser complained about; a test that uses it wants none."""
    found: list[str] = []
    yield found
    assert found == []


def listen(page: Page, complaints: list[str]) -> None:
    def keep(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", keep)
    page.on("pageerror", lambda error: complaints.append(str(error)))


def test_the_administrator_sees_all_four_formats(
    login: Login, complaints: list[str]
) -> None:
    page = login("admin", **DESKTOP)
    listen(page, complaints)

    page.goto("/m/weather/")

    expect(page.locator("#block-report strong").first).to_be_visible()
    expect(page.locator("#block-months table caption")).to_have_count(1)
    expect(page.locator("#block-days .tabulator")).to_be_visible()
    expect(page.locator("#block-temperature .js-plotly-plot")).to_be_visible()
    picture(page, "weather-desktop-light-en")


def test_the_operator_sees_a_fallback_and_every_healthy_block(login: Login) -> None:
    page = login("operator", **DESKTOP)

    page.goto("/m/resilience/")

    expect(page.locator("#block-healthy figure")).to_be_visible()
    expect(page.locator("#block-fallback table")).to_be_visible()
    expect(page.locator("#block-fallback")).to_contain_text("500")
    expect(page.locator("#block-hanging")).to_contain_text(re.compile("time|시간"))
    expect(page.locator("section[id^=block-]")).to_have_count(7)
    picture(page, "resilience-desktop-light-en")


def test_the_plan_of_the_tenant_chooses_the_list(login: Login) -> None:
    operator = login("operator", **DESKTOP)
    operator.goto("/m/earthquakes/")
    expect(operator.locator("#block-list")).to_contain_text("pro")
    expect(operator.locator("#block-list .tabulator")).to_be_visible()

    viewer = login("viewer", **DESKTOP)
    viewer.goto("/m/earthquakes/")
    expect(viewer.locator("#block-list table")).to_be_visible()
    expect(viewer.locator("#block-list .tabulator")).to_have_count(0)
    picture(viewer, "earthquakes-free-plan-desktop-light-en")


def test_the_alert_changes_with_the_magnitude(login: Login) -> None:
    page = login("operator", **DESKTOP)

    page.goto("/m/earthquakes/?region=Taiwan")
    expect(page.locator("#block-alert h2, #block-alert h3").last).to_contain_text("6.4")
    picture(page, "earthquakes-pro-plan-desktop-light-en")
    page.goto("/m/earthquakes/?region=Hawaii")

    expect(page.locator("#block-alert dl")).to_be_visible()


def test_a_menu_of_another_tenant_is_not_there(login: Login) -> None:
    page = login("viewer", **DESKTOP)

    for path in HIDDEN_FROM_THE_VIEWER:
        response = page.goto(path)
        assert response is not None
        assert response.status == 404, path
    expect(page.get_by_role("link", name=re.compile("Resilience|장애"))).to_have_count(
        0
    )


@pytest.mark.parametrize("menu", ["weather", "earthquakes", "resilience", "inside"])
def test_with_javascript_off_every_page_shows_its_data(login: Login, menu: str) -> None:
    page = login("operator", java_script_enabled=False, **DESKTOP)

    response = page.goto(f"/m/{menu}/")

    assert response is not None
    assert response.status == 200
    skeletons = page.locator("section[id^=block-]")
    assert skeletons.count() >= 3
    assert page.locator("section[id^=block-] table tbody tr").count() >= 5
    picture(page, f"{menu}-no-javascript-en")


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_pages_fit_every_screen_language_and_theme(
    login: Login, portal: Portal, language: str, scheme: str, size: str
) -> None:
    options = PHONE if size == "phone" else DESKTOP
    page = login("admin", color_scheme=scheme, **options)
    page.locator(f"form button[value={language}]").first.click()

    for path, name in (
        ("/", "home"), ("/m/weather/", "weather"), ("/m/earthquakes/", "earthquakes"),
        ("/m/resilience/", "resilience"), ("/m/overview/", "overview"),
        ("/m/inside/", "inside"),
    ):  # fmt: skip
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("lang", language)
        wide = page.evaluate(
            "() => document.documentElement.scrollWidth - window.innerWidth"
        )
        assert wide <= 0, f"{path} scrolls sideways by {wide} px"
        picture(page, f"{name}-{size}-{scheme}-{language}")


def test_a_misspelt_parameter_is_told_at_its_field(login: Login) -> None:
    page = login("operator", **DESKTOP)

    response = page.goto("/m/weather/?year=1066")

    assert response is not None
    assert response.status == 400
    expect(page.get_by_text("1066").first).to_be_visible()
    picture(page, "bad-parameter-desktop-light-en")


def test_the_page_is_used_by_keyboard_alone(login: Login) -> None:
    page = login("operator", **DESKTOP)
    page.goto("/")

    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text(re.compile("Skip|본문|건너"))
    for _step in range(60):
        page.keyboard.press("Tab")
        focus = page.locator(":focus")
        if "/m/weather/" in (focus.get_attribute("href") or ""):
            break
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile("/m/weather/"))

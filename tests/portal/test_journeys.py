"""People use the portal in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.portal.conftest import SCREENSHOTS, Login, Portal

pytestmark = pytest.mark.browser
# A busy machine needs its time; a test waits only as long as it must.
expect.set_options(timeout=15_000)
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


def speak(page: Page, language: str) -> None:
    """Choose a language as a person does: open the switch, press its button."""
    switch = page.locator("#header details", has=page.locator("[name=language]"))
    switch.locator("summary").click()
    with page.expect_navigation():
        switch.locator(f"button[value={language}]").click()


def tab_to(page: Page, address: str) -> str:
    """Press Tab until a link that begins with `address` has the focus."""
    for _step in range(80):
        page.keyboard.press("Tab")
        focus = page.locator(":focus")
        reached = (focus.get_attribute("href") or "") if focus.count() else ""
        if reached.startswith(address):
            return reached
    raise AssertionError(f"Tab never reached {address}")


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
    picture(page, "weather-desktop-light-ko")


def test_the_operator_sees_a_fallback_and_every_healthy_block(login: Login) -> None:
    page = login("operator", **DESKTOP)

    page.goto("/m/resilience/")

    expect(page.locator("#block-healthy figure")).to_be_visible()
    expect(page.locator("#block-fallback table")).to_be_visible()
    expect(page.locator("#block-fallback")).to_contain_text("500")
    expect(page.locator("#block-hanging")).to_contain_text(re.compile("time|시간"))
    expect(page.locator("section[id^=block-]")).to_have_count(7)
    picture(page, "resilience-desktop-light-ko")


def test_the_plan_of_the_tenant_chooses_the_list(login: Login) -> None:
    operator = login("operator", **DESKTOP)
    operator.goto("/m/earthquakes/")
    expect(operator.locator("#block-list")).to_contain_text("pro")
    expect(operator.locator("#block-list .tabulator")).to_be_visible()

    viewer = login("viewer", **DESKTOP)
    viewer.goto("/m/earthquakes/")
    expect(viewer.locator("#block-list table")).to_be_visible()
    expect(viewer.locator("#block-list .tabulator")).to_have_count(0)
    picture(viewer, "earthquakes-free-plan-desktop-light-ko")


def test_the_alert_changes_with_the_magnitude(login: Login) -> None:
    page = login("operator", **DESKTOP)

    page.goto("/m/earthquakes/?region=Taiwan")
    expect(page.locator("#block-alert h2, #block-alert h3").last).to_contain_text("6.4")
    picture(page, "earthquakes-pro-plan-desktop-light-ko")
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
    picture(page, f"{menu}-no-javascript-ko")


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_pages_fit_every_screen_language_and_theme(
    login: Login, portal: Portal, language: str, scheme: str, size: str
) -> None:
    options = PHONE if size == "phone" else DESKTOP
    page = login("admin", color_scheme=scheme, **options)
    speak(page, language)

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
    picture(page, "bad-parameter-desktop-light-ko")


def test_the_page_is_used_by_keyboard_alone(login: Login) -> None:
    page = login("operator", **DESKTOP)
    page.goto("/")

    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("href", "#content-start")
    expect(page.locator(":focus")).to_be_in_viewport()
    tab_to(page, "/m/weather/")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile("/m/weather/"))
    expect(page.locator("#block-days .tabulator")).to_be_visible()
    tab_to(page, "/m/weather/blocks/temperature/")
    page.keyboard.press("Enter")
    expect(page.locator("#block-temperature .js-plotly-plot")).to_be_visible()
    expect(page.locator("h1")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_tab_follows_the_page_though_blocks_come_in_another_order(
    login: Login, *, scripts: bool
) -> None:
    page = login("operator", java_script_enabled=scripts, **DESKTOP)
    page.goto("/m/resilience/")
    blocks = page.locator("section[id^=block-]")
    expect(blocks).to_have_count(7)
    came = [blocks.nth(at).get_attribute("id") or "" for at in range(7)]
    if not scripts:  # with scripts the cells have been put in order by now
        assert came[-1] == "block-hanging"

    order: list[str] = []
    while "healthy" not in order and len(order) < 30:
        address = tab_to(page, "/m/resilience/blocks/")
        order.append(re.split("[/.]", address)[4])

    order = list(dict.fromkeys(order))
    assert order == [
        "hanging", "fallback", "static", "malformed", "slow", "empty", "healthy",
    ]  # fmt: skip


def test_the_first_block_is_there_before_the_slowest_has_ended(login: Login) -> None:
    page = login("operator", java_script_enabled=False, **DESKTOP)

    page.goto("/m/resilience/", wait_until="commit")

    expect(page.locator("section[id^=block-]").first).to_be_visible()
    assert page.locator("#block-hanging").count() == 0
    expect(page.locator("#block-hanging")).to_be_visible()


def test_a_click_on_a_heading_sorts_the_grid(login: Login) -> None:
    page = login("operator", **DESKTOP)
    page.goto("/m/weather/?year=2015")
    first = page.locator("#block-days .tabulator-row").first
    expect(first).to_contain_text("2015-01-01")

    heading = page.locator("#block-days .tabulator-col").nth(2)
    heading.locator(".tabulator-col-title").click()

    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(first).not_to_contain_text("2015-01-01")


def test_the_language_is_changed_by_keyboard_and_without_scripts(login: Login) -> None:
    page = login("viewer", java_script_enabled=False, **DESKTOP)
    switch = page.locator("#header details", has=page.locator("[name=language]"))
    switch.locator("summary").focus()

    page.keyboard.press("Enter")
    choices = switch.locator("button")
    expect(choices).to_have_text(["한국어", "English"])
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("English")
    page.keyboard.press("Enter")

    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(switch.locator("button")).to_have_text(["한국어", "English"])


def test_nothing_moves_while_blocks_come_and_scripts_upgrade_them(login: Login) -> None:
    page = login("operator", **DESKTOP)
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => {"
        "  for (const entry of list.getEntries()) window.moved += entry.value;"
        "}).observe({type: 'layout-shift', buffered: true});"
    )

    page.goto("/m/weather/")
    expect(page.locator("#block-days .tabulator")).to_be_visible()
    expect(page.locator("#block-temperature .js-plotly-plot")).to_be_visible()

    assert page.evaluate("window.moved") <= 0.02


def test_numbers_stand_whole_in_small_cards(login: Login) -> None:
    page = login("operator", **DESKTOP)

    page.goto("/m/overview/")

    for block in ("quakes", "strongest", "renewable-share", "rainy"):
        body = page.locator(f"#block-{block} .block-body")
        expect(body.locator(".rb-number-value")).to_be_visible()
        assert body.evaluate("body => body.scrollHeight <= body.clientHeight"), block
    expect(page.locator("#block-electricity figcaption")).to_contain_text("2001")


def test_a_finger_hits_what_can_be_tapped(login: Login) -> None:
    page = login("operator", **PHONE)
    page.goto("/m/weather/")
    expect(page.locator("section[id^=block-]")).to_have_count(4)

    small = page.evaluate(
        """() => [...document.querySelectorAll(
          'header a, header button, header summary, nav summary, .menu-tree a,'
          + ' main button, main select, main summary, .block-links a'
        )].filter(e => e.checkVisibility() && !e.closest('.tabulator'))
          .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
          .filter(([, box]) => box.width && (box.height < 24 || box.width < 24))
          .map(([html]) => html)"""
    )

    assert small == []

"""Staff build a page from nothing, by hand, with what the admin tells them."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.portal.conftest import Login
from tests.portal.test_journeys import DESKTOP, PHONE, picture, speak

pytestmark = pytest.mark.browser

PAGES_OF_STAFF = (
    "/admin/",
    "/admin/connectors/operation/",
    "/admin/connectors/operation/add/",
    "/admin/branching/decisiontable/add/",
    "/admin/branching/fact/add/",
    "/admin/menus/menu/",
    "/admin/menus/menu/add/",
    "/screens/weather/edit/",
    "/screens/weather/properties/",
    "/screens/weather/properties/?open=/blocks/3",
    "/screens/weather/versions/",
    "/screens/weather/compare/?from=1&to=1",
)


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        field = page.locator(f"#id_{name}")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)


def save(page: Page) -> None:
    page.locator("input[name=_save]").click()
    page.wait_for_load_state()
    assert page.locator(".errorlist").all_inner_texts() == []


def document(**response: object) -> str:
    block = {
        "id": "days",
        "title": {"en": "Days by hand"},
        "source": {"decision_table": "hand-table"},
        "responses": {"default": response, "few": {"format": "text"}},
    }
    return json.dumps(
        {"version": 1, "title": {"en": "By hand"}, "parameters": [], "blocks": [block]}
    )


def make_source_and_operation(page: Page) -> None:
    page.goto("/admin/connectors/datasource/")
    page.get_by_role("link", name="demo-api").click()
    address = page.locator("#id_address").input_value()
    page.goto("/admin/connectors/datasource/add/")
    fill(page, key="hand-source", kind="HTTP service", address=address)
    save(page)

    page.goto("/admin/connectors/operation/add/")
    fill(
        page,
        key="hand-days",
        source="hand-source",
        path="/weather/daily",
        query='{"limit": "{limit}"}',
        rows_path="data",
    )
    page.get_by_role("button", name="Add another Parameter").click()
    fill(page, **{"parameters-0-name": "limit", "parameters-0-type": "whole number"})
    fill(page, **{"parameters-0-default": "3"})
    save(page)


def make_table(page: Page) -> None:
    page.goto("/admin/branching/fact/add/")
    fill(page, key="hand_plan", model="demo.Subscription", field="plan")
    save(page)

    page.goto("/admin/branching/decisiontable/add/")
    fill(page, key="hand-table", default_operation="hand-days")
    fill(
        page,
        fallbacks='[{"on": ["timeout", "upstream"], "kind": "static", '
        '"response": "few", "static": "Nothing today."}]',
    )
    for number, key in enumerate(("pro", "free")):
        page.get_by_role("button", name="Add another Rule").click()
        names = {"key": key, "operation": "hand-days", "arguments": '{"limit": 5}'}
        fill(page, **{f"rules-{number}-{name}": text for name, text in names.items()})
    save(page)
    for key in ("pro", "free"):
        page.goto("/admin/branching/rule/?q=hand-table")
        page.get_by_role("link", name=key, exact=True).click()
        fill(page, **{"conditions-0-name": "hand_plan", "conditions-0-value": key})
        save(page)


def make_screen(page: Page) -> None:
    page.goto("/admin/screens/screen/add/")
    fill(page, key="by-hand")
    page.locator("input[name=_save]").click()
    page.get_by_role("link", name="JSON", exact=True).click()
    expect(page.locator("#document-text")).to_be_visible()
    expect(page.locator(".document-help pre")).to_be_visible()


def save_draft(page: Page, text: str) -> None:
    page.locator("#document-text").fill(text)
    page.get_by_role("button", name="Save as a draft").click()
    page.wait_for_load_state()


def publish(page: Page) -> None:
    page.get_by_role("link", name="Versions", exact=True).click()
    page.get_by_role("button", name="Publish").first.click()
    page.wait_for_load_state()


def test_a_page_is_built_from_nothing_and_read(login: Login) -> None:
    page = login("admin", **DESKTOP)
    speak(page, "en")

    make_source_and_operation(page)
    page.get_by_role("link", name="hand-days").first.click()
    page.get_by_role("link", name="Test", exact=True).click()
    page.get_by_role("button", name="Call the operation").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    picture(page, "staff-operation-test")

    make_table(page)
    page.goto("/admin/branching/decisiontable/?q=hand-table")
    page.get_by_role("link", name="Try it").click()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Rule pro answered.")).to_be_visible()
    picture(page, "staff-try-table")

    make_screen(page)
    save_draft(page, document(format="table"))
    page.locator("#document-text").wait_for()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#block-days tbody tr")).to_have_count(5)
    page.goto("/screens/by-hand/edit/")
    publish(page)
    expect(page.get_by_text("Version 1 is published.")).to_be_visible()

    page.get_by_role("link", name="JSON", exact=True).first.click()
    save_draft(page, document(format="grid"))
    publish(page)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".diff-added").first).to_contain_text("grid")
    picture(page, "staff-compare")
    page.goto("/screens/by-hand/versions/")
    page.get_by_role("button", name="Back to this version").click()
    expect(page.get_by_text("Version 3 is published.")).to_be_visible()

    page.goto("/admin/menus/menu/add/")
    fill(page, label_ko="손으로", label_en="By hand", slug="by-hand", kind="screen")
    fill(page, screen="By hand")
    team = page.locator("#id_allowed_teams_from")
    team.select_option(label="Operators")
    page.locator("#id_allowed_teams_add").click()
    save(page)

    reader = login("operator", **DESKTOP)
    reader.goto("/m/by-hand/")
    expect(reader.locator("#block-days tbody tr")).to_have_count(5)


def test_a_screen_is_edited_by_properties_and_previewed_as_a_reader(
    login: Login,
) -> None:
    page = login("admin", **DESKTOP)
    speak(page, "en")
    page.goto("/screens/weather/properties/")

    page.get_by_role("textbox", name="English").first.fill("Weather by forms")
    page.locator("button[value='open:/blocks/0']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#part-title")).to_contain_text("Block:")
    page.get_by_label("Width", exact=True).first.fill("99")
    page.get_by_role("button", name="Save as a draft").click()
    error = page.locator("[id='at/blocks/0/width-errors']")
    expect(error).to_contain_text("99 is above the largest value 12.")
    picture(page, "editor-errors")
    page.get_by_label("Width", exact=True).first.fill("12")

    page.get_by_label("Shown as").select_option(label="operator")
    page.locator("#preview-width").select_option("phone")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview-banner")).to_contain_text("operator")
    expect(page.locator("#screen-summary")).to_be_visible()
    picture(page, "editor-preview-as")
    page.get_by_role("button", name="Back to the editor").click()
    expect(page.get_by_label("Width", exact=True).first).to_have_value("12")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("is saved as a draft.")).to_be_visible()

    page.goto("/screens/weather/compare/?from=1&to=2")
    expect(page.locator(".version-changes")).to_contain_text("title")
    expect(page.locator(".version-changes")).to_contain_text("width")
    picture(page, "editor-compare")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_page_of_staff_scrolls_sideways_and_filters_are_at_hand(
    login: Login, language: str
) -> None:
    page = login("operator", **PHONE)
    speak(page, language)

    for path in PAGES_OF_STAFF:
        page.goto(path)
        wider = "document.documentElement.scrollWidth - window.innerWidth"
        assert page.evaluate(wider) <= 0, path

    page.goto("/admin/connectors/operation/")
    fold = page.locator(".list-filters > summary")
    list_top = page.locator("#result_list").bounding_box()
    fold_top = fold.bounding_box()
    assert list_top is not None
    assert fold_top is not None
    assert fold_top["y"] < list_top["y"]
    fold.click()
    page.locator("#changelist-filter a[href*='source__kind__exact=http']").click()
    expect(page).to_have_url(re.compile("source__kind__exact=http"))
    expect(page.locator(".list-filters[open]")).to_have_count(1)
    picture(page, f"staff-phone-list-{language}")


def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(login: Login) -> None:
    page = login("operator", **DESKTOP)
    speak(page, "en")
    page.goto("/admin/connectors/operation/add/")
    fill(page, key="weather-days", source="demo-api", path="/x")
    fill(page, query='{"limit": "5",}', rows_path="data[")

    page.locator("input[name=_save]").click()

    key, query = page.locator(".field-key .errorlist"), page.locator(".field-query")
    expect(key).to_contain_text("This key is taken")
    expect(query.locator(".errorlist")).to_contain_text("line 1, column 15")
    expect(page.locator("#id_query")).to_have_value('{"limit": "5",}')
    expect(page.locator("#id_rows_path")).to_have_value("data[")
    picture(page, "staff-mistakes")

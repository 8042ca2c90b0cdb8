"""The properties tab: faults at their fields, stale saves, and the way to JSON."""

from __future__ import annotations

import pytest
from django.test import Client

from screens.models import Screen
from tests.screens.conftest import block, body
from tests.screens.forms import (
    ADDRESS,
    named,
    newest,
    opened,
    press,
    read_page,
    save,
)

pytestmark = pytest.mark.usefixtures("in_acme")


# --- Errors -----------------------------------------------------------------------
def test_errors_stand_at_their_fields(browser: Client, ops: Screen) -> None:
    save(browser, body(block("a"), block("b")))
    page = opened(browser, "/blocks/1")

    response = press(browser, page, "save", **{
        named("/blocks/1/width"): "wide", named("/blocks/1/height"): "99",
        named("/blocks/1/id"): "",
    })  # fmt: skip

    text, page = response.content.decode(), read_page(response)
    assert response.status_code == 422
    for step, told in (
        ("width", "wide"), ("height", "99 is above the largest value 12."),
        ("id", "id is missing"),
    ):  # fmt: skip
        errors = f"at/blocks/1/{step}-errors"
        assert errors in page.ids
        control = next(
            each for each in page.controls
            if each.attributes.get("id") == f"at/blocks/1/{step}"
        )  # fmt: skip
        assert errors in str(control.attributes["aria-describedby"])
        assert control.attributes["aria-invalid"] == "true"
        assert told in text
        assert f'href="#at/blocks/1/{step}"' in text
    assert page.sent[named("/blocks/1/width")] == "wide"
    assert ops.versions.count() == 1


def test_an_error_elsewhere_opens_its_block(browser: Client, ops: Screen) -> None:
    save(browser, body(block("a"), block("b")))
    page = opened(browser, "/blocks/0")
    page = read_page(press(browser, page, "open:/blocks/1", **{
        named("/blocks/0/width"): "0",
    }))  # fmt: skip

    response = press(browser, page, "save")

    assert read_page(response).sent["open"] == "/blocks/0"
    assert "1 error" in response.content.decode()


def test_checking_names_what_stands_against_publishing(
    browser: Client, ops: Screen
) -> None:
    save(browser, body(block("gone")))

    response = press(browser, opened(browser, "/blocks/0"), "apply")
    linked = browser.get(ADDRESS, {"open": "/blocks/0", "check": "1"})

    for page in (response, linked):
        assert "at/blocks/0/source/operation-errors" in read_page(page).ids
        assert "There is no enabled operation gone." in page.content.decode()


# --- Stale ------------------------------------------------------------------------
def test_a_stale_save_is_refused_with_the_difference_and_can_be_put_together(
    browser: Client, ops: Screen
) -> None:
    save(browser, body(block("a")))
    page = opened(browser)
    save(browser, body(block("b")), base=1)

    response = press(browser, page, "save", **{named("/title/en"): "Mine"})

    text, again = response.content.decode(), read_page(response)
    assert response.status_code == 409
    assert "ed saved version 2 after you began" in text
    assert "diff-removed" in text
    assert "diff-added" in text
    assert again.sent[named("/title/en")] == "Mine"
    assert press(browser, again, "save").status_code == 409
    assert ops.versions.count() == 2
    assert press(browser, again, "save", over="2").status_code == 302
    assert newest(ops)["title"]["en"] == "Mine"


# --- Between the tabs -------------------------------------------------------------
def test_work_goes_from_properties_to_json_and_back(
    browser: Client, ops: Screen
) -> None:
    save(browser, body(block("a", width=3)))
    page = opened(browser, "/blocks/0")

    shown = press(browser, page, "json", **{named("/blocks/0/width"): "5"})
    text = read_page(shown).sent["document"]
    wrong = text.replace('"width": 5', '"width": 55')
    refused = browser.post("/screens/ops/edit/", {"document": wrong})
    back = browser.post(ADDRESS, {"document": wrong, "action": "show:/blocks/0/width"})

    assert '"width": 5' in text
    assert refused.status_code == 422
    line = wrong[: wrong.index('"width": 55')].count("\n") + 1
    assert f"line {line}</a>" in refused.content.decode()
    assert 'value="show:/blocks/0/width"' in refused.content.decode()
    assert read_page(back).sent[named("/blocks/0/width")] == "55"
    assert "at/blocks/0/width-errors" in read_page(back).ids
    assert ops.versions.count() == 1


def test_text_that_is_no_json_stays_in_the_json_tab(
    browser: Client, ops: Screen
) -> None:
    response = browser.post(ADDRESS, {"document": '{\n"a": }', "action": "show"})

    assert response.status_code == 422
    assert "document-text" in read_page(response).ids
    assert "line 2</a>" in response.content.decode()


# --- What no form can show --------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param('{"title": "\\ud800"}', "character", id="half a surrogate"),
        pytest.param('{"blocks": ' + "[" * 400 + "]" * 400 + "}", "depth", id="deep"),
    ],
)
def test_what_no_form_can_show_stays_in_the_json_tab(
    browser: Client, ops: Screen, text: str, rule: str
) -> None:
    save(browser, body(block("a", arguments={"x": [1, None]})))
    page, name = opened(browser, "/blocks/0"), "/blocks/0/source/arguments/x"

    posted = browser.post(ADDRESS, {"document": text, "action": "show"})
    json_tab = browser.post("/screens/ops/edit/", {"document": text, "action": "show"})
    typed = press(browser, page, "apply", **{named(name): f"[{text}]"})

    assert json_tab.status_code == 200
    for response in (posted, typed):
        assert response.status_code == 422
        assert f"({rule})" in response.content.decode()
        assert "document-text" in read_page(response).ids


@pytest.mark.parametrize("text", ["3", "[]", "null", '"x"', '{"blocks": {"a": 1}}'])
def test_any_json_can_be_put_right_in_the_form(
    browser: Client, ops: Screen, text: str
) -> None:
    shown = browser.post(ADDRESS, {"document": text, "action": "show"})
    saved = press(browser, read_page(shown), "save")

    assert shown.status_code == 200
    assert saved.status_code == 422
    assert read_page(saved).sent["document"] == text

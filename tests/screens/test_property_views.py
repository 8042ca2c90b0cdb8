"""The properties tab, as somebody without scripts uses it."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from hypothesis import HealthCheck, given, settings

from branching.models import DecisionTable
from screens.models import Screen
from tenants.models import Tenant, User
from tests.screens.conftest import MakeOperation, block, body
from tests.screens.forms import (
    ADDRESS,
    document_in,
    named,
    newest,
    opened,
    press,
    read_page,
    save,
)
from tests.screens.strategies import documents

pytestmark = pytest.mark.usefixtures("in_acme")


# --- Who comes in -----------------------------------------------------------------
def test_only_editors_come_in(client: Client, ops: Screen, user: User) -> None:
    assert client.get(ADDRESS).status_code == 302
    client.force_login(user, backend="tenants.backends.TenantBackend")

    for address in ("properties", "versions", "edit"):
        assert client.get(f"/screens/ops/{address}/").status_code == 403
    assert client.post(ADDRESS, {"document": "{}"}).status_code == 403


def test_a_screen_of_another_tenant_is_not_found(
    browser: Client, globex: Tenant
) -> None:
    from tenants.scope import using_tenant

    with using_tenant(globex):
        Screen.objects.create(key="theirs")

    for tab in ("properties", "versions"):
        assert browser.get(f"/screens/theirs/{tab}/").status_code == 404
    copied = {"number": "1", "new_key": "mine"}
    assert browser.post("/screens/theirs/copy/", copied).status_code == 404


# --- Nothing is lost --------------------------------------------------------------
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=documents())
def test_saving_a_page_untouched_saves_the_same_document(
    browser: Client, ops: Screen, document: dict[str, Any]
) -> None:
    ops.versions.all().delete()
    save(browser, document)

    for base, part in enumerate(["", "/blocks/0"], start=1):
        page = opened(browser, part)
        assert press(browser, page, "save").status_code == 302

        assert ops.versions.count() == base + 1
        written = json.dumps(newest(ops), sort_keys=True)
        assert written == json.dumps(document, sort_keys=True)


def test_every_action_carries_what_was_typed(
    browser: Client, ops: Screen, operation: MakeOperation
) -> None:
    operation("a", "/rows/a")
    save(browser, body(block("a"), block("b")))

    first = press(
        browser, opened(browser, "/blocks/0"), "open:/blocks/1",
        **{named("/blocks/0/title/en"): "Typed"},
    )  # fmt: skip
    second = press(browser, read_page(first), "up:/blocks/1")
    done = press(browser, read_page(second), "save", note="why")

    assert done.status_code == 302
    saved = newest(ops)
    assert [each["id"] for each in saved["blocks"]] == ["b", "a"]
    assert saved["blocks"][1]["title"] == {"ko": "블록 a", "en": "Typed"}
    version = ops.versions.first()
    assert version is not None
    assert version.note == "why"


# --- Fields -----------------------------------------------------------------------
def test_a_screen_is_made_from_nothing_by_forms_alone(
    browser: Client, ops: Screen, operation: MakeOperation
) -> None:
    operation("days", "/rows/{city}", parameters=["city"])
    page = opened(browser)

    page = read_page(press(browser, page, "add:/parameters", **{
        named("/title/ko"): "날씨", named("/title/en"): "Weather",
        named("/deadline_ms"): "8000",
    }))  # fmt: skip
    page = read_page(press(browser, page, "add:/blocks", **{
        named("/parameters/0/name"): "city", named("/parameters/0/required"): "true",
    }))  # fmt: skip
    page = read_page(press(browser, page, "apply", **{
        named("/blocks/0/id"): "days", named("/blocks/0/width"): "12",
        named("/blocks/0/source/operation"): "days",
        named("/blocks/0/responses/default/format"): "chart",
    }))  # fmt: skip
    page = read_page(press(browser, page, "add:/blocks/0/source/arguments", **{
        "n:/blocks/0/source/arguments": "city",
        named("/blocks/0/responses/default/options/type"): "bar",
        named("/blocks/0/responses/default/options/y"): "low\nhigh",
    }))  # fmt: skip
    done = press(browser, page, "save", **{
        "m:/blocks/0/source/arguments/city": "parameter:city",
    })  # fmt: skip

    assert done.status_code == 302
    assert done["Location"] == f"{ADDRESS}?open=/blocks/0"
    assert newest(ops) == {
        "version": 1,
        "title": {"ko": "날씨", "en": "Weather"},
        "deadline_ms": 8000,
        "parameters": [{"name": "city", "required": True}],
        "blocks": [
            {
                "id": "days",
                "title": {"ko": "새 블록", "en": "New block"},
                "width": 12,
                "source": {
                    "operation": "days",
                    "arguments": {"city": {"parameter": "city"}},
                },
                "responses": {
                    "default": {
                        "format": "chart",
                        "options": {"type": "bar", "y": ["low", "high"]},
                    }
                },
            }
        ],
    }


def test_operations_and_tables_are_those_of_the_tenant(
    browser: Client, ops: Screen, operation: MakeOperation, globex: Tenant
) -> None:
    from tenants.scope import using_tenant

    operation("mine", "/rows/a", label={"en": "My rows"})
    DecisionTable.objects.create(
        key="table", default_operation="mine", default_response="calm"
    )
    with using_tenant(globex):
        DecisionTable.objects.create(
            key="theirs", default_operation="x", default_response="default"
        )
    save(browser, body(block("b", table="table")))

    text = browser.get(ADDRESS, {"open": "/blocks/0"}).content.decode()

    assert "My rows (mine)" in text
    assert '<option value="table" selected>' in text
    assert "theirs" not in text
    # What the table can answer is offered as a name of a response.
    assert '<option value="calm">' in text


def test_another_format_shows_its_own_options(
    browser: Client, ops: Screen, operation: MakeOperation
) -> None:
    options = {"limit": 5, "columns": ["a"]}
    responses = {"default": {"format": "table", "options": options}}
    save(browser, body(block("b", responses=responses)))
    place = "/blocks/0/responses/default"
    page = opened(browser, "/blocks/0")
    assert named(f"{place}/options/limit") in page.sent
    assert named(f"{place}/options/page_size") not in page.sent

    page = read_page(
        press(browser, page, "apply", **{named(f"{place}/format"): "grid"})
    )

    assert page.sent[named(f"{place}/options/page_size")] == ""
    assert page.sent[named(f"{place}/options/limit")] == "5"
    fitted = press(browser, page, f"fit:{place}/options")
    found = document_in(fitted)["blocks"][0]["responses"]["default"]
    assert found == {"format": "grid", "options": {"columns": ["a"]}}


def test_lists_are_extended_ordered_and_their_entries_taken_away(
    browser: Client, ops: Screen
) -> None:
    options = {"columns": ["a", "b"], "sort": [{"column": "a"}]}
    responses = {"default": {"format": "table", "options": options}}
    save(browser, body(block("b", responses=responses)))
    place = "/blocks/0/responses/default/options"
    page = opened(browser, "/blocks/0")

    for action in (f"down:{place}/columns/0", f"expand:{place}/columns/0",
                   f"add:{place}/sort", f"remove:{place}/columns/1"):  # fmt: skip
        page = read_page(press(browser, page, action))
    done = press(browser, page, "apply", **{
        named(f"{place}/columns/0/label/ko"): "비",
        named(f"{place}/sort/1/column"): "c",
        named(f"{place}/sort/1/descending"): "true",
    })  # fmt: skip

    assert document_in(done)["blocks"][0]["responses"]["default"]["options"] == {
        "columns": [{"name": "b", "label": {"ko": "비"}}],
        "sort": [{"column": "a"}, {"column": "c", "descending": True}],
    }


def test_what_no_field_can_express_is_json_at_its_place(
    browser: Client, ops: Screen
) -> None:
    save(browser, body(block("b", arguments={"x": [1, None, "a"]})))
    page = opened(browser, "/blocks/0")
    name = "/blocks/0/source/arguments/x"
    assert json.loads(page.sent[named(name)]) == [1, None, "a"]

    broken = press(browser, page, "save", **{named(name): "[1,"})
    again = read_page(broken)
    moved = press(browser, again, "duplicate:/blocks/0")
    fixed = press(browser, again, "save", **{named(name): "[2]"})

    assert broken.status_code == moved.status_code == 422
    assert "This is not JSON" in broken.content.decode()
    assert again.sent[named(name)] == "[1,"
    assert fixed.status_code == 302
    assert newest(ops)["blocks"][0]["source"]["arguments"] == {"x": [2]}


# --- Blocks -----------------------------------------------------------------------
def test_blocks_are_added_doubled_moved_and_removed(
    browser: Client, ops: Screen
) -> None:
    save(browser, body(block("a"), block("b")))
    page = opened(browser)

    for action in ("duplicate:/blocks/0", "down:/blocks/0", "remove:/blocks/2",
                   "add:/blocks"):  # fmt: skip
        response = press(browser, page, action)
        page = read_page(response)

    found = [each["id"] for each in document_in(response)["blocks"]]
    assert found == ["a-2", "a", "block-2"]
    assert page.sent["open"] == "/blocks/2"
    assert not ops.versions.filter(number=2).exists()


def test_an_action_on_what_is_gone_changes_nothing(
    browser: Client, ops: Screen
) -> None:
    save(browser, body(block("a")))

    for action in ("remove:/blocks/7", "add:/nowhere", "up:", "fit:/title"):
        response = press(browser, opened(browser), action)

        assert document_in(response)["blocks"][0]["id"] == "a"


def test_an_entry_needs_a_name_that_is_free(browser: Client, ops: Screen) -> None:
    save(browser, body(block("a")))
    page, place = opened(browser, "/blocks/0"), "/blocks/0/responses"

    nameless = press(browser, page, f"add:{place}")
    taken = press(browser, page, f"add:{place}", **{f"n:{place}": "default"})
    added = press(browser, page, f"add:{place}", **{f"n:{place}": "calm"})

    assert "Give the new entry a name first." in nameless.content.decode()
    assert "There is an entry default already." in taken.content.decode()
    assert set(document_in(added)["blocks"][0]["responses"]) == {"default", "calm"}


# --- The page ---------------------------------------------------------------------
def test_every_control_has_a_label_and_every_id_is_once(
    browser: Client, ops: Screen
) -> None:
    columns = [{"name": "x", "label": {"en": "X"}}, "y"]
    options = {"columns": columns, "emphasis": [
        {"column": "x", "operator": "<", "value": 1, "tone": "bad"}]}  # fmt: skip
    responses = {"default": {"format": "table", "options": options}}
    parameters = [{"name": "p", "default": "x"}]
    save(
        browser,
        body(block("a", arguments={"q": 1}, responses=responses),
             parameters=parameters),
    )  # fmt: skip

    for part in ("", "/blocks/0"):
        page = opened(browser, part)
        bare = [
            each.attributes.get("name")
            for each in page.controls
            if each.attributes.get("type") not in ("hidden", "submit")
            and each.attributes.get("id") not in page.labels
            and not each.attributes.get("aria-label")
        ]

        assert bare == []
        assert len(page.ids) == len(set(page.ids))


def test_queries_do_not_grow_with_blocks(
    browser: Client,
    ops: Screen,
    operation: MakeOperation,
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(12):
        operation(f"o{number}", "/rows/a", parameters=["p"])
        DecisionTable.objects.create(
            key=f"t{number}", default_operation="o1", default_response="default"
        )
    save(browser, body(*(block(f"o{number}") for number in range(12))))
    page = opened(browser, "/blocks/3")
    press(browser, page, "apply")

    for part in ("", "/blocks/3"):
        with django_assert_max_num_queries(22):
            assert browser.get(ADDRESS, {"open": part}).status_code == 200
    with django_assert_max_num_queries(32):
        assert press(browser, page, "apply").status_code == 200


def test_the_page_is_korean_for_korean_readers(
    browser: Client, ops: Screen, editor: User
) -> None:
    save(browser, body(block("a"), block("b")))
    editor.language = "ko"
    editor.save()

    with translation.override("ko"):
        text = browser.get(ADDRESS, {"open": "/blocks/0"}).content.decode()

    for words in ("속성", "버전", "개요", "블록 추가", "위로", "결정 테이블", "너비",
                  "초안으로 저장"):  # fmt: skip
        assert words in text, words
    assert "Decision table" not in html.unescape(text)
    assert reverse("screen-versions", args=["ops"]) in text

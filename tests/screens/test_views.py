"""The editor: what staff save, compare, preview and publish, without a script."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from screens import editing
from screens.document import SCHEMA
from screens.models import Screen
from tenants.models import Membership, Tenant, User
from tenants.scope import using_tenant
from tests.screens.conftest import MakeOperation, MakeScreen, block, body

pytestmark = pytest.mark.usefixtures("in_acme")


def post(client: Client, name: str, **fields: Any) -> Any:
    return client.post(reverse(name, kwargs={"key": "ops"}), fields)


def typed(*blocks: dict[str, Any], **fields: Any) -> str:
    return json.dumps(body(*blocks, **fields), ensure_ascii=False)


def test_the_schema_is_published(client: Client, db: None) -> None:
    response = client.get(reverse("screen-schema"))

    assert response.json() == SCHEMA


def test_editors_only(client: Client, ops: Screen, user: User) -> None:
    address = reverse("screen-edit", kwargs={"key": "ops"})

    anonymous = client.get(address)
    client.force_login(user, backend="tenants.backends.TenantBackend")
    reader = client.get(address)

    assert anonymous.status_code == 302
    assert reader.status_code == 403


def test_a_screen_of_another_tenant_is_not_found(
    browser: Client, globex: Tenant
) -> None:
    with using_tenant(globex):
        Screen.objects.create(key="theirs")

    response = browser.get(reverse("screen-edit", kwargs={"key": "theirs"}))

    assert response.status_code == 404


def test_a_document_is_saved_and_published(
    browser: Client, ops: Screen, operation: MakeOperation
) -> None:
    operation("a", "/rows/a")

    page = browser.get(reverse("screen-edit", kwargs={"key": "ops"}))
    saved = post(browser, "screen-edit", document=typed(block("a")), base_version="0")
    published = post(browser, "screen-publish", number="1")

    assert "&quot;blocks&quot;" in page.content.decode()
    assert saved.status_code == published.status_code == 302
    ops.refresh_from_db()
    assert ops.published is not None
    assert ops.published.number == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("{", "This is not JSON", id="cut"),
        pytest.param('{"a": 1, "a": 2}', "An object names a twice.", id="key twice"),
        pytest.param('{"a": NaN}', "too large or not finite", id="not a number"),
        pytest.param("[" * 100_000, "too large or not finite", id="bottomless"),
        pytest.param("{}", "blocks is missing", id="empty"),
        pytest.param(typed(block("a", width=99)), "/blocks/0/width", id="pointer"),
    ],
)
def test_faults_are_listed_and_what_was_typed_is_kept(
    browser: Client, ops: Screen, text: str, told: str
) -> None:
    for address in ("screen-edit", "screen-preview"):
        response = post(browser, address, document=text, base_version="0")

        assert response.status_code == 422
        assert told in response.content.decode()
    assert not ops.versions.exists()


def test_a_stale_save_is_refused_and_shows_the_newer_version(
    browser: Client, ops: Screen
) -> None:
    post(browser, "screen-edit", document=typed(block("first")), base_version="0")

    response = post(
        browser, "screen-edit", document=typed(block("second")), base_version="0"
    )

    html = response.content.decode()
    assert response.status_code == 409
    assert "ed saved version 1 after you began" in html
    assert "diff-removed" in html
    assert "diff-added" in html
    assert ops.versions.count() == 1


def test_two_versions_are_compared(browser: Client, ops: Screen) -> None:
    post(browser, "screen-edit", document=typed(block("old")), base_version="0")
    post(browser, "screen-edit", document=typed(block("new")), base_version="1")

    address = reverse("screen-compare", kwargs={"key": "ops"})
    html = browser.get(address, {"from": "1", "to": "2"}).content.decode()
    missing = browser.get(address, {"from": "1", "to": "x"})

    assert "&quot;old&quot;" in html
    assert "&quot;new&quot;" in html
    assert missing.status_code == 404


def test_a_preview_draws_the_blocks_and_saves_nothing(
    browser: Client, ops: Screen, operation: MakeOperation
) -> None:
    operation("a", "/rows/{city}", parameters=["city"])
    text = typed(
        block("a", arguments={"city": {"parameter": "city"}}),
        parameters=[{"name": "city", "required": True}],
    )

    refused = post(browser, "screen-preview", document=text, base_version="0")
    drawn = post(browser, "screen-preview", document=text, arguments="city=Seoul")
    html = b"".join(drawn.streaming_content).decode()

    assert refused.status_code == 422
    assert "city" in refused.content.decode()
    assert 'id="block-a"' in html
    assert "Seoul" in html
    assert "defer" not in html
    assert html.rstrip().endswith("</html>")
    assert not ops.versions.exists()


def test_publishing_what_leads_nowhere_says_where(browser: Client, ops: Screen) -> None:
    post(browser, "screen-edit", document=typed(block("gone")), base_version="0")

    response = post(browser, "screen-publish", number="1")

    assert response.status_code == 422
    assert "/blocks/0/source/operation" in response.content.decode()
    ops.refresh_from_db()
    assert ops.published is None


def test_an_earlier_version_is_brought_back(
    browser: Client, screen: MakeScreen, operation: MakeOperation
) -> None:
    operation("a", "/rows/a")
    operation("b", "/rows/b")
    made = screen(block("a"))
    post(browser, "screen-edit", document=typed(block("b")), base_version="1")
    post(browser, "screen-publish", number="2")

    response = post(browser, "screen-revert", number="1")

    assert response.status_code == 302
    made.refresh_from_db()
    assert made.published is not None
    assert (made.published.number, made.published.note) == (3, "Back to version 1")
    older = browser.get(reverse("screen-edit", kwargs={"key": "ops"}), {"version": "1"})
    assert older.status_code == 200


def test_the_admin_lists_screens_and_versions_in_a_fixed_number_of_queries(
    browser: Client,
    screen: MakeScreen,
    operation: MakeOperation,
    django_assert_max_num_queries: Any,
) -> None:
    operation("a", "/rows/a")
    for number in range(5):
        screen(block("a"), key=f"s{number}")
    lists = [
        reverse("admin:screens_screen_changelist"),
        reverse("admin:screens_screenversion_changelist"),
    ]
    pages = [browser.get(address).content.decode() for address in lists]

    for address in lists:
        with django_assert_max_num_queries(20):
            assert browser.get(address).status_code == 200

    assert reverse("screen-properties", kwargs={"key": "s1"}) in pages[0]
    version = Screen.objects.get(key="s1").published_id
    shown = browser.get(reverse("admin:screens_screenversion_change", args=[version]))
    assert "&quot;blocks&quot;" in shown.content.decode()
    added = browser.get(reverse("admin:screens_screen_add"))
    assert "Save first" in added.content.decode()
    own = Screen.objects.get(key="s1").pk
    changed = browser.get(reverse("admin:screens_screen_change", args=[own]))
    assert changed.status_code == 200


def test_staff_with_the_permission_may_edit(ops: Screen, user: User) -> None:
    from django.contrib.auth.models import Permission

    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="change_screen"))
    assert Membership.objects.filter(user=user).exists()
    client = Client()
    client.force_login(user, backend="tenants.backends.TenantBackend")

    response = client.get(reverse("screen-edit", kwargs={"key": "ops"}))

    assert response.status_code == 200


def test_equal_texts_have_no_difference() -> None:
    assert editing.difference("a\nb", "a\nb") == []
    kinds = [line.kind for line in editing.difference("a\nb", "a\nc")]
    assert kinds == ["place", "same", "removed", "added"]

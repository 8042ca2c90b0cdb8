"""The tab of versions: drafts, compare, publish, revert, copy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from screens.models import Screen, ScreenVersion
from screens.services import KeyRefused, copy_screen
from tenants.models import AuditEntry, Tenant, User
from tenants.scope import Actor, using_tenant
from tests.screens.conftest import MakeOperation, MakeScreen, block, body

pytestmark = pytest.mark.usefixtures("in_acme")

ADDRESS = "/screens/ops/versions/"


@pytest.fixture
def published(screen: MakeScreen, operation: MakeOperation) -> Screen:
    """The screen ops: version 1 is published."""
    operation("a", "/rows/a")
    operation("b", "/rows/b")
    return screen(block("a"))


def save(client: Client, document: dict[str, Any], base: int) -> None:
    fields = {"document": json.dumps(document), "base_version": str(base)}
    assert client.post("/screens/ops/edit/", fields).status_code == 302


def copy(client: Client, key: str, number: str = "1") -> Any:
    return client.post("/screens/ops/copy/", {"number": number, "new_key": key})


def test_drafts_and_published_versions_are_listed_apart(
    browser: Client, published: Screen
) -> None:
    save(browser, body(block("b")), base=1)

    text = browser.get(ADDRESS).content.decode()
    drafts, _, rest = text.partition("Published versions")

    assert 'aria-label="Publish 2"' in drafts
    assert "shown to readers" in rest
    assert "?version=2" in drafts
    assert "?version=1" in rest


def test_a_screen_without_versions_says_what_to_do(
    browser: Client, in_acme: Tenant
) -> None:
    Screen.objects.create(key="ops")

    text = browser.get(ADDRESS).content.decode()

    assert "There is no draft." in text
    assert "Nothing is published yet" in text
    assert 'id="copy-key"' not in text


def test_versions_are_published_and_brought_back(
    browser: Client, published: Screen
) -> None:
    save(browser, body(block("b")), base=1)

    done = browser.post("/screens/ops/publish/", {"number": "2"}, follow=True)
    back = browser.post("/screens/ops/revert/", {"number": "1"}, follow=True)

    assert "Version 2 is published." in done.content.decode()
    assert "Version 3 is published." in back.content.decode()
    published.refresh_from_db()
    assert published.published is not None
    assert published.published.body["blocks"][0]["id"] == "a"


def test_what_stands_against_publishing_leads_to_its_field(
    browser: Client, published: Screen
) -> None:
    save(browser, body(block("a"), block("gone")), base=1)

    response = browser.post("/screens/ops/publish/", {"number": "2"})

    text = response.content.decode()
    link = "/screens/ops/properties/?version=2&amp;check=1&amp;open=/blocks/1"
    assert response.status_code == 422
    assert link in text
    field = browser.get(link.replace("&amp;", "&")).content.decode()
    assert 'id="at/blocks/1/source/operation-errors"' in field


def test_two_versions_are_compared_in_words_and_as_text(
    browser: Client, published: Screen
) -> None:
    save(browser, body(block("a", width=3), block("b")), base=1)

    text = browser.get("/screens/ops/compare/", {"from": "1", "to": "2"})
    same = browser.get("/screens/ops/compare/", {"from": "2", "to": "2"})

    assert "Block b was added." in text.content.decode()
    assert "Block a changed: width." in text.content.decode()
    assert "diff-added" in text.content.decode()
    assert "Both are the same." in same.content.decode()


# --- Copy -------------------------------------------------------------------------
def test_a_copy_is_a_draft_of_its_own(browser: Client, published: Screen) -> None:
    response = copy(browser, "twin")

    assert response.status_code == 302
    assert response["Location"] == "/screens/twin/properties/"
    twin = Screen.objects.get(key="twin")
    assert twin.published is None
    [draft] = twin.versions.all()
    assert (draft.number, draft.state) == (1, ScreenVersion.State.DRAFT)
    assert draft.note == "Copy of ops, version 1"
    assert draft.body == body(block("a"))
    [entry] = AuditEntry.objects.filter(action="screen.copied")
    assert entry.changes == {"from": "ops", "version": 1}
    assert entry.target_id == str(twin.pk)
    published.refresh_from_db()
    assert published.versions.count() == 1


@pytest.mark.parametrize(
    ("key", "told"),
    [
        pytest.param("ops", "Another screen has this key.", id="taken"),
        pytest.param("", "This field cannot be blank.", id="none"),
        pytest.param("a b", "Enter a valid", id="no slug"),
        pytest.param("x" * 81, "at most 80 characters", id="too long"),
    ],
)
def test_a_key_that_cannot_be_is_refused_at_its_field(
    browser: Client, published: Screen, key: str, told: str
) -> None:
    response = copy(browser, key)

    text = response.content.decode()
    assert response.status_code == 422
    assert told in text
    assert 'id="copy-key-error"' in text
    assert f'value="{key}"' in text
    assert Screen.objects.count() == 1


def test_a_key_of_another_tenant_is_free(
    browser: Client, published: Screen, globex: Tenant
) -> None:
    with using_tenant(globex):
        Screen.objects.create(key="twin")

    assert copy(browser, "twin").status_code == 302


def test_a_copy_needs_the_right_to_add_screens(published: Screen, user: User) -> None:
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="change_screen"))
    client = Client()
    client.force_login(user, backend="tenants.backends.TenantBackend")

    assert 'id="copy-key"' not in client.get(ADDRESS).content.decode()
    assert copy(client, "twin").status_code == 403
    assert not Screen.objects.filter(key="twin").exists()


def test_a_version_that_is_not_there_is_not_copied(
    browser: Client, published: Screen
) -> None:
    assert copy(browser, "twin", number="7").status_code == 404


def test_a_key_is_checked_where_the_copy_is_made(
    published: Screen, chief: Actor
) -> None:
    version = published.published
    assert version is not None

    refused = copy_screen(version, key="ops", actor=chief)
    made = copy_screen(version, key="other", actor=chief)

    assert isinstance(refused, KeyRefused)
    assert isinstance(made, ScreenVersion)
    assert made.author_id == chief.user_id


def test_queries_do_not_grow_with_versions(
    browser: Client, published: Screen, django_assert_max_num_queries: Any
) -> None:
    for base in range(1, 9):
        save(browser, body(block("a", width=base)), base=base)
    browser.get(ADDRESS)

    with django_assert_max_num_queries(15):
        assert browser.get(ADDRESS).status_code == 200

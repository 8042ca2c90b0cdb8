"""A preview as somebody else: their page, the editor's rights, and a trace of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from branching.models import DecisionTable
from connectors.models import Operation
from screens.models import Screen
from screens.previews import find_viewer, viewers
from tenants.models import AuditEntry, Membership, Tenant, User
from tenants.permissions import grant
from tenants.scope import Actor
from tests.screens.conftest import MakeOperation, block, body
from tests.screens.forms import read_page

pytestmark = pytest.mark.usefixtures("in_acme")


@pytest.fixture
def reader(acme: Tenant) -> User:
    person = User.objects.create_user("mina", language="ko", time_zone="Asia/Tokyo")
    Membership.objects.create(user=person, tenant=acme)
    return person


@pytest.fixture
def designer(user: User) -> User:
    """Staff who may change screens, and are no superuser."""
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="change_screen"))
    return user


def browser_of(person: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person, backend="tenants.backends.TenantBackend")
    return client


def preview(client: Client, document: Any, **fields: str) -> Any:
    return client.post(
        "/screens/ops/preview/", {"document": json.dumps(document), **fields}
    )


def drawn(response: Any) -> str:
    assert response.status_code == 200
    assert response.streaming
    return b"".join(response.streaming_content).decode()


def table_for(name: str, *, own: Operation, other: Operation) -> None:
    """A decision table that knows one user from all others."""
    table = DecisionTable.objects.create(key="who", default_operation=other.key)
    rule = table.rules.create(key="own", operation=own.key, order=1)
    rule.conditions.create(operand="user", name="username", operator="eq", value=name)


# --- Whom one may choose ----------------------------------------------------------
def test_members_of_the_tenant_may_be_chosen_and_nobody_else(
    ops: Screen, designer: User, reader: User, editor: User, acme: Tenant,
    globex: Tenant,
) -> None:  # fmt: skip
    stranger = User.objects.create_user("stranger")
    Membership.objects.create(user=stranger, tenant=globex)
    left = User.objects.create_user("left", is_active=False)
    Membership.objects.create(user=left, tenant=acme)
    by_designer = Actor(designer.pk, acme.pk)
    by_chief = Actor(editor.pk, acme.pk)

    assert [each.username for each in viewers(by_designer)] == ["mina"]
    # A superuser's view is for superusers.
    assert [each.username for each in viewers(by_chief)] == ["jo", "mina"]
    for person in (stranger, left, editor, designer):
        assert find_viewer(str(person.pk), actor=by_designer) is None
    for text in ("", "x", "-1", "٣", "9" * 40):
        assert find_viewer(text, actor=by_designer) is None
    assert find_viewer(str(reader.pk), actor=by_designer) == reader


def test_a_user_of_another_tenant_cannot_be_chosen(
    ops: Screen, editor: User, globex: Tenant, operation: MakeOperation
) -> None:
    operation("a", "/rows/a")
    stranger = User.objects.create_user("stranger")
    Membership.objects.create(user=stranger, tenant=globex)
    client = browser_of(editor)

    response = preview(client, body(block("a")), viewer=str(stranger.pk))
    page = client.get("/screens/ops/properties/").content.decode()

    assert response.status_code == 422
    assert "There is no such user here" in response.content.decode()
    assert "preview-viewer-error" in read_page(response).ids
    assert "stranger" not in page
    assert not AuditEntry.objects.filter(action="screen.previewed").exists()


# --- What is shown ----------------------------------------------------------------
def test_the_page_is_what_that_user_sees_and_the_trail_names_both(
    ops: Screen, editor: User, reader: User, operation: MakeOperation
) -> None:
    table_for("mina", own=operation("own", "/rows/for-mina"),
              other=operation("other", "/rows/for-all"))  # fmt: skip
    client, document = browser_of(editor), body(block("b", table="who"))

    mine = drawn(preview(client, document))
    hers = drawn(preview(client, document, viewer=str(reader.pk), width="phone"))

    assert "for-all" in mine
    assert "for-mina" not in mine
    assert "preview-banner" not in mine
    assert "preview-desktop" in mine
    assert "for-mina" in hers
    assert "for-all" not in hers
    assert "Shown as mina sees it." in hers
    assert "블록 b" in hers, "in the language of the user"
    assert "preview-phone" in hers
    [entry] = AuditEntry.objects.filter(action="screen.previewed")
    assert (entry.user_id, entry.acting_for_id) == (reader.pk, editor.pk)
    assert entry.label == "ops"
    assert not ops.versions.exists()


def test_a_preview_as_another_opens_no_operation_to_the_editor(
    ops: Screen, designer: User, reader: User, operation: MakeOperation
) -> None:
    secret = operation("secret", "/rows/secret")
    grant("use_operation", secret, to=reader, actor=None)
    client = browser_of(designer)

    response = preview(client, body(block("secret")), viewer=str(reader.pk))
    grant("use_operation", secret, to=designer, actor=None)
    allowed = drawn(preview(client, body(block("secret")), viewer=str(reader.pk)))

    assert response.status_code == 422
    assert "/blocks/0/source/operation" in response.content.decode()
    assert 'id="block-secret"' in allowed


def test_the_properties_tab_previews_what_is_typed_and_leads_back(
    ops: Screen, editor: User, operation: MakeOperation
) -> None:
    operation("a", "/rows/{city}", parameters=["city"])
    argument = {"city": {"parameter": "city"}}
    document = body(block("a", arguments=argument), parameters=[{"name": "city"}])
    client = browser_of(editor)
    page = read_page(
        client.post(
            "/screens/ops/properties/",
            {"document": json.dumps(document), "action": "show:/blocks/0"},
        )
    )
    typed = {**page.sent, "f:/blocks/0/title/en": "Typed title", "action": "preview"}

    shown = drawn(
        client.post("/screens/ops/properties/", {**typed, "arguments": "city=Seoul"})
    )
    refused = client.post("/screens/ops/properties/", {**typed, "arguments": "town=x"})

    assert "Typed title" in shown
    assert "Seoul" in shown
    assert 'value="show"' in shown
    assert "Typed title" in shown.split('name="document"')[1][:2_000]
    assert refused.status_code == 422
    assert "document-arguments-errors" in read_page(refused).ids


def test_nothing_that_a_preview_calls_can_change_anything() -> None:
    """When operations learn to change something, previews must learn to refuse."""
    assert set(Operation.Method.values) == {"GET", "POST"}

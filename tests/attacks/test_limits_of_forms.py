"""Too much and nonsense in forms, lists and cookies: never a 500."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from connectors.models import DataSource, Operation
from menus.models import Menu
from screens.models import Screen, ScreenVersion
from tenants.scope import using_tenant
from tests.attacks.conftest import World
from tests.attacks.pages import body_of
from tests.attacks.test_limits import MODELS, document, nested
from tests.attacks.test_tenancy import address_of

DOCUMENTS = [
    *(nested(depth) for depth in (10, 400, 900, 990, 100_000)),
    *(nested(depth, opening='{"a":', closing="}") for depth in (300, 900)),
    "",
    "\x00",
    "null",
    "NaN",
    "1e999999",
    "9" * 5_000,
    '"\\ud800"',
    json.dumps(document(title={"en": "\x00"})),
    json.dumps(document(title={"en": "\ud800"})),
    json.dumps(document(title={"en": "x" * 300_000})),
    json.dumps(document(blocks=document()["blocks"] * 5_000)),
    json.dumps(document(parameters=[{"name": "a", "type": "text"}] * 3_000)),
    json.dumps(document(deadline_ms=10**400)),
    json.dumps(document(version=True)),
    '{"version": 1, "version": 1}',
    json.dumps(
        document(
            parameters=[{"name": "a", "type": "text", "pattern": "(a+)+" * 500 + "$"}]
        )
    ),
]


@pytest.mark.parametrize("text", DOCUMENTS, ids=range(len(DOCUMENTS)))
@pytest.mark.parametrize("page", ["edit", "preview", "properties"])
def test_a_document_that_is_nonsense_is_told(
    world: World, root: Client, page: str, text: str
) -> None:
    address = reverse(f"screen-{page}", args=["weather"])
    given = {"document": text, "base_version": "1", "arguments": "", "note": "x"}
    given["action"] = "save"

    response = root.post(address, given)

    body_of(response)
    assert response.status_code in {400, 413, 422}, body_of(response)[:200]


@pytest.mark.parametrize("note", ["\x00", "x" * 100_000, "\u202e"])
def test_a_junk_note_is_no_500(world: World, root: Client, note: str) -> None:
    given = {"document": json.dumps(document()), "base_version": "1", "note": note}

    response = root.post(reverse("screen-edit", args=["weather"]), given)

    assert response.status_code in {302, 400, 422}


@pytest.mark.parametrize("arguments", ["\x00", "%00=%00", "a=" * 2_000, "=&=&", "%FF"])
def test_junk_arguments_of_a_preview_are_no_500(
    world: World, root: Client, arguments: str
) -> None:
    given = {"document": json.dumps(document()), "arguments": arguments}

    response = root.post(reverse("screen-preview", args=["weather"]), given)

    body_of(response)
    assert response.status_code < 500


@pytest.mark.parametrize(
    "query", ["from=%00&to=1", "from=9999999999&to=1", "version=x"]
)
def test_junk_version_numbers_are_missing(
    world: World, root: Client, query: str
) -> None:
    for page in ("compare", "edit"):
        response = root.get(reverse(f"screen-{page}", args=["weather"]) + "?" + query)

        assert response.status_code in {200, 404}


VALUES = [
    nested(100_000),
    '{"en": "\\u0000"}',
    '{"en": "\\ud800"}',
    '{"en": NaN}',
    "9" * 5_000,
    "\x00",
    "[[]]",
]
FORMS: list[tuple[type[Operation] | type[DataSource], str, list[str]]] = [
    (Operation, "rainy-days", ["label", "query", "headers", "columns", "body", "sql"]),
    (DataSource, "demo-sql", ["label", "headers", "address", "new_secret"]),
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_junk_in_the_forms_of_the_admin_is_no_500(
    world: World, root: Client, value: str
) -> None:
    broken = []
    for model, key, fields in FORMS:
        row = model.all_tenants.get(tenant=world.hanbit, key=key)
        address = address_of(model, "change", row.pk)
        for field in fields:
            given = {**_form_of(root, address), field: value}
            point = transaction.savepoint()
            response = root.post(address, given)
            transaction.savepoint_rollback(point)
            if response.status_code >= 500:
                broken.append((model.__name__, field))

    assert broken == []


BRANCHING = [
    ("fact", ["label", "filters", "arguments"]),
    ("decisiontable", ["label", "parameters", "default_arguments", "fallbacks"]),
    ("rule", ["arguments", "conditions-0-value"]),
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_junk_in_the_forms_of_tables_is_no_500(
    world: World, root: Client, value: str
) -> None:
    broken = []
    for name, fields in BRANCHING:
        model: Any = next(m for m in MODELS if m._meta.model_name == name)
        row = model.all_tenants.filter(tenant=world.hanbit).first()
        address = address_of(model, "change", row.pk)
        for field in fields:
            point = transaction.savepoint()
            response = root.post(address, {**_form_of(root, address), field: value})
            transaction.savepoint_rollback(point)
            if response.status_code >= 500:
                broken.append((name, field))

    assert broken == []


def _form_of(client: Client, address: str) -> dict[str, Any]:
    """Return what a change page would post if nothing was changed."""
    response: Any = client.get(address)
    form = response.context["adminform"].form
    given = {}
    sets = [each.formset for each in response.context["inline_admin_formsets"]]
    for part in [form, *(f for each in sets for f in each.forms)]:
        for bound in part:
            value = bound.value()
            if value is not None and value is not False:
                given[bound.html_name] = value
    for each in sets:
        for bound in each.management_form:
            given[bound.html_name] = bound.value()
    return given


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT '" + "x" * 1_000_000 + "' AS a",
        "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
        "SELECT " + "1+" * 20_000 + "1",
        "SELECT 1 AS a " + "UNION ALL SELECT 1 " * 3_000,
        "SELECT '\ud7ff' AS a -- \x00",
    ],
    ids=range(5),
)
def test_a_query_that_is_a_bomb_is_refused(
    world: World, root: Client, sql: str
) -> None:
    row = Operation.all_tenants.get(tenant=world.hanbit, key="rainy-days")
    address = address_of(Operation, "change", row.pk)

    response = root.post(address, {**_form_of(root, address), "sql": sql})

    assert response.status_code == 200
    row.refresh_from_db()
    assert len(row.sql) < 1_000


def test_junk_in_the_try_pages_is_no_500(world: World, root: Client) -> None:
    table: Any = next(m for m in MODELS if m._meta.model_name == "decisiontable")
    row = table.all_tenants.get(tenant=world.hanbit, key="quake-alert")
    address = f"/admin/branching/decisiontable/{row.pk}/try/"
    form = root.get(address).context["form"]
    for name in form.fields:
        for value in ("\x00", "x" * 100_000, "9" * 400, "\u202e", "NaN"):
            response = root.get(address, {"run": "1", name: value})

            assert response.status_code == 200, (name, value[:9])


def test_the_test_page_of_an_operation_takes_junk(world: World, root: Client) -> None:
    for key, name in (("strongest-magnitude", "region"), ("portal-latency", "hours")):
        row = Operation.all_tenants.get(tenant=world.hanbit, key=key)
        for value in ("\x00", "x" * 200_000, "9" * 5_000, "\U0001f4a3"):
            address = f"/admin/connectors/operation/{row.pk}/test/"
            response = root.post(address, {name: value})

            assert response.status_code == 200, (key, value[:9])


def test_a_text_argument_of_nonsense_reaches_no_500(world: World, root: Client) -> None:
    """A document with a text parameter that goes to SQL and to HTTP."""
    body = document(parameters=[{"name": "region", "type": "text", "default": "x"}])
    body["blocks"][0]["source"] = {
        "operation": "strongest-magnitude",
        "arguments": {"region": {"parameter": "region"}},
    }
    for value in ("%00", "x" * 200_000, "%FF%FE", quote("\U0001f4a3\u202e")):
        given = {"document": json.dumps(body), "arguments": f"region={value}"}
        response = root.post(reverse("screen-preview", args=["weather"]), given)
        body_of(response)

        assert response.status_code in {200, 400, 422}, value[:9]


def test_nothing_of_this_was_stored(world: World) -> None:
    with using_tenant(world.hanbit):
        assert Screen.objects.count() == 5
        assert ScreenVersion.objects.count() == 5
        assert Menu.objects.count() == 8

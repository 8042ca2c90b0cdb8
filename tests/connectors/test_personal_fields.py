"""Names of personal fields, and what an answer or a path makes of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connectors import personal_fields
from connectors.bodies import read_body
from connectors.outcomes import Personal, Table
from connectors.rules import read_columns
from connectors.specs import BodyFormat, OperationSpec, SourceKind, SourceSpec

CANARY = "zq.canary@example.com"
FIELDS = ("Email", "phone")
SOURCE = SourceSpec("crm", SourceKind.HTTP, 1, "acme", personal_fields=FIELDS)
SPEC = OperationSpec("people", SOURCE, body_format=BodyFormat.JSON)
PERSON = {
    "id": 7,
    "email": CANARY,
    "contact": {"EMAIL": CANARY, "city": "Seoul"},
    "all": [{"kind": "email", "value": CANARY}],
    "deep": {"a": {"b": {"c": {"phone": CANARY}}}},
}


def marked(data: object, path: str = "", spec: OperationSpec = SPEC) -> dict[str, bool]:
    """Read an answer; say of each column whether it is personal."""
    spec = replace(spec, rows_path=path)
    body = json.dumps(data).encode()
    table, _ = read_body(body, spec, content_type="application/json", charset="")
    assert isinstance(table, Table)
    found = personal_fields.marked(table, spec)
    for place, column in enumerate(found.columns):
        cells = [str(row[place]) for row in found.rows]
        if any(CANARY in cell for cell in cells):
            assert column.personal, column.name
    return {column.name: bool(column.personal) for column in found.columns}


def test_listed_names_are_found_in_any_case_and_at_any_depth() -> None:
    found = marked([PERSON])

    assert found == {
        "id": False,
        "email": True,
        "contact.EMAIL": True,
        "contact.city": False,
        "all": True,
        "deep.a.b.c.phone": True,
    }


@pytest.mark.parametrize(
    "path",
    [
        "people[*].{who: email}",
        "people[*].{id: id, who: contact.EMAIL}",
        'people[*].{who: "email"}',
        "people[*].[id, email]",
        "people[*].contact.*",
        "people[*].values(contact)",
        "people[*].{t: to_string(@)}",
        "people[*].{t: join(',', [email])}",
        "people[*].email",
        "people[*].all[]",
        "people[*].{x: all}",
        "people[*].{x: contact}",
        "people[*].merge(contact, {id: id})",
        "people[?email != ''].contact",
        "sort_by(people, &email)",
        "people | [0]",
    ],
)
def test_no_path_takes_a_value_away_from_its_mark(path: str) -> None:
    found = marked({"people": [PERSON, PERSON]}, path)

    assert any(found.values()), path


def test_a_plain_path_masks_the_listed_columns_only() -> None:
    found = marked({"data": {"people": [PERSON]}}, "data.people[*]")

    assert found["email"]
    assert not found["id"]


def test_a_declared_column_keeps_its_kind_and_cannot_take_a_mark_away() -> None:
    columns = read_columns([{"name": "email", "personal": "email"}, {"name": "phone"}])
    spec = replace(SPEC, columns=columns)
    table = Table(columns, ((CANARY, CANARY),))

    found = personal_fields.marked(table, spec)

    assert [each.personal for each in found.columns] == [Personal.EMAIL, Personal.OTHER]


@pytest.mark.parametrize("rows", ["a", 7, True])
def test_values_without_a_name_are_personal(rows: object) -> None:
    assert marked([rows, rows]) == {"value": True}


def test_without_a_list_nothing_is_marked() -> None:
    spec = replace(SPEC, source=replace(SOURCE, personal_fields=()))
    body = json.dumps([PERSON]).encode()
    table, _ = read_body(body, spec, content_type="application/json", charset="")
    assert isinstance(table, Table)

    assert personal_fields.marked(table, spec) is table

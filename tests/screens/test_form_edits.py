"""The form of a document: it loses nothing, and changes what was changed, only."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from screens.document import Document, parse_document
from screens.form_edits import (
    apply,
    block_pointers,
    form_data,
    nodes_of,
    part_of,
)
from screens.form_nodes import Field, fields_of
from screens.form_places import Surroundings
from screens.form_values import Kind
from screens.pointers import ABSENT, find
from tests.screens.strategies import documents

AROUND = Surroundings(parameters=("p0", "p1"))

many = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def exact(value: Any) -> str:
    """Tell apart what Python calls equal: 1, 1.0 and true."""
    return json.dumps(value, sort_keys=True)


def field_at(document: Any, pointer: str) -> Field:
    nodes = nodes_of(document, part_of(document, pointer), AROUND)
    return next(each for each in fields_of(nodes) if each.pointer == pointer)


def typed(document: Any, pointer: str, text: str, mode: str = "") -> Any:
    """Return the document after one field was changed in a browser."""
    nodes = nodes_of(document, part_of(document, pointer), AROUND)
    field = field_at(document, pointer)
    sent = form_data(nodes) | {field.text_name: text}
    if field.kind is Kind.SCALAR:
        sent[field.mode_name] = mode
    done = apply(document, nodes, sent)
    assert not done.unread
    return done.body


# --- Nothing is lost --------------------------------------------------------------
@many
@given(documents())
def test_a_form_that_nobody_touches_changes_nothing(document: dict[str, Any]) -> None:
    assert isinstance(parse_document(document), Document)
    before = exact(document)

    for part in ["", *block_pointers(document)]:
        nodes = nodes_of(document, part, AROUND)
        done = apply(document, nodes, form_data(nodes))

        assert exact(done.body) == before
        assert not done.unread
    assert exact(document) == before


@many
@given(documents(), st.data())
def test_one_changed_field_changes_its_place_only(
    document: dict[str, Any], data: st.DataObject
) -> None:
    part = data.draw(st.sampled_from(["", *block_pointers(document)]))
    nodes = nodes_of(document, part, AROUND)
    plain = [each for each in fields_of(nodes) if each.kind is Kind.TEXT]
    field = data.draw(st.sampled_from(plain))

    done = apply(document, nodes, form_data(nodes) | {field.text_name: "other"})

    assert find(done.body, field.pointer) == "other"
    again = copy.deepcopy(done.body)
    nodes = nodes_of(again, part, AROUND)
    if field.value not in (ABSENT, ""):  # what was emptied is left out
        back = apply(again, nodes, form_data(nodes) | {field.text_name: field.value})
        # Ends of lines are all a browser may bend.
        assert exact(back.body).replace("\\r\\n", "\\n").replace("\\r", "\\n") == (
            exact(document).replace("\\r\\n", "\\n").replace("\\r", "\\n")
        )


@many
@given(documents(), st.data())
def test_every_value_is_read_back_from_what_its_field_shows(
    document: dict[str, Any], data: st.DataObject
) -> None:
    """The texts of one document, sent over another of its shape, make the first."""
    part = data.draw(st.sampled_from(["", *block_pointers(document)]))
    nodes = nodes_of(document, part, AROUND)
    sent = form_data(nodes)
    other = copy.deepcopy(document)
    for field in fields_of(nodes):
        if field.kind in (Kind.NUMBER, Kind.SCALAR) and field.value is not ABSENT:
            spoilt = {"parameter": "p0"} if field.kind is Kind.SCALAR else 7
            parent, _, last = field.pointer.rpartition("/")
            find(other, parent)[last] = spoilt  # type: ignore[index,call-overload]

    done = apply(other, nodes_of(other, part, AROUND), sent)

    assert not done.unread
    for field in fields_of(nodes):
        if field.kind in (Kind.NUMBER, Kind.SCALAR):
            found = find(done.body, field.pointer)
            if isinstance(field.value, str):
                assert isinstance(found, str)
                continue  # only ends of lines may differ, see above
            assert found == field.value
            assert isinstance(found, bool) == isinstance(field.value, bool)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "blocks",
                    "title",
                    "parameters",
                    "source",
                    "responses",
                    "default",
                    "format",
                    "options",
                    "columns",
                    "id",
                    "ko",
                    "version",
                    "other",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@many
@given(ANY_JSON)
def test_any_json_at_all_has_a_form_that_loses_nothing(value: Any) -> None:
    for part in ["", *block_pointers(value)]:
        nodes = nodes_of(value, part, AROUND)

        done = apply(value, nodes, form_data(nodes))

        assert exact(done.body) == exact(value)
        assert not done.unread

"""The form of a document: it loses nothing, and changes what was changed, only."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from screens.document import Document, parse_document
from screens.faults import DocumentError, document_faults
from screens.form_edits import (
    MOST_FIELDS,
    Acted,
    act,
    apply,
    at_fields,
    block_pointers,
    form_data,
    nodes_of,
    part_of,
)
from screens.form_nodes import Field, Group, fields_of
from screens.form_places import Surroundings
from screens.form_values import Kind
from screens.pointers import ABSENT, find, put
from tests.screens.conftest import block, body
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
    # What was emptied is left out; a list may have become one of lines.
    is_there = field.pointer in {each.pointer for each in fields_of(nodes)}
    if is_there and field.value not in (ABSENT, ""):
        back = apply(
            again, nodes, form_data(nodes) | {field.text_name: str(field.value)}
        )
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
            spoilt: Any = {"parameter": "p0"} if field.kind is Kind.SCALAR else 7
            put(other, field.pointer, spoilt)

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


# --- Limits and actions -----------------------------------------------------------
def test_a_form_never_grows_too_large_for_a_browser_to_send() -> None:
    columns = [{"name": f"c{number}"} for number in range(100)]
    sort = [{"column": "a"}] * 5
    options = {"columns": columns, "sort": sort}
    responses = {
        f"r{number}": {"format": "table", "options": options} for number in range(19)
    }
    default = {"default": {"format": "table", "options": options}}
    document = body(
        block("a", responses={**responses, **default}),
        parameters=[{"name": f"p{number}"} for number in range(30)],
    )

    for part in ("", "/blocks/0"):
        nodes = nodes_of(document, part, AROUND)
        data = form_data(nodes)

        # Django takes 1,000 fields, which is also for names of new entries.
        assert len(data) < 2 * MOST_FIELDS
        assert exact(apply(document, nodes, data).body) == exact(document)
    assert any(each.inexpressible for each in fields_of(nodes))


def test_what_was_not_on_the_page_stays() -> None:
    document = body(block("a", width=3), block("b"))
    nodes = nodes_of(document, "/blocks/0", AROUND)

    done = apply(document, nodes, {"f:/blocks/0/width": "4", "f:/title/en": "x"})

    assert done.body == body(block("a", width=4), block("b"))


@pytest.mark.parametrize(
    ("mode", "text", "value"),
    [
        pytest.param("text", "5", "5", id="text"),
        pytest.param("number", "5", 5, id="whole number"),
        pytest.param("number", "-5.50", -5.5, id="number"),
        pytest.param("boolean", "TRUE", True, id="boolean"),
        pytest.param("null", "", None, id="null"),
        pytest.param("list", "a\r\n\r\n b ", ["a", "b"], id="list"),
        pytest.param("json", "[1]", [1], id="json"),
        pytest.param("parameter:p1", "left over", {"parameter": "p1"}, id="parameter"),
        pytest.param("", "", ABSENT, id="not given"),
    ],
)
def test_an_argument_says_what_its_text_is(mode: str, text: str, value: Any) -> None:
    document = body(block("a", arguments={"x": [None]}))
    place = "/blocks/0/source/arguments/x"

    assert find(typed(document, place, text, mode), place) == value


@pytest.mark.parametrize(
    ("mode", "text", "rule"),
    [
        pytest.param("number", "many", "not-number", id="no number"),
        pytest.param("number", "1e999", "not-number", id="infinite"),
        pytest.param("boolean", "perhaps", "not-boolean", id="no boolean"),
        pytest.param("json", "{", "not-json", id="no JSON"),
        pytest.param("json", '{"a":1,"a":2}', "repeated-key", id="a name twice"),
        pytest.param("json", "NaN", "not-number", id="not a number"),
        pytest.param("", "5", "kind", id="no kind"),
    ],
)
def test_a_text_that_is_no_value_is_kept_and_told(
    mode: str, text: str, rule: str
) -> None:
    document = body(block("a", arguments={"x": 1}))
    nodes = nodes_of(document, "/blocks/0", AROUND)
    place = "/blocks/0/source/arguments/x"

    done = apply(document, nodes, {f"f:{place}": text, f"m:{place}": mode})

    assert done.body == document
    written, unread = done.unread[place]
    assert (written.text, unread.rule) == (text, rule)


def test_words_left_empty_are_left_out() -> None:
    document = body(block("a"), parameters=[{"name": "p", "label": {"en": "P"}}])

    done = typed(document, "/parameters/0/label/en", "")

    assert done["parameters"] == [{"name": "p"}]
    assert typed(body(block("a")), "/title/en", "")["title"] == {"ko": "화면"}


def acted(document: Any, verb: str, pointer: str, name: str = "") -> Any:
    nodes = nodes_of(document, part_of(document, pointer), AROUND)
    done = act(document, nodes, verb=verb, pointer=pointer, name=name)
    assert isinstance(done, Acted), done
    return done.body


def test_actions_leave_the_document_they_were_given_alone() -> None:
    document = body(block("a"), block("b"))
    before = exact(document)

    for verb in ("up", "down", "remove", "duplicate", "split", "expand", "fit"):
        acted(document, verb, "/blocks/1")
    acted(document, "add", "/blocks")

    assert exact(document) == before


def test_a_double_has_an_id_of_its_own_however_long() -> None:
    long = "a" * 40
    document = acted(body(block(long)), "duplicate", "/blocks/0")
    document = acted(document, "duplicate", "/blocks/0")

    ids = [each["id"] for each in document["blocks"]]

    assert ids == [long, "a" * 36 + "-3", "a" * 36 + "-2"]
    assert isinstance(parse_document(document), Document)


def test_a_plain_title_is_written_by_language() -> None:
    document = acted(body(block("a"), title="Plain"), "split", "/title")

    assert document["title"] == {"ko": "Plain", "en": "Plain"}


@pytest.mark.parametrize(
    ("verb", "pointer", "name", "rule"),
    [
        pytest.param("add", "/blocks/0/source", "x", "gone", id="nothing to add to"),
        pytest.param("add", "/blocks/0/responses", " ", "new-name", id="no name"),
        pytest.param("add", "/blocks/0/responses", "default", "taken-name", id="taken"),
        pytest.param("remove", "/blocks/9", "", "gone", id="gone"),
        pytest.param("remove", "", "", "gone", id="the whole"),
    ],
)
def test_what_cannot_be_done_is_told(
    verb: str, pointer: str, name: str, rule: str
) -> None:
    document = body(block("a"))
    nodes = nodes_of(document, "/blocks/0", AROUND)

    done = act(document, nodes, verb=verb, pointer=pointer, name=name)

    assert isinstance(done, DocumentError)
    assert done.rule == rule


def test_errors_find_the_nearest_place() -> None:
    document = body(block("a", width=99))
    del document["blocks"][0]["id"]
    nodes = nodes_of(document, "/blocks/0", AROUND)
    unknown = DocumentError("/blocks/0/source/arguments/x/y", "parameter")

    found = at_fields(nodes, [*document_faults(document), unknown])

    told = {each.pointer: [e.rule for e in each.errors] for each in fields_of(found)}
    assert told["/blocks/0/width"] == ["maximum"]
    assert told["/blocks/0/id"] == ["required"]
    source = next(each for each in found if each.pointer == "/blocks/0/source")
    assert isinstance(source, Group)
    arguments = source.nodes[-1]
    assert [each.rule for each in arguments.errors] == ["parameter"]

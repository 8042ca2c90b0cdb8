"""Documents: every fault at once, by pointer; good ones come back as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from connectors.parameters import ParameterType
from screens.document import (
    SCHEMA,
    Document,
    FromParameter,
    Text,
    document_as_json,
    parse_document,
)
from screens.messages import with_words
from screens.schema import MAX_BLOCKS, MAX_BYTES
from tests.screens.conftest import block, body


def faults_of(document: Any) -> set[tuple[str, str]]:
    found = parse_document(document)
    assert isinstance(found, tuple), "the document has no fault"
    return {(each.pointer, each.rule) for each in found}


def test_the_published_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_a_document_becomes_values() -> None:
    found = parse_document(
        body(
            block("stock", arguments={"city": {"parameter": "city"}, "limit": 5}),
            parameters=[{"name": "city", "type": "text", "default": "Seoul"}],
            deadline_ms=2_000,
        )
    )

    assert isinstance(found, Document)
    assert found.deadline_ms == 2_000
    assert found.parameters[0].default == "Seoul"
    assert found.blocks[0].source.operation == "stock"
    assert found.blocks[0].source.arguments == {
        "city": FromParameter("city"),
        "limit": 5,
    }
    assert found.title.in_language("ko") == "화면"


def test_a_text_falls_back_to_any_language_there_is() -> None:
    assert Text({"ko": "재고"}).in_language("en") == "재고"
    assert Text({"": "plain"}).in_language("ko") == "plain"
    assert Text({}).in_language("ko") == ""


def test_every_fault_is_found_at_once() -> None:
    document = body(
        block("a", width=13, height=0, arguments={"x": {"parameter": "citi"}}),
        block("a") | {"source": {"operation": "a", "decision_table": "b"}},
        {"id": "B"},
        block("c") | {"responses": {"other": {"format": "tabel"}}},
        parameters=[
            {"name": "city", "type": "choice", "choices": ["x"], "default": "y"},
            {"name": "city"},
            {"name": "page"},
            {"name": "free", "type": "choice"},
        ],
        titel="",
    )

    found = faults_of(document)

    assert {
        ("/blocks/0/width", "maximum"),
        ("/blocks/0/height", "minimum"),
        ("/blocks/0/source/arguments/x/parameter", "parameter"),
        ("/blocks/1/id", "unique"),
        ("/blocks/1/source", "one-source"),
        ("/blocks/2", "required"),
        ("/blocks/2/id", "name"),
        ("/blocks/3/responses", "default-response"),
        ("/blocks/3/responses/other/format", "enum"),
        ("/parameters/0/default", "default-choice"),
        ("/parameters/1/name", "unique"),
        ("/parameters/2/name", "reserved"),
        ("/parameters/3", "required"),
        ("/titel", "unknown"),
    } == found


def test_an_unknown_name_is_told_the_nearest_known_one() -> None:
    found = parse_document(body(block("a"), deadlin_ms=5))

    assert isinstance(found, tuple)
    assert [(each.found, each.expected) for each in found] == [
        ("deadlin_ms", "deadline_ms")
    ]


@pytest.mark.parametrize("form", ["text", "grid", "table", "chart"])
def test_options_are_judged_by_the_schema_of_their_format(form: str) -> None:
    responses = {"default": {"format": form, "options": {"no_such_option": 1}}}

    found = faults_of(body(block("a", responses=responses)))

    pointer = "/blocks/0/responses/default/options/no_such_option"
    assert (pointer, "unknown") in found


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        pytest.param([], ("", "type"), id="no object"),
        pytest.param(None, ("", "type"), id="nothing"),
        pytest.param(float("nan"), ("", "number"), id="not a number"),
        pytest.param({"a": float("inf")}, ("/a", "number"), id="infinite"),
        pytest.param([2**70], ("/0", "number"), id="huge integer"),
        pytest.param([1e300], ("/0", "number"), id="huge float"),
        pytest.param([10**5000], ("/0", "number"), id="integer of 5,000 digits"),
        pytest.param({"a": "\0"}, ("/a", "character"), id="NUL"),
        pytest.param({"a": "\ud800"}, ("/a", "character"), id="half a surrogate"),
        pytest.param({"\0": 1}, ("", "character"), id="NUL in a name"),
        pytest.param({"a/~": "\0"}, ("/a~1~0", "character"), id="escaped pointer"),
    ],
)
def test_what_cannot_be_stored_is_refused(
    document: Any, fault: tuple[str, str]
) -> None:
    assert fault in faults_of(document)


def test_a_document_that_nests_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]

    assert faults_of(deep) == {("", "depth")}


def test_a_document_above_256_kib_is_refused() -> None:
    assert ("", "size") in faults_of({"title": "가" * (MAX_BYTES // 3 + 1)})


def test_more_than_24_blocks_are_refused() -> None:
    blocks = [block(f"b{number}") for number in range(MAX_BLOCKS + 1)]

    assert ("/blocks", "maxItems") in faults_of(body(*blocks))
    assert isinstance(parse_document(body(*blocks[:-1])), Document)


def test_an_id_with_a_line_feed_at_its_end_is_refused() -> None:
    assert ("/blocks/0/id", "name") in faults_of(body(block("a\n", "a")))


@pytest.mark.parametrize(
    ("deadline_ms", "rule"), [(99, "minimum"), (60_001, "maximum"), ("5", "type")]
)
def test_deadlines_are_bounded(deadline_ms: Any, rule: str) -> None:
    document = body(block("a", deadline_ms=deadline_ms), deadline_ms=deadline_ms)

    assert faults_of(document) == {
        ("/deadline_ms", rule),
        ("/blocks/0/deadline_ms", rule),
    }


@pytest.mark.parametrize(
    ("parameter", "fault"),
    [
        pytest.param(
            {"type": "integer", "minimum": 3, "default": 2},
            ("/parameters/0/default", "default-minimum"),
            id="default below",
        ),
        pytest.param(
            {"type": "date", "maximum": "2026-01-01", "default": "2026-01-02"},
            ("/parameters/0/default", "default-maximum"),
            id="default after the last day",
        ),
        pytest.param(
            {"type": "boolean", "default": "maybe"},
            ("/parameters/0/default", "default-type"),
            id="default of another type",
        ),
        pytest.param(
            {"type": "date", "minimum": 3},
            ("/parameters/0/minimum", "bound"),
            id="a number bounds no date",
        ),
        pytest.param(
            {"type": "boolean", "maximum": 3},
            ("/parameters/0/maximum", "bound"),
            id="booleans have no bounds",
        ),
        pytest.param(
            {"type": "colour"}, ("/parameters/0/type", "enum"), id="unknown type"
        ),
    ],
)
def test_parameters_are_judged_by_their_type(
    parameter: dict[str, Any], fault: tuple[str, str]
) -> None:
    document = body(block("a"), parameters=[{"name": "x", **parameter}])

    assert faults_of(document) == {fault}


def test_every_fault_has_words() -> None:
    found = parse_document(
        body(block("a", width=99), parameters=[{"name": "page"}], titel=1)
    )
    assert isinstance(found, tuple)

    worded = with_words(found)

    assert [each.message for each in worded] == [
        "99 is above the largest value 12.",
        "The name page belongs to the page's own address. Choose another.",
        "titel is not known here. Known: title.",
    ]


_names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
_words = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"),
    min_size=1,
    max_size=12,
)
_texts = _words | st.fixed_dictionaries({"ko": _words}, optional={"en": _words})
_scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | _words
_defaults = {
    "text": _words,
    "integer": st.integers(-100, 100),
    "decimal": st.decimals(-100, 100, places=3).map(str),
    "boolean": st.booleans(),
    "date": st.dates().map(str),
    "datetime": st.datetimes().map(lambda moment: f"{moment.isoformat()}+09:00"),
    "list": st.lists(_names, min_size=1, max_size=3),
}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(
        st.lists(_names.filter(lambda n: n != "page"), unique=True, max_size=3)
    )
    kinds = [draw(st.sampled_from(sorted(_defaults))) for _ in names]
    parameters = [
        {"name": name, "type": kind, "label": draw(_texts)}
        | ({"default": draw(_defaults[kind])} if draw(st.booleans()) else {})
        for name, kind in zip(names, kinds, strict=True)
    ]
    ids = draw(
        st.lists(
            st.from_regex(r"[a-z][a-z0-9-]{0,6}", fullmatch=True),
            unique=True,
            min_size=1,
            max_size=4,
        )
    )
    references = [{"parameter": name} for name in names]
    values = _scalars | st.lists(_scalars, max_size=2)
    arguments = st.dictionaries(
        _names, values | st.sampled_from(references) if references else values
    )
    blocks = [
        block(
            name,
            draw(_names),
            title=draw(_texts),
            width=draw(st.integers(1, 12)),
            arguments=draw(arguments),
        )
        for name in ids
    ]
    return body(
        *blocks,
        title=draw(_texts),
        parameters=parameters,
        deadline_ms=draw(st.integers(100, 60_000)),
    )


@settings(max_examples=40, deadline=None)
@given(documents())
def test_a_written_document_reads_back_the_same(document: dict[str, Any]) -> None:
    first = parse_document(document)
    assert isinstance(first, Document), first

    written = document_as_json(first)

    assert parse_document(json.loads(json.dumps(written))) == first


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["version", "title", "blocks", "source", "id", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(_json)
def test_any_json_is_parsed_or_refused_with_words(document: Any) -> None:
    found = parse_document(document)

    if isinstance(found, tuple):
        assert found
        assert all(each.message for each in with_words(found))


@settings(max_examples=40, deadline=None)
@given(documents(), st.data())
def test_one_part_replaced_never_raises(
    document: dict[str, Any], data: st.DataObject
) -> None:
    part = data.draw(st.sampled_from(["title", "blocks", "parameters", "deadline_ms"]))
    inside = data.draw(st.booleans())
    target = document["blocks"][0] if inside else document
    target["source" if inside else part] = data.draw(_json)

    found = parse_document(document)

    assert isinstance(found, Document) or found


def test_every_parameter_type_is_in_the_schema() -> None:
    listed = SCHEMA["$defs"]["parameter"]["properties"]["type"]["enum"]

    assert listed == [kind.value for kind in ParameterType]

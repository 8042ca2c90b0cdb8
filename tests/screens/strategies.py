"""Documents that keep every rule, of every shape the schema has. For hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from connectors.parameters import ParameterType
from renderers.presentation import Format
from renderers.schemas import SCHEMAS
from screens.document import Document, parse_document

# Texts with all that forms and browsers bend: ends of lines, spaces, quotes, tags.
ODD = st.text(alphabet="aé 가\n\r\t\"'<&\\/~%{}0.\u2028", max_size=8)
NOT_EMPTY = ODD.filter(bool)
KEY = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,5}", fullmatch=True)
SCALAR = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | ODD | st.floats(
    -(2.0**62), 2.0**62
)  # fmt: skip


def words(text: st.SearchStrategy[str] = NOT_EMPTY) -> st.SearchStrategy[Any]:
    by_language = st.dictionaries(st.sampled_from(["ko", "en"]), text, min_size=1)
    return text | by_language


def of_schema(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Draw values of a format's option, as its schema allows them."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_of_type(kind, schema) for kind in kinds])


def _of_type(kind: str, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    match kind:
        case "string" if "pattern" in schema:
            return st.sampled_from(["0", "0.00", "0.0%", "KRW", "raw", "%Y-%m"])
        case "string":
            return NOT_EMPTY
        case "integer":
            whole = st.integers(schema["minimum"], schema["maximum"])
            return whole | whole.map(float)
        case "number":
            return st.integers(-99, 99) | st.floats(-9, 9)
        case "boolean":
            return st.booleans()
        case "array":
            unique = repr if schema.get("uniqueItems") else None
            low = schema.get("minItems", 0)
            return st.lists(
                of_schema(schema["items"]), min_size=low, max_size=3, unique_by=unique
            )
        case _:
            return _of_object(schema)


def _of_object(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" in schema:
        wanted = schema.get("required", ())
        drawn = {name: of_schema(each) for name, each in schema["properties"].items()}
        must = {name: each for name, each in drawn.items() if name in wanted}
        may = {name: each for name, each in drawn.items() if name not in wanted}
        return st.fixed_dictionaries(must, optional=may)
    names = schema.get("propertyNames", {}).get("enum")
    keys = st.sampled_from(names) if names else NOT_EMPTY
    return st.dictionaries(keys, of_schema(schema["additionalProperties"]), max_size=3)


def _options(form: Format) -> st.SearchStrategy[Any]:
    return of_schema({**SCHEMAS[form], "additionalProperties": False})


PRESENTATION = st.sampled_from(list(Format)).flatmap(
    lambda form: st.fixed_dictionaries(
        {"format": st.just(form.value)}, optional={"options": _options(form)}
    )
)


def parameter(name: str) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"name": st.just(name)},
        optional={
            "type": st.sampled_from([kind.value for kind in ParameterType]),
            "label": words(),
            "required": st.booleans(),
            "default": SCALAR | st.lists(ODD, max_size=3),
            "choices": st.lists(NOT_EMPTY, min_size=1, max_size=3, unique=True),
            "minimum": st.integers(0, 9) | st.just("2026-01-31"),
        },
    )


def block(name: str, parameters: list[str]) -> st.SearchStrategy[Any]:
    taken = st.sampled_from(parameters).map(lambda name: {"parameter": name})
    argument = SCALAR | st.lists(SCALAR, max_size=3) | (taken if parameters else SCALAR)
    arguments = st.dictionaries(
        st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,4}", fullmatch=True), argument,
        max_size=3,
    )  # fmt: skip
    optional = {"arguments": arguments}
    source = st.fixed_dictionaries({"operation": KEY}, optional=optional)
    source |= st.fixed_dictionaries({"decision_table": KEY}, optional=optional)
    more = st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_-]{0,4}", fullmatch=True), PRESENTATION, max_size=2
    )
    responses = st.builds(
        lambda one, others: {"default": one, **others}, PRESENTATION, more
    )
    return st.fixed_dictionaries(
        {
            "id": st.just(name),
            "title": words(),
            "source": source,
            "responses": responses,
        },
        optional={
            "width": st.integers(1, 12) | st.just(6.0),
            "height": st.integers(1, 12),
            "deadline_ms": st.integers(100, 60_000),
        },
    )


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a valid document."""
    names = [f"p{number}" for number in range(draw(st.integers(0, 2)))]
    parameters = [draw(parameter(name)) for name in names]
    count = draw(st.integers(1, 2))
    body: dict[str, Any] = {
        "version": 1,
        "title": draw(words()),
        "blocks": [draw(block(f"b{number}", names)) for number in range(count)],
    }
    if names or draw(st.sampled_from([True, False])):
        body["parameters"] = parameters
    if draw(st.booleans()):
        body["description"] = draw(words(ODD))
    if draw(st.booleans()):
        body["deadline_ms"] = draw(st.integers(100, 60_000))
    for each in parameters:
        _make_valid(each)
    return body


def _make_valid(each: dict[str, Any]) -> None:
    """Take away what contradicts the type of a parameter, until nothing does."""
    response = {"default": {"format": "text"}}
    only: dict[str, Any] = {"id": "b", "title": "t", "source": {"operation": "a"}}
    around: dict[str, Any] = {
        "version": 1,
        "title": "t",
        "blocks": [{**only, "responses": response}],
    }
    for name in ("default", "minimum", "choices", "type"):
        if not isinstance(parse_document({**around, "parameters": [each]}), Document):
            each.pop(name, None)

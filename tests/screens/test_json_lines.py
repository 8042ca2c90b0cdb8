"""Where in a text a place of its document begins."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens import editing
from screens.faults import DocumentError
from screens.json_lines import line_of, lines_by_pointer
from screens.pointers import find

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def places(value: Any, pointer: str = "") -> list[str]:
    found = [pointer]
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for step, inner in pairs:
        name = str(step).replace("~", "~0").replace("/", "~1")
        found += places(inner, f"{pointer}/{name}")
    return found


@given(ANY, st.sampled_from([0, 1, 2]), st.booleans())
def test_every_place_has_a_line_and_its_value_begins_there(
    value: Any, indent: int, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    lines = text.split("\n")

    found = lines_by_pointer(text)

    assert sorted(found) == sorted(places(value))
    for pointer, number in found.items():
        line = lines[number - 1].strip()
        step = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        parent = find(value, pointer.rpartition("/")[0]) if pointer else None
        if isinstance(parent, dict):
            name = json.dumps(step, ensure_ascii=ascii_only)
            assert line.startswith(f"{name}:")
            line = line.removeprefix(f"{name}:").strip()
        here = find(value, pointer)
        if isinstance(here, dict | list):
            assert line[0] == ("{" if isinstance(here, dict) else "[")
        else:
            assert json.loads(line.removesuffix(",")) == here


@given(st.text(alphabet='{}[]:,"ab1\n \\'))
def test_what_is_no_json_never_breaks_it(text: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        located = editing.located([DocumentError("/a", "type")], text)

        assert located[0].has_form is False
    else:
        assert "" in lines_by_pointer(text)


def test_a_place_that_is_missing_has_the_line_around_it() -> None:
    lines = lines_by_pointer('{\n "blocks": [\n  {},\n  {"id": 1}\n ]\n}')

    assert line_of(lines, "/blocks/1/width") == 4
    assert line_of(lines, "/nothing") == 1
    assert line_of({}, "/nothing") is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param('{\n"a": }', 2, id="no value"),
        pytest.param('{"a": 1,\n"a": 2}', None, id="a name twice"),
    ],
)
def test_a_text_that_is_no_json_is_told_with_its_line(
    text: str, line: int | None
) -> None:
    _body, fault = editing.read_json(text)
    assert fault is not None

    assert [each.line for each in editing.located([fault], text)] == [line]

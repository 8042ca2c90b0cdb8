from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation
from jsonschema import Draft202012Validator

from renderers.options import SCHEMAS, option_errors
from renderers.presentation import Format


def _parts(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, part in schema.get("properties", {}).items():
        yield f"{path}/{name}", part
        yield from _parts(part, f"{path}/{name}")
    if "items" in schema:
        yield from _parts(schema["items"], f"{path}/items")


@pytest.mark.parametrize("name", list(Format))
def test_every_format_publishes_a_sound_schema_whose_options_explain_themselves(
    name: Format,
) -> None:
    schema = SCHEMAS[name]

    Draft202012Validator.check_schema(schema)

    assert schema["title"]
    for path, part in _parts(schema):
        assert part.get("title"), path
        assert part.get("description"), path


@pytest.mark.parametrize(
    ("name", "options", "pointer", "rule", "words"),
    [
        ("grid", {"pagesize": 5}, "/pagesize", "unknown", "Did you mean “page_size”"),
        ("text", {"zzz": 5}, "/zzz", "unknown", "Options are: mode"),
        ("grid", {"page_size": 0}, "/page_size", "minimum", "at least 1"),
        ("grid", {"page_size": 501}, "/page_size", "maximum", "at most 500"),
        ("table", {"limit": "many"}, "/limit", "type", "integer"),
        ("chart", {"type": "donut"}, "/type", "choice", "line, bar"),
        ("table", {"sort": [{"descending": True}]}, "/sort/0", "required", "column"),
        ("table", {"columns": []}, "/columns", "too_short", "1 or more"),
        ("text", {"template": "x" * 4_001}, "/template", "too_long", "4000 or less"),
        ("chart", {"y": ["a", "a"]}, "/y", "repeated", "once"),
        (
            "table",
            {"columns": [{"name": "a", "format": "<b>"}]},
            "/columns/0/format",
            "pattern",
            "%Y-%m-%d",
        ),
        (
            "table",
            {"columns": [{"name": "a", "labl": {}}]},
            "/columns/0/labl",
            "unknown",
            "“label”",
        ),
        ("text", {"label": {"fr": "x"}}, "/label", "choice", "ko, en"),
        ("text", {"a/b~c": 1}, "/a~1b~0c", "unknown", "a/b~c"),
    ],
)
def test_a_fault_is_told_with_its_place_and_the_way_out(
    name: str, options: dict[str, Any], pointer: str, rule: str, words: str
) -> None:
    with translation.override("en"):
        errors = option_errors(Format(name), options)

    assert [error[:2] for error in errors] == [(pointer, rule)]
    assert words in errors[0][2]


def test_faults_are_told_in_the_active_language() -> None:
    with translation.override("ko"):
        errors = option_errors(Format.GRID, {"pagesize": 5})

    assert "page_size" in errors[0][2]
    assert "옵션이 없습니다" in errors[0][2]


def test_valid_options_have_no_errors() -> None:
    options = {
        "columns": ["a", {"name": "b", "label": {"ko": "비"}, "format": "0.0%"}],
        "sort": [{"column": "a", "descending": True}],
        "totals": [{"column": "b", "function": "sum"}],
        "emphasis": [{"column": "b", "operator": ">", "value": 3, "tone": "bad"}],
    }

    assert option_errors(Format.TABLE, options) == []
    assert option_errors(Format.GRID, options | {"page_size": 20}) == []

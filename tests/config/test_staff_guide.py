"""docs/staff.md: what it tells staff to write is accepted, what it names exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.template.loader import get_template
from django.utils import translation

from branching.definitions import parse_fallbacks
from renderers.options import option_errors
from renderers.presentation import Format

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "staff.md").read_text("utf-8")
EXAMPLES = re.findall(r'^\{"format".*$', GUIDE, re.MULTILINE)


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_of_a_response_is_valid(line: str) -> None:
    example = json.loads(line)

    assert option_errors(Format(example["format"]), example["options"]) == []


def test_every_format_has_an_example() -> None:
    assert {json.loads(line)["format"] for line in EXAMPLES} == set(Format)


def test_the_example_of_fallbacks_is_valid() -> None:
    found = re.search(r'`(\[\{"on".*?\}\])`', GUIDE)
    assert found

    assert len(parse_fallbacks(json.loads(found[1]))) == 2


@pytest.mark.parametrize(
    "button",
    ["Save as a draft", "Preview", "Compare", "Publish", "Back to this version"],
)
def test_every_button_of_the_editor_is_named_as_the_page_names_it(button: str) -> None:
    sources = [
        get_template(f"screens/{name}.html").template.source  # type: ignore[attr-defined]
        for name in ("edit", "versions", "version_rows")
    ]

    with translation.override("en"):
        assert any(button in source for source in sources)
    assert f"**{button}**" in GUIDE

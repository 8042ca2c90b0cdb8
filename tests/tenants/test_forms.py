"""tenants/forms.py: JSON for people, and faults at the field somebody can change."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.utils import translation

from tenants.forms import JsonField, JsonText


class OneField(forms.Form):
    value = JsonField(required=False)


def errors_of(text: str) -> str:
    form = OneField({"value": text})
    assert not form.is_valid(), text
    return " ".join(map(str, form.errors["value"]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1,\n "b" 2}', "line 2, column 6: a colon is missing"),
        ('{"a": 1 "b": 2}', "line 1, column 9: a comma or a closing bracket"),
        ("{'a': 1}", "line 1, column 2: a name in double quotes"),
        ('{"a": }', "line 1, column 7: a value is missing"),
        ("[1] x", "line 1, column 5: the JSON has ended"),
        ('["a]', "a text is not closed"),
        ('["a\nb"]', "a text holds a line break"),
        ('{"a": 1, "a": 2}', "“a” stands twice"),
        ("[NaN]", "not finite"),
        ("[" * 100_000, "too deep"),
    ],
)
def test_a_fault_is_told_with_its_place(text: str, words: str) -> None:
    with translation.override("en"):
        assert words in errors_of(text)


def test_a_fault_is_told_in_korean_without_a_word_of_the_parser() -> None:
    with translation.override("ko"):
        text = errors_of('{"a": 1,\n "b" 2}')

    assert text == "JSON이 아닙니다. 2행 6열: 쌍점(:)이 없습니다."


@pytest.mark.parametrize("text", ['{"a": 1', '{"a": 1, "a": 2}', '{ "a" :1 }'])
def test_what_was_typed_comes_back_as_it_was_typed(text: str) -> None:
    form = OneField({"value": text})

    assert form["value"].value() == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"ko": "재고", "en": "Stock"}, '{"ko": "재고", "en": "Stock"}'),
        (["long text of a row"] * 5, '[\n  "long text of a row",\n'),
        (None, ""),
    ],
)
def test_short_values_stand_on_one_line_and_long_ones_on_many(
    value: Any, shown: str
) -> None:
    form = OneField(initial={"value": value})

    assert str(form["value"].value() or "").startswith(shown)


def test_json_is_typed_into_a_field_made_for_it() -> None:
    html = str(OneField()["value"])

    assert isinstance(JsonField().widget, JsonText)
    assert 'class="json-text"' in html
    assert 'spellcheck="false"' in html


def test_an_empty_field_is_no_value() -> None:
    form = OneField({"value": ""})

    assert form.is_valid()
    assert form.cleaned_data["value"] is None

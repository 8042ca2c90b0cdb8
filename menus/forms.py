"""The parameter form of a screen: fields of a GET form, with what was wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from django.utils.translation import gettext as _

from connectors.messages import argument_error
from connectors.parameters import (
    Argument,
    ArgumentError,
    ParameterSpec,
    ParameterType,
    as_text,
)
from screens.document import Text

Given: TypeAlias = Mapping[str, Sequence[str]]

_INPUTS = {
    ParameterType.INTEGER: "number",
    ParameterType.DECIMAL: "number",
    ParameterType.DATE: "date",
    ParameterType.DATETIME: "datetime-local",
}


@dataclass(frozen=True, slots=True)
class ParameterField:
    """One field of the form.

    Attributes:
        input: Type of the HTML input, or ``select``.
        choices: Value and text of each option of a select.
        errors: Sentences about what was given.
    """

    name: str
    label: str
    input: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False
    hint: str = ""
    step: str = ""
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParameterForm:
    """The form of a screen.

    Attributes:
        errors: Sentences about names that are no parameter of the screen.
    """

    fields: tuple[ParameterField, ...]
    errors: tuple[str, ...] = ()


def parameter_form(
    specs: Sequence[ParameterSpec],
    *,
    given: Given,
    language: str,
    faults: Sequence[ArgumentError] = (),
) -> ParameterForm:
    """Build the form, each fault at its field, unknown names above the fields."""
    names = {spec.name for spec in specs}
    fields = tuple(
        _field(spec, given=given, language=language, faults=faults) for spec in specs
    )
    strangers = tuple(
        argument_error(fault) for fault in faults if fault.name not in names
    )
    return ParameterForm(fields, strangers)


def _field(
    spec: ParameterSpec,
    *,
    given: Given,
    language: str,
    faults: Sequence[ArgumentError],
) -> ParameterField:
    return ParameterField(
        name=spec.name,
        label=Text(spec.label).in_language(language) or spec.name,
        input="select" if _choices(spec) else _INPUTS.get(spec.type, "text"),
        value=_value(spec, given),
        choices=_choices(spec),
        required=spec.required and spec.default is None,
        hint=_("Separate several with commas.")
        if spec.type is ParameterType.LIST
        else "",
        step="any" if spec.type is ParameterType.DECIMAL else "",
        errors=tuple(
            argument_error(fault) for fault in faults if fault.name == spec.name
        ),
    )


def _value(spec: ParameterSpec, given: Given) -> str:
    if spec.name in given:
        return ",".join(given[spec.name])
    return _written(spec.default)


def _written(value: Argument) -> str:
    return "" if value is None else as_text(value)


def _choices(spec: ParameterSpec) -> tuple[tuple[str, str], ...]:
    if spec.type is ParameterType.BOOLEAN:
        options = [("true", _("yes")), ("false", _("no"))]
    elif spec.type is ParameterType.CHOICE:
        options = [(choice, choice) for choice in spec.choices]
    else:
        return ()
    blank = [] if spec.required else [("", "—")]
    return (*blank, *options)

"""What a stored parameter must keep, and how it becomes a value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from connectors import http_request, messages
from connectors.parameters import (
    ArgumentError,
    Bound,
    ParameterSpec,
    ParameterType,
    parse_arguments,
)
from connectors.query_safety import RESERVED
from connectors.stored import StoredParameter


def check_sql_name(name: str) -> None:
    """Refuse a name that queries know as the tenant's.

    Raises:
        ValidationError: for the field ``name``.
    """
    if name in RESERVED:
        raise ValidationError({"name": _reserved_words(name)})


def _reserved_words(name: str) -> str:
    text = _("%(name)s is bound by the portal itself. Choose another name.")
    return text % {"name": name}


def check_parameter(parameter: StoredParameter) -> None:
    """Refuse a parameter whose bounds, choices or default do not fit its type.

    Raises:
        ValidationError: by field.
    """
    errors: dict[str, str] = {}
    if parameter.name in http_request.RESERVED:
        errors["name"] = _reserved_words(parameter.name)
    choices = parameter.choices
    if not isinstance(choices, list) or not all(
        isinstance(one, str) for one in choices
    ):
        errors["choices"] = _('Give a list of texts, such as ["north", "south"].')
    elif parameter.type == ParameterType.CHOICE and not choices:
        errors["choices"] = _("A choice needs the values to choose from.")
    for field in ("minimum", "maximum"):
        try:
            _bound(parameter.type, getattr(parameter, field))
        except ValueError as error:
            errors[field] = str(error)
    if not errors and parameter.default:
        parsed = _parsed_default(parameter)
        if isinstance(parsed, tuple):
            errors["default"] = messages.argument_error(parsed[0])
    if errors:
        raise ValidationError(errors)


def parameter_spec(parameter: StoredParameter) -> ParameterSpec:
    """Return a stored parameter as a value."""
    spec = _spec_without_default(parameter)
    parsed = _parsed_default(parameter) if parameter.default else {}
    if isinstance(parsed, tuple):  # stored before the rules were asked
        return spec
    return replace(spec, default=parsed.get(parameter.name))


def _spec_without_default(parameter: StoredParameter) -> ParameterSpec:
    return ParameterSpec(
        name=parameter.name,
        type=ParameterType(parameter.type),
        required=parameter.required,
        minimum=_bound(parameter.type, parameter.minimum),
        maximum=_bound(parameter.type, parameter.maximum),
        choices=tuple(parameter.choices),
        label=parameter.label,
    )


def _parsed_default(
    parameter: StoredParameter,
) -> dict[str, Any] | tuple[ArgumentError, ...]:
    spec = _spec_without_default(parameter)
    return parse_arguments([spec], {parameter.name: parameter.default})


def _bound(kind: str, text: str) -> Bound | None:
    """Read a bound as its parameter's type compares it.

    Raises:
        ValueError: with words for the form.
    """
    if not text:
        return None
    try:
        match ParameterType(kind):
            case ParameterType.DECIMAL:
                number = Decimal(text)
                if not number.is_finite():
                    raise ValueError(text)
                return number
            case ParameterType.DATE:
                return date.fromisoformat(text)
            case ParameterType.DATETIME:
                moment = datetime.fromisoformat(text)
                return moment if moment.tzinfo else moment.date()
            case _:
                return int(text)
    except (ValueError, ArithmeticError):
        words = _("“%(text)s” does not bound a parameter of this type.")
        raise ValueError(words % {"text": text}) from None

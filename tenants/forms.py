"""What every form of a tenant's rows shares: JSON for people, faults at fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenants.lifecycle import storage_refusal
from tenants.scope import active_tenant_id

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm

_ONE_LINE = 76  # characters of JSON that are still read in one line

# What Python's parser says, in words of ours.
_FAULTS = {
    "Expecting value": gettext_lazy(
        "a value is missing, or a text has no double quotes"
    ),
    "Expecting property name enclosed in double quotes": gettext_lazy(
        "a name in double quotes is missing, or there is a comma too much"
    ),
    "Expecting ':' delimiter": gettext_lazy("a colon is missing"),
    "Expecting ',' delimiter": gettext_lazy("a comma or a closing bracket is missing"),
    "Extra data": gettext_lazy("the JSON has ended, and more follows"),
    "Unterminated string starting at": gettext_lazy("a text is not closed"),
    "Invalid control character at": gettext_lazy(
        "a text holds a line break or a tab; write \\n or \\t"
    ),
    "Illegal trailing comma before end of object": gettext_lazy(
        "there is a comma too much"
    ),
    "Illegal trailing comma before end of array": gettext_lazy(
        "there is a comma too much"
    ),
}


class JsonText(forms.Textarea):
    """A text area for JSON: monospaced, as tall as its text (``admin.css``)."""

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        shape = {"class": "json-text", "rows": 3, "spellcheck": "false"}
        super().__init__({**shape, **(attrs or {})})


class JsonField(forms.JSONField):
    """JSON as people write it: short values on one line, faults with their place."""

    widget = JsonText

    def to_python(self, value: Any) -> Any:
        if self.disabled or value in self.empty_values or not isinstance(value, str):
            return super().to_python(value)
        try:
            return json.loads(value, object_pairs_hook=_once, parse_constant=_no_number)
        except json.JSONDecodeError as error:
            raise ValidationError(_fault_words(error), code="invalid") from error
        except _Twice as error:
            text = _("The name “%(name)s” stands twice in one object. Keep one.")
            raise ValidationError(
                text, code="invalid", params={"name": str(error)[:80]}
            ) from error
        except (RecursionError, ValueError) as error:
            text = _("A number is too large or not finite, or the JSON is too deep.")
            raise ValidationError(text, code="invalid") from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        # What was typed comes back as it was typed, right or wrong.
        if self.disabled or not isinstance(data, str):
            return super().bound_data(data, initial)
        return InvalidJSONInput(data)

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, InvalidJSONInput):
            return value
        line = json.dumps(value, ensure_ascii=False, cls=self.encoder)
        if len(line) <= _ONE_LINE:
            return line
        return json.dumps(value, ensure_ascii=False, indent=2, cls=self.encoder)


class TenantModelForm(_ModelForm):
    """Tells what a constraint refuses at the field somebody can change.

    Fields that `fault_fields` names by the constraint take its refusal; a key that is
    taken is told at the key. What fits no field stands above the form.
    """

    fault_fields: ClassVar[Mapping[str, str]] = {}

    def clean(self) -> dict[str, Any] | None:
        adding = self.instance._state.adding
        refusal = storage_refusal(active_tenant_id()) if adding else ""
        if refusal:
            raise ValidationError(refusal, code="storage-used-up")
        return super().clean()

    def _update_errors(self, errors: ValidationError) -> None:
        for fault in getattr(errors, "error_dict", {}).pop(NON_FIELD_ERRORS, []):
            name = self._field_of(fault)
            text = fault
            if name and fault.code in {"unique", "unique_together"}:
                text = ValidationError(_("This key is taken. Choose another."))
            errors.error_dict.setdefault(name or NON_FIELD_ERRORS, []).append(text)
        super()._update_errors(errors)  # type: ignore[misc]

    def _field_of(self, fault: ValidationError) -> str:
        """Name the one field of this form that a refusal is about, or an empty text."""
        for constraint in self._meta.model._meta.constraints:
            if not _refused_by(constraint, fault):
                continue
            if (name := self.fault_fields.get(constraint.name, "")) in self.fields:
                return name
            fields = getattr(constraint, "fields", ())
            shown = [each for each in fields if each in self.fields]
            return shown[0] if len(shown) == 1 else ""
        return ""


def _refused_by(constraint: models.BaseConstraint, fault: ValidationError) -> bool:
    params = fault.params if isinstance(fault.params, dict) else {}
    if "unique_check" in params:
        fields = tuple(getattr(constraint, "fields", ()))
        return bool(fields) and fields == tuple(params["unique_check"])
    return str(fault.message) == str(constraint.get_violation_error_message())


def json_fault(message: str) -> str:
    """Return a message of the JSON parser in the active language."""
    return str(_FAULTS.get(message, message))


def _fault_words(error: json.JSONDecodeError) -> str:
    values = {
        "line": error.lineno,
        "column": error.colno,
        "fault": json_fault(error.msg),
    }
    return _("This is not JSON: line %(line)d, column %(column)d: %(fault)s.") % values


class _Twice(Exception):
    """An object names a key twice; which of both was meant, nobody knows."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)

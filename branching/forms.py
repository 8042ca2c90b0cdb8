"""Forms of the admin: conditions as staff type them, and trying a table out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from branching.literals import typed
from branching.models import Condition
from branching.operators import FactType
from branching.trials import tried_facts, tried_parameters
from connectors.messages import argument_error
from connectors.models import Operation
from connectors.parameters import Argument, ArgumentError, ParameterType
from tenants.admin import TenantModelForm
from tenants.permissions import can
from tenants.scope import Actor


class ConditionForm(TenantModelForm):
    """The value is written as text; saving types it for what it is compared with."""

    value = forms.CharField(
        label=Condition._meta.get_field("value").verbose_name,
        help_text=Condition._meta.get_field("value").help_text,
        required=False,
    )

    class Meta:
        model = Condition
        fields = [
            "order",
            "group",
            "operand",
            "name",
            "operator",
            "value",
            "ignore_case",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Messages and filters of facts name operators by their codes.
        codes = Condition.Operator
        self.fields["operator"].choices = [  # type: ignore[attr-defined]
            (code.value, f"{code.label} ({code.value})") for code in codes
        ]
        value = self.initial.get("value")
        self.initial["value"] = typed(
            tuple(value) if isinstance(value, list) else value
        )

    def clean_value(self) -> str | None:
        return self.cleaned_data["value"] or None


class UsableOperations:
    """Refuses operations that the actor may not use: a table must not lend a right.

    Takes one key, or the steps of a fallback chain. Unknown keys are left to the
    model, which names the nearest known one.
    """

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def __call__(self, value: Any) -> None:
        for operation in Operation.objects.filter(key__in=_named(value)):
            if not can(self._actor, "use_operation", operation):
                raise ValidationError(
                    _(
                        "You may not use the operation %(key)s. Ask somebody who may "
                        "to add your team on its page."
                    ),
                    code="not-allowed",
                    params={"key": operation.key},
                )


def _named(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    steps = value if isinstance(value, list) else []
    named = [step.get("operation") for step in steps if isinstance(step, dict)]
    return [key for key in named if isinstance(key, str)]


class TryForm(forms.Form):
    """Parameters of a table, and facts to try instead of those that are read."""

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        parameters: Mapping[str, ParameterType],
        facts: Mapping[str, FactType],
    ) -> None:
        super().__init__(data)
        self._parameters = parameters
        self._facts = facts
        self.arguments: dict[str, Argument] = {}
        self.overrides: dict[str, Argument] = {}
        for name, kind in parameters.items():
            self.fields[f"p_{name}"] = forms.CharField(
                label=name, required=False, help_text=str(kind.value)
            )
        for key, fact_type in facts.items():
            self.fields[f"f_{key}"] = forms.CharField(
                label=_("fact %(key)s") % {"key": key},
                required=False,
                help_text=_("%(type)s; read when empty") % {"type": fact_type.value},
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self.arguments = self._take(
            "p_", tried_parameters(self._parameters, self._of("p_"))
        )
        self.overrides = self._take("f_", tried_facts(self._facts, self._of("f_")))
        return cleaned

    def _of(self, prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): text
            for name, text in self.cleaned_data.items()
            if name.startswith(prefix) and text
        }

    def _take(
        self,
        prefix: str,
        parsed: dict[str, Argument] | tuple[ArgumentError, ...],
    ) -> dict[str, Argument]:
        if isinstance(parsed, dict):
            return parsed
        for error in parsed:
            self.add_error(prefix + error.name, argument_error(error))
        return {}

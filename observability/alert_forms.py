"""Forms of objectives, rules, silences, channels: a fault is told at its field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from observability.channel_models import SHORTEST_SECRET
from observability.models import AlertChannel, AlertRule, Objective, Silence
from observability.webhooks import secret_bytes
from tenants.forms import TenantModelForm


class ObjectiveForm(TenantModelForm):
    """A promise, and whether it raises alerts from the start."""

    with_rules = forms.BooleanField(
        label=gettext_lazy("alert when the budget burns"),
        required=False,
        initial=True,
        help_text=gettext_lazy(
            "Adds the three burn-rate rules: fast and medium wake somebody, slow can "
            "wait for the morning."
        ),
    )
    fault_fields: ClassVar[Mapping[str, str]] = {
        "observability_objective_target_leaves_a_budget": "target",
        "observability_objective_window_1_to_90_days": "window_days",
        "observability_objective_threshold_with_latency": "threshold_ms",
    }

    class Meta:
        model = Objective
        fields: list[str] = []

    def clean(self) -> dict[str, Any]:
        # The constraint is not asked about a field that was left empty.
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        latency = cleaned.get("type") == Objective.Type.LATENCY
        if latency and cleaned.get("threshold_ms", 1) is None:
            text = _("Latency needs a threshold in milliseconds.")
            self.add_error("threshold_ms", text)
        return cleaned


class AlertRuleForm(TenantModelForm):
    """A rule of one of two types; what belongs to the other type stays empty."""

    class Meta:
        model = AlertRule
        fields: list[str] = []

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        burn = cleaned.get("type") == AlertRule.Type.BURN
        needed = _BURN if burn else _LIMIT
        foreign = _LIMIT if burn else _BURN
        for name in needed:
            if name in cleaned and cleaned[name] in (None, ""):
                self.add_error(name, _("This type of rule needs it."))
        for name in foreign:
            if cleaned.get(name) not in (None, ""):
                text = _("This belongs to the other type of rule. Leave it empty.")
                self.add_error(name, text)
        return cleaned


_BURN = ("objective", "pace")
_LIMIT = ("kind", "measured_key", "metric", "limit")


class SilenceForm(TenantModelForm):
    fault_fields: ClassVar[Mapping[str, str]] = {
        "observability_silence_ends_after_it_starts": "ends_at",
    }

    class Meta:
        model = Silence
        fields: list[str] = []


class AlertChannelForm(TenantModelForm):
    """A channel whose secret can be written and never read."""

    new_secret = forms.CharField(
        label=gettext_lazy("new secret"),
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy(
            "Webhook: signs every notification (Standard Webhooks, HMAC-SHA256). At "
            "least 16 characters, or whsec_ and base64. Empty keeps the one that is "
            "set."
        ),
    )

    class Meta:
        model = AlertChannel
        fields: list[str] = []

    def clean_new_secret(self) -> str:
        given: str = self.cleaned_data["new_secret"]
        if not given:
            return given
        try:
            key = secret_bytes(given)
        except ValueError as error:
            raise forms.ValidationError(
                _("What follows whsec_ is not base64. Copy the secret again.")
            ) from error
        if len(key) < SHORTEST_SECRET:
            raise forms.ValidationError(
                _("A secret needs at least %(count)d characters.")
                % {"count": SHORTEST_SECRET}
            )
        return given

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        webhook = cleaned.get("kind") == AlertChannel.Kind.WEBHOOK
        given = cleaned.get("new_secret")
        if webhook:
            self._ask("url", "recipients", _("A webhook needs an address."))
            if not given and not self.instance.secret and "new_secret" in cleaned:
                text = _("A webhook needs a secret to sign with.")
                self.add_error("new_secret", text)
        elif cleaned.get("kind"):
            self._ask("recipients", "url", _("E-mail needs recipients."))
        return cleaned

    def _ask(self, needed: str, foreign: str, missing: str) -> None:
        if needed in self.cleaned_data and not self.cleaned_data[needed]:
            self.add_error(needed, missing)
        if self.cleaned_data.get(foreign):
            text = _("This belongs to the other kind of channel. Leave it empty.")
            self.add_error(foreign, text)

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data["new_secret"]:
            self.instance.put_secret(self.cleaned_data["new_secret"])
        return super().save(commit)

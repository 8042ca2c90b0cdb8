"""Forms of the superusers' tenant page: suspend, export, erase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenants.erasing import check_erasable
from tenants.models import Tenant

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Tenant]
else:
    _ModelForm = forms.ModelForm


class TenantForm(_ModelForm):
    """A tenant; whoever suspends one says why."""

    class Meta:
        model = Tenant
        fields = [
            "name", "key", "is_active", "suspension_reason",
            "max_queries_per_day", "max_rows_per_day", "max_storage_bytes",
        ]  # fmt: skip

    def clean_suspension_reason(self) -> str:
        reason = str(self.cleaned_data.get("suspension_reason", "")).strip()
        if self.cleaned_data.get("is_active"):
            return ""
        if not reason:
            raise ValidationError(
                _("Say why the tenant is suspended."), code="reason-missing"
            )
        return reason


class ExportForm(forms.Form):
    personal_data_reason = forms.CharField(
        required=False,
        max_length=300,
        label=gettext_lazy("reason for personal data"),
        help_text=gettext_lazy(
            "Left empty, names, e-mail and free texts about people stay out. The "
            "reason is kept in the audit trail."
        ),
    )


class EraseForm(forms.Form):
    key = forms.CharField(
        max_length=40,
        label=gettext_lazy("key of the tenant"),
        help_text=gettext_lazy("Type it to confirm. This cannot be undone."),
    )
    reason = forms.CharField(
        max_length=300,
        label=gettext_lazy("reason"),
        help_text=gettext_lazy("Kept in the certificate of the erasure."),
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tenant = tenant

    def clean(self) -> dict[str, Any]:
        check_erasable(self._tenant, typed=self.cleaned_data.get("key", ""))
        return self.cleaned_data

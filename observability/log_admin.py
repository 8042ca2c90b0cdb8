"""Log levels to change for a while; log lines and traces lead to their pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from observability.models import LogLevel, LogLine, StoredTrace
from tenants.admin import AuditedAdmin, SuperusersOnly

_USUAL = timedelta(hours=1)


@admin.register(LogLevel)
class LogLevelAdmin(SuperusersOnly, AuditedAdmin):
    """They act in every process of the portal, so superusers alone change them."""

    list_display = ["logger", "level", "until", "in_force", "reason", "by"]
    list_filter = ["level"]
    search_fields = ["logger", "reason"]
    fields = ["logger", "level", "until", "reason", "by", "created_at"]
    readonly_fields = ["by", "created_at"]
    show_full_result_count = False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        given = super().get_changeform_initial_data(request)
        return {"until": timezone.now() + _USUAL, **given}

    def save_model(
        self, request: HttpRequest, obj: LogLevel, form: Any, change: bool
    ) -> None:
        obj.by = request.user.get_username()
        super().save_model(request, obj, form, change)

    @admin.display(description=_("in force"), boolean=True, ordering="until")
    def in_force(self, row: LogLevel) -> bool:
        return row.until > timezone.now()


class LeadsToPage(admin.ModelAdmin):  # type: ignore[type-arg]
    """An entry in the list of the admin whose rows have a page of their own."""

    page = ""

    def changelist_view(
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse(self.page))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).none()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LogLine)
class LogLineAdmin(LeadsToPage):
    page = "logs"


@admin.register(StoredTrace)
class StoredTraceAdmin(LeadsToPage):
    page = "traces"

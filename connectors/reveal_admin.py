"""Who saw which personal data, and why: for staff to read, for nobody to change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from connectors.reveal_models import PersonalReveal
from tenants.admin import TenantModelAdmin


@admin.register(PersonalReveal)
class PersonalRevealAdmin(TenantModelAdmin):
    list_display = [
        "since",
        "user",
        "operation_key",
        "place",
        "purpose",
        "reason",
        "until",
        "hidden_at",
        "uses",
        "rows",
    ]
    list_filter = ["purpose", "since", "operation_key"]
    list_select_related = ["user"]
    search_fields = ["user__username", "operation_key", "place", "reason"]
    date_hierarchy = "since"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

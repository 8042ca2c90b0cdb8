"""The list of refused queries, to read only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from connectors.models import QueryRefusal
from tenants.admin import TenantModelAdmin


@admin.register(QueryRefusal)
class QueryRefusalAdmin(TenantModelAdmin):
    list_display = [
        "day", "about", "layer", "user", "source_key", "operation_key", "count",
        "first_at", "last_at",
    ]  # fmt: skip
    list_filter = ["day", "rule", "layer"]
    list_select_related = ["user"]
    search_fields = ["source_key", "operation_key", "user__username"]
    date_hierarchy = "day"

    @admin.display(description=_("rule"), ordering="rule")
    def about(self, refusal: QueryRefusal) -> SafeString:
        """Lead to the page about the rule."""
        url = reverse("admin:connectors_operation_rule", args=[refusal.rule])
        return format_html('<a href="{}">{}</a>', url, refusal.rule)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

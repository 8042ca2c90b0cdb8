"""Screens and their versions; the documents are changed in the editor."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from screens import editing
from screens.models import Screen, ScreenVersion
from tenants.admin import TenantModelAdmin


@admin.register(Screen)
class ScreenAdmin(TenantModelAdmin):
    list_display = ["key", "name", "published_number", "retired", "editor"]
    list_filter = ["retired"]
    list_select_related = ["published"]
    search_fields = ["key", "title"]
    fields = ["key", "retired", "editor"]
    readonly_fields = ["editor"]

    @admin.display(description=_("title"), ordering="title")
    def name(self, screen: Screen) -> str:
        return str(screen)

    @admin.display(description=_("published version"), ordering="published__number")
    def published_number(self, screen: Screen) -> int | None:
        return screen.published.number if screen.published else None

    @admin.display(description=_("document"), ordering="key")
    def editor(self, screen: Screen) -> SafeString | str:
        if screen._state.adding:
            return str(_("Save first; then write the document."))
        address = reverse("screen-properties", kwargs={"key": screen.key})
        return format_html('<a href="{}">{}</a>', address, _("Edit the document"))

    def response_add(
        self, request: HttpRequest, obj: Screen, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Lead from a new screen to its document, which is the next thing to write."""
        response = super().response_add(request, obj, post_url_continue)
        if {"_popup", "_addanother", "_continue"}.isdisjoint(request.POST):
            address = reverse("screen-properties", kwargs={"key": obj.key})
            return HttpResponseRedirect(address)
        return response

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Menus, commands and addresses carry the key.
        return ["key", "editor"] if obj else ["editor"]


_VERSION_FIELDS: Any = [
    "screen",
    "number",
    "state",
    "author",
    "created_at",
    "note",
    "digest",
    "document",
]


@admin.register(ScreenVersion)
class ScreenVersionAdmin(TenantModelAdmin):
    """Versions are read here; the editor makes them."""

    list_display = ["screen", "number", "state", "author", "created_at", "note"]
    list_filter = ["state", "screen"]
    list_select_related = ["screen", "author"]
    search_fields = ["screen__key", "note"]
    date_hierarchy = "created_at"
    fields = _VERSION_FIELDS
    readonly_fields = _VERSION_FIELDS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        # The list shows no document, and documents may be large.
        match = request.resolver_match
        listed = match is not None and str(match.url_name).endswith("_changelist")
        return rows.defer("body") if listed else rows

    @admin.display(description=_("document"))
    def document(self, version: ScreenVersion) -> SafeString:
        return format_html("<pre>{}</pre>", editing.as_text(version.body))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

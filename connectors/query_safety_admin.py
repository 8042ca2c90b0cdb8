"""Staff read what a data source held; nobody writes it here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connectors.models import QuerySafetyCheck
from connectors.query_safety_words import attack_words, judge_words, wall_words
from tenants.admin import TenantModelAdmin

_HEAD = '<th scope="col">{}</th>'
_ROW = "<tr><td>{}</td><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>"


@admin.register(QuerySafetyCheck)
class QuerySafetyCheckAdmin(TenantModelAdmin):
    """Which wall stopped which class of attack, and whether the row is as signed."""

    list_display = ["source", "checked_at", "database", "held", "genuine"]
    list_filter = ["held", "source"]
    list_select_related = ["source"]
    date_hierarchy = "checked_at"
    fields = ("source", "checked_at", "database", "held", "genuine", "report")
    readonly_fields = fields
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("source")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("as signed"), boolean=True)
    def genuine(self, check: QuerySafetyCheck) -> bool:
        return check.is_genuine()

    @admin.display(description=gettext_lazy("what was tried"))
    def report(self, check: QuerySafetyCheck) -> SafeString:
        heading = (
            _("Class of attack"),
            _("Statement"),
            _("Before the database"),
            _("The database by itself"),
            _("Held"),
        )
        rows = [
            (
                f"{tried['attack']}. {attack_words(tried['attack'])}",
                tried["sql"],
                judge_words(tried["judge"]),
                wall_words(tried["wall"]),
                _("yes") if tried["held"] else _("no"),
            )
            for tried in check.results
        ]
        return format_html(
            "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
            format_html_join(
                "", '<th scope="col">{}</th>', ((each,) for each in heading)
            ),
            format_html_join(
                "",
                _ROW,
                rows,
            ),
        )

"""What staff read of the copilot, and the one thing they set: its policy."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from copilot import reliability
from copilot.models import (
    Calibration,
    CopilotPolicy,
    EvaluationRun,
    Feedback,
    ModelCall,
    Suggestion,
)
from tenants.access import no_tenant_page
from tenants.admin import TenantModelAdmin


class WrittenByThePortal(TenantModelAdmin):
    """Rows that staff read, and nobody writes by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CopilotPolicy)
class CopilotPolicyAdmin(TenantModelAdmin):
    list_display = ["sharing", "tokens_per_day", "changed_at"]
    fields = ["sharing", "tokens_per_day"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        if getattr(request, "tenant", None) is None:
            return False
        return not CopilotPolicy.objects.exists() and super().has_add_permission(
            request
        )


_SUGGESTION_FIELDS: Any = [
    "instruction",
    "screen",
    "base_version",
    "kind",
    "rule",
    "engine",
    "edits",
    "patch",
    "gates",
    "probability",
    "risky",
    "accepted_version",
    "undone_version",
    "author",
    "created_at",
]


@admin.register(Suggestion)
class SuggestionAdmin(WrittenByThePortal):
    list_display = [
        "instruction",
        "screen",
        "kind",
        "engine",
        "confidence",
        "accepted_version",
        "author",
        "created_at",
    ]
    list_filter = ["kind", "engine", "risky"]
    list_select_related = ["screen", "author"]
    search_fields = ["instruction", "screen__key"]
    date_hierarchy = "created_at"
    fields = _SUGGESTION_FIELDS
    readonly_fields = _SUGGESTION_FIELDS

    @admin.display(description=gettext_lazy("confidence"), ordering="probability")
    def confidence(self, suggestion: Suggestion) -> str:
        if suggestion.probability is None:
            return "—"
        return f"{100 * suggestion.probability:.0f} %"


_FEEDBACK_FIELDS: Any = [
    "suggestion",
    "outcome",
    "reason",
    "patch",
    "user",
    "created_at",
]


@admin.register(Feedback)
class FeedbackAdmin(WrittenByThePortal):
    list_display = ["suggestion", "outcome", "reason", "user", "created_at"]
    list_filter = ["outcome", "reason"]
    list_select_related = ["suggestion", "user"]
    search_fields = ["suggestion__instruction"]
    date_hierarchy = "created_at"
    fields = _FEEDBACK_FIELDS
    readonly_fields = _FEEDBACK_FIELDS


_CALL_FIELDS: Any = [
    "suggestion",
    "model",
    "prompt_digest",
    "outcome",
    "tokens",
    "elapsed_ms",
    "created_at",
]


@admin.register(ModelCall)
class ModelCallAdmin(WrittenByThePortal):
    list_display = ["model", "outcome", "tokens", "elapsed_ms", "created_at"]
    list_filter = ["outcome", "model"]
    list_select_related = ["suggestion"]
    date_hierarchy = "created_at"
    fields = _CALL_FIELDS
    readonly_fields = _CALL_FIELDS


_CALIBRATION_FIELDS: Any = ["engine", "basis", "labels", "fit", "created_at"]


@admin.register(Calibration)
class CalibrationAdmin(WrittenByThePortal):
    list_display = ["engine", "basis", "labels", "created_at"]
    list_filter = ["engine", "basis"]
    fields = _CALIBRATION_FIELDS
    readonly_fields = _CALIBRATION_FIELDS


_RUN_FIELDS: Any = ["golden_set", "split", "engine", "cases", "figures", "created_at"]


@admin.register(EvaluationRun)
class EvaluationRunAdmin(WrittenByThePortal):
    """Runs of the golden set, and the page that says whether to believe them."""

    change_list_template = "copilot/evaluation_runs.html"
    list_display = [
        "golden_set",
        "split",
        "engine",
        "cases",
        "exact",
        "wrongly_accepted",
        "created_at",
    ]
    list_filter = ["golden_set", "split", "engine"]
    fields = _RUN_FIELDS
    readonly_fields = _RUN_FIELDS

    @admin.display(description=gettext_lazy("exact effect"), ordering="accuracy")
    def exact(self, run: EvaluationRun) -> str:
        return f"{100 * run.accuracy:.1f} %"

    @admin.display(description=gettext_lazy("false accepts"), ordering="false_accepts")
    def wrongly_accepted(self, run: EvaluationRun) -> str:
        return f"{100 * run.false_accepts:.1f} %"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.reliability)
        name = "copilot_evaluationrun_reliability"
        return [path("reliability/", page, name=name), *super().get_urls()]

    def reliability(self, request: HttpRequest) -> HttpResponse:
        """Show the reliability diagram, the same as a table, and the newest run."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if getattr(request, "tenant", None) is None:
            return no_tenant_page(request)
        found = reliability.report()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Reliability of the copilot"),
            "opts": self.model._meta,
            "report": found,
            "cells": reliability.cells(found.run) if found.run else [],
            "side": reliability.SIDE,
        }
        return render(request, "copilot/reliability.html", context)

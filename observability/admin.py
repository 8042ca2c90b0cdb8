"""Measurements and heartbeats, to look at and not to change; the rest beside them."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

# Imported, they register their own pages.
from observability import alert_admin, log_admin, review_admin  # noqa: F401
from observability.models import Heartbeat, Measurement
from tenants.admin import SuperusersOnly


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that only the portal itself writes."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> bool:
        return False


@admin.register(Measurement)
class MeasurementAdmin(ReadOnlyAdmin):
    """Superusers see every tenant's rows, other staff those of their own."""

    list_display = [
        "starts_at",
        "granularity",
        "kind",
        "key",
        "tenant",
        "count",
        "bad",
        "p95",
        "longest",
    ]
    list_filter = ["granularity", "kind", "starts_at"]
    list_select_related = ["tenant"]
    search_fields = ["key"]
    fields = [
        "starts_at",
        "granularity",
        "kind",
        "key",
        "tenant",
        "worker",
        "count",
        "bad",
        "p95",
        "longest",
        "folded",
    ]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Measurement]:
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        tenant = getattr(request, "tenant", None)
        return rows.filter(tenant=tenant) if tenant is not None else rows.none()

    @admin.display(description=_("p95, ms"))
    def p95(self, measurement: Measurement) -> str:
        return f"{(measurement.tally().percentile_us(95) or 0) / 1_000:,.1f}"

    @admin.display(description=_("longest, ms"), ordering="max_us")
    def longest(self, measurement: Measurement) -> str:
        return f"{measurement.max_us / 1_000:,.1f}"


@admin.register(Heartbeat)
class HeartbeatAdmin(SuperusersOnly, ReadOnlyAdmin):
    list_display = ["role", "holder", "seen_at", "expires_at"]

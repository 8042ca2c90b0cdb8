"""The superusers' page of a tenant, proofs of erasures, and what a tenant has used."""

from __future__ import annotations

import json
import tempfile
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Count, QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenants.erasing import erase_tenant, is_genuine
from tenants.exporting import export_tenant
from tenants.lifecycle import levels_today, resume, suspend, use_today
from tenants.lifecycle_forms import EraseForm, ExportForm, TenantForm
from tenants.messages import level_text
from tenants.models import Membership, Tenant, TenantErasure, TenantUsage, User
from tenants.quotas import levels
from tenants.tenant_admin import AuditedAdmin, SuperusersOnly, TenantModelAdmin

if TYPE_CHECKING:
    _Inline = admin.TabularInline[Membership, Any]
    _Admin = admin.ModelAdmin[Any]
else:
    _Inline, _Admin = admin.TabularInline, admin.ModelAdmin

_IN_MEMORY = 8 * 1024 * 1024


class MembershipInline(SuperusersOnly, _Inline):
    """Tenants of a user, or users of a tenant."""

    model = Membership
    extra = 0
    autocomplete_fields = ["user", "tenant"]


@admin.register(Tenant)
class TenantAdmin(SuperusersOnly, AuditedAdmin):
    form = TenantForm
    list_display = ["name", "key", "is_active", "members", "created_at"]
    list_filter = ["is_active"]
    search_fields = ["name", "key"]
    inlines = [MembershipInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tenants = super().get_queryset(request)
        counted: QuerySet[Any] = tenants.annotate(member_count=Count("memberships"))
        return counted

    @admin.display(description=gettext_lazy("members"), ordering="member_count")
    def members(self, tenant: Any) -> int:
        count: int = tenant.member_count
        return count

    @admin.display(description=gettext_lazy("used today"))
    def used(self, tenant: Tenant) -> SafeString | str:
        use = use_today(tenant)
        stored = _("not measured yet") if use.storage is None else f"{use.storage:,} B"
        lines = [
            _("%(queries)s queries, %(rows)s rows; stored: %(stored)s")
            % {
                "queries": f"{use.queries:,}",
                "rows": f"{use.rows:,}",
                "stored": stored,
            },
            *(level_text(level) for level in levels(tenant.quota(), use)),
        ]
        return format_html_join("", "<div>{}</div>", ((line,) for line in lines))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        limits = ["max_queries_per_day", "max_rows_per_day", "max_storage_bytes"]
        if obj is None:
            return [
                (None, {"fields": ["name", "key"]}),
                (gettext_lazy("Limits"), {"fields": limits}),
            ]
        suspended = ["is_active", "suspension_reason", "suspended_at", "suspended_by"]
        return [
            (None, {"fields": ["name", "key"]}),
            (gettext_lazy("Suspension"), {"fields": suspended}),
            (gettext_lazy("Limits"), {"fields": [*limits, "used"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Names of teams, logs and keys carry the key.
        return ["key", "suspended_at", "suspended_by", "used"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Erasing is a page of its own: it asks for the key, and leaves a proof.
        return False

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        by = cast("User", request.user)
        if not change or "is_active" not in form.changed_data:
            super().save_model(request, obj, form, change)
            return
        open_again, reason = obj.is_active, obj.suspension_reason
        obj.is_active = not open_again
        super().save_model(request, obj, form, change)
        if open_again:
            resume(obj, by=by)
        else:
            suspend(obj, reason=reason, by=by)

    def get_urls(self) -> list[Any]:
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"tenants_tenant_{name}",
            )
            for name, view in (("export", self.export_view), ("erase", self.erase_view))
        ]
        return [*own, *super().get_urls()]

    def _tenant(self, request: HttpRequest, object_id: str) -> Tenant:
        tenant = self.get_object(request, object_id)
        if not self.has_change_permission(request, tenant):
            raise PermissionDenied
        if tenant is None:
            raise Http404
        return cast("Tenant", tenant)

    def _page(
        self, request: HttpRequest, tenant: Tenant, **context: Any
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "tenant_row": tenant,
        }
        page = "tenants/lifecycle_form.html"
        return render(request, page, {**shared, **context})

    def export_view(self, request: HttpRequest, object_id: str) -> Any:
        """Ask for the reason, and send the archive."""
        tenant = self._tenant(request, object_id)
        form = ExportForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            # Closed by the response, when it is sent.
            file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
            export_tenant(
                tenant,
                file,
                personal_data_reason=form.cleaned_data["personal_data_reason"],
                by=cast("User", request.user),
            )
            file.seek(0)
            return FileResponse(file, as_attachment=True, filename=f"{tenant.key}.zip")
        lines = [
            _(
                "Every row of the tenant as JSON lines in one ZIP archive, with a "
                "manifest. Secrets are never in it."
            )
        ]
        return self._page(request, tenant, form=form, title=_("Export"), lines=lines)

    def erase_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the key, erase the tenant, and show the proof."""
        tenant = self._tenant(request, object_id)
        posted = request.POST if request.method == "POST" else None
        form = EraseForm(posted, tenant=tenant)
        if posted is not None and form.is_valid():
            proof = erase_tenant(
                tenant,
                typed=form.cleaned_data["key"],
                reason=form.cleaned_data["reason"],
                by=cast("User", request.user),
            )
            messages.success(request, _("The tenant is erased. This is the proof."))
            return HttpResponseRedirect(
                reverse("admin:tenants_tenanterasure_change", args=[proof.pk])
            )
        lines = [
            _(
                "Everything of the tenant is deleted: rows, people who belong to no "
                "other tenant, logs and measurements. Export it before."
            )
        ]
        if tenant.is_active:
            lines.append(
                _("Suspend the tenant first: what is written now would be left behind.")
            )
        return self._page(request, tenant, form=form, title=_("Erase"), lines=lines)


class _ReadOnly(_Admin):
    """Nothing of it is added, changed or deleted by people."""

    actions = None

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(TenantErasure)
class TenantErasureAdmin(_ReadOnly, SuperusersOnly, AuditedAdmin):
    """Proofs of erasures, for superusers."""

    list_display = ["key", "number", "erased_by", "begun_at", "ended_at"]
    search_fields = ["key", "reason"]
    fields = [
        "key", "number", "reason", "erased_by", "begun_at", "ended_at", "genuine",
        "shown", "signature",
    ]  # fmt: skip
    readonly_fields = ["genuine", "shown"]

    @admin.display(description=gettext_lazy("genuine"), boolean=True)
    def genuine(self, erasure: TenantErasure) -> bool:
        return erasure.ended_at is not None and is_genuine(erasure)

    @admin.display(description=gettext_lazy("certificate"))
    def shown(self, erasure: TenantErasure) -> SafeString:
        text = json.dumps(
            erasure.certificate,
            cls=DjangoJSONEncoder,
            ensure_ascii=False,
            indent=2,
            sort_keys=True,
        )
        return format_html("<pre>{}</pre>", text)


@admin.register(TenantUsage)
class TenantUsageAdmin(_ReadOnly, TenantModelAdmin):
    """What the tenant used day by day, and how much of today's limits."""

    list_display = ["day", "queries", "rows", "storage_bytes"]
    date_hierarchy = "day"

    def changelist_view(
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        tenant = getattr(request, "tenant", None)
        if tenant is not None and request.method == "GET":
            for level in levels_today(tenant):
                tell = messages.warning if level.is_near else messages.info
                tell(request, level_text(level))
        return super().changelist_view(request, extra_context)

"""Pages for users, tenants, teams, tokens and the audit trail."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from axes import admin as axes_admin
from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_tasks_db import admin as tasks_admin

from tenants.forms import TenantModelForm
from tenants.lifecycle_admin import (
    MembershipInline,
    TenantAdmin,
    TenantErasureAdmin,
    TenantUsageAdmin,
)
from tenants.models import (
    ApiToken,
    AuditEntry,
    Team,
    TokenScope,
    User,
)
from tenants.scope import active_tenant_id, required_tenant_id
from tenants.tenant_admin import (
    AuditedAdmin,
    SuperusersOnly,
    TenantChoices,
    TenantModelAdmin,
    TenantStackedInline,
    TenantTabularInline,
)
from tenants.tokens import put_secret

__all__ = [
    "AuditedAdmin",
    "SuperusersOnly",
    "TenantAdmin",
    "TenantChoices",
    "TenantErasureAdmin",
    "TenantModelAdmin",
    "TenantModelForm",
    "TenantStackedInline",
    "TenantTabularInline",
    "TenantUsageAdmin",
]

if TYPE_CHECKING:
    _UserAdmin = auth_admin.UserAdmin[User]
else:
    _UserAdmin = auth_admin.UserAdmin


@admin.register(User)
class UserAdmin(SuperusersOnly, AuditedAdmin, _UserAdmin):
    list_display = ["username", "email", "language", "is_staff", "is_active"]
    list_filter = ["is_active", "is_staff", "is_superuser", "memberships__tenant"]
    filter_horizontal = ["user_permissions"]
    audit_secret_fields = ["password", "password1", "password2"]
    inlines = [MembershipInline]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (
            gettext_lazy("Personal info"),
            {"fields": ["first_name", "last_name", "email", "language", "time_zone"]},
        ),
        (
            gettext_lazy("Rights in every tenant"),
            {
                "fields": ["is_active", "is_staff", "is_superuser", "user_permissions"],
                "description": gettext_lazy(
                    "What is given here counts in every tenant of the user. "
                    "For one tenant, use its teams."
                ),
            },
        ),
        (gettext_lazy("Important dates"), {"fields": ["last_login", "date_joined"]}),
    ]

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002
        form_url: str = "",
    ) -> HttpResponse:
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and isinstance(response, HttpResponseRedirect):
            user = self.get_object(request, id)
            if user is not None:
                self.audit(request, "changed", user, {"password": "changed"})
        return response


class TeamForm(TenantModelForm):
    """A team and its people, who are members of the tenant."""

    members = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(),
        required=False,
        label=gettext_lazy("members"),
        help_text=gettext_lazy("Only members of this tenant can be on its teams."),
        widget=FilteredSelectMultiple(gettext_lazy("members"), is_stacked=False),
    )

    class Meta:
        model = Team
        fields = ["label", "permissions"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = User.objects.filter(memberships__tenant_id=required_tenant_id())
        self.fields["members"].queryset = members.order_by("username")  # type: ignore[attr-defined]
        if self.instance.pk is not None:
            users = self.instance.users.order_by("pk")
            self.initial["members"] = list(users.values_list("pk", flat=True))


@admin.register(Team)
class TeamAdmin(TenantModelAdmin):
    form = TeamForm
    list_display = ["label", "people"]
    search_fields = ["label"]
    filter_horizontal = ["permissions"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        here = Q(user__memberships__tenant_id=required_tenant_id())
        teams = super().get_queryset(request)
        people = Count("user", filter=here, distinct=True)
        counted: QuerySet[Any] = teams.annotate(people_count=people)
        return counted

    @admin.display(description=gettext_lazy("members"), ordering="people_count")
    def people(self, team: Any) -> int:
        count: int = team.people_count
        return count

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        # Whoever gives permissions could give them to themselves.
        powers = ["permissions"] if request.user.is_superuser else []
        return ["label", "members", *powers]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _holds(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _holds(request, obj)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        if "members" in form.cleaned_data:
            form.instance.user_set.set(form.cleaned_data["members"])


def _holds(request: HttpRequest, team: Team | None) -> bool:
    """Say whether the user has every permission of the team, and so may staff it."""
    if team is None or request.user.is_superuser:
        return True
    names = team.permissions.values_list("content_type__app_label", "codename")
    return request.user.has_perms([f"{app}.{codename}" for app, codename in names])


class TokenForm(TenantModelForm):
    scopes = forms.MultipleChoiceField(
        choices=TokenScope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[TokenScope.READ.value],
        label=gettext_lazy("scopes"),
        help_text=gettext_lazy("What it may do; never more than its user."),
    )

    class Meta:
        model = ApiToken
        fields = ["user", "name", "scopes", "expires_at"]


@admin.register(ApiToken)
class ApiTokenAdmin(TenantModelAdmin):
    form = TokenForm
    list_display = ["name", "prefix", "user", "expires_at", "last_used_at", "usable"]
    list_filter = ["revoked_at", "expires_at"]
    list_select_related = ["user"]
    search_fields = ["name", "prefix", "user__username"]
    actions = ["revoke"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tokens = super().get_queryset(request)
        return tokens if request.user.is_superuser else tokens.filter(user=request.user)

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        rows = super().get_field_queryset(db, db_field, request)
        if rows is not None and not request.user.is_superuser:
            # A token of somebody else would be a way to act as them.
            return rows.filter(pk=request.user.pk)
        return rows

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        made = ["prefix", "created_at", "last_used_at", "revoked_at"] if obj else []
        return ["user", "name", "scopes", "expires_at", *made]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fixed = [name for name in self.get_fields(request, obj) if name != "name"]
        return fixed if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        in_a_quarter = timezone.now() + timedelta(days=90)
        return {"user": request.user.pk, "expires_at": in_a_quarter}

    @admin.display(description=gettext_lazy("usable"), boolean=True)
    def usable(self, token: ApiToken) -> bool:
        return token.is_usable(at=timezone.now())

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        if not change:
            obj.fresh_secret = put_secret(obj)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        # Drawn at once and kept nowhere: not in a message, a session or a log.
        context = {
            **self.admin_site.each_context(request),
            "title": _("Copy the token now"),
            "opts": self.opts,
            "token": obj,
            "secret": obj.fresh_secret,
        }
        response = render(request, "tenants/token_created.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(
        description=gettext_lazy("Revoke selected tokens"), permissions=["change"]
    )
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        live = list(tokens.filter(revoked_at=None))
        for token in live:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            self.audit(request, "revoked", token, {})
        text = ngettext("Revoked %d token.", "Revoked %d tokens.", len(live))
        self.message_user(request, text % len(live))


@admin.register(AuditEntry)
class AuditEntryAdmin(TenantModelAdmin):
    """Read only. Superusers also see what concerns the portal itself."""

    list_display = ["at", "user", "action", "target_type", "label", "acting_for"]
    list_filter = ["action", "target_type", ("user", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["action", "label", "target_id", "user__username"]
    date_hierarchy = "at"
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        here = Q(tenant_id=active_tenant_id())
        if request.user.is_superuser:
            here |= Q(tenant_id=None)
        entries = AuditEntry.all_tenants.filter(here).order_by("-at", "-pk")
        # A user may be gone, and its entries stay: never load one by one.
        return entries.select_related("user", "acting_for", "tenant")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# Groups without a tenant would let grants cross tenants. Importing the module above
# has registered them, whatever the order of the installed apps.
admin.site.unregister(Group)

for _module in (axes_admin, tasks_admin):
    for _model, _stock in list(admin.site._registry.items()):
        if type(_stock).__module__ == _module.__name__:
            _name = f"Superusers{type(_stock).__name__}"
            admin.site.unregister(_model)
            admin.site.register(_model, type(_name, (SuperusersOnly, type(_stock)), {}))

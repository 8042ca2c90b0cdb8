"""The bases of every admin page: rows of the active tenant only, audited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db import IntegrityError, models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tenants.access import no_tenant_page
from tenants.audit import record
from tenants.forms import JsonField, TenantModelForm
from tenants.models import Membership, Team, Tenant, TenantModel, User
from tenants.scope import Actor, required_tenant_id

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
    _Base = admin.options.BaseModelAdmin[Any]
    _Tabular = admin.TabularInline[Any, Any]
    _Stacked = admin.StackedInline[Any, Any]
else:
    _Admin, _Base = admin.ModelAdmin, object
    _Tabular, _Stacked = admin.TabularInline, admin.StackedInline

Changes = dict[str, object]


def rows_in_scope(model: type[models.Model]) -> models.QuerySet[Any] | None:
    """Return the rows of a model that belong to the tenant in scope.

    None means that the model has no tenant, and all of its rows may be chosen.
    """
    tenant_id = required_tenant_id()
    rows = model._base_manager.all()
    if issubclass(model, (TenantModel, Team, Membership)):
        return rows.filter(tenant_id=tenant_id)
    if issubclass(model, User):
        return rows.filter(memberships__tenant_id=tenant_id, is_active=True)
    if issubclass(model, Tenant):
        return rows.filter(pk=tenant_id)
    if issubclass(model, Group):
        return rows.filter(team__tenant_id=tenant_id)
    return None


class TenantChoices(_Base):
    """Offers only the tenant's own rows in foreign keys and many-to-many fields."""

    formfield_overrides = {models.JSONField: {"form_class": JsonField}}

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> models.QuerySet[Any] | None:
        model = db_field.remote_field.model
        rows = rows_in_scope(model)
        if rows is None:
            chosen: models.QuerySet[Any] | None
            chosen = super().get_field_queryset(db, db_field, request)
            return chosen
        if self.admin_site.is_registered(model):
            related = self.admin_site.get_model_admin(model)
            rows = rows.order_by(*related.get_ordering(request))
        return rows


class TenantTabularInline(TenantChoices, _Tabular):
    """Rows beneath a row of the tenant, one per line."""

    form = TenantModelForm
    extra = 0


class TenantStackedInline(TenantChoices, _Stacked):
    """Rows beneath a row of the tenant, one per panel."""

    form = TenantModelForm
    extra = 0


class AuditedAdmin(_Admin):
    """Each change is audited, in its own transaction.

    Fields named in `audit_secret_fields` are audited as "changed", without values.
    """

    audit_secret_fields: Sequence[str] = ()

    def lookup_allowed(
        self, lookup: str, value: str, request: HttpRequest | None = None
    ) -> bool:
        # SQLite runs patterns in Python, where no deadline ends them.
        if lookup.endswith(("__regex", "__iregex")):
            return False
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def audit_actor(self, request: HttpRequest) -> Actor | None:
        """Say who acts; None makes the change one of the portal, not of a tenant."""
        return None

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        changes = self.audit_changes(form)
        for formset in formsets:
            changes.update(_inline_changes(formset))
        if change and not changes:
            return
        self.audit(request, "changed" if change else "added", form.instance, changes)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            self.audit(request, "deleted", obj, {})
            super().delete_model(request, obj)

    def delete_queryset(
        self, request: HttpRequest, queryset: models.QuerySet[Any]
    ) -> None:
        with transaction.atomic():
            for obj in queryset:
                self.audit(request, "deleted", obj, {})
            super().delete_queryset(request, queryset)

    def audit(
        self,
        request: HttpRequest,
        verb: str,
        target: models.Model,
        changes: Mapping[str, object],
    ) -> None:
        """Record ``<model>.<verb>``, such as ``screen.changed``."""
        record(
            actor=self.audit_actor(request),
            user_id=request.user.pk,
            action=f"{target._meta.model_name}.{verb}",
            target=target,
            changes=changes,
        )

    def audit_changes(self, form: Any) -> Changes:
        """Return ``{field: [old, new]}`` of a saved form, secrets as "changed"."""
        changes: Changes = {}
        for name in form.changed_data:
            if name in self.audit_secret_fields:
                changes[name] = "changed"
                continue
            old = _plain(form.get_initial_for_field(form.fields[name], name))
            new = _plain(form.cleaned_data.get(name))
            changes[name] = [old, new]
        return changes


class TenantModelAdmin(TenantChoices, AuditedAdmin):
    """Staff see and change the rows of the active tenant only."""

    form = TenantModelForm

    def audit_actor(self, request: HttpRequest) -> Actor | None:
        return Actor.of(request)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).filter(tenant_id=required_tenant_id())

    def changelist_view(
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        tenant = getattr(request, "tenant", None)
        if tenant is None:
            return no_tenant_page(request)
        context: dict[str, Any] = dict(extra_context or {})
        if request.user.is_superuser:
            context.setdefault("subtitle", _("Tenant: %(name)s") % {"name": tenant})
        return super().changelist_view(request, context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        if getattr(request, "tenant", None) is None:
            return no_tenant_page(request)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            # Somebody else saved the same key between our check and our insert.
            text = _("Somebody else has just saved a row with the same key. Try again.")
            messages.error(request, text)
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        if getattr(request, "tenant", None) is None:
            return no_tenant_page(request)
        return super().delete_view(request, object_id, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        if getattr(request, "tenant", None) is None:
            return no_tenant_page(request)
        return super().history_view(request, object_id, extra_context)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        if obj.tenant_id is None:
            obj.tenant_id = required_tenant_id()
        super().save_model(request, obj, form, change)


class SuperusersOnly(_Base):
    """Pages that concern more than one tenant: superusers alone see them."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        # The history page looks a row up before it asks for the permission, and so
        # would tell which numbers there are.
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows if _is_superuser(request) else rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return _is_superuser(request) and super().has_add_permission(request, *args)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request) and super().has_delete_permission(request, obj)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


def _inline_changes(formset: Any) -> Changes:
    """Return ``{model and row: what happened}`` of a saved inline formset."""
    kind = formset.model._meta.model_name
    changes: Changes = {}
    for row in formset.new_objects:
        changes[f"{kind} {row}"] = "added"
    for row, fields in formset.changed_objects:
        changes[f"{kind} {row}"] = list(fields)
    for row in formset.deleted_objects:
        changes[f"{kind} {row}"] = "deleted"
    return changes


def _plain(value: object) -> object:
    """Return a value of a form as JSON; a row is its primary key."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case models.Model():
            return value.pk
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case Iterable():
            return [_plain(item) for item in value]
    return str(value)

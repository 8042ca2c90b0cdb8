"""Admin pages of data sources and operations, with a page that tries an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connectors import (  # admin pages of other modules are registered here
    messages,
    query_safety_admin,
    refusal_admin,
    reveal_admin,
    rules,
    secrets,
    trial,
)
from connectors.forms import TEAMS, USE, OperationForm, give_to_teams
from connectors.models import DataSource, Operation, Parameter
from connectors.parameters import as_text
from connectors.query_forms import SqlTextarea
from connectors.query_views import rule_page, statement_page
from connectors.reveals import REVEAL
from connectors.specs import SourceKind
from connectors.table_admin import TablesAdmin
from tenants.access import no_tenant_page
from tenants.admin import TenantModelAdmin, TenantModelForm, TenantStackedInline
from tenants.models import Tenant, User
from tenants.permissions import can, grant
from tenants.scope import Actor, required_tenant_id

__all__ = [
    "DataSourceAdmin",
    "OperationAdmin",
    "query_safety_admin",
    "refusal_admin",
    "reveal_admin",
]

if TYPE_CHECKING:
    _ParameterFormSet = forms.BaseInlineFormSet[Parameter, Operation, Any]
else:
    _ParameterFormSet = forms.BaseInlineFormSet


class DataSourceForm(TenantModelForm):
    """A data source whose secret can be written and never read."""

    new_secret = forms.CharField(
        label=gettext_lazy("new secret"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password"}
        ),
        help_text=gettext_lazy(
            "Password, token or key. Leave it empty to keep what is set. It may also "
            "name a place: env:SIGNALBOX_SOURCE__TENANT__NAME or file:/path."
        ),
    )
    remove_secret = forms.BooleanField(
        label=gettext_lazy("remove the secret"), required=False
    )

    class Meta:
        model = DataSource
        fields = "__all__"

    def clean_new_secret(self) -> str:
        """Refuse the name of a place where the tenant finds no secret."""
        given: str = self.cleaned_data["new_secret"]
        tenant = Tenant.objects.get(pk=required_tenant_id())
        try:
            secrets.resolve(given, tenant_key=tenant.key)
        except secrets.SecretFault as fault:
            source = self.data.get("key") or self.instance.key
            raise forms.ValidationError(
                messages.failure_text(fault.rule, {"source": source})
            ) from fault
        return given

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and cleaned.get("new_secret") and cleaned.get("remove_secret"):
            text = _("Give a new secret, or remove the one that is set; not both.")
            self.add_error("new_secret", text)
        return cleaned

    def save(self, commit: bool = True) -> DataSource:
        if self.cleaned_data["new_secret"]:
            self.instance.set_secret(self.cleaned_data["new_secret"])
        elif self.cleaned_data["remove_secret"]:
            self.instance.set_secret("")
        source: DataSource = super().save(commit)
        return source


@admin.register(DataSource)
class DataSourceAdmin(TablesAdmin):
    form = DataSourceForm
    list_display = ["key", "kind", "operation_count", "enabled", "updated_at"]
    list_filter = ["kind", "enabled"]
    search_fields = ["key", "label"]
    readonly_fields = ["secret_state", "updated_at"]
    audit_secret_fields = ["new_secret"]
    fieldsets = [
        (None, {"fields": ["key", "label", "kind", "address", "enabled"]}),
        (
            gettext_lazy("Authentication"),
            {
                "fields": [
                    "auth",
                    "username",
                    "secret_state",
                    "new_secret",
                    "remove_secret",
                ],
                "description": gettext_lazy(
                    "Secrets are stored encrypted and never shown again."
                ),
            },
        ),
        (
            gettext_lazy("HTTP"),
            {"fields": ["headers", "verify_tls", "max_body_bytes"]},
        ),
        (gettext_lazy("Personal data"), {"fields": ["personal_fields"]}),
        (
            gettext_lazy("Patience"),
            {"fields": ["connect_timeout_ms", "read_timeout_ms", "updated_at"]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(operation_total=Count("operations"))
        return counted

    @admin.display(description=gettext_lazy("operations"), ordering="operation_total")
    def operation_count(self, source: Any) -> int:
        count: int = source.operation_total
        return count

    @admin.display(description=gettext_lazy("secret"))
    def secret_state(self, source: DataSource) -> str:
        """Say that a secret is set, since when, and never what it is."""
        if not source.secret or source.secret_set_at is None:
            return _("not set")
        moment = timezone.localtime(source.secret_set_at)
        values = {
            "hint": source.secret_hint,
            "date": formats.date_format(moment, "DATETIME_FORMAT"),
        }
        return _("set on %(date)s, ends in %(hint)s") % values


class ParameterFormSet(_ParameterFormSet):
    """The parameters of an operation, held against the names its templates ask for."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors) or self.instance.source_id is None:
            return
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]
        names = [row["name"] for row in kept if row.get("name")]
        missing = rules.undeclared_names(self.instance, names)
        if missing:
            text = _("The operation asks for %(names)s. Declare these parameters.")
            raise forms.ValidationError(text % {"names": ", ".join(missing)})


class ParameterInline(TenantStackedInline):
    model = Parameter
    formset = ParameterFormSet
    fields = [
        ("name", "type", "required", "order"),
        ("default", "minimum", "maximum"),
        "choices",
        "label",
    ]


# The field by which the section of each kind of source is known.
_SECTIONS = {
    SourceKind.HTTP: "path",
    SourceKind.SQL: "sql",
    SourceKind.PORTAL: "series",
}
_SECTION_FIELDS = frozenset(_SECTIONS.values())


def _may_grant(
    request: HttpRequest, operation: Operation | None, codename: str = USE
) -> bool:
    """Say whether the user may pass a right on an operation on: who has it.

    Who makes an operation has the right to use it; the right to reveal its personal
    data is first given by a superuser.
    """
    actor = Actor.of(request)
    if operation is None:
        return codename == USE or bool(request.user.is_superuser)
    return can(actor, codename, operation)


@admin.register(Operation)
class OperationAdmin(TenantModelAdmin):
    form = OperationForm
    change_form_template = "connectors/operation_change_form.html"
    change_list_template = "connectors/operation_change_list.html"
    list_display = ["key", "source", "source_kind", "timeout", "row_limit", "enabled"]
    list_filter = ["source__kind", "enabled"]
    list_select_related = ["source"]
    search_fields = ["key", "label", "source__key"]
    readonly_fields = ["updated_at"]
    actions = ["enable", "disable"]
    inlines = [ParameterInline]
    fieldsets = [
        (None, {"fields": ["key", "label", "source", "enabled"]}),
        (
            gettext_lazy("HTTP request"),
            {
                "fields": ["method", "path", "query", "headers", "body_kind", "body"],
                "description": gettext_lazy("For HTTP services; empty otherwise."),
            },
        ),
        (
            gettext_lazy("SQL query"),
            {
                "fields": ["sql"],
                "description": gettext_lazy("For SQL databases; empty otherwise."),
            },
        ),
        (
            gettext_lazy("The portal's own numbers"),
            {
                "fields": ["series"],
                "description": gettext_lazy(
                    "For the portal's own numbers; empty otherwise."
                ),
            },
        ),
        (
            gettext_lazy("Answer"),
            {"fields": ["body_format", "rows_path", "columns"]},
        ),
        (
            gettext_lazy("Limits"),
            {"fields": ["timeout_ms", "row_limit", "keep_last_good_s", "updated_at"]},
        ),
    ]

    def get_fieldsets(
        self, request: HttpRequest, obj: Operation | None = None
    ) -> list[tuple[Any, Any]]:
        """Fold the sections that are not for the kind of the operation's source."""
        sections: list[tuple[Any, Any]] = list(super().get_fieldsets(request, obj))
        if _may_grant(request, obj):
            title = gettext_lazy("Who may use it in screens")
            sections.append((title, {"fields": ["teams"]}))
        if _may_grant(request, obj, REVEAL):
            title = gettext_lazy("Who may reveal its personal data")
            sections.append((title, {"fields": ["reveal_teams"]}))
        if obj is None:
            return sections
        own = _SECTIONS[obj.kind]
        return [
            (name, {**options, "classes": ["collapse"]})
            if own not in options["fields"] and _SECTION_FIELDS & set(options["fields"])
            else (name, options)
            for name, options in sections
        ]

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "sql":
            kwargs["widget"] = SqlTextarea
        elif db_field.name == "body":
            shape = {"class": "code-text", "rows": 8, "spellcheck": "false"}
            kwargs["widget"] = forms.Textarea(shape)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        operation, actor = form.instance, Actor.of(request)
        if not change:
            maker = User.objects.get(pk=actor.user_id)
            grant(USE, operation, to=maker, actor=actor)
        for field, codename in TEAMS.items():
            if field in form.cleaned_data and _may_grant(request, operation, codename):
                teams = list(form.cleaned_data[field])
                give_to_teams(operation, teams, actor=actor, codename=codename)

    @admin.display(description=gettext_lazy("kind"), ordering="source__kind")
    def source_kind(self, operation: Operation) -> str:
        return operation.source.get_kind_display()

    @admin.display(description=gettext_lazy("timeout"), ordering="timeout_ms")
    def timeout(self, operation: Operation) -> str:
        return f"{operation.timeout_ms:,} ms"

    @admin.action(
        description=gettext_lazy("Enable selected operations"), permissions=["change"]
    )
    def enable(self, request: HttpRequest, operations: QuerySet[Operation]) -> None:
        count = self._switch(request, operations, on=True)
        text = ngettext("Enabled %d operation.", "Enabled %d operations.", count)
        self.message_user(request, text % count)

    @admin.action(
        description=gettext_lazy("Disable selected operations"), permissions=["change"]
    )
    def disable(self, request: HttpRequest, operations: QuerySet[Operation]) -> None:
        count = self._switch(request, operations, on=False)
        text = ngettext("Disabled %d operation.", "Disabled %d operations.", count)
        self.message_user(request, text % count)

    def _switch(
        self, request: HttpRequest, operations: QuerySet[Operation], *, on: bool
    ) -> int:
        switched = operations.exclude(enabled=on)
        for operation in switched:
            self.audit(request, "changed", operation, {"enabled": [not on, on]})
        return switched.update(enabled=on, updated_at=timezone.now())

    def get_urls(self) -> list[Any]:
        try_it = path(
            "<path:object_id>/test/",
            self.admin_site.admin_view(self.test_view),
            name="connectors_operation_test",
        )
        statement = path(
            "statement/",
            self.admin_site.admin_view(self.statement_view),
            name="connectors_operation_statement",
        )
        rule = path(
            "rules/<slug:rule>/",
            self.admin_site.admin_view(self.rule_view),
            name="connectors_operation_rule",
        )
        return [statement, rule, try_it, *super().get_urls()]

    def statement_view(self, request: HttpRequest) -> HttpResponse:
        """Judge a statement without running it."""
        if not (
            self.has_add_permission(request) or self.has_change_permission(request)
        ):
            raise PermissionDenied
        if getattr(request, "tenant", None) is None:
            return no_tenant_page(request)
        return statement_page(request, site=self.admin_site, opts=self.opts)

    def rule_view(self, request: HttpRequest, rule: str) -> HttpResponse:
        """Say what a rule of saved SQL forbids, and why."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return rule_page(request, rule, site=self.admin_site, opts=self.opts)

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the form of an operation's parameters; call it on POST."""
        operation = self.get_object(request, object_id)
        if operation is None:
            raise Http404
        if not self.has_change_permission(request, operation):
            raise PermissionDenied
        spec = operation.spec()
        result = None
        given = {row.name: as_text(row.default) for row in spec.parameters}
        if request.method == "POST":
            given = {
                row.name: request.POST.get(row.name, "") for row in spec.parameters
            }
            result = trial.run(spec, given, actor=Actor.of(request))
            self.audit(request, "tested", operation, {"failed": result.failed})
        context = {
            **self.admin_site.each_context(request),
            "title": _("Test %(operation)s") % {"operation": operation.key},
            "opts": self.opts,
            "operation": operation,
            "fields": trial.fields(spec, given),
            "result": result,
        }
        return TemplateResponse(request, "connectors/operation_test.html", context)

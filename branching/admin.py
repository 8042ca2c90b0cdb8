"""Facts, decision tables and rules for staff; and "Try it" for every table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.forms import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from branching.choices import Decision
from branching.definitions import parse_parameters
from branching.forms import ConditionForm, TryForm, UsableOperations
from branching.literals import LiteralRefused
from branching.messages import decision_words, note, problem, rule_words
from branching.models import Condition, DecisionTable, Fact, Rule
from branching.services import choose_response, fact_types
from connectors.parameters import as_text
from connectors.services import operation_keys
from tenants.admin import TenantModelAdmin, TenantStackedInline
from tenants.scope import Actor

if TYPE_CHECKING:
    _FormSet = BaseInlineFormSet[Any, Any, Any]
else:
    _FormSet = BaseInlineFormSet


class PartFormSet(_FormSet):
    """Gives each row its parent as it was just posted, so that checks can see it."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        setattr(form.instance, self.fk.name, self.instance)
        return form


class OffersOperations(TenantModelAdmin):
    """Offers the keys of the tenant's operations while somebody types one."""

    change_form_template = "branching/change_form.html"

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        return _offering(field, db_field.name, actor=Actor.of(request))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["operation_keys"] = operation_keys(actor=Actor.of(request))
        return super().render_change_form(request, context, *args, **kwargs)


def _offering(field: Any, name: str, *, actor: Actor) -> Any:
    if name in {"operation", "default_operation"}:
        field.widget.attrs["list"] = "operation-keys"
    if name in {"operation", "default_operation", "fallbacks"}:
        field.validators.append(UsableOperations(actor))
    return field


@admin.register(Fact)
class FactAdmin(OffersOperations):
    list_display = ["key", "type", "kind", "read_from", "ttl_s", "secret"]
    list_filter = ["kind", "type", "secret"]
    search_fields = ["key", "label", "model", "operation"]
    readonly_fields = ["version"]
    fieldsets = [
        (None, {"fields": ["key", "label", "type", "kind", "version"]}),
        (
            _("Rows of the portal"),
            {"fields": ["model", "aggregate", "field", "filters"]},
        ),
        (_("SQL operation"), {"fields": ["operation", "arguments", "shape", "column"]}),
        (_("Reading"), {"fields": ["empty", "ttl_s", "secret"]}),
    ]

    @admin.display(description=_("read from"))
    def read_from(self, fact: Fact) -> str:
        if fact.kind == Fact.Kind.OPERATION:
            return fact.operation
        return f"{fact.aggregate} {fact.model} {fact.field}".strip()


class RuleInline(TenantStackedInline):
    model = Rule
    formset = PartFormSet
    fieldsets = [
        (
            None,
            {
                "description": _(
                    "Save the table first; then open a rule with its link “Change” "
                    "to write its conditions. A rule without conditions always matches."
                ),
                "fields": [
                    ("key", "order", "priority", "enabled"),
                    ("operation", "response"),
                    "arguments",
                    "note",
                ],
            },
        )
    ]
    show_change_link = True

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        return _offering(field, db_field.name, actor=Actor.of(request))


@admin.register(DecisionTable)
class DecisionTableAdmin(OffersOperations):
    change_form_template = "branching/decisiontable_change_form.html"
    list_display = ["key", "title", "hit_policy", "rule_count", "version", "try_link"]
    list_filter = ["hit_policy"]
    search_fields = ["key", "label"]
    readonly_fields = ["version"]
    inlines = [RuleInline]
    fieldsets = [
        (None, {"fields": ["key", "label", "hit_policy", "parameters", "version"]}),
        (
            _("When no rule matches"),
            {"fields": ["default_operation", "default_arguments", "default_response"]},
        ),
        (_("When a call fails"), {"fields": ["fallbacks"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(rule_total=Count("rules"))
        return counted

    @admin.display(description=_("rules"), ordering="rule_total")
    def rule_count(self, table: Any) -> int:
        return int(table.rule_total)

    @admin.display(description=_("try it"))
    def try_link(self, table: DecisionTable) -> str:
        address = reverse("admin:branching_decisiontable_try", args=[table.pk])
        return format_html('<a href="{}">{}</a>', address, _("Try it"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.try_view))
        name = "branching_decisiontable_try"
        own: list[URLPattern] = [path("<path:object_id>/try/", view, name=name)]
        return own + super().get_urls()

    def try_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Decide with the parameters and facts of the form, and say why."""
        table = self.get_object(request, object_id)
        if table is None:
            raise Http404(f"There is no decision table {object_id}.")
        if not self.has_view_permission(request, table):
            raise PermissionDenied
        actor = Actor.of(request)
        form = _try_form(request, table, actor)
        shown: dict[str, Any] = {}
        if form.is_bound and form.is_valid():
            shown = _run(form, table, actor)
            self.audit(request, "tried", table, {})
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Try %(key)s") % {"key": table.key},
            "table": table,
            "form": form,
            **shown,
        }
        return TemplateResponse(request, "branching/try_table.html", context)


def _try_form(request: HttpRequest, table: DecisionTable, actor: Actor) -> TryForm:
    try:
        parameters = parse_parameters(table.parameters)
    except LiteralRefused:
        parameters = {}  # written past the checks: there is nothing to fill in
    data = request.GET if "run" in request.GET else None
    facts = fact_types(table.key, actor=actor)
    return TryForm(data, parameters=parameters, facts=facts)


def _run(form: TryForm, table: DecisionTable, actor: Actor) -> dict[str, Any]:
    try:
        decision = choose_response(
            table.key,
            arguments=form.arguments,
            actor=actor,
            overrides=form.overrides,
        )
    except DecisionTable.DoesNotExist:
        return {"unreadable": True}
    return {"decision": decision, **_as_rows(decision)}


def _as_rows(decision: Decision) -> dict[str, Any]:
    trace = decision.trace
    return {
        "answer": decision_words(decision),
        "notes": [note(rule) for rule in trace.notes],
        "rules": [(each.rule, each.verdict, rule_words(each)) for each in trace.rules],
        "facts": [
            (key, text, trace.sources[key], problem(trace.problems.get(key, "")))
            for key, text in trace.facts.items()
        ],
        "calls": [
            (
                call.operation,
                [(name, as_text(value)) for name, value in call.arguments.items()],
            )
            for call in decision.calls
        ],
    }


class ConditionInline(TenantStackedInline):
    model = Condition
    form = ConditionForm
    formset = PartFormSet
    extra = 1
    fields = [
        ("operand", "name"),
        ("operator", "value", "ignore_case"),
        ("group", "order"),
    ]


@admin.register(Rule)
class RuleAdmin(OffersOperations):
    """Conditions of one rule. Rules are added on the page of their table."""

    list_display = ["key", "table", "order", "enabled", "operation", "response"]
    list_filter = ["enabled", "table"]
    list_select_related = ["table"]
    search_fields = ["key", "note", "operation", "table__key"]
    readonly_fields = ["table"]
    inlines = [ConditionInline]
    fields = [
        "table",
        "order",
        "key",
        "enabled",
        "priority",
        "operation",
        "arguments",
        "response",
        "note",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

"""Registered tables in the admin: beneath their data source, and from the database."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connectors.live_tables import read_tables
from connectors.models import DataSource, RegisteredTable
from connectors.specs import SourceKind
from connectors.table_forms import TableForm, table_forms
from tenants.admin import TenantModelAdmin, TenantStackedInline


class RegisteredTableInline(TenantStackedInline):
    model = RegisteredTable
    fields = [
        ("schema", "name"),
        ("tenant_column", "tenant_value"),
        "shared",
        "personal_columns",
    ]


class TablesAdmin(TenantModelAdmin):
    """A data source with its tables, for SQL databases only."""

    change_form_template = "connectors/datasource_change_form.html"

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        is_sql = obj is not None and obj.kind == SourceKind.SQL
        return [RegisteredTableInline] if is_sql else []

    def get_urls(self) -> list[Any]:
        read = path(
            "<path:object_id>/tables/",
            self.admin_site.admin_view(self.tables_view),
            name="connectors_datasource_tables",
        )
        return [read, *super().get_urls()]

    def tables_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the tables of the live database; register the chosen ones on POST."""
        source = self.get_object(request, object_id)
        if source is None or source.kind != SourceKind.SQL:
            raise Http404
        may = request.user.has_perm("connectors.add_registeredtable")
        if not may or not self.has_change_permission(request, source):
            raise PermissionDenied
        known = list(source.tables.all())
        found = read_tables(source.spec())
        fault = found if isinstance(found, str) else ""
        tables = () if isinstance(found, str) else found
        given = request.POST if request.method == "POST" else None
        forms = table_forms(tables, known, given)
        sound = [form for form in forms if form.is_valid()]
        if (
            given is not None
            and not fault
            and len(sound) == len(forms)
            and self._register(request, source, forms)
        ):
            page = reverse("admin:connectors_datasource_change", args=[source.pk])
            return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Tables of %(source)s") % {"source": source.key},
            "opts": self.opts,
            "source": source,
            "forms": forms,
            "fault": fault,
            "known": known,
        }
        return TemplateResponse(request, "connectors/datasource_tables.html", context)

    def _register(
        self, request: HttpRequest, source: DataSource, forms: list[TableForm]
    ) -> bool:
        """Save the chosen tables, all or none; False with an error in its form."""
        chosen = [form for form in forms if form.cleaned_data["register"]]
        rows = [form.row(source) for form in chosen]
        for form, row in zip(chosen, rows, strict=True):
            row.take_scope()
            try:
                row.full_clean()
            except ValidationError as error:
                form.add_error(None, error.messages)
        if any(form.errors for form in chosen):
            return False
        with transaction.atomic():
            for row in rows:
                row.save()
            names = [str(row) for row in rows]
            if names:
                self.audit(request, "changed", source, {"tables": [[], names]})
        text = ngettext("Registered %d table.", "Registered %d tables.", len(rows))
        self.message_user(request, text % len(rows))
        return True

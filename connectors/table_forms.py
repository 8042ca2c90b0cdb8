"""The form of the page that registers tables of a live database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connectors.live_tables import LiveTable
from connectors.models import DataSource, RegisteredTable

SHARED = "shared"  # beside values that begin with "column:"


class TableForm(forms.Form):
    """One table: whether to register it, and how its rows are told apart."""

    register = forms.BooleanField(label=gettext_lazy("register"), required=False)
    tenant_column = forms.ChoiceField(
        label=gettext_lazy("tenant column"), required=False
    )
    tenant_value = forms.ChoiceField(
        label=gettext_lazy("it holds"), choices=RegisteredTable.Value.choices
    )

    def __init__(self, table: LiveTable, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table
        choice = self.fields["tenant_column"]
        assert isinstance(choice, forms.ChoiceField)  # noqa: S101 - as declared above
        choice.choices = [
            ("", _("— choose —")),
            *((f"column:{column}", column) for column in table.columns),
            (SHARED, _("none: every tenant may read every row")),
        ]
        if table.tenant_column:
            choice.initial = f"column:{table.tenant_column}"
        self.fields["tenant_value"].initial = table.tenant_value.value
        named = f"{table.schema}.{table.name}" if table.schema else table.name
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{named}: {field.label}"

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and cleaned.get("register") and not cleaned.get("tenant_column"):
            text = _("Choose the tenant column, or that every tenant may read it.")
            self.add_error("tenant_column", text)
        return cleaned

    def row(self, source: DataSource) -> RegisteredTable:
        """Return the row to be saved."""
        column = self.cleaned_data["tenant_column"]
        shared = column == SHARED
        return RegisteredTable(
            source=source,
            schema=self.table.schema,
            name=self.table.name,
            shared=shared,
            tenant_column="" if shared else column.removeprefix("column:"),
            tenant_value=self.cleaned_data["tenant_value"],
        )


def table_forms(
    tables: Sequence[LiveTable], known: Iterable[RegisteredTable], data: Any = None
) -> list[TableForm]:
    """Return a form for each table that is not registered yet."""
    taken = {(row.schema, row.name) for row in known}
    return [
        TableForm(table, data, prefix=f"table-{place}")
        for place, table in enumerate(tables)
        if (table.schema, table.name) not in taken
    ]

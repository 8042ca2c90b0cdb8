"""The SQL editor with its refusal beneath, and the form that tests a statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from connectors.data_sources import DataSource
from connectors.query_safety import Allowed, Refused, judge
from connectors.rules import dialect_of
from connectors.sql_dialects import DIALECTS
from connectors.sql_excerpts import excerpt_of
from connectors.sql_messages import refusal_words
from tenants.scope import required_tenant_id

_SHAPE = {"class": "code-text", "rows": 8, "spellcheck": "false"}
_NAMES = {
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "sqlite": "SQLite",
}


@dataclass(frozen=True, slots=True)
class ShownRefusal:
    """A refusal as a page shows it.

    Attributes:
        text: The line it is about, with a caret under the place; may be empty.
        url: The page about the rule.
    """

    rule: str
    words: str
    text: str
    url: str


def shown_refusal(refused: Refused, sql: str) -> ShownRefusal:
    """Make a refusal ready for a page."""
    excerpt = excerpt_of(sql, refused.line, refused.column, refused.found)
    return ShownRefusal(
        rule=refused.rule,
        words=refusal_words(refused),
        text=excerpt.text if excerpt else "",
        url=reverse("admin:connectors_operation_rule", args=[refused.rule]),
    )


class SqlTextarea(forms.Textarea):
    """An editor of SQL that shows where its text was refused."""

    template_name = "connectors/sql_textarea.html"
    refusal: ShownRefusal | None = None

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({**_SHAPE, **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["refusal"] = self.refusal
        return context


class StatementForm(forms.Form):
    """A statement, and what it would be sent to."""

    target = forms.ChoiceField(
        label=_("database"),
        help_text=_("A kind of database, or a data source of this tenant."),
    )
    sql = forms.CharField(label=_("statement"), widget=SqlTextarea, strip=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = DataSource.objects.filter(
            tenant_id=required_tenant_id(), kind=DataSource.Kind.SQL
        )
        self._dialects = {name: name for name in DIALECTS}
        self._dialects |= {f"source:{row.key}": dialect_of(row) for row in sources}
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            (value, _NAMES.get(value) or value.partition(":")[2])
            for value in self._dialects
        ]

    @property
    def source_key(self) -> str:
        """Key of the chosen data source; empty for a kind of database."""
        key: str = self.cleaned_data["target"].partition(":")[2]
        return key

    def verdict(self) -> Allowed | Refused:
        """Judge the statement; a refusal appears under its editor."""
        sql = _with_plain_breaks(self.cleaned_data["sql"])
        verdict = judge(sql, dialect=self._dialects[self.cleaned_data["target"]])
        if isinstance(verdict, Refused):
            editor = self.fields["sql"].widget
            assert isinstance(editor, SqlTextarea)  # noqa: S101 - as declared above
            editor.refusal = shown_refusal(verdict, sql)
        return verdict


def _with_plain_breaks(sql: str) -> str:
    """Browsers send a text with the line breaks of Windows."""
    return sql.replace("\r\n", "\n")

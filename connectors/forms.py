"""The form of an operation in the admin, with the teams that may use it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from connectors.models import Operation
from connectors.query_forms import SqlTextarea, shown_refusal
from connectors.query_safety import Refused
from connectors.reveals import REVEAL
from connectors.rules import dialect_of
from connectors.tenant_scope import scope_query
from tenants.admin import TenantModelForm
from tenants.models import Team
from tenants.permissions import grant, revoke, who_else
from tenants.scope import Actor, required_tenant_id

USE = "use_operation"
# Fields of the form, and what each lets the members of the chosen teams do.
TEAMS = {"teams": USE, "reveal_teams": REVEAL}


class OperationForm(TenantModelForm):
    """An operation, and the teams whose members may use it in screens."""

    teams = forms.ModelMultipleChoiceField(
        label=_("teams"),
        queryset=Team.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Editors of these teams may name the operation in screens and decision "
            "tables. Readers need the menu only. Who makes an operation may use it."
        ),
    )

    reveal_teams = forms.ModelMultipleChoiceField(
        label=_("teams that may reveal personal data"),
        queryset=Team.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Readers of these teams may see and export personal columns for a reason. "
            "Everybody else sees masks."
        ),
    )

    class Meta:
        model = Operation
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Team.objects.filter(tenant_id=required_tenant_id())
        for name, codename in TEAMS.items():
            self.fields[name].queryset = own  # type: ignore[attr-defined]
            if self.instance.pk is not None:
                self.initial[name] = sorted(_teams_of(codename, self.instance))

    def _post_clean(self) -> None:
        """Show under the editor where its text is refused, beside the words above."""
        super()._post_clean()  # type: ignore[misc]
        sql, editor = self.instance.sql, getattr(self.fields.get("sql"), "widget", None)
        if self.instance.source_id is None or not isinstance(editor, SqlTextarea):
            return
        if "sql" in self.errors and sql:
            source = self.instance.source
            tables = [row.spec() for row in source.tables.all()]
            verdict = scope_query(sql, dialect=dialect_of(source), tables=tables)
            if isinstance(verdict, Refused):
                editor.refusal = shown_refusal(verdict, sql)


def _teams_of(codename: str, operation: Operation) -> set[int]:
    holders = who_else(codename, operation)
    return {holder.id for holder in holders if holder.kind == "team"}


def give_to_teams(
    operation: Operation, teams: list[Team], *, actor: Actor, codename: str = USE
) -> None:
    """Let the members of exactly these teams do `codename` with the operation."""
    wanted = {team.pk: team for team in teams}
    held = _teams_of(codename, operation)
    for pk in wanted.keys() - held:
        grant(codename, operation, to=wanted[pk], actor=actor)
    for team in Team.objects.filter(pk__in=held - wanted.keys()):
        revoke(codename, operation, to=team, actor=actor)

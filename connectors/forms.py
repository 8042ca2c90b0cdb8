"""The form of an operation in the admin, with the teams that may use it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from connectors.models import Operation
from connectors.query_forms import SqlTextarea, shown_refusal
from connectors.query_safety import Refused, judge
from connectors.rules import dialect_of
from tenants.admin import TenantModelForm
from tenants.models import Team
from tenants.permissions import grant, revoke, who_else
from tenants.scope import Actor, required_tenant_id

USE = "use_operation"


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

    class Meta:
        model = Operation
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Team.objects.filter(tenant_id=required_tenant_id())
        self.fields["teams"].queryset = own  # type: ignore[attr-defined]
        if self.instance.pk is not None:
            self.initial["teams"] = sorted(_teams_of(self.instance))

    def _post_clean(self) -> None:
        """Show under the editor where its text is refused, beside the words above."""
        super()._post_clean()  # type: ignore[misc]
        sql, editor = self.instance.sql, getattr(self.fields.get("sql"), "widget", None)
        if self.instance.source_id is None or not isinstance(editor, SqlTextarea):
            return
        if "sql" in self.errors and sql:
            verdict = judge(sql, dialect=dialect_of(self.instance.source))
            if isinstance(verdict, Refused):
                editor.refusal = shown_refusal(verdict, sql)


def _teams_of(operation: Operation) -> set[int]:
    holders = who_else(USE, operation)
    return {holder.id for holder in holders if holder.kind == "team"}


def give_to_teams(operation: Operation, teams: list[Team], *, actor: Actor) -> None:
    """Let exactly these teams use the operation."""
    wanted = {team.pk: team for team in teams}
    held = _teams_of(operation)
    for pk in wanted.keys() - held:
        grant(USE, operation, to=wanted[pk], actor=actor)
    for team in Team.objects.filter(pk__in=held - wanted.keys()):
        revoke(USE, operation, to=team, actor=actor)

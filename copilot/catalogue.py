"""What one actor's copilot may know: a screen, and the operations it may use."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Q

from branching.services import table_names
from connectors.models import (
    Operation,
    OperationTeamPermission,
    OperationUserPermission,
)
from connectors.services import load_operations
from copilot.subject import OperationWords, Subject
from tenants.permissions import team_ids, why
from tenants.scope import Actor, using_tenant

USE: Final = "use_operation"
_STANDING: Final = frozenset({"inactive-user", "no-member", "other-tenant"})


def subject_for(body: dict[str, Any], *, actor: Actor, key: str = "") -> Subject:
    """Return a document with what the actor may use in it.

    An operation the actor may not use is not in it, and so reads the same as one
    that does not exist; so does a decision table that could call one.
    """
    with using_tenant(actor.tenant_id):
        usable = usable_operations(actor)
        specs = load_operations(usable, actor=actor)
        tables = table_names(actor=actor)
    operations = {
        key: OperationWords(key, dict(spec.label), spec.columns, spec.parameters)
        for key, spec in specs.items()
    }
    return Subject(
        body,
        operations,
        {
            name: table.responses
            for name, table in tables.items()
            if table.operations <= operations.keys()
        },
        key,
    )


def usable_operations(actor: Actor) -> frozenset[str]:
    """Return the keys of the enabled operations the actor may use, in a few queries.

    The same answer as asking `tenants.permissions.can` for every row.
    """
    rows = Operation.objects.enabled()
    first = rows.first()
    if first is None:
        return frozenset()
    standing = why(actor, USE, first).rule
    if standing in _STANDING:
        return frozenset()
    if standing != "superuser":
        granted = {"permission__codename": USE}
        own = OperationUserPermission.objects.filter(user_id=actor.user_id, **granted)
        of_teams = OperationTeamPermission.objects.filter(
            group_id__in=team_ids(actor), **granted
        )
        rows = rows.filter(
            Q(pk__in=own.values("content_object_id"))
            | Q(pk__in=of_teams.values("content_object_id"))
        )
    return frozenset(rows.values_list("key", flat=True))

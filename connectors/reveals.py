"""Who may see personal data, for which reason, where, and for how long.

A reveal is of one user, one operation and one place (a screen). It ends by itself, by
the user's own hand, and when the permission is taken away. A page viewed as somebody
else reveals nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from connectors.models import Operation
from connectors.reveal_models import LEAST_REASON, MOST_REASON, PersonalReveal
from tenants.audit import record
from tenants.permissions import can
from tenants.scope import Actor, using_tenant

REVEAL = "reveal_personal"


@dataclass(frozen=True, slots=True)
class LiveReveal:
    """Personal data of one operation is shown to one user until a moment."""

    operation: str
    until: datetime


@dataclass(frozen=True, slots=True)
class NotRevealed:
    """Why nothing is revealed."""

    rule: Literal["no-permission", "reason-short", "reason-long"]


def revealable(keys: Collection[str], *, actor: Actor) -> tuple[str, ...]:
    """Return those of the operations whose personal data the actor may reveal."""
    with using_tenant(actor.tenant_id):
        return tuple(row.key for row in _permitted(keys, actor))


def reveal(
    keys: Collection[str], *, place: str, reason: str, actor: Actor
) -> tuple[LiveReveal, ...] | NotRevealed:
    """Show the actor personal data of these operations at one place for a while.

    Operations that the actor may not reveal stay masked. Written into the audit trail.

    Args:
        place: Key of the screen.
        reason: Why; people read it later.
    """
    found = _asked(keys, reason, actor)
    if isinstance(found, NotRevealed):
        return found
    now = timezone.now()
    until = now + timedelta(minutes=settings.SIGNALBOX_REVEAL_MINUTES)
    with using_tenant(actor.tenant_id), transaction.atomic():
        for operation in found:
            row = _row(operation, place, reason, actor)
            row.purpose = PersonalReveal.Purpose.PAGE
            row.since, row.until = now, until
            row.save()
            changes: dict[str, object] = {
                "place": place, "reason": row.reason, "until": until.isoformat(),
            }  # fmt: skip
            _record("personal.revealed", operation, changes, actor)
    return tuple(LiveReveal(row.key, until) for row in found)


def exportable(
    keys: Collection[str], *, reason: str, actor: Actor
) -> tuple[str, ...] | NotRevealed:
    """Return the operations whose personal data the actor may export for a reason.

    Nothing is written yet: `record_export` says what the export held.
    """
    found = _asked(keys, reason, actor)
    if isinstance(found, NotRevealed):
        return found
    return tuple(operation.key for operation in found)


def record_export(
    keys: Collection[str],
    *,
    place: str,
    reason: str,
    actor: Actor,
    rows: int,
    columns: Iterable[str],
) -> None:
    """Write down that personal data is about to leave the portal.

    Args:
        keys: Operations whose answers are in the export.
        columns: Names of the personal columns in it.
    """
    now = timezone.now()
    names = sorted(columns)
    with using_tenant(actor.tenant_id), transaction.atomic():
        for operation in Operation.objects.filter(key__in=keys):
            row = _row(operation, place, reason, actor)
            row.purpose = PersonalReveal.Purpose.EXPORT
            row.since = row.until = now
            row.uses, row.rows = 1, rows
            row.save()
            changes: dict[str, object] = {
                "place": place, "reason": row.reason, "rows": rows, "columns": names,
            }  # fmt: skip
            _record("personal.exported", operation, changes, actor)


def live_reveals(
    keys: Collection[str], *, place: str, actor: Actor
) -> tuple[LiveReveal, ...]:
    """Return what is revealed to the actor here and now, and count it as used.

    One query when nothing is; the permission is asked again where something is.
    """
    if not keys or actor.acting_for is not None:
        return ()
    with using_tenant(actor.tenant_id):
        rows = PersonalReveal.objects.live(timezone.now()).at(
            place, user_id=actor.user_id
        )
        found = list(rows.filter(operation__key__in=keys))
        if not found:
            return ()
        asked = {row.operation_key for row in found}
        allowed = set(revealable(asked, actor=actor))
        used = [row for row in found if row.operation_key in allowed]
        PersonalReveal.objects.filter(pk__in=[row.pk for row in used]).update(
            uses=F("uses") + 1
        )
    latest: dict[str, datetime] = {}
    for row in used:
        key = row.operation_key
        latest[key] = max(row.until, latest.get(key, row.until))
    return tuple(LiveReveal(key, until) for key, until in sorted(latest.items()))


def hide(*, place: str, actor: Actor) -> int:
    """End every reveal of the actor at one place; return how many there were."""
    now = timezone.now()
    with using_tenant(actor.tenant_id), transaction.atomic():
        rows = PersonalReveal.objects.live(now).at(place, user_id=actor.user_id)
        ended = list(rows.select_related("operation"))
        PersonalReveal.objects.filter(pk__in=[row.pk for row in ended]).update(
            hidden_at=now
        )
        for row in ended:
            told: dict[str, object] = {"place": place, "uses": row.uses}
            _record("personal.hidden", row.operation, told, actor)
    return len(ended)


def _asked(
    keys: Collection[str], reason: str, actor: Actor
) -> list[Operation] | NotRevealed:
    with using_tenant(actor.tenant_id):
        found = _permitted(keys, actor)
    if not found:
        return NotRevealed("no-permission")
    if len(reason.strip()) < LEAST_REASON:
        return NotRevealed("reason-short")
    if len(reason.strip()) > MOST_REASON:
        return NotRevealed("reason-long")
    return found


def _permitted(keys: Collection[str], actor: Actor) -> list[Operation]:
    if not keys or actor.acting_for is not None:
        return []
    rows = Operation.objects.enabled().filter(key__in=keys)
    return [row for row in rows if can(actor, REVEAL, row)]


def _row(operation: Operation, place: str, reason: str, actor: Actor) -> PersonalReveal:
    return PersonalReveal(
        tenant_id=actor.tenant_id,
        user_id=actor.user_id,
        operation=operation,
        operation_key=operation.key,
        place=place,
        reason=reason.strip(),
    )


def _record(
    action: str, operation: Operation | None, changes: dict[str, object], actor: Actor
) -> None:
    record(actor=actor, action=action, target=operation, changes=changes)

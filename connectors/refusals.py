"""The audit trail of refused queries: one log line for each, one row a day.

A row counts the refusals of one tenant, day, rule, layer, user, data source and
operation, so that a page in a loop fills a counter and not a table.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from connectors.refusal_models import QueryRefusal, RefusalLayer
from tenants.models import Tenant, User
from tenants.scope import Actor, using_tenant

logger = logging.getLogger(__name__)


def record_refusal(
    rule: str,
    *,
    layer: RefusalLayer,
    actor: Actor,
    source: str,
    operation: str,
    now: datetime | None = None,
) -> None:
    """Write down that a query was refused: never its text, never a value.

    A database that does not take the row is logged, and the caller's refusal stands.

    Args:
        source: Key of the data source, or empty.
        operation: Key of the operation, or empty for a statement that was tested.
    """
    logger.warning(
        "Query refused: rule=%s layer=%s source=%s operation=%s user=%s tenant=%s",
        rule,
        layer.value,
        source,
        operation,
        actor.user_id,
        actor.tenant_id,
    )
    moment = (now or timezone.now()).astimezone(UTC)
    named = {
        "day": moment.date(),
        "rule": rule,
        "layer": layer,
        "user_id": actor.user_id or None,  # 0 is a command, or the portal itself
        "source_key": source[:80],
        "operation_key": operation[:80],
    }
    try:
        with transaction.atomic():
            _count(actor.tenant_id, named, moment)
    except DatabaseError:
        logger.exception("A refused query could not be counted.")


def _count(tenant_id: int, named: dict[str, Any], moment: datetime) -> None:
    rows = QueryRefusal.all_tenants.filter(tenant_id=tenant_id, **named)
    once_more = {"count": F("count") + 1, "last_at": moment}
    if rows.update(**once_more):
        return
    # Rows refer to their tenant; one that is just being erased takes no more.
    if not Tenant.objects.filter(pk=tenant_id).exists():
        return
    user = named["user_id"]
    if user is not None and not User.objects.filter(pk=user).exists():
        _count(tenant_id, named | {"user_id": None}, moment)  # gone meanwhile
        return
    try:
        with transaction.atomic(), using_tenant(tenant_id):
            QueryRefusal.objects.create(
                **named, count=1, first_at=moment, last_at=moment
            )
    except IntegrityError:  # somebody else was first today
        rows.update(**once_more)


def prune_refusals(*, now: datetime | None = None) -> int:
    """Delete counts older than warnings of the log are kept; returns how many."""
    kept = timedelta(days=settings.SIGNALBOX_WARNING_LOG_DAYS)
    oldest = ((now or timezone.now()) - kept).astimezone(UTC).date()
    deleted, _by_model = QueryRefusal.all_tenants.filter(day__lt=oldest).delete()
    return deleted

"""The outbox: claim waiting deliveries, and write down what became of each.

A claimed row is put off by a lease before it is sent, outside any transaction. Should
the sender die, it becomes due again: a notification is sent at least once, always
under the same delivery id.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from observability.models import Delivery

LEASE = timedelta(minutes=10)
FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(hours=1)
KEPT = timedelta(days=90)
_BATCH = 20  # each waits ten seconds at most, so the lease holds


def retry_after(attempts: int) -> timedelta:
    """Return the pause after so many failed attempts: 10 s, 20 s, 40 s, … one hour."""
    if attempts < 1:
        raise ValueError(f"attempts must be 1 or more, got {attempts}")
    # 10 s times two to the ninth is more than an hour; no need to go further.
    return min(FIRST_RETRY * (1 << min(attempts - 1, 9)), LONGEST_RETRY)


def any_due(*, now: datetime | None = None) -> bool:
    """Say whether a delivery of any tenant waits to be sent now."""
    return Delivery.all_tenants.due(at=now or timezone.now()).exists()


@transaction.atomic
def claim_due(*, by: datetime, now: datetime | None = None) -> list[Delivery]:
    """Take up to 20 deliveries due by `by`, of all tenants, the oldest first."""
    moment = now or timezone.now()
    rows = Delivery.all_tenants.due(at=by).select_for_update(
        of=("self",),
        skip_locked=connection.features.has_select_for_update_skip_locked,
    )
    pks = list(rows.order_by("due_at", "pk").values_list("pk", flat=True)[:_BATCH])
    claimed = Delivery.all_tenants.filter(pk__in=pks)
    claimed.update(due_at=moment + LEASE, attempts=F("attempts") + 1)
    return list(claimed.select_related("channel", "tenant").order_by("pk"))


def delivered(delivery: Delivery, *, now: datetime | None = None) -> None:
    """Write down that a delivery has arrived."""
    Delivery.all_tenants.filter(pk=delivery.pk).update(
        state=Delivery.State.SENT, sent_at=now or timezone.now(), last_error=""
    )


def failed(delivery: Delivery, error: str, *, now: datetime | None = None) -> bool:
    """Write down a failed attempt; returns False when the delivery is given up.

    Args:
        error: Why, in words a person reads; never a secret.
    """
    moment = now or timezone.now()
    due_at = moment + retry_after(delivery.attempts)
    lives = moment < delivery.retry_until
    Delivery.all_tenants.filter(pk=delivery.pk).update(
        state=Delivery.State.WAITING if lives else Delivery.State.DEAD,
        # The last attempt is made at the end of the day, not an hour before.
        due_at=min(due_at, delivery.retry_until) if lives else due_at,
        last_error=error[:300],
    )
    return lives


def send_again(deliveries: list[Delivery], *, now: datetime | None = None) -> int:
    """Let given-up deliveries be tried for another day; returns how many."""
    moment = now or timezone.now()
    return Delivery.objects.filter(
        pk__in=[delivery.pk for delivery in deliveries], state=Delivery.State.DEAD
    ).update(
        state=Delivery.State.WAITING,
        attempts=0,
        due_at=moment,
        retry_until=moment + timedelta(hours=24),
    )


def prune_deliveries(*, now: datetime | None = None) -> int:
    """Delete what was sent or given up 90 days ago and before; returns how many."""
    old = Delivery.all_tenants.filter(created_at__lt=(now or timezone.now()) - KEPT)
    return old.exclude(state=Delivery.State.WAITING).delete()[0]

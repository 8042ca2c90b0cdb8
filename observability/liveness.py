"""Signs of life of background processes, and leases so that a role is held once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from observability.models import Heartbeat


def beat(role: str, *, holder: str = "", now: datetime | None = None) -> None:
    """Write down that `role` is alive."""
    moment = now or timezone.now()
    Heartbeat.objects.update_or_create(
        role=role,
        defaults={"holder": holder, "seen_at": moment, "expires_at": moment},
    )


def last_seen(role: str) -> datetime | None:
    """Say when `role` was last alive; None for never."""
    return Heartbeat.objects.filter(role=role).values_list("seen_at", flat=True).first()


def take_lease(
    role: str, *, holder: str, seconds: int, now: datetime | None = None
) -> bool:
    """Take or renew the lease of `role`; False while another holder has it.

    One statement decides, so two takers never both hold it. It is given by the
    clocks of the machines: keep `seconds` well above the difference between them.
    """
    moment = now or timezone.now()
    values = {
        "holder": holder,
        "seen_at": moment,
        "expires_at": moment + timedelta(seconds=seconds),
    }
    free = Q(holder=holder) | Q(expires_at__lte=moment)
    if Heartbeat.objects.filter(free, role=role).update(**values):
        return True
    Heartbeat.objects.bulk_create(
        [Heartbeat(role=role, **values)], ignore_conflicts=True
    )
    return Heartbeat.objects.filter(
        role=role, holder=holder, expires_at__gt=moment
    ).exists()


def release_lease(role: str, *, holder: str) -> None:
    """Give the lease back, so that the next one need not wait for its end."""
    Heartbeat.objects.filter(role=role, holder=holder).update(expires_at=timezone.now())

"""Collect a review from every app that has something to say, and freeze it."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Protocol

from django.apps import apps
from django.conf import settings
from django.utils import timezone
from django_tasks import task

from config import architecture_review, news_review
from observability.review_periods import last_ended, period_name
from observability.review_snapshots import Snapshot
from observability.review_values import Cadence, Period, Section
from observability.services import Frozen, freeze, frozen_review, snapshot_of
from tenants.models import Tenant
from tenants.scope import Actor


class MakeSection(Protocol):
    """What an app offers: its section of a period, as one actor sees it."""

    def __call__(self, period: Period, *, actor: Actor) -> Section: ...


# The app and the function of its services, in the order of the report. An app that
# is not installed, or has no such function, has nothing to say.
SOURCES = (
    ("observability", "review_section"),
    ("connectors", "review_section"),
    ("branching", "review_section"),
    ("screens", "review_section"),
    ("menus", "review_section"),
    ("copilot", "review_section"),
    ("observability", "people_section"),
)


def collect(period: Period, *, tenant: Tenant) -> Snapshot:
    """Ask every app about a period, and freeze nothing.

    A section that fails fails the whole: half a review would be signed as a whole one.
    """
    # Nobody: the portal itself asks, and what it may see is the tenant.
    actor = Actor(user_id=0, tenant_id=tenant.pk)
    sections = [make(period, actor=actor) for make in _makers(period)]
    return snapshot_of(sections, period=period, tenant=tenant)


def write_review(period: Period, *, tenant: Tenant) -> Frozen:
    """Freeze the review of a period; one that was frozen is given back as it is."""
    found = frozen_review(period, tenant=tenant)
    if found is not None:
        return Frozen(found, new=False)
    return freeze(collect(period, tenant=tenant), tenant=tenant)


def write_due_reviews(tenant: Tenant, *, now: datetime | None = None) -> list[str]:
    """Write a tenant's reviews of the last month and quarter where they are missing.

    A tenant that was made after a period has no review of it.

    Returns:
        The name of each that is new.
    """
    written = []
    for cadence in Cadence:
        zone = settings.TIME_ZONE
        period = last_ended(now or timezone.now(), cadence, zone=zone)
        if tenant.created_at >= period.ends:
            continue
        if write_review(period, tenant=tenant).new:
            written.append(period_name(period, zone=zone))
    return written


@task()
def write_reviews() -> int:
    """Enqueue the reviews of every active tenant; once a day, so from day 1 on.

    Each tenant has a task of its own: one that fails keeps no other from its review.
    """
    tenants = Tenant.objects.active().order_by("key")
    return len([write_reviews_of.enqueue(tenant_id=tenant.pk) for tenant in tenants])


@task()
def write_reviews_of(tenant_id: int) -> list[str]:
    """Write what `write_due_reviews` finds missing."""
    tenant = Tenant.objects.active().filter(pk=tenant_id).first()
    return write_due_reviews(tenant) if tenant else []  # suspended or erased since


def _makers(period: Period) -> list[MakeSection]:
    makers: list[MakeSection] = [news_review.review_section]
    for app, function in SOURCES:
        if apps.is_installed(app):
            make = getattr(import_module(f"{app}.services"), function, None)
            if make is not None:
                makers.append(make)
    if period.cadence is Cadence.QUARTERLY:
        makers.append(architecture_review.review_section)
    return makers

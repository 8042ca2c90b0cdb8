"""The state of this installation on one page: findings, migrations, background work.

For superusers: it tells of the whole portal, of no tenant's rows, and of no secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import background
from config.doctor import examine
from config.migrating.history import own_labels
from config.schedule import SCHEDULE
from observability.models import Heartbeat


@dataclass(frozen=True, slots=True)
class AppState:
    """Where the tables of one app are.

    Attributes:
        newest: The newest migration that is applied; "" for none.
        applied_at: When; None when nothing is applied.
        waiting: Names of migrations that the code has and the database does not.
    """

    label: str
    newest: str
    applied_at: datetime | None
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeriodicState:
    """One periodic task: its key, seconds between two, when it was last enqueued."""

    key: str
    seconds: int
    last: datetime | None


def app_states() -> list[AppState]:
    """Say for every app of ours which migrations are applied and which wait."""
    loader = MigrationLoader(connection, ignore_no_migrations=True)
    applied_at = dict(
        MigrationRecorder(connection)
        .migration_qs.filter(app__in=own_labels())
        .values_list("name", "applied")
    )
    states = []
    for label in sorted(own_labels()):
        names = sorted(name for app, name in loader.disk_migrations if app == label)
        applied = {name for app, name in loader.applied_migrations if app == label}
        newest = max(applied, default="")
        waiting = tuple(name for name in names if name not in applied)
        if names:
            states.append(AppState(label, newest, applied_at.get(newest), waiting))
    return states


def periodic_states() -> list[PeriodicState]:
    """Say of every periodic task when it was last enqueued."""
    seen = dict(
        Heartbeat.objects.filter(
            role__in=[periodic.role for periodic in SCHEDULE]
        ).values_list("role", "seen_at")
    )
    return [
        PeriodicState(
            periodic.key,
            int(periodic.every.total_seconds()),
            seen.get(periodic.role),
        )
        for periodic in SCHEDULE
    ]


@require_safe
@never_cache
@staff_member_required
def system(request: HttpRequest) -> HttpResponse:
    """Show the state of the installation to superusers."""
    if not request.user.is_superuser:
        raise PermissionDenied
    context = {
        **admin.site.each_context(request),
        "title": _("System"),
        "findings": examine(),
        "apps": app_states(),
        "backend": background.backend_name(),
        "periodic": periodic_states(),
    }
    return render(request, "config/system.html", context)

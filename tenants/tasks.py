"""Periodic work of this app; a scheduler enqueues it."""

from __future__ import annotations

from django_tasks import task

from tenants import audit


@task()
def seal_audit() -> int:
    """Seal the new audit entries of every chain; return how many."""
    return audit.seal_all()

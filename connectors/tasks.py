"""Work of this app that a worker does."""

from __future__ import annotations

from django_tasks import task

from connectors.refusals import prune_refusals


@task()
def prune_query_refusals() -> int:
    """Delete counts of refused queries past their time; returns how many."""
    return prune_refusals()

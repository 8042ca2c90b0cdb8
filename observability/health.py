"""Is this process alive, and can it serve? Never asks a data source."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from secrets import token_hex

from django.core.cache import cache
from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

OK = "ok"

logger = logging.getLogger(__name__)


def check_database() -> str:
    """Say whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseFailure as error:
        logger.warning("The database does not answer: %s", type(error).__name__)
        return "unreachable"
    return OK


def check_cache() -> str:
    """Say whether the cache keeps what it is given."""
    key = f"observability:ready:{token_hex(8)}"
    try:
        cache.set(key, OK, timeout=5)
        kept = cache.get(key) == OK
        cache.delete(key)
    except Exception as error:  # noqa: BLE001 - every cache library has its own errors
        logger.warning("The cache does not answer: %s", type(error).__name__)
        return "unreachable"
    return OK if kept else "forgets"


def unapplied_migrations() -> list[str]:
    """Name the migrations this code needs and the database has not seen."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


class _Applied:
    """Reading every migration takes a tenth of a second; applied ones stay applied."""

    known = False


def check_migrations() -> str:
    """Say whether every migration of this code was applied."""
    if _Applied.known:
        return OK
    try:
        waiting = unapplied_migrations()
    except DatabaseFailure as error:
        logger.warning("The migrations cannot be read: %s", type(error).__name__)
        return "unreachable"
    if waiting:
        return f"{len(waiting)} unapplied"
    _Applied.known = True
    return OK


CHECKS: Mapping[str, Callable[[], str]] = {
    "database": check_database,
    "cache": check_cache,
    "migrations": check_migrations,
}


def readiness() -> dict[str, str]:
    """Run every check; each answers `OK` or one or two words."""
    return {name: check() for name, check in CHECKS.items()}

"""What a deploy would run on the configured database."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.migrating.history import own_labels
from config.migrating.risks import Risk, locks_of, risks_of


@dataclass(frozen=True, slots=True)
class PlannedMigration:
    """One migration that waits.

    Attributes:
        own: Whether it is of this portal, or came with a package.
        sql: Its statements; Python cannot be written as SQL and says so.
        locks: Kinds of locks, the strongest first.
        risks: Why it should not run while the portal is used.
    """

    app: str
    name: str
    own: bool
    sql: tuple[str, ...]
    locks: tuple[str, ...]
    risks: tuple[Risk, ...]

    @property
    def safe(self) -> bool:
        return not self.risks


def planned() -> tuple[PlannedMigration, ...]:
    """Return what ``migrate`` would run, in its order. Nothing is changed."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    own = own_labels()
    vendor = connection.vendor
    # On an empty database every table is new: nobody waits, nothing breaks.
    new = not executor.loader.applied_migrations
    return tuple(
        PlannedMigration(
            app=migration.app_label,
            name=migration.name,
            own=migration.app_label in own,
            sql=tuple(executor.loader.collect_sql([(migration, False)])),
            locks=() if new else locks_of(migration, vendor=vendor),
            risks=() if new else risks_of(migration, vendor=vendor),
        )
        for migration, _backwards in plan
    )

"""Walk an empty database through every migration: forward, back, and forward again.

The connection must be Django's default one: a migration that runs Python may name no
other. ``migrations_verify`` gives each walk a process and a database of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.db import Error as DatabaseFailure
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from config.migrating.catalogue import Catalogue, differences, read_catalogue
from config.migrating.history import (
    RELEASES,
    Node,
    leaves,
    own_labels,
    release_nodes,
)
from config.migrating.seeding import Seeder

Row: TypeAlias = tuple[tuple[str, Any], ...]
Rows: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried.

    Attributes:
        name: ``app.0001_name`` of a migration, or what was rolled back.
        rows: Rows that stood in the database meanwhile.
        faults: What went wrong or came out different; empty when nothing did.
    """

    name: str
    seconds: float
    rows: int
    faults: tuple[str, ...]


class Walk:
    """One database on its way through the history."""

    def __init__(
        self, connection: BaseDatabaseWrapper, *, labels: frozenset[str], data: bool
    ) -> None:
        self._connection = connection
        self._labels = labels
        self._data = data
        self._own = own_labels()
        self._seeder = Seeder(connection)
        self._executor = MigrationExecutor(connection)
        self._executor.recorder.ensure_schema()
        self._state = ProjectState()

    @property
    def refused(self) -> Mapping[str, str]:
        """Tables that could be given no row, with what the database said."""
        return self._seeder.refused

    def run(self) -> Iterable[Step]:
        """Yield a step for every migration, then for the rollbacks.

        The walk ends early when a migration leaves the database where no next one
        can begin.
        """
        graph = self._executor.loader
        release = list(RELEASES)[-1]
        foreign = {label for label, _ in graph.graph.nodes} - self._own
        before = [*leaves(graph, foreign), *release_nodes(graph, release)]
        for target in (before, leaves(graph, self._own)):
            for migration, _backwards in self._executor.migration_plan(target):
                if step := self._step(migration):
                    yield step
                    if step.faults:
                        return
                self._executor.loader.applied_migrations[
                    (migration.app_label, migration.name)
                ] = migration
            if target is before:
                old = read_catalogue(self._connection)
        yield from self._rollbacks(release, old)

    def _step(self, migration: Migration) -> Step | None:
        """Apply one migration; one of ours is taken back and applied again."""
        if migration.app_label not in self._labels:
            self._state = self._executor.apply_migration(self._state, migration)
            return None
        started = time.monotonic()
        name = f"{migration.app_label}.{migration.name}"
        if self._data:
            self._seeder.fill(self._state.apps, self._own)
        earlier, kept = self._look()
        before = self._state
        faults: list[str] = []
        try:
            self._apply(migration, before)
            later, rows = self._look()
            self._executor.unapply_migration(before.clone(), migration)
            back, kept_back = self._look()
            faults += [f"after going back: {d}" for d in differences(earlier, back)]
            faults += _lost(kept, kept_back, within=rows)
            self._apply(migration, before)
            again, rows_again = self._look()
            faults += [f"after going forward: {d}" for d in differences(later, again)]
            faults += _lost(rows, rows_again, within=kept)
        except (IrreversibleError, DatabaseFailure, NotImplementedError) as error:
            faults.append(f"{type(error).__name__}: {str(error).strip()}")
        count = sum(map(len, kept.values()))
        return Step(name, time.monotonic() - started, count, tuple(faults))

    def _apply(self, migration: Migration, before: ProjectState) -> None:
        self._state = self._executor.apply_migration(before.clone(), migration)

    def _look(self) -> tuple[Catalogue, Rows]:
        return read_catalogue(self._connection), self._rows()

    def _rows(self) -> Rows:
        if not self._data:
            return {}
        with self._connection.cursor() as cursor:
            there = set(self._connection.introspection.table_names(cursor))
            return {
                table: _rows_of(cursor, self._connection.ops.quote_name(table))
                for table in sorted(self._tables() & there)
            }

    def _tables(self) -> set[str]:
        return {
            model._meta.db_table
            for model in self._state.apps.get_models(include_auto_created=True)
            if model._meta.app_label in self._own
        }

    # --- Rollbacks ------------------------------------------------------------------

    def _rollbacks(self, release: str, old: Catalogue) -> Iterable[Step]:
        """Go back to the last release with rows, to nothing, and forward each time."""
        if self._data:
            self._seeder.fill(self._state.apps, self._own)
        new, rows = self._look()
        loader = self._executor.loader
        targets: list[tuple[str, str | None]] = [*release_nodes(loader, release)]
        newer = self._own - {label for label, _ in targets}
        targets += [(label, None) for label in sorted(newer & loader.migrated_apps)]
        yield self._there_and_back(f"rollback to {release}", targets, old, new, rows)
        nothing: list[tuple[str, str | None]] = [
            (label, None) for label in sorted(self._own & loader.migrated_apps)
        ]
        yield self._there_and_back("rollback to nothing", nothing, None, new, {})

    def _there_and_back(
        self,
        name: str,
        targets: list[tuple[str, str | None]],
        old: Catalogue | None,
        new: Catalogue,
        rows: Rows,
    ) -> Step:
        started = time.monotonic()
        faults: list[str] = []
        try:
            self._migrate(targets)
            back, kept = self._look()
            if old is not None:
                faults += [f"after going back: {d}" for d in differences(old, back)]
                faults += _lost(rows, kept, within=kept)
            else:
                faults += [f"left over: table {table}" for table in kept]
                faults += self._left_over(back)
            self._migrate(leaves(self._executor.loader, self._executor_labels()))
            again = read_catalogue(self._connection)
            faults += [f"after going forward: {d}" for d in differences(new, again)]
        except (IrreversibleError, DatabaseFailure, NotImplementedError) as error:
            faults.append(f"{type(error).__name__}: {str(error).strip()}")
        count = sum(map(len, rows.values()))
        return Step(name, time.monotonic() - started, count, tuple(faults))

    def _executor_labels(self) -> set[str]:
        return {label for label, _ in self._executor.loader.graph.nodes}

    def _left_over(self, catalogue: Catalogue) -> list[str]:
        tables = self._tables()
        return [
            f"left over: {name}"
            for name in catalogue
            if name.removeprefix("table ") in tables
        ]

    def _migrate(self, targets: Sequence[Node | tuple[str, str | None]]) -> None:
        """What ``migrate`` does, without its messages and signals."""
        self._executor = MigrationExecutor(self._connection)
        plan = self._executor.migration_plan(targets)
        self._executor.migrate(targets, plan)


def _rows_of(cursor: Any, table: str) -> list[dict[str, Any]]:
    cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - a quoted name of ours
    names = [column[0] for column in cursor.description]
    return [
        dict(zip(names, map(_comparable, row), strict=True))
        for row in cursor.fetchall()
    ]


def _comparable(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _lost(expected: Rows, found: Rows, *, within: Rows) -> list[str]:
    """Name the tables whose rows differ in the columns that all three know."""
    faults = []
    for table in expected.keys() & found.keys() & within.keys():
        columns = _columns(expected[table], found[table], within[table])
        if _picked(expected[table], columns) != _picked(found[table], columns):
            faults.append(
                f"rows of {table}: {len(expected[table])} before, {len(found[table])} "
                f"after, or other values in {', '.join(columns)}"
            )
    return sorted(faults)


def _columns(*tables: Sequence[Mapping[str, Any]]) -> list[str]:
    sets = [set(rows[0]) for rows in tables if rows]
    return sorted(set.intersection(*sets)) if sets else []


def _picked(rows: Sequence[Mapping[str, Any]], columns: list[str]) -> list[str]:
    return sorted(repr([row[name] for name in columns]) for row in rows)

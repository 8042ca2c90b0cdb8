"""What a migration does to a portal that is being used: locks, and what can break.

The rules are our own. They look at the operations of one migration and at nothing
else; each has an id, so that people can talk about it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres import operations as postgres
from django.db import models
from django.db.migrations import Migration
from django.db.migrations import operations as ops
from django.db.migrations.operations.base import Operation

# What PostgreSQL locks while an operation runs, from its manual ("Explicit Locking").
_EVERYTHING = "ACCESS EXCLUSIVE: readers and writers wait"
_WRITERS = "SHARE: writers wait"
_NOBODY = "none that others notice"
_SQLITE = "the whole file: writers wait"


@dataclass(frozen=True, slots=True)
class Risk:
    """Why a migration should not run while the portal is used.

    Attributes:
        rule: Stable id.
        found: The operation, in words.
        remedy: How to do it without the risk.
    """

    rule: str
    found: str
    remedy: str


def locks_of(migration: Migration, *, vendor: str) -> tuple[str, ...]:
    """Name the kinds of locks a migration takes, the strongest first.

    A table that the migration makes itself is known to nobody yet.
    """
    if vendor != "postgresql":
        return (_SQLITE,) if migration.operations else ()
    fresh = _made_by(migration)
    kinds = {_lock(operation, fresh) for operation in _flat(migration.operations)}
    return tuple(k for k in (_EVERYTHING, _WRITERS, _NOBODY) if k in kinds)


def _lock(operation: Operation, fresh: set[str]) -> str:
    if _model_of(operation) in fresh or isinstance(operation, ops.CreateModel):
        return _NOBODY
    if isinstance(
        operation, postgres.AddIndexConcurrently | postgres.RemoveIndexConcurrently
    ):
        return _NOBODY
    if isinstance(operation, ops.AddIndex):
        return _WRITERS
    if isinstance(operation, ops.RunPython | ops.AlterModelOptions):
        return _NOBODY
    return _EVERYTHING


def risks_of(migration: Migration, *, vendor: str) -> tuple[Risk, ...]:
    """Say what stands against running a migration while the portal is used.

    Args:
        vendor: ``postgresql`` or ``sqlite``; some risks are of one engine.
    """
    fresh = _made_by(migration)
    found = [
        risk
        for operation in _flat(migration.operations)
        if _model_of(operation) not in fresh
        for risk in _risks(operation, vendor)
    ]
    if _mixes(migration):
        found.append(
            Risk(
                "schema-and-data",
                "changes tables and rows in one transaction",
                "Put the data into a migration of its own.",
            )
        )
    return tuple(found)


# Operations that are a risk whatever their arguments: rule, why, and the way out.
_ALWAYS: tuple[tuple[tuple[type[Operation], ...], str, str, str], ...] = (
    (
        (ops.AlterField,),
        "alter-column",
        "the table may be checked or rewritten",
        "Add a new column, copy in batches, and drop the old one later.",
    ),
    (
        (ops.RenameField, ops.RenameModel, ops.AlterModelTable),
        "rename",
        "old code asks for the old name",
        "Add the new name, write both, and drop the old one later.",
    ),
    (
        (ops.RemoveField, ops.DeleteModel),
        "drop",
        "old code still reads it, and going back brings no values",
        "Deploy code that does not use it first; drop it a release later.",
    ),
    (
        (ops.AddConstraint, ops.AlterUniqueTogether),
        "constraint-scans",
        "every row is checked under the lock",
        "On PostgreSQL add it NOT VALID and validate it in a second migration.",
    ),
)


def _risks(operation: Operation, vendor: str) -> Iterator[Risk]:
    what = operation.describe()
    for kinds, rule, why, remedy in _ALWAYS:
        if isinstance(operation, kinds):
            yield Risk(rule, f"{what}: {why}", remedy)
    match operation:
        case ops.AddField(field=field) if _needs_value(field):
            yield Risk(
                "not-null-without-default",
                f"{what}: old code inserts rows without it",
                "Add it nullable or with db_default; make it required a release later.",
            )
        case ops.RunPython() | ops.RunSQL():
            yield from _risks_of_code(operation, what)
        case postgres.AddIndexConcurrently():
            return
        case ops.AddIndex() if vendor == "postgresql":
            yield Risk(
                "index-not-concurrent",
                f"{what}: writers wait until it is built",
                "Use AddIndexConcurrently with atomic = False.",
            )


def _risks_of_code(operation: ops.RunPython | ops.RunSQL, what: str) -> Iterator[Risk]:
    if not operation.reversible:
        yield Risk(
            "irreversible",
            f"{what}: there is no way back",
            "Give the reverse, noop when there is nothing to do.",
        )
    if isinstance(operation, ops.RunPython) and not _works_in_batches(operation.code):
        yield Risk(
            "data-in-one-piece",
            f"{what}: all rows are locked until it ends",
            "Go through the rows in batches, with atomic = False.",
        )


def _needs_value(field: models.Field[Any, Any]) -> bool:
    """A default of Django's is dropped again: only ``db_default`` stays."""
    none = getattr(models, "NOT_PROVIDED", None) or models.fields.NOT_PROVIDED
    return not (
        field.null
        or field.many_to_many
        or getattr(field, "db_default", none) is not none
    )


def _works_in_batches(code: Any) -> bool:
    if code is ops.RunPython.noop:
        return True
    try:
        source = inspect.getsource(code)
    except (OSError, TypeError):
        return False
    return any(word in source for word in ("iterator(", "batch", "chunk"))


def _flat(operations: Sequence[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, ops.SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _made_by(migration: Migration) -> set[str]:
    return {
        operation.name.lower()
        for operation in _flat(migration.operations)
        if isinstance(operation, ops.CreateModel)
    }


def _model_of(operation: Operation) -> str:
    name = getattr(operation, "model_name", None) or getattr(operation, "name", "")
    return str(name or "").lower()


def _mixes(migration: Migration) -> bool:
    flat = list(_flat(migration.operations))
    data = [op for op in flat if isinstance(op, ops.RunPython)]
    return bool(data) and len(data) < len(flat) and migration.atomic

"""What must hold before a version is run or published: names, looks, permissions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

from branching.services import TableNames, table_names
from connectors.models import Operation
from connectors.services import operation_keys
from screens.document import Block, Document, DocumentError
from screens.faults import pointer_to
from tenants.permissions import can
from tenants.scope import Actor


@dataclass(frozen=True, slots=True)
class Names:
    """Operations and decision tables that a tenant has, read in two steps."""

    operations: Mapping[str, str]
    tables: Mapping[str, TableNames]

    @classmethod
    def of(cls, actor: Actor) -> Self:
        return cls(operation_keys(actor=actor), table_names(actor=actor))


def name_errors(document: Document, *, names: Names) -> Iterator[DocumentError]:
    """Yield names that lead nowhere, and responses that no presentation shows."""
    operations, tables = names.operations, names.tables
    for index, block in enumerate(document.blocks):
        yield from _source_errors(index, block, operations, tables)
        yield from _response_errors(index, block, tables)


def permission_errors(
    document: Document, *, names: Names, actor: Actor
) -> Iterator[DocumentError]:
    """Yield operations that the actor may not use, once for each block."""
    wanted = {
        index: _operations_of(block, names.tables)
        for index, block in enumerate(document.blocks)
    }
    every = frozenset[str]().union(*wanted.values())
    rows = Operation.objects.filter(key__in=every)
    denied = {row.key for row in rows if not can(actor, "use_operation", row)}
    for index, keys in wanted.items():
        source = document.blocks[index].source
        name = "operation" if source.operation else "decision_table"
        for key in sorted(denied.intersection(keys)):
            pointer = pointer_to(("blocks", index, "source", name))
            yield DocumentError(pointer, "not-allowed", found=key)


def _operations_of(block: Block, tables: Mapping[str, TableNames]) -> frozenset[str]:
    if block.source.operation:
        return frozenset({block.source.operation})
    table = tables.get(block.source.decision_table)
    return table.operations if table is not None else frozenset()


def _source_errors(
    index: int,
    block: Block,
    operations: Mapping[str, str],
    tables: Mapping[str, TableNames],
) -> Iterator[DocumentError]:
    source = block.source
    place = ("blocks", index, "source")
    if source.operation:
        if source.operation not in operations:
            pointer = pointer_to((*place, "operation"))
            yield _missing(pointer, "operation", source.operation, operations)
        return
    pointer = pointer_to((*place, "decision_table"))
    table = tables.get(source.decision_table)
    if table is None:
        yield _missing(pointer, "table", source.decision_table, tables)
        return
    for key in sorted(table.operations - operations.keys()):
        yield _missing(pointer, "operation", key, operations)


def _response_errors(
    index: int, block: Block, tables: Mapping[str, TableNames]
) -> Iterator[DocumentError]:
    table = tables.get(block.source.decision_table)
    names = table.responses if table is not None else frozenset()
    for name in sorted(names - block.responses.keys()):
        pointer = pointer_to(("blocks", index, "responses"))
        found = ", ".join(sorted(block.responses))
        yield DocumentError(pointer, "missing-presentation", found=found, expected=name)


def _missing(pointer: str, kind: str, key: str, known: Iterable[str]) -> DocumentError:
    near = ", ".join(get_close_matches(key, list(known), n=1))
    return DocumentError(pointer, f"missing-{kind}", found=key, expected=near)

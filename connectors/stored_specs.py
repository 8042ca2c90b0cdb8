"""Operations of this process, kept as long as what is stored of them stays the same.

Building the queries, the models and the specs of a page costs 2 ms of CPU, as much as
seven of its calls. So one plain statement reads the stored rows as they are, and these
rows are the key: another value in any column, written by whatever path, is another
key. The tenant is one of the columns.

A secret is never kept in the clear: a source that has one is opened for each page.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TypeAlias

from django.conf import settings
from django.db import connection
from django.db.models import prefetch_related_objects

from connectors.models import DataSource, Operation, Parameter, RegisteredTable
from connectors.specs import OperationSpec, SourceKind
from tenants.metering import meter, today
from tenants.models import Tenant, TenantUsage
from tenants.quotas import Quota, Use
from tenants.scope import required_tenant_id

MOST_KEPT = 1_024
_OF_THE_DAY = 4  # columns of quota and use, before what is stored

_ROW_AS_TEXT = {"postgresql": "jsonb_build_array", "sqlite": "json_array"}
_TEXTS_TOGETHER = {
    "postgresql": "string_agg({row}::text, ',' ORDER BY r.id)",
    "sqlite": "group_concat({row})",
}

Stored: TypeAlias = tuple[object, ...]
"""All columns of an operation, its source, tenant, parameters and tables."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A loaded row, and its spec where that holds no secret."""

    row: Operation
    spec: OperationSpec | None

    @classmethod
    def of(cls, row: Operation) -> _Kept:
        return cls(row, None if row.source.secret else row.spec())


class _Loaded:
    """The most recently used operations, by what is stored of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Stored, _Kept] = OrderedDict()

    def get(self, stored: Stored) -> _Kept | None:
        with self._lock:
            kept = self._kept.get(stored)
            if kept is not None:
                self._kept.move_to_end(stored)
            return kept

    def put(self, stored: Stored, kept: _Kept) -> None:
        with self._lock:
            self._kept[stored] = kept
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


_loaded = _Loaded()


def load_specs(keys: Iterable[str]) -> dict[str, OperationSpec]:
    """Return the enabled operations of the tenant in scope among `keys`.

    One query when all of them are known in their present state, else four, and one
    more for tables of databases, however many keys. Secrets of sources are opened now.
    """
    now = _read_stored(set(keys))
    kept = {key: _loaded.get(stored) for key, stored in now.items()}
    fresh = _load([key for key, found in kept.items() if found is None], now)
    return {
        key: found.spec or found.row.spec()
        for key, found in (kept | fresh).items()
        if found is not None
    }


def _load(keys: Collection[str], now: dict[str, Stored]) -> dict[str, _Kept]:
    if not keys:
        return {}
    rows = list(Operation.objects.filter(key__in=keys).enabled().with_spec_rows())
    databases = [row.source for row in rows if row.kind is SourceKind.SQL]
    prefetch_related_objects(databases, "tables")
    loaded = {row.key: _Kept.of(row) for row in rows}
    # A row that changed between the two looks must not be kept as what it was before.
    after = _read_stored(keys)
    for key, kept in loaded.items():
        if after.get(key) == now[key]:
            _loaded.put(now[key], kept)
    return loaded


def _read_stored(keys: Collection[str]) -> dict[str, Stored]:
    """Read what is stored of the tenant's enabled operations, by key."""
    if not keys:
        return {}
    surroundings = tuple(settings.SIGNALBOX_INTERNAL_NETWORKS)
    with connection.cursor() as cursor:
        tenant_id = required_tenant_id()
        cursor.execute(_statement(len(keys)), [today(), tenant_id, *sorted(keys)])
        rows = cursor.fetchall()
    if rows:
        # What is left of the day comes with the page's one statement, and is no part
        # of what makes two states of an operation differ.
        most_queries, most_rows, queries, used_rows = rows[0][:_OF_THE_DAY]
        meter.learn(
            tenant_id,
            Quota(most_queries, most_rows),
            Use(queries or 0, used_rows or 0),
        )
    stored = [row[_OF_THE_DAY:] for row in rows]
    return {
        key: (surroundings, *group)
        for key, group in groupby(stored, lambda row: row[0])
    }


@lru_cache(maxsize=64)
def _statement(keys: int) -> str:
    quote = connection.ops.quote_name
    operation, source, parameter, tenant, table, usage = (
        quote(model._meta.db_table)
        for model in (
            *(Operation, DataSource, Parameter, Tenant),
            *(RegisteredTable, TenantUsage),
        )
    )
    columns = ", ".join(
        f"r.{quote(field.attname)}" for field in RegisteredTable._meta.concrete_fields
    )
    # A join would multiply the rows, so the tables of a source come as one text.
    row = f"{_ROW_AS_TEXT[connection.vendor]}({columns})"
    together = _TEXTS_TOGETHER[connection.vendor].format(row=row)
    tables = f"(SELECT {together} FROM {table} r WHERE r.source_id = s.id)"  # noqa: S608
    # Names of our own tables and a number of placeholders: nothing given from outside.
    return (
        "SELECT t.max_queries_per_day, t.max_rows_per_day, u.queries,"  # noqa: S608
        f" u.{quote('rows')}, o.{quote('key')}, o.*, s.*, t.*, p.*, {tables}"
        f" FROM {operation} o"
        f" JOIN {source} s ON s.id = o.source_id"
        f" JOIN {tenant} t ON t.id = o.tenant_id"
        f" LEFT JOIN {usage} u ON u.tenant_id = t.id AND u.day = %s"
        f" LEFT JOIN {parameter} p ON p.operation_id = o.id"
        f" WHERE o.tenant_id = %s AND o.{quote('key')} IN ({', '.join(['%s'] * keys)})"
        " AND o.enabled AND s.enabled ORDER BY o.id, p.id"
    )

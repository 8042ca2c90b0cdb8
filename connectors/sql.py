"""One saved query on an external database: judged, bound, read-only, timed, cut."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from sqlalchemy import Connection, CursorResult, TextClause
from sqlalchemy.exc import SQLAlchemyError

from connectors import personal_columns
from connectors.loop import PoolFull, engine
from connectors.outcomes import Failure, Outcome, Reason, Success
from connectors.parameters import Argument, ParameterType
from connectors.query_safety import RESERVED, Allowed, Refused
from connectors.query_slots import Busy, Slot, Slots
from connectors.refusal_models import RefusalLayer
from connectors.refusals import record_refusal
from connectors.specs import OperationSpec, SourceSpec
from connectors.sql_engines import DRIVER_ERRORS, WALLS, engine_for
from connectors.sql_failures import failure_of
from connectors.sql_messages import failure_words, refusal_words, source_words
from connectors.sql_values import (
    bytes_of,
    column_types,
    kinds,
    mapped_rows,
    misplaced_list,
    statement,
)
from connectors.sql_wall import SourceRefusedError, Terms
from connectors.tenant_scope import scope_query
from tenants.scope import Actor

SLOTS = Slots()
_BATCH = 500  # rows of one journey to the database
_ERRORS: tuple[type[Exception], ...] = (SQLAlchemyError, *DRIVER_ERRORS)
_GRACE_S = 0.03  # the database's own timeout speaks first and leaves a clean session


async def run_query(
    spec: OperationSpec,
    *,
    arguments: Mapping[str, Argument],
    actor: Actor,
    deadline: float,
    row_limit: int | None = None,
) -> Outcome:
    """Run the operation's query before `deadline`, or say why not.

    Cancelling the task cancels the running statement.

    Args:
        arguments: Typed values by parameter name, as of `parse_arguments`.
        actor: Whose tenant and user ``:tenant``, ``:tenant_id`` and ``:user`` are
            bound to; of the tenant that owns the data source.
        deadline: ``time.monotonic()`` seconds after which nothing is awaited.
        row_limit: Most rows kept; the operation's own limit when None.
    """
    started = time.monotonic()
    until = min(deadline, started + spec.timeout_ms / 1_000)
    limit = spec.row_limit if row_limit is None else row_limit
    values = _values(spec, arguments, actor)
    query = _Query(spec, values, actor=actor, until=until, row_limit=limit)
    try:
        async with asyncio.timeout(until - started + _GRACE_S):
            query.slot = await SLOTS.take(_limits(spec.source))
            outcome = await engine().in_pool(query.run_in_slot, cancel=query.cancel)
    except TimeoutError:
        waited = query.slot is None
        rule = (Reason.REFUSED, "busy") if waited else (Reason.TIMEOUT, "timeout")
        outcome = _failed(*rule)
    except (PoolFull, Busy):
        outcome = _failed(Reason.REFUSED, "busy")
    finally:
        query.leave()
    return replace(outcome, elapsed_ms=(time.monotonic() - started) * 1_000)


def _limits(source: SourceSpec) -> dict[str, int]:
    tenant = str(source.tenant_id)
    return {
        tenant: settings.SIGNALBOX_QUERIES_PER_TENANT,
        f"{tenant}/{source.key}": settings.SIGNALBOX_QUERIES_PER_SOURCE,
    }


def _values(
    spec: OperationSpec, arguments: Mapping[str, Argument], actor: Actor
) -> dict[str, tuple[ParameterType, Argument]]:
    values = dict(arguments)
    values["tenant"], values["tenant_id"] = spec.source.tenant_key, actor.tenant_id
    values["user"] = actor.user_id
    return {
        name: (kind, values.get(name)) for name, kind in kinds(spec.parameters).items()
    }


def _failed(reason: Reason, rule: str, *, name: str = "") -> Failure:
    return Failure(reason, failure_words(rule, name=name), 0.0)


class _Query:
    """One run on a pool thread, which another thread may cancel."""

    def __init__(
        self,
        spec: OperationSpec,
        values: Mapping[str, tuple[ParameterType, Argument]],
        *,
        actor: Actor,
        until: float,
        row_limit: int,
    ) -> None:
        self._spec = spec
        self._actor = actor
        self._values = values
        self._until = until
        self._row_limit = row_limit
        self._lock = threading.Lock()
        self._driver: Any = None  # the connection while a statement may run on it
        self._cancelled = False
        self._begun = False
        self.slot: Slot | None = None

    def run_in_slot(self) -> Outcome:
        """Run on this thread, and then leave the place to the next."""
        self._begun = True
        try:
            return self.run()
        finally:
            if self.slot is not None:
                self.slot.release()

    def leave(self) -> None:
        """Give back the place of a query that no thread has begun."""
        if self.slot is not None and not self._begun:
            self.slot.release()

    def cancel(self) -> None:
        """End the running statement. Blocks: call it from a thread of its own."""
        # The lock keeps the connection from going back to the pool meanwhile, where
        # the cancel would hit somebody else's statement.
        with self._lock:
            self._cancelled = True
            if self._driver is not None:
                WALLS[self._spec.source.dialect].cancel(self._driver)

    def run(self) -> Outcome:
        spec = self._spec
        source = spec.source
        if not source.tenant_key or self._actor.tenant_id != source.tenant_id:
            return self._refused(Refused("tenant", "", "tenant"))
        scoped = scope_query(spec.sql, dialect=source.dialect, tables=source.tables)
        if isinstance(scoped, Refused):
            return self._refused(scoped)
        allowed = scoped.allowed
        if refused := self._refused_parameter(allowed):
            return refused
        if self._until <= time.monotonic():
            return _failed(Reason.TIMEOUT, "timeout")
        try:
            text = statement(allowed, self._used(allowed), dialect=source.dialect)
            with engine_for(source).connect() as connection:
                return self._read(connection, text)
        except SourceRefusedError as error:
            reason = Reason.UPSTREAM if error.rule == "missing-file" else Reason.REFUSED
            return Failure(reason, source_words(error.rule, error.found), 0.0)
        except _ERRORS as error:
            late = time.monotonic() >= self._until
            return failure_of(error, sql=spec.sql, late=late, cancelled=self._cancelled)

    def _refused(self, refused: Refused) -> Failure:
        scope = refused.rule in {"tenant", "table", "scope"}
        record_refusal(
            refused.rule,
            layer=RefusalLayer.SCOPE if scope else RefusalLayer.JUDGE,
            actor=self._actor,
            source=self._spec.source.key,
            operation=self._spec.key,
        )
        return Failure(Reason.REFUSED, refusal_words(refused), 0.0)

    def _used(self, allowed: Allowed) -> dict[str, tuple[ParameterType, Argument]]:
        return {name: self._values[name] for name in allowed.parameters}

    def _refused_parameter(self, allowed: Allowed) -> Failure | None:
        for name in allowed.parameters:
            if name not in self._values and name not in RESERVED:
                return _failed(Reason.REFUSED, "undeclared-parameter", name=name)
        used = self._used(allowed)
        lists = [name for name, (kind, _) in used.items() if kind is ParameterType.LIST]
        if misplaced := misplaced_list(allowed, lists):
            return _failed(Reason.REFUSED, "misplaced-list", name=misplaced)
        return None

    def _read(self, connection: Connection, text: TextClause) -> Outcome:
        source = self._spec.source
        driver: Any = connection.connection.driver_connection
        terms = Terms(self._until, self._is_over, source.tenant_key, source.tenant_id)
        with self._cancellable(driver):
            if self._is_over():  # cancelled while the connection was being made
                raise TimeoutError
            try:
                WALLS[source.dialect].begin(driver, terms)
                return self._fetch(connection, text)
            finally:
                # A cancel that arrives late would end the next statement.
                if not self._left_clean(driver) or self._cancelled:
                    connection.invalidate()

    def _left_clean(self, driver: Any) -> bool:
        try:
            WALLS[self._spec.source.dialect].end(driver)
        except DRIVER_ERRORS:
            return False  # of use to nobody; what the statement met is told
        return True

    @contextmanager
    def _cancellable(self, driver: Any) -> Iterator[None]:
        with self._lock:
            self._driver = driver
        try:
            yield
        finally:
            with self._lock:
                self._driver = None

    def _is_over(self) -> bool:
        return self._cancelled or time.monotonic() >= self._until

    def _fetch(self, connection: Connection, text: TextClause) -> Outcome:
        wanted, dialect = self._row_limit + 1, self._spec.source.dialect
        # On PostgreSQL this is a cursor of the server, which takes one statement only.
        batches = connection.execution_options(yield_per=min(wanted, _BATCH))
        with batches.execute(text) as result:
            names = list(result.keys())
            types = column_types(result.cursor.description, dialect)
            rows, bytes_kept = self._taken(result, wanted)
        mapped = mapped_rows(
            names,
            types,
            rows,
            self._spec.columns,
            row_limit=self._row_limit,
            bytes_kept=bytes_kept,
        )
        table = personal_columns.marked(
            mapped.table,
            names,
            sql=self._spec.sql,
            dialect=self._spec.source.dialect,
            tables=self._spec.source.tables,
        )
        return Success(table, None, datetime.now(UTC), 0.0, notes=mapped.notes)

    def _taken(
        self, result: CursorResult[Any], wanted: int
    ) -> tuple[list[Sequence[object]], int | None]:
        """Fetch rows up to the limit of rows plus one, or the limit of bytes."""
        rows: list[Sequence[object]] = []
        size = 0
        most = self._spec.source.max_body_bytes
        while len(rows) < wanted:
            batch = result.fetchmany(min(wanted - len(rows), _BATCH))
            if not batch:
                break
            for row in batch:
                grown = size + bytes_of(row)
                if grown > most:
                    return rows, size
                size = grown
                rows.append(row)
            if self._is_over():
                raise TimeoutError
        return rows, None

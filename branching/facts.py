"""Reads the facts of many tables at once: each one once, from cache, rows, operations.

A fact that cannot be read is a reading with a problem, which every condition finds
unknown; it never stops the page.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from django.core.cache import cache

from branching.conditions import Facts, Operand, Reading, Source, reading_of
from branching.fact_rows import (
    RowsAsk,
    Unreadable,
    bind_rows,
    read_rows,
    reading_from,
)
from branching.literals import LiteralRefused, argument
from branching.models import Fact
from connectors.loop import engine
from connectors.outcomes import Failure, Outcome, Reason, Table
from connectors.parameters import Argument
from connectors.services import load_operations, perform
from connectors.specs import OperationSpec, SourceKind
from tenants.scope import Actor

OPERATION_SECONDS = 1.0
"""Time all operation facts of a page have together; they run side by side."""


@dataclass(frozen=True, slots=True)
class OperationAsk:
    """One fact from an operation with its arguments bound."""

    fact: Fact
    arguments: Mapping[str, Argument]


Ask = RowsAsk | OperationAsk


def load_facts(keys: Collection[str]) -> dict[str, Fact]:
    """Return the facts of the tenant in scope, by key; one query, or none for none."""
    if not keys:
        return {}
    return {fact.key: fact for fact in Fact.objects.filter(key__in=set(keys))}


def read_facts(
    wanted: Sequence[tuple[Collection[str], Facts]],
    *,
    facts: Mapping[str, Fact],
    actor: Actor,
) -> list[dict[str, Reading]]:
    """Read the facts of several decisions.

    Args:
        facts: The definitions, by key.
        wanted: For each decision the keys of its facts, and the parameters and
            attributes that they are bound from.

    Returns:
        For each decision its readings by key, one for every key asked. A fact bound
        to the same values by several decisions is read once.
    """
    asks: dict[str, Ask] = {}
    plans = [_plan(keys, facts, around, actor, asks) for keys, around in wanted]
    readings = _read(asks, actor)
    return [
        {
            key: readings[place] if isinstance(place, str) else place
            for key, place in plan.items()
        }
        for plan in plans
    ]


def _plan(
    keys: Collection[str],
    facts: Mapping[str, Fact],
    surroundings: Facts,
    actor: Actor,
    asks: dict[str, Ask],
) -> dict[str, str | Reading]:
    """Add what is to be asked; return for each key its ask, or why there is none."""
    plan: dict[str, str | Reading] = {}
    for key in keys:
        fact = facts.get(key)
        if fact is None:
            plan[key] = Reading(problem="no-such-fact")
            continue
        try:
            ask = _bind(fact, surroundings)
        except Unreadable as unreadable:
            plan[key] = Reading(problem=unreadable.problem, secret=fact.secret)
            continue
        place = _cache_key(ask, actor)
        asks[place] = ask
        plan[key] = place
    return plan


def _bind(fact: Fact, surroundings: Facts) -> Ask:
    if fact.kind == Fact.Kind.ORM:
        return bind_rows(fact, surroundings)
    arguments: dict[str, Argument] = {}
    try:
        for name, raw in fact.arguments.items():
            value = argument(raw)
            if isinstance(value, Operand):
                value = reading_of(value, surroundings).value
                if value is None:
                    raise Unreadable("parameter-missing")
            arguments[name] = value
    except LiteralRefused:
        raise Unreadable("wrong-type") from None
    return OperationAsk(fact, arguments)


def _cache_key(ask: Ask, actor: Actor) -> str:
    """Tenant, fact, its version and every bound value; types count, too."""
    if isinstance(ask, RowsAsk):
        bound: object = ask.filters
    else:
        # An operation may bind the user by itself, so nothing is shared between two.
        bound = (actor.user_id, sorted(ask.arguments.items()))
    said = repr((actor.tenant_id, ask.fact.pk, ask.fact.stamp.hex, bound))
    return "branching:fact:" + sha256(said.encode("utf-8", "replace")).hexdigest()


def _read(asks: Mapping[str, Ask], actor: Actor) -> dict[str, Reading]:
    readings = _from_cache(asks)
    missing = {place: ask for place, ask in asks.items() if place not in readings}
    rows = {p: ask for p, ask in missing.items() if isinstance(ask, RowsAsk)}
    calls = {p: ask for p, ask in missing.items() if isinstance(ask, OperationAsk)}
    fresh: dict[str, Reading] = {}
    if rows:
        fresh |= read_rows(rows, tenant_id=actor.tenant_id)
    if calls:
        fresh |= _read_operations(calls, actor)
    _keep(fresh, asks)
    return readings | fresh


def _is_kept(ask: Ask) -> bool:
    return ask.fact.ttl_s > 0 and not ask.fact.secret


def _from_cache(asks: Mapping[str, Ask]) -> dict[str, Reading]:
    kept = [place for place, ask in asks.items() if _is_kept(ask)]
    found: dict[str, Argument] = cache.get_many(kept) if kept else {}
    return {
        place: Reading(value[0], source=Source.CACHE)
        for place, value in found.items()
        if isinstance(value, tuple)
    }


def _keep(readings: Mapping[str, Reading], asks: Mapping[str, Ask]) -> None:
    by_ttl: dict[int, dict[str, tuple[Argument]]] = {}
    for place, reading in readings.items():
        ask = asks[place]
        if _is_kept(ask) and not reading.problem:
            # In a tuple, so that a null is told from a miss.
            by_ttl.setdefault(ask.fact.ttl_s, {})[place] = (reading.value,)
    for ttl_s, values in by_ttl.items():
        cache.set_many(values, timeout=ttl_s)


def _read_operations(
    asks: Mapping[str, OperationAsk], actor: Actor
) -> dict[str, Reading]:
    deadline = time.monotonic() + OPERATION_SECONDS
    keys = {ask.fact.operation for ask in asks.values()}
    specs = load_operations(sorted(keys), actor=actor)
    jobs: dict[str, tuple[OperationSpec, OperationAsk]] = {}
    readings: dict[str, Reading] = {}
    for place, ask in asks.items():
        spec = specs.get(ask.fact.operation)
        if spec is None or spec.kind is not SourceKind.SQL:
            readings[place] = Reading(
                problem="operation-missing", secret=ask.fact.secret
            )
        else:
            jobs[place] = (spec, ask)
    if jobs:
        performed = _perform_all(list(jobs.values()), actor=actor, deadline=deadline)
        outcomes = engine().run(performed)
        for (place, (_spec, ask)), outcome in zip(jobs.items(), outcomes, strict=True):
            readings[place] = _reading_of_outcome(ask.fact, outcome)
    return readings


async def _perform_all(
    jobs: Sequence[tuple[OperationSpec, OperationAsk]],
    *,
    actor: Actor,
    deadline: float,
) -> list[Outcome]:
    return await asyncio.gather(
        *(
            perform(spec, arguments=ask.arguments, actor=actor, deadline=deadline)
            for spec, ask in jobs
        )
    )


def _reading_of_outcome(fact: Fact, outcome: Outcome) -> Reading:
    source = Source.OPERATION
    if isinstance(outcome, Failure):
        late = outcome.reason is Reason.TIMEOUT
        problem = "operation-timeout" if late else "operation-failed"
        return Reading(problem=problem, source=source, secret=fact.secret)
    if not isinstance(outcome.data, Table):
        return Reading(problem="wrong-type", source=source, secret=fact.secret)
    names = [column.name for column in outcome.data.columns]
    if fact.column not in ("", *names) or not names:
        return Reading(problem="column-missing", source=source, secret=fact.secret)
    place = names.index(fact.column) if fact.column else 0
    cells = [row[place] for row in outcome.data.rows]
    if fact.shape == Fact.RowShape.LIST:
        return reading_from(fact, cells or None, source)
    return reading_from(fact, cells[0] if cells else None, source)


def given(
    values: Mapping[str, Argument], readings: Mapping[str, Reading]
) -> dict[str, Reading]:
    """Return the readings with some values replaced by ones to try out."""
    tried = {
        key: replace(
            readings.get(key, Reading()), value=value, problem="", source=Source.GIVEN
        )
        for key, value in values.items()
    }
    return {**readings, **tried}

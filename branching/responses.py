"""From an outcome to the response shown, and to the next fallback step. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import cast

from branching.choices import (
    MAX_FALLBACKS,
    Decision,
    Event,
    Fallback,
    FallbackKind,
    Response,
)
from connectors.outcomes import (
    Column,
    ColumnType,
    Failure,
    Json,
    Origin,
    Outcome,
    Reason,
    Success,
    Table,
    Value,
)

_EVENTS: Mapping[Reason, Event] = {
    Reason.UPSTREAM: Event.UPSTREAM,
    Reason.MISSING: Event.UPSTREAM,
    Reason.TIMEOUT: Event.TIMEOUT,
    Reason.CIRCUIT_OPEN: Event.CIRCUIT_OPEN,
    Reason.UNREADABLE: Event.UNREADABLE,
    # Who may not call must not get the same data by another way.
    Reason.REFUSED: Event.REFUSED,
    Reason.DENIED: Event.REFUSED,
}
"""A wrong argument, a reader who left and a bug of ours have no fallback: another
call would hide what somebody has to correct."""


def event_of(outcome: Outcome) -> Event | None:
    """Return the event that fallback steps answer, or None when there is none."""
    if isinstance(outcome, Failure):
        return _EVENTS.get(outcome.reason)
    data = outcome.data
    empty = not data.strip() if isinstance(data, str) else not data.rows
    return Event.EMPTY if empty else None


def next_step(
    decision: Decision, outcome: Outcome, tried: Collection[Fallback] = ()
) -> Fallback | None:
    """Return the first step not yet tried that answers what happened, if any.

    Args:
        outcome: Of the call, or of the last step tried.
        tried: Steps of ``decision.fallbacks`` that were tried. After three of them
            nothing more is tried. A refused call may only go to a static answer.
    """
    event = event_of(outcome)
    if event is None or len(tried) >= MAX_FALLBACKS:
        return None
    for step in decision.fallbacks[:MAX_FALLBACKS]:
        safe = event is not Event.REFUSED or step.kind is FallbackKind.STATIC
        if event in step.on and safe and step not in tried:
            return step
    return None


def respond(decision: Decision, outcome: Outcome, *, step: int = 0) -> Response:
    """Name the response that shows the outcome, and why it is not the usual one.

    Args:
        outcome: Of the call, or of the step that ended the chain.
        step: Position in ``decision.fallbacks``, counted from 1, of the step the
            outcome comes from; 0 for the call itself.
    """
    steps = decision.fallbacks
    name = steps[step - 1].response if 0 < step <= len(steps) else decision.response
    if isinstance(outcome, Failure):
        return Response(name, outcome, step, outcome.reason.value)
    return Response(name, outcome, step, (event_of(outcome) or ""))


def static_outcome(fallback: Fallback, *, now: datetime | None = None) -> Success:
    """Return the static answer of a step: a text, or a list of objects as rows.

    Every key met becomes a column, in order of first sight; an object without it
    has None there. A column is typed when all its values agree, else it is text.
    Anything else than a list of objects is shown as text.
    """
    static = fallback.static
    data: Table | str
    if isinstance(static, list) and all(isinstance(row, dict) for row in static):
        data = _table(cast("list[dict[str, Json]]", static))
    else:
        data = "" if static is None else _cell_text(static)
    as_of = now or datetime.now(UTC)
    return Success(data, None, as_of, 0.0, Origin.STATIC)


def _table(objects: list[dict[str, Json]]) -> Table:
    names = dict.fromkeys(name for row in objects for name in row)
    types = {name: _column_type([row.get(name) for row in objects]) for name in names}
    return Table(
        columns=tuple(Column(name, kind) for name, kind in types.items()),
        rows=tuple(
            tuple(_cell(row.get(name), kind) for name, kind in types.items())
            for row in objects
        ),
    )


def _column_type(values: list[Json]) -> ColumnType:
    found = {_type_of(value) for value in values if value is not None}
    if found == {ColumnType.INTEGER, ColumnType.DECIMAL}:
        return ColumnType.DECIMAL
    return found.pop() if len(found) == 1 else ColumnType.TEXT


def _type_of(value: Json) -> ColumnType:
    match value:
        case bool():
            return ColumnType.BOOLEAN
        case int():
            return ColumnType.INTEGER
        case float():
            return ColumnType.DECIMAL
    return ColumnType.TEXT


def _cell(value: Json, kind: ColumnType) -> Value:
    if value is None or isinstance(value, str):
        return value
    if kind is ColumnType.TEXT or isinstance(value, list | dict):
        return _cell_text(value)
    return value


def _cell_text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)

"""One block as JSON, for the API, exports and the command line."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime
from decimal import Decimal

from branching.decisions import Decision
from connectors.outcomes import Column, Failure, Json, Origin, Success, Table, Value
from screens.document import Block
from screens.runner import BlockResponse


def outcome_as_json(block: Block, response: BlockResponse) -> dict[str, Json]:
    """Write what a block came to.

    Dates and times are ISO 8601 (times in UTC, with offset); decimals are text, so
    that no digit is lost; integers beyond 2**53 are text, too, because JavaScript
    would round them. ``state`` is ``ok``, ``empty``, ``truncated``, ``stale`` or
    ``failed``.
    """
    written: dict[str, Json] = {
        "id": block.id,
        "state": _state(response),
        "response": response.name,
        "decision": _decision(response),
        "elapsed_ms": round(response.elapsed_ms, 1),
    }
    outcome = response.outcome
    if isinstance(outcome, Failure):
        written["failure"] = {
            "reason": outcome.reason.value,
            "message": outcome.message,
            "status": outcome.status,
        }
        return written
    written["as_of"] = outcome.as_of.isoformat()
    written["origin"] = outcome.origin.value
    written["status"] = outcome.status
    written["notes"] = list(outcome.notes)
    if isinstance(outcome.data, Table):
        written |= _table(outcome.data)
    else:
        written["text"] = outcome.data
    return written


def _state(response: BlockResponse) -> str:
    match response.outcome:
        case Failure():
            return "failed"
        case Success(origin=Origin.LAST_GOOD):
            return "stale"
        case Success(data=Table(rows=())) | Success(data=""):
            return "empty"
        case Success(data=Table(cuts=cuts)) if cuts:
            return "truncated"
        case _:
            return "ok"


def _decision(response: BlockResponse) -> Json:
    decision = response.decision or Decision("", "", (), response.name)
    trace = decision.trace
    return {
        "table": decision.table,
        "rule": decision.rule,
        "operations": list(response.operations),
        "step": response.step,
        "reason": response.because or response.reason,
        "trace": {
            "facts": dict(trace.facts),
            "rules": [
                {
                    "rule": rule.rule,
                    "verdict": rule.verdict.value,
                    "condition": rule.condition,
                    "found": rule.found,
                }
                for rule in trace.rules
            ],
        },
    }


def _table(table: Table) -> dict[str, Json]:
    return {
        "columns": [_column(column) for column in table.columns],
        "rows": [[value_as_json(value) for value in row] for row in table.rows],
        "cuts": [
            {"limit": cut.limit.value, "at": cut.at, "total": cut.total}
            for cut in table.cuts
        ],
    }


def _column(column: Column) -> Json:
    written = dataclasses.asdict(column)
    return {
        **written,
        "type": column.type.value,
        "label": dict(column.label),
        "personal": column.personal.value,
    }


_EXACT = 2**53


def value_as_json(value: Value) -> Json:
    match value:
        case Decimal():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case int() if not isinstance(value, bool) and abs(value) > _EXACT:
            return str(value)
        case _:
            return value

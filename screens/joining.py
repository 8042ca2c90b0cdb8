"""What several calls of one decision answered, as one outcome. No call, no query."""

from __future__ import annotations

from dataclasses import replace

from connectors.outcomes import (
    Column,
    Failure,
    Origin,
    Outcome,
    Personal,
    Reason,
    Success,
    Table,
)
from screens import messages


def join_outcomes(outcomes: list[Outcome]) -> Outcome:
    """Join what several calls of one decision answered, in their order.

    Rows are joined when all columns have the same names and types; texts are joined
    by lines. One failure is the outcome of the whole, so that nobody takes a part
    for everything.
    """
    successes: list[Success] = []
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            return outcome
        successes.append(outcome)
    elapsed_ms = max(each.elapsed_ms for each in successes)
    data = _joined(successes)
    if data is None:
        return Failure(Reason.UNREADABLE, messages.columns_differ(), elapsed_ms)
    kept = [each.origin for each in successes if each.origin is not Origin.LIVE]
    return Success(
        data=data,
        status=successes[0].status,
        as_of=min(each.as_of for each in successes),
        elapsed_ms=elapsed_ms,
        origin=kept[0] if kept else Origin.LIVE,
        notes=tuple(dict.fromkeys(note for each in successes for note in each.notes)),
    )


def _joined(successes: list[Success]) -> Table | str | None:
    tables = [each.data for each in successes if isinstance(each.data, Table)]
    texts = [each.data for each in successes if isinstance(each.data, str)]
    if not tables:
        return "\n".join(texts)
    shapes = {tuple((c.name, c.type) for c in table.columns) for table in tables}
    if texts or len(shapes) > 1:
        return None
    return Table(
        columns=tuple(
            _joined_column(each)
            for each in zip(*(table.columns for table in tables), strict=True)
        ),
        rows=tuple(row for table in tables for row in table.rows),
        cuts=tuple(cut for table in tables for cut in table.cuts),
    )


def _joined_column(columns: tuple[Column, ...]) -> Column:
    """Take the first, personal and masked where any of them is."""
    personal = next((each.personal for each in columns if each.personal), Personal.NONE)
    masked = any(each.masked for each in columns)
    return replace(columns[0], personal=personal, masked=masked)

"""Tallies of spans of time, read from the stored rows in one statement."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import NamedTuple, TypeAlias

from django.db.models import Q

from observability.models import Measurement
from observability.recorder import Cell
from observability.slo import Tally
from observability.spans import Grain, Piece, Span, all_pieces, pieces
from observability.storage import minute_of

Name: TypeAlias = tuple[str, str]
"""Kind and key of something measured."""

_STORED = {
    Grain.MINUTE: Measurement.Granularity.MINUTE,
    Grain.HOUR: Measurement.Granularity.HOUR,
    Grain.DAY: Measurement.Granularity.DAY,
}
_GRAIN = {stored.value: grain for grain, stored in _STORED.items()}


class Stored(NamedTuple):
    grain: Grain
    starts_at: datetime
    folded: bool
    tally: Tally


class Windowed:
    """What was counted under some names, to be added up over several spans."""

    def __init__(self, rows: Mapping[Name, Iterable[Stored]]) -> None:
        self._rows: dict[Name, dict[Grain, list[Stored]]] = {}
        for name, stored in rows.items():
            by_grain: dict[Grain, list[Stored]] = {grain: [] for grain in Grain}
            for row in stored:
                by_grain[row.grain].append(row)
            for group in by_grain.values():
                group.sort(key=_starts_at)
            self._rows[name] = by_grain
        self._pieces: dict[Span, list[Piece]] = {}

    @property
    def names(self) -> Collection[Name]:
        return self._rows.keys()

    def tally(self, name: Name, span: Span) -> Tally:
        """Add up the events of one name in one of the spans that were read."""
        if span not in self._pieces:
            self._pieces[span] = pieces(span)
        total = Tally()
        by_grain = self._rows.get(name, {})
        for piece in self._pieces[span]:
            rows = by_grain.get(piece.grain, [])
            first = bisect_left(rows, piece.start, key=_starts_at)
            last = bisect_left(rows, piece.end, key=_starts_at)
            for row in rows[first:last]:
                if not (piece.unfolded and row.folded):
                    total.merge(row.tally)
        return total


def _starts_at(row: Stored) -> datetime:
    return row.starts_at


def read_windowed(
    tenant_id: int,
    spans: Iterable[Span],
    *,
    names: Collection[Name] | None = None,
    pending: Mapping[Cell, Tally] | None = None,
) -> Windowed:
    """Read what one tenant counted in `spans`.

    One statement, so that folding never comes between a row and its longer one.

    Args:
        names: Only these; None for all that was measured.
        pending: Counts of this process that are not written yet, see
            `Recorder.paused`.
    """
    asked = Measurement.objects.for_tenant(tenant_id).filter(_any_of(spans))
    if names is not None:
        asked = asked.filter(
            kind__in={kind for kind, _key in names},
            key__in={key for _kind, key in names},
        )
    rows: defaultdict[Name, list[Stored]] = defaultdict(list)
    for row in asked.order_by().iterator():
        grain = _GRAIN[row.granularity]
        stored = Stored(grain, row.starts_at, row.folded, row.tally())
        rows[row.kind, row.key].append(stored)
    for cell, tally in (pending or {}).items():
        if cell.tenant == str(tenant_id):
            stored = Stored(Grain.MINUTE, minute_of(cell), False, tally)
            rows[cell.kind, cell.key].append(stored)
    if names is not None:
        return Windowed({name: rows.get(name, []) for name in names})
    return Windowed(rows)


def anything_recorded(span: Span) -> bool:
    """Say whether any process wrote anything at all in a span, for any tenant."""
    return Measurement.objects.filter(_any_of([span])).exists()


def _any_of(spans: Iterable[Span]) -> Q:
    wanted = [_as_query(piece) for piece in all_pieces(spans)]
    return reduce(or_, wanted) if wanted else Q(pk__in=[])


def _as_query(piece: Piece) -> Q:
    asked = Q(
        granularity=_STORED[piece.grain],
        starts_at__gte=piece.start,
        starts_at__lt=piece.end,
    )
    return asked & Q(folded=False) if piece.unfolded else asked

"""A review as one frozen value, and the one way to write it as text. Pure.

Equal snapshots are equal texts, byte for byte: keys are sorted, numbers rounded when
they come in, and everything outside ASCII is escaped. The text is what is stored and
hashed, so no database gets to write the numbers anew.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from observability.review_values import (
    Cadence,
    Cell,
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    Words,
)

FORMAT = 1
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a review says, for ever.

    Attributes:
        zone: The zone whose calendar the period follows.
        taken_at: When it was collected, UTC.
    """

    tenant_key: str
    tenant_name: str
    period: Period
    zone: str
    taken_at: datetime
    sections: tuple[Section, ...]

    @property
    def subjects(self) -> frozenset[int]:
        """Users whose access the review looks at."""
        return frozenset(pk for section in self.sections for pk in section.subjects)

    def figure(self, section: str, key: str) -> Figure | None:
        for found in self.sections:
            for figure in found.figures if found.key == section else ():
                if figure.key == key:
                    return figure
        return None

    def table(self, section: str, key: str) -> ReviewTable | None:
        for found in self.sections:
            for table in found.tables if found.key == section else ():
                if table.key == key:
                    return table
        return None


class UnreadableSnapshot(ValueError):
    """A stored text is not a snapshot of a known format."""


def with_before(section: Section, earlier: Snapshot | None) -> Section:
    """Fill in what the last review said, where a section does not know it itself."""
    if earlier is None:
        return section
    figures = []
    for figure in section.figures:
        told = earlier.figure(section.key, figure.key)
        if figure.before is None and told is not None:
            figure = replace(figure, before=told.value)
        figures.append(figure)
    return replace(section, figures=tuple(figures))


def digest_of(text: str) -> str:
    """Return the SHA-256 of a snapshot's text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def as_text(snapshot: Snapshot) -> str:
    """Write a snapshot as canonical JSON.

    Raises:
        ValueError: a number is not finite, or a row does not fit its table: a bug of
            the section that made it.
    """
    period = snapshot.period
    document = {
        "format": FORMAT,
        "tenant": {"key": snapshot.tenant_key, "name": snapshot.tenant_name},
        "cadence": period.cadence.value,
        "starts": _moment(period.starts),
        "ends": _moment(period.ends),
        "zone": snapshot.zone,
        "taken_at": _moment(snapshot.taken_at),
        "sections": [_section(section) for section in snapshot.sections],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def from_text(text: str) -> Snapshot:
    """Read what `as_text` wrote.

    Raises:
        UnreadableSnapshot: the text is something else.
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise UnreadableSnapshot(f"format {document['format']!r} is not known")
        return Snapshot(
            tenant_key=document["tenant"]["key"],
            tenant_name=document["tenant"]["name"],
            period=Period(
                Cadence(document["cadence"]),
                datetime.fromisoformat(document["starts"]),
                datetime.fromisoformat(document["ends"]),
            ),
            zone=document["zone"],
            taken_at=datetime.fromisoformat(document["taken_at"]),
            sections=tuple(_read_section(one) for one in document["sections"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableSnapshot(f"not a snapshot of a review: {error}") from error


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _section(section: Section) -> dict[str, object]:
    return {
        "key": section.key,
        "title": dict(section.title),
        "figures": [_figure(figure) for figure in section.figures],
        "tables": [_table(table) for table in section.tables],
        "findings": [
            {"key": finding.key, "text": dict(finding.text)}
            for finding in section.findings
        ],
        "subjects": sorted(set(section.subjects)),
    }


def _figure(figure: Figure) -> dict[str, object]:
    return {
        "key": figure.key,
        "label": dict(figure.label),
        "value": _cell(figure.value),
        "unit": figure.unit,
        "before": _cell(figure.before),
        "source": figure.source,
    }


def _table(table: ReviewTable) -> dict[str, object]:
    width = len(table.columns)
    for row in table.rows:
        if len(row) != width:
            raise ValueError(
                f"table {table.key} has {width} columns, and a row of {len(row)} cells"
            )
    return {
        "key": table.key,
        "title": dict(table.title),
        "columns": [dict(column) for column in table.columns],
        "rows": [[_cell(cell) for cell in row] for row in table.rows],
    }


def _cell(cell: Cell) -> object:
    match cell:
        case float():
            if not math.isfinite(cell):
                raise ValueError(f"a review holds finite numbers only, got {cell!r}")
            return round(cell, _DIGITS) + 0.0  # -0.0 is written as 0.0
        case Mapping():
            return dict(cell)
    return cell


def _read_section(found: Mapping[str, Any]) -> Section:
    return Section(
        key=found["key"],
        title=_read_words(found["title"]),
        figures=tuple(_read_figure(one) for one in found["figures"]),
        tables=tuple(_read_table(one) for one in found["tables"]),
        findings=tuple(
            Finding(one["key"], _read_words(one["text"])) for one in found["findings"]
        ),
        subjects=tuple(found["subjects"]),
    )


def _read_figure(found: Mapping[str, Any]) -> Figure:
    return Figure(
        key=found["key"],
        label=_read_words(found["label"]),
        value=found["value"],
        unit=found["unit"],
        before=found["before"],
        source=found["source"],
    )


def _read_table(found: Mapping[str, Any]) -> ReviewTable:
    return ReviewTable(
        key=found["key"],
        title=_read_words(found["title"]),
        columns=tuple(_read_words(column) for column in found["columns"]),
        rows=tuple(tuple(row) for row in found["rows"]),
    )


def _read_words(found: Mapping[str, str]) -> Words:
    return dict(found)

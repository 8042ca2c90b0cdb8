"""What a review is made of: figures, tables and findings, as frozen values. Pure.

Each app above answers ``services.review_section(period, actor)`` with a `Section`;
`config` collects them, `observability.reviews` freezes and signs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

Words: TypeAlias = Mapping[str, str]
"""One text by language: ``{"ko": …, "en": …}``."""

Cell: TypeAlias = int | float | str | Words | None
"""A number, a name that is the same in every language, or words."""


def words(korean: str, english: str) -> Words:
    """Say one thing in both languages of the portal."""
    return {"ko": korean, "en": english}


class Cadence(StrEnum):
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


@dataclass(frozen=True, slots=True)
class Period:
    """What a review looks at: ``starts <= moment < ends``.

    Attributes:
        cadence: Monthly or quarterly; a section may say more in a quarter.
        starts: First moment, UTC.
        ends: First moment after it, UTC.
    """

    cadence: Cadence
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its name.

    Attributes:
        key: Stable within the section, such as ``published-versions``.
        value: None when nothing was measured; never 0 in its place.
        unit: Such as ``ms`` or ``%``; "" for counts.
        before: The same of the period before, None when not known.
        source: How to count it again: an address of the portal or a query, in words.
    """

    key: str
    label: Words
    value: Cell
    unit: str = ""
    before: Cell = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class ReviewTable:
    """Rows to read; ``len(row) == len(columns)`` for every row."""

    key: str
    title: Words
    columns: tuple[Words, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that somebody should decide on.

    Attributes:
        key: The same finding has the same key in the next review.
        text: What was found, and what it means.
    """

    key: str
    text: Words


@dataclass(frozen=True, slots=True)
class Section:
    """What one app has to say of a period.

    Attributes:
        subjects: Primary keys of the users whose access it reviews. Nobody signs for
            a review that looks at nobody but himself.
    """

    key: str
    title: Words
    figures: tuple[Figure, ...] = ()
    tables: tuple[ReviewTable, ...] = ()
    findings: tuple[Finding, ...] = ()
    subjects: tuple[int, ...] = ()

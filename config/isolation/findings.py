"""What the prover has to say, as values. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

ENOUGH = 0.95
"""Share of the URL patterns that must be walked."""


class Rule(StrEnum):
    """What went wrong."""

    SHOWN = "shown"  # a mark of the other tenant is in an answer
    TOLD = "told"  # the answer about the other's row is not that about no row
    CHANGED = "changed"  # a row of the other tenant is not what it was
    BROKEN = "broken"  # the server failed, so the page proves nothing
    HIDDEN = "hidden"  # a control that must see its own mark does not


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must not be.

    Attributes:
        pattern: Name of the URL, or its route where it has none.
        reader: Kind of the user who asked.
        address: What was asked for, with the method.
        place: Model and field of the mark; empty where no mark was found.
        found: Where it was, or how two answers differ; holds no data but marks.
    """

    rule: Rule
    pattern: str
    reader: str
    address: str
    place: str
    found: str

    def __str__(self) -> str:
        of = f" {self.place}" if self.place else ""
        return f"{self.rule}{of} at {self.pattern} as {self.reader}: {self.found}"


@dataclass(frozen=True, slots=True)
class Unwalked:
    """A URL pattern that no answer stands for, and why."""

    route: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What one run has shown.

    Attributes:
        patterns: URL patterns the resolver has.
        answered: Those that gave at least one kind of user a page or an action.
        refused: Those that were walked and refuse every kind of user.
        unwalked: The rest, each with its reason.
        unseen: Places whose marks their own tenant saw nowhere: they have no page, or
            their page does not show the field. Their absence proves nothing.
        markless: Models whose rows hold neither text nor a number to mark.
        partial: Only some URL patterns were asked for, so that coverage says nothing.
        requests: Requests that were made.
        elapsed_s: Seconds the run took.
    """

    patterns: int
    answered: int
    refused: int
    unwalked: tuple[Unwalked, ...]
    findings: tuple[Finding, ...]
    unseen: tuple[str, ...]
    markless: tuple[str, ...]
    partial: bool
    marks: int
    requests: int
    elapsed_s: float

    @property
    def coverage(self) -> float:
        """Share of the patterns that were walked, 0 to 1."""
        return (self.answered + self.refused) / self.patterns if self.patterns else 0.0

    @property
    def is_green(self) -> bool:
        enough = self.partial or self.coverage >= ENOUGH
        return enough and not self.findings

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "coverage": self.coverage, "green": self.is_green}

"""Random words that stand in one field of one canary row each. Pure.

A word that turns up where it has no business says whose it is and where it came from.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from dataclasses import dataclass

_DIGITS = 4
LONGEST = 14
"""Characters of a word; a field that takes fewer carries no mark."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mark stands.

    Attributes:
        model: Label of the model, such as ``screens.Screen``.
        field: Name of the field, or of what the row holds beneath it.
    """

    model: str
    field: str

    def __str__(self) -> str:
        return f"{self.model}.{self.field}"


class Marks:
    """All marks of one canary tenant.

    Words are lower-case letters and digits, so that no escaping, folding or slug rule
    changes them. Numbers are for rows that hold no text.
    """

    def __init__(self, side: str) -> None:
        self.prefix = f"{side}{secrets.token_hex(4)}x"
        self._places: dict[str, Place] = {}
        self._numbers: dict[str, str] = {}
        self._word = re.compile(rf"{self.prefix}\d{{{_DIGITS}}}")

    def word(self, model: str, field: str) -> str:
        """Return a new word for a field."""
        made = f"{self.prefix}{len(self._places):0{_DIGITS}}"
        self._places[made] = Place(model, field)
        return made

    def number(self, model: str, field: str) -> int:
        """Return a new number of nine digits for a field."""
        made = 10**8 + secrets.randbelow(9 * 10**8)
        self._places[str(made)] = Place(model, field)
        for spelled in (f"{made}", f"{made:,}"):
            self._numbers[spelled] = str(made)
        return made

    def found_in(self, text: str) -> Counter[str]:
        """Count every mark of this tenant in a text, in whatever case."""
        folded = text.lower()
        found = Counter(self._word.findall(folded))
        for spelled, mark in self._numbers.items():
            if times := folded.count(spelled):
                found[mark] += times
        return found

    def place_of(self, mark: str) -> Place:
        """Return where a mark stands.

        Raises:
            KeyError: it is no mark of this tenant.
        """
        return self._places[mark]

    def places(self) -> dict[str, Place]:
        """Return every mark with its place."""
        return dict(self._places)

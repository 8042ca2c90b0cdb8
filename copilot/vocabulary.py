"""The vocabulary of the grammar, read once from its data file. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

FILE: Final = Path(__file__).resolve().parent / "words" / "vocabulary.yaml"
CHARTS: Final = ("bar", "line", "area", "pie", "scatter", "histogram", "heatmap")

Patterns = Mapping[str, "re.Pattern[str]"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Compiled meanings, each one pattern, in the order they are looked for."""

    strong: Patterns
    formats: Patterns
    weak: Patterns
    numbers: Patterns
    numerals: Patterns
    unwanted: Patterns

    def before_names(self) -> list[tuple[str, re.Pattern[str]]]:
        """Return what is looked for before names are: "line chart" is no column."""
        return [(name, self.strong[name]) for name in CHARTS]


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    with FILE.open(encoding="utf-8") as file:
        read: Any = yaml.safe_load(file)
    return Vocabulary(**{part: _compiled(read[part]) for part in Vocabulary.__slots__})


def _compiled(meanings: Mapping[object, list[str]]) -> Patterns:
    return {
        str(name): re.compile(
            "|".join(f"(?:{each})" for each in patterns), re.IGNORECASE
        )
        for name, patterns in meanings.items()
    }

"""The lines of a query around a place, with a caret under it. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_AROUND = 2  # lines shown before the one that is refused
_WIDEST = 100  # characters of a line that are shown


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What a ``<pre>`` shows: lines with their numbers, and the caret's line."""

    lines: tuple[str, ...]
    caret: str

    @property
    def text(self) -> str:
        return "\n".join([*self.lines, self.caret])


def excerpt_of(
    sql: str, line: int | None, column: int | None, found: str = ""
) -> Excerpt | None:
    """Return the line `line` of `sql` with what stands before it, or None.

    Args:
        line: From 1. None, or a line that is not there, has no excerpt.
        column: From 1, in characters; cut to the line.
        found: What stands there; the caret is as long, where the line says the same.
    """
    # As the judge counts them: other signs than these end no line of SQL.
    lines = [text.removesuffix("\r") for text in sql.split("\n")]
    if line is None or column is None or not 1 <= line <= len(lines):
        return None
    width = len(str(line))
    first = max(line - 1 - _AROUND, 0)
    faulty = lines[line - 1]
    at = min(column - 1, len(faulty))
    cut = max(at - _WIDEST // 2, 0)
    shown = [
        f"{number:>{width}} | {text[cut : cut + _WIDEST]}"
        for number, text in enumerate(lines[first:line], first + 1)
    ]
    same = faulty[at : at + len(found)].lower() == found.lower()
    long = max(len(found), 1) if same else 1
    before = "".join(_blank(mark) for mark in faulty[cut:at])
    under = _width(faulty[at : at + long][: _WIDEST - (at - cut)]) or 1
    return Excerpt(tuple(shown), f"{' ' * width} | {before}{'^' * under}")


def _blank(mark: str) -> str:
    return mark if mark == "\t" else " " * _width(mark)


def _width(text: str) -> int:
    """Return how many columns of a fixed-width font a text takes."""
    return sum(
        0
        if unicodedata.combining(mark)
        else 2
        if unicodedata.east_asian_width(mark) in "WF"
        else 1
        for mark in text
    )

"""On which line of a JSON text each of its values begins. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from screens.faults import pointer_to
from screens.pointers import parent_of

_TOKEN: Final = re.compile(r'\s*(?:([\[\]{},:])|("(?:[^"\\]|\\.)*")|([^\s\[\]{},:"]+))')


def lines_by_pointer(text: str) -> dict[str, int]:
    """Return the line, from 1, on which the value at each JSON Pointer begins.

    A value of an object begins where its name does. Nested however deep, in one pass.

    Args:
        text: JSON that a parser has accepted; of anything else, what can be told.
    """
    lines: dict[str, int] = {}
    path: list[str | int] = []
    opened: list[str] = []  # "{" or "[", one for each step of the path
    named, line, last = False, 1, 0
    for token in _TOKEN.finditer(text):
        mark, string, _word = token.groups()
        start = token.start(token.lastindex or 0)
        line += text.count("\n", last, start)
        last = start
        if mark == ":":
            named = True
        elif mark == ",":
            named = False
            if opened and opened[-1] == "[":
                path[-1] = int(path[-1]) + 1
        elif mark in ("]", "}"):
            named = False
            if opened:
                opened.pop()
                path.pop()
        elif string is not None and opened and opened[-1] == "{" and not named:
            path[-1] = str(json.loads(string, strict=False))
            lines[pointer_to(path)] = line
        else:
            lines.setdefault(pointer_to(path), line)
            if mark:
                opened.append(mark)
                path.append("" if mark == "{" else 0)
                named = False
    return lines


def line_of(lines: Mapping[str, int], pointer: str) -> int | None:
    """Return the line of the place, or of the nearest one around it."""
    while pointer not in lines and pointer:
        pointer = parent_of(pointer)[0]
    return lines.get(pointer)

"""Notes on data: a rule id with its values as one text. Pure.

``note("unconverted", column="temp", count=3)`` is
``unconverted?column=temp&count=3``; ``connectors.messages.note_text`` says it in
words.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode


def note(rule: str, **values: str | int) -> str:
    """Write one note."""
    return f"{rule}?{urlencode(values)}" if values else rule


def read_note(text: str) -> tuple[str, dict[str, str]]:
    """Return the rule id of a note and its values."""
    rule, _, values = text.partition("?")
    return rule, dict(parse_qsl(values, keep_blank_values=True))

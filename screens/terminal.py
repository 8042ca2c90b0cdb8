"""Blocks and progress for a terminal."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Final, TextIO

from django.core.management.base import OutputWrapper
from django.utils import timezone

from connectors.outcomes import Failure, Table, Value
from screens import messages
from screens.pages import Drawn, OpenPage

_WIDEST: Final = 40
_MOST_ROWS: Final = 50
_BAR: Final = 24


class Progress:
    """Says how many blocks are done: a bar on a terminal, lines elsewhere."""

    def __init__(self, total: int, stream: TextIO | OutputWrapper) -> None:
        self._total = total
        self._done = 0
        self._stream = stream
        self._is_terminal = stream.isatty()

    def step(self, drawn: Drawn) -> None:
        self._done += 1
        count = f"{self._done}/{self._total}"
        if self._is_terminal:
            full = _BAR * self._done // self._total
            end = "\n" if self._done == self._total else ""
            bar = "█" * full + "░" * (_BAR - full)
            self._stream.write(f"\r{bar} {count} {end}")
        else:
            state = drawn.rendered.state.value
            elapsed = f"{drawn.response.elapsed_ms:,.0f} ms"
            self._stream.write(f"{count} {drawn.block.id} {state} {elapsed}\n")
        self._stream.flush()


def as_text(page: OpenPage, drawn: Drawn) -> str:
    """Write one block: its title, what it shows, and where that comes from."""
    response = drawn.response
    title = drawn.block.title.in_language(page.reader.language)
    parts = [f"\n== {title} ==", _body(drawn)]
    if note := messages.fallback_used(response.because, step=response.step):
        parts.append(note)
    rule = response.decision.rule if response.decision else ""
    facts = [
        drawn.rendered.state.value,
        f"{response.elapsed_ms:,.0f} ms",
        ", ".join(response.operations),
        rule if rule != "direct" else "",
    ]
    parts.append("-- " + " · ".join(fact for fact in facts if fact))
    return "\n".join(part for part in parts if part)


def _body(drawn: Drawn) -> str:
    outcome = drawn.response.outcome
    if isinstance(outcome, Failure):
        return f"{outcome.reason.value}: {outcome.message}"
    if isinstance(outcome.data, str):
        return "\n".join(_printable(line) for line in outcome.data.splitlines())
    return table_as_text(outcome.data)


def table_as_text(table: Table) -> str:
    """Write rows in columns that line up, Korean included."""
    head = [
        f"{column.name} ({column.unit})" if column.unit else column.name
        for column in table.columns
    ]
    rows = [[_cell(value) for value in row] for row in table.rows[:_MOST_ROWS]]
    lines = [[_cut(cell) for cell in row] for row in [head, *rows]]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    written = [
        "  ".join(
            cell + " " * (width - _width(cell))
            for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    if len(table.rows) > _MOST_ROWS:
        written.append(f"… {messages.rows(len(table.rows))}")
    return "\n".join(written)


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        local = timezone.localtime(value)
        return local.isoformat(sep=" ", timespec="seconds")
    return _printable(str(value))


def _printable(text: str) -> str:
    # A control character of a data source must not reach the terminal.
    return "".join(mark if mark.isprintable() else " " for mark in text)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text)

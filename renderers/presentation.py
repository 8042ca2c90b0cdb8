"""How a response looks, as values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Format(StrEnum):
    TEXT = "text"
    GRID = "grid"
    TABLE = "table"
    CHART = "chart"


@dataclass(frozen=True, slots=True)
class Presentation:
    """How one named response looks; options follow the format's JSON Schema."""

    format: Format
    options: Mapping[str, Any] = field(default_factory=dict)


class State(StrEnum):
    """What a drawn block shows; each looks different, never by colour alone."""

    OK = "ok"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    STALE = "stale"
    DENIED = "denied"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CIRCUIT_OPEN = "circuit_open"


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What a renderer needs to know besides the data.

    Attributes:
        block_id: Id of the block, unique on its page; used in element ids.
        title: Title in the reader's language, for captions and names.
        address: Address of this block alone, with its arguments, or "" when it has
            none (command line, preview); page links are built on it.
        export_address: Address of the block as CSV, or "".
        page: Page of a grid drawn on the server, from 1.
        language: ``ko`` or ``en``.
        time_zone: IANA name; times are shown in it.
        trace_id: Shown on failures, so that a report can be traced; "" for none.
        trace_address: Where the reader can look at that trace; "" for nowhere.
    """

    block_id: str
    title: str
    address: str = ""
    export_address: str = ""
    page: int = 1
    language: str = "ko"
    time_zone: str = "Asia/Seoul"
    trace_id: str = ""
    trace_address: str = ""


@dataclass(frozen=True, slots=True)
class RenderedBlock:
    """A drawn block.

    Attributes:
        html: Safe HTML of the block's body.
        state: What it shows.
        assets: Names of the scripts that upgrade it: ``grid``, ``chart-basic``,
            ``chart-cartesian``.
    """

    html: str
    state: State
    assets: frozenset[str] = frozenset()

"""What is being done right now, as labels: kind to key, such as menu to its slug.

`measure` sets them, log lines carry them. This app never asks what they mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

_NONE: Mapping[str, str] = MappingProxyType({})
_labels: ContextVar[Mapping[str, str]] = ContextVar("signalbox_labels", default=_NONE)


def current_labels() -> Mapping[str, str]:
    """Return the key of everything around this line that is being measured, by kind."""
    return _labels.get()


def enter(kind: str, key: str) -> Mapping[str, str]:
    """Add one label; returns those before it, for `leave`."""
    before = _labels.get()
    _labels.set({**before, kind: key})
    return before


def leave(before: Mapping[str, str]) -> None:
    """Go back to the labels that `enter` returned."""
    # Set, not reset: a page may be closed in another context than it was opened in.
    _labels.set(before)

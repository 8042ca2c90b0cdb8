"""From how many microseconds on is one page slow? The p95 of what it took so far."""

from __future__ import annotations

from collections.abc import Callable

from observability.slo import Tally

ENOUGH = 50
_ASKED_AGAIN = 32
_MOST_KNOWN = 2_000


class Slowness:
    """Remembers the p95 of each kind and key for some calls; computing it costs more.

    Args:
        total: Returns all counts of a kind and key in this process, or None.
    """

    def __init__(self, total: Callable[[str, str], Tally | None]) -> None:
        self._total = total
        self._known: dict[tuple[str, str], tuple[int, float | None]] = {}

    def __call__(self, kind: str, key: str) -> float | None:
        """Return microseconds; None before it was seen `ENOUGH` times."""
        left, value = self._known.get((kind, key), (0, None))
        if left <= 0:
            tally = self._total(kind, key)
            value = None
            if tally is not None and tally.count >= ENOUGH:
                value = tally.percentile_us(95)
            left = _ASKED_AGAIN
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
        self._known[kind, key] = (left - 1, value)
        return value

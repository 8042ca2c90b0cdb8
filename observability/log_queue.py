"""A bounded queue of log lines that gives up the least important ones first."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Sequence
from typing import Generic, TypeVar

Line = TypeVar("Line")

# The highest level of each class; what is above the last is an error.
_CLASSES = (logging.DEBUG, logging.INFO, logging.WARNING)
CLASS_NAMES = ("debug", "info", "warning", "error")


class LineQueue(Generic[Line]):
    """Lines in the order in which they came, at most `limit` of them.

    When it is full, the oldest line of the lowest class goes: DEBUG, then INFO, then
    WARNING, then errors. Putting never waits and runs no SQL.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # A line may be logged while this thread holds the lock: by a destructor.
        self._lock = threading.RLock()
        self._classes: tuple[deque[tuple[int, int, Line]], ...] = tuple(
            deque() for _name in CLASS_NAMES
        )
        self._next = 0
        self._count = 0
        self._dropped: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._count

    def put(self, level: int, line: Line) -> None:
        place = _class_of(level)
        with self._lock:
            if self._count >= self._limit and not self._make_room(place):
                self._dropped[CLASS_NAMES[place]] += 1
                return
            self._classes[place].append((self._next, level, line))
            self._next += 1
            self._count += 1

    def _make_room(self, incoming: int) -> bool:
        """Drop the oldest line that is no more important than an incoming one."""
        for place, lines in enumerate(self._classes[: incoming + 1]):
            if lines:
                lines.popleft()
                self._count -= 1
                self._dropped[CLASS_NAMES[place]] += 1
                return True
        return False

    def take(self, most: int) -> list[tuple[int, Line]]:
        """Remove and return up to `most` lines with their level, oldest first."""
        taken: list[tuple[int, Line]] = []
        with self._lock:
            while len(taken) < most and self._count:
                oldest = min(filter(None, self._classes), key=lambda lines: lines[0][0])
                _number, level, line = oldest.popleft()
                self._count -= 1
                taken.append((level, line))
        return taken

    def put_back(self, lines: Sequence[tuple[int, Line]]) -> None:
        """Return lines that could not be written; what has no room is counted."""
        with self._lock:
            for number, (level, line) in enumerate(reversed(lines)):
                place = _class_of(level)
                if self._count >= self._limit:
                    self._dropped[CLASS_NAMES[place]] += 1
                    continue
                before = self._next - 10**15 - number
                self._classes[place].appendleft((before, level, line))
                self._count += 1

    def lose(self, levels: Sequence[int]) -> None:
        """Count lines that were taken and are lost."""
        with self._lock:
            self._dropped.update(CLASS_NAMES[_class_of(level)] for level in levels)

    def dropped(self) -> dict[str, int]:
        """Return how many lines of each class were lost so far."""
        with self._lock:
            return {name: self._dropped[name] for name in CLASS_NAMES}


def _class_of(level: int) -> int:
    for place, highest in enumerate(_CLASSES):
        if level <= highest:
            return place
    return len(_CLASSES)

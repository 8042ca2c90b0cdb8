"""Levels of loggers that were changed for a while, applied in this process.

Every process asks for them every few seconds. A level ends by itself at its moment,
also while the database is away; the logger then has the level it had before.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import Error as DatabaseFailure
from django.utils import timezone

from observability.models import LogLevel

POLL_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """What one stored row asks for."""

    logger: str
    level: int
    until: datetime


def read_wanted() -> list[Wanted]:
    """Read the levels that are in force now; the newest of a logger comes last."""
    rows = LogLevel.objects.in_force(timezone.now()).order_by("pk")
    return [Wanted(row.logger, row.level, row.until) for row in rows]


class Levels:
    """The changed levels of this process.

    Args:
        read: Returns what is wanted; a failure of the database keeps the last answer.
    """

    def __init__(self, read: Callable[[], list[Wanted]] = read_wanted) -> None:
        self._read = read
        self._before: dict[str, int] = {}
        self._wanted: list[Wanted] = []
        self._asked = -POLL_SECONDS

    def poll(self) -> None:
        """Apply what is wanted now; asks at most every `POLL_SECONDS`."""
        if time.monotonic() - self._asked >= POLL_SECONDS:
            self._asked = time.monotonic()
            try:
                self._wanted = self._read()
            except DatabaseFailure as error:
                name = type(error).__name__
                logger.debug("Log levels could not be read: %s", name)
        self.apply(self._wanted, now=timezone.now())

    def apply(self, wanted: Iterable[Wanted], *, now: datetime) -> None:
        """Set the levels in force, and give every other logger its own back."""
        levels = {each.logger: each.level for each in wanted if each.until > now}
        for name in self._before.keys() - levels.keys():
            logging.getLogger(_own(name)).setLevel(self._before.pop(name))
        for name, level in levels.items():
            found = logging.getLogger(_own(name))
            self._before.setdefault(name, found.level)
            if found.level != level:
                found.setLevel(level)


def _own(name: str) -> str | None:
    return None if name == "root" else name

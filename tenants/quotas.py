"""What a tenant may use, what it has used, and what follows: pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WARNED_AT = 0.8


class Limit(StrEnum):
    """What is limited; a day is one of the portal's own time zone."""

    QUERIES = "queries"
    ROWS = "rows"
    STORAGE = "storage"


@dataclass(frozen=True, slots=True)
class Quota:
    """What a tenant may use; None is no limit.

    Attributes:
        queries: Calls of operations a day.
        rows: Rows that operations give back in a day.
        storage: Bytes of the tenant's rows in the portal's own database.
    """

    queries: int | None = None
    rows: int | None = None
    storage: int | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """What a tenant has used; a storage of None was not measured yet."""

    queries: int = 0
    rows: int = 0
    storage: int | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """How much of one limit is used: ``used`` of ``allowed``, both 0 or more."""

    limit: Limit
    used: int
    allowed: int

    @property
    def is_over(self) -> bool:
        """Nothing is left: the next one is refused."""
        return self.used >= self.allowed

    @property
    def is_near(self) -> bool:
        """Four fifths are used, or more."""
        return self.used >= self.allowed * WARNED_AT

    @property
    def percent(self) -> int:
        """Whole percent used, rounded down; a limit of 0 is used up."""
        return 100 if self.allowed == 0 else self.used * 100 // self.allowed


def levels(quota: Quota, use: Use) -> tuple[Level, ...]:
    """Return the level of every limit that is set and was measured."""
    pairs = (
        (Limit.QUERIES, use.queries, quota.queries),
        (Limit.ROWS, use.rows, quota.rows),
        (Limit.STORAGE, use.storage, quota.storage),
    )
    return tuple(
        Level(limit, used, allowed)
        for limit, used, allowed in pairs
        if used is not None and allowed is not None
    )


def overrun(quota: Quota, use: Use) -> Level | None:
    """Return the daily limit that refuses the next call, or None."""
    for level in levels(quota, use):
        if level.limit is not Limit.STORAGE and level.is_over:
            return level
    return None

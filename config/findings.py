"""What one check of the doctor found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters: an error must go before production."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in the active language.

    Attributes:
        id: Stable name of the check.
        found: What there is; never a secret, nor an address of the inside.
        remedy: What to do; "" when nothing is to be done.
    """

    id: str
    level: Level
    found: str
    remedy: str = ""

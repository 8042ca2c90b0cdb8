"""A patch as a person types it. Pure."""

from __future__ import annotations

import json
from typing import Final, NoReturn

from connectors.outcomes import Json

_LONGEST: Final = 512 * 1024


def read_patch(text: str) -> list[Json] | None:
    """Read a list from what somebody typed; None when it is no JSON list.

    What is in the list is for the gates to judge.
    """
    if len(text) > _LONGEST:
        return None
    try:
        read = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # No JSON, NaN, nested too deep, or an integer of thousands of digits.
        return None
    return read if isinstance(read, list) else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)

"""What differs between two documents, block by block. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connectors.outcomes import Json

What = Literal["added", "removed", "changed", "moved", "screen"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        what: ``screen`` for what belongs to no block.
        block: Id of the block, "" for the screen.
        parts: Names of what differs in it, such as ``width``; none when the whole
            block came, went or moved.
    """

    what: What
    block: str = ""
    parts: tuple[str, ...] = ()


def changes_between(before: Json, after: Json) -> tuple[Change, ...]:
    """Say what was added, removed, changed and moved; blocks are known by their ids.

    A block has moved when it stands elsewhere among the blocks that are in both.
    """
    old, new = _blocks(before), _blocks(after)
    return (
        *_screen_changes(before, after),
        *(Change("removed", block) for block in old if block not in new),
        *(Change("added", block) for block in new if block not in old),
        *_changed(old, new),
        *_moved([each for each in old if each in new], [e for e in new if e in old]),
    )


def _screen_changes(before: Json, after: Json) -> Iterator[Change]:
    old = _without(before, "blocks")
    new = _without(after, "blocks")
    if parts := _different(old, new):
        yield Change("screen", parts=parts)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for block in new:
        if block in old and (parts := _different(old[block], new[block])):
            yield Change("changed", block, parts)


def _moved(old: list[str], new: list[str]) -> Iterator[Change]:
    """Yield the fewest blocks that, taken out, leave the others in one order."""
    kept = set(_longest_rising([old.index(block) for block in new]))
    for block in new:
        if old.index(block) not in kept:
            yield Change("moved", block)


def _longest_rising(places: list[int]) -> list[int]:
    best: list[list[int]] = []
    for index, place in enumerate(places):
        before = [best[i] for i in range(index) if places[i] < place]
        best.append([*max(before, key=len, default=[]), place])
    return max(best, key=len, default=[])


def _blocks(body: Json) -> dict[str, Any]:
    blocks = body.get("blocks") if isinstance(body, dict) else None
    return {
        str(block.get("id", "")): block
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, dict)
    }


def _without(body: Json, name: str) -> dict[str, Json]:
    given = body if isinstance(body, dict) else {}
    return {key: value for key, value in given.items() if key != name}


def _different(old: Any, new: Any) -> tuple[str, ...]:
    names = [*old, *(name for name in new if name not in old)]
    return tuple(
        name
        for name in names
        if name not in old or name not in new or old[name] != new[name]
    )

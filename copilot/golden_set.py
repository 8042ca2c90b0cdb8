"""The golden set: instructions as people write them, and what each should do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from connectors.outcomes import Column, ColumnType
from connectors.parameters import ParameterSpec, ParameterType
from copilot.edits import Edit, read_edits
from copilot.subject import LANGUAGES, OperationWords, Subject

FOLDER: Final = Path(__file__).resolve().parent / "golden"
SPLITS: Final = ("dev", "test")
STRANGE: Final = "strange"
"""Cases written after the grammar, in words it was not made for."""

ASK: Final = "ask"
REFUSE: Final = "refuse"


class BrokenGoldenSet(ValueError):
    """A case that is no case: its expectation is no list of edits, ask or refuse."""


@dataclass(frozen=True, slots=True)
class Case:
    """One instruction.

    Attributes:
        template: The wish it words; all words of a wish are in one split.
        category: What is wished, such as ``remove`` or ``refuse``.
        language: ``ko`` or ``en``.
        screen: Key of a screen of the catalogue.
        expect: The edits it should lead to; ``ask``; or ``refuse``.
    """

    template: str
    category: str
    language: str
    screen: str
    text: str
    expect: tuple[Edit, ...] | str


def cases(split: str) -> tuple[Case, ...]:
    """Return the cases of ``dev``, ``test``, both (``all``), or ``strange``.

    Raises:
        BrokenGoldenSet: a case cannot be read.
    """
    wanted = SPLITS if split == "all" else (split,)
    return tuple(case for name in wanted for case in _read(name))


@lru_cache(maxsize=1)
def subjects() -> Mapping[str, Subject]:
    """Return the screens the golden set speaks of, by key."""
    raw = _yaml("catalogue")
    operations = {each["key"]: _operation(each) for each in raw["operations"]}
    tables = {key: frozenset(names) for key, names in raw["tables"].items()}
    return {
        key: Subject(body, operations, tables, key)
        for key, body in raw["screens"].items()
    }


def _read(split: str) -> Iterator[Case]:
    for entry in _yaml(split):
        expect = _expectation(entry)
        for language in LANGUAGES:
            for text in entry.get(language, []):
                yield Case(
                    entry["template"],
                    entry["category"],
                    language,
                    entry["screen"],
                    text,
                    expect,
                )


def _expectation(entry: Mapping[str, Any]) -> tuple[Edit, ...] | str:
    raw = entry["expect"]
    if raw in (ASK, REFUSE):
        return str(raw)
    edits = read_edits(raw)
    if not isinstance(edits, tuple):
        raise BrokenGoldenSet(f"{entry['template']}: {edits}")
    return edits


def _operation(raw: Mapping[str, Any]) -> OperationWords:
    return OperationWords(
        raw["key"],
        raw["label"],
        tuple(
            Column(each["name"], ColumnType(each["type"]), each["label"])
            for each in raw["columns"]
        ),
        tuple(
            ParameterSpec(
                name=each["name"],
                type=ParameterType(each["type"]),
                label=each["label"],
            )
            for each in raw.get("parameters", [])
        ),
    )


@lru_cache(maxsize=4)
def _yaml(name: str) -> Any:
    with (FOLDER / f"{name}.yaml").open(encoding="utf-8") as file:
        return yaml.safe_load(file)

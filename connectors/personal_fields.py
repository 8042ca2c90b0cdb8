"""Which columns hold personal data, by the names that a data source lists. Pure.

What a name cannot tell is personal: a column whose text is JSON with such a field, a
path to the rows that reads one under another name, and rows without names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError

from connectors.outcomes import Column, Personal, Table, Value
from connectors.specs import OperationSpec

# Parts of a JMESPath expression that give values without the names they had.
_NAMELESS: Final = frozenset({"value_projection", "multi_select_list"})
_NAMELESS_FUNCTIONS: Final = frozenset({"values", "to_string", "join", "to_array"})
_MADE_NAME: Final = re.compile(r"column_[0-9]+|value")


def marked(table: Table, spec: OperationSpec) -> Table:
    """Mark the columns that the list of the data source makes personal."""
    listed = frozenset(name.casefold() for name in spec.source.personal_fields)
    if not listed:
        return table
    every = bool(spec.rows_path) and _loses_names(spec.rows_path, listed)
    columns = tuple(
        replace(column, personal=column.personal or Personal.OTHER)
        if every or _is_listed(column, table, place, listed)
        else column
        for place, column in enumerate(table.columns)
    )
    return replace(table, columns=columns)


def _is_listed(
    column: Column, table: Table, place: int, listed: frozenset[str]
) -> bool:
    names = column.name.casefold().split(".")
    if listed & {column.name.casefold(), *names, *map(_without_number, names)}:
        return True
    if _MADE_NAME.fullmatch(column.name):
        return True
    return _holds_field([row[place] for row in table.rows], listed)


def _without_number(name: str) -> str:
    """Return the name that a repeated one was made of: ``email_2`` is ``email``."""
    return re.sub(r"(_[0-9]+)+\Z", "", name)


def _holds_field(values: Sequence[Value], listed: frozenset[str]) -> bool:
    """Whether any text looks like JSON with a listed field, or mentions one in it."""
    return any(
        isinstance(value, str)
        and value.lstrip()[:1] in {"{", "["}
        and any(name in value.casefold() for name in listed)
        for value in values
    )


@lru_cache(maxsize=512)
def _loses_names(path: str, listed: frozenset[str]) -> bool:
    """Whether a JMESPath may give listed fields under another name, or under none."""
    try:
        tree = jmespath.compile(path).parsed
    except JMESPathError:
        return True
    return any(
        part["type"] in _NAMELESS
        or (
            part["type"] == "function_expression"
            and part["value"] in _NAMELESS_FUNCTIONS
        )
        or (part["type"] == "field" and str(part["value"]).casefold() in listed)
        for part in _parts(tree)
    )


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    yield tree
    for child in tree.get("children", []):
        if isinstance(child, dict):
            yield from _parts(child)

"""What a form of properties offers, from the tenant, and the outline beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import get_language

from branching.services import TableNames, table_names
from connectors.outcomes import Json
from connectors.services import load_operations, operation_keys
from screens.faults import DocumentError
from screens.form_edits import WHOLE, block_pointers, part_of
from screens.form_nodes import Option
from screens.form_places import Surroundings
from screens.pointers import find
from tenants.scope import Actor


def surroundings_of(body: Json, part: str, *, actor: Actor) -> Surroundings:
    """Return what the form of one part offers: operations, tables, and names.

    A fixed number of queries, whatever the document holds.
    """
    if part == WHOLE:
        return Surroundings()
    operations, tables = operation_keys(actor=actor), table_names(actor=actor)
    options = {
        "operation": tuple(_option(key, operations[key]) for key in sorted(operations)),
        "decision_table": tuple(
            _option(key, _label(tables[key].label, key)) for key in sorted(tables)
        ),
    }
    return Surroundings(
        options=options,
        known=_known(body, part, tables, actor),
        parameters=_parameter_names(body),
    )


def _known(
    body: Json, part: str, tables: Mapping[str, TableNames], actor: Actor
) -> dict[str, tuple[str, ...]]:
    operation = find(body, f"{part}/source/operation")
    table = tables.get(str(find(body, f"{part}/source/decision_table")))
    arguments: list[str] = []
    responses = {"default"}
    if isinstance(operation, str) and operation:
        spec = load_operations([operation], actor=actor).get(operation)
        arguments = [each.name for each in spec.parameters] if spec else []
    elif table is not None:
        arguments, responses = sorted(table.parameters), set(table.responses)
    return {
        f"{part}/source/arguments": tuple(arguments),
        f"{part}/responses": tuple(sorted(responses)),
    }


def _option(key: str, label: str) -> Option:
    return Option(key, name=key if label == key else f"{label} ({key})")


def _label(label: Mapping[str, str], key: str) -> str:
    return label.get(get_language() or "ko") or key


def _parameter_names(body: Json) -> tuple[str, ...]:
    parameters = find(body, "/parameters")
    names = [
        each.get("name")
        for each in (parameters if isinstance(parameters, list) else [])
        if isinstance(each, dict)
    ]
    return tuple(name for name in names if isinstance(name, str) and name)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the outline: the screen, or a block of it.

    Attributes:
        pointer: The part of the form it opens.
        about: What the block shows: its operation or decision table, its formats.
        faults: Errors that were found in it.
    """

    pointer: str
    title: str
    about: str
    faults: int
    is_open: bool
    is_first: bool = False
    is_last: bool = False


def outline_of(body: Json, part: str, errors: Sequence[DocumentError]) -> list[Line]:
    """List the screen and its blocks, in order."""
    places = [part_of(body, error.pointer) for error in errors]
    pointers = block_pointers(body)
    lines = [Line(WHOLE, "", "", places.count(WHOLE), part == WHOLE)]
    lines += [
        Line(
            pointer,
            _title(find(body, pointer + "/title"), find(body, pointer + "/id")),
            _about(body, pointer),
            places.count(pointer),
            pointer == part,
            is_first=pointer == pointers[0],
            is_last=pointer == pointers[-1],
        )
        for pointer in pointers
    ]
    return lines


def _title(title: object, name: object) -> str:
    if isinstance(title, dict):
        languages = (get_language() or "ko", *title)
        title = next((title[each] for each in languages if title.get(each)), "")
    return str(title) if isinstance(title, str) and title else str(name)


def _about(body: Json, pointer: str) -> str:
    names = [find(body, f"{pointer}/source/{name}") for name in
             ("operation", "decision_table")]  # fmt: skip
    responses = find(body, f"{pointer}/responses")
    formats = [
        find(each, "/format")
        for each in (responses.values() if isinstance(responses, dict) else [])
    ]
    shown = [each for each in [*names, *formats] if isinstance(each, str) and each]
    return " · ".join(dict.fromkeys(shown))

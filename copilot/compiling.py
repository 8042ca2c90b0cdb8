"""Edits to a JSON Patch, with a ``test`` on everything it touches. Pure.

A stale patch then fails, instead of changing the neighbour that moved into its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.outcomes import Json
from copilot.drafts import ROWS, Cannot, Draft, look_of
from copilot.edits import Edit, Kind
from copilot.subject import Subject, language_of, words
from renderers.presentation import Format
from screens.faults import pointer_to
from screens.patches import Step

_KEPT_BETWEEN_ROWS: Final = ("columns", "sort", "row_header", "totals", "emphasis")


@dataclass(frozen=True, slots=True)
class CompileFault:
    """An edit that this document cannot take: which one, from 0, and why."""

    index: int
    rule: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """The patch, and the document it leads to."""

    patch: tuple[Step, ...]
    body: dict[str, Any]


def compile_edits(edits: Sequence[Edit], subject: Subject) -> Compiled | CompileFault:
    """Turn edits into one patch, each seeing what those before it did."""
    draft = Draft(subject)
    for index, edit in enumerate(edits):
        try:
            _COMPILERS[edit.kind](draft, edit)
        except Cannot as fault:
            return CompileFault(index, fault.rule, fault.found)
    return Compiled(tuple(draft.steps), draft.body)


# --- Blocks ------------------------------------------------------------------------
def _add_block(draft: Draft, edit: Edit) -> None:
    value: Any = edit.value
    operation = draft.subject.operations.get(value["operation"])
    if operation is None:
        raise Cannot("unknown-operation", value["operation"])
    if draft.now().block(edit.block) is not None:
        raise Cannot("taken-id", edit.block)
    if value.get("chart_type") and value["format"] != Format.CHART:
        raise Cannot("wrong-format", value["format"])
    title: Json = dict(operation.label) or operation.key
    if value.get("title"):
        title = {language_of(value["title"]): value["title"]}
    there = {each["name"] for each in draft.now().parameters}
    bound: dict[str, Json] = {
        each.name: {"parameter": each.name}
        for each in operation.parameters
        if each.name in there
    }
    source: dict[str, Json] = {"operation": operation.key}
    options = {"type": value["chart_type"]} if value.get("chart_type") else {}
    block: dict[str, Json] = {
        "id": edit.block,
        "title": title,
        "source": {**source, "arguments": bound} if bound else source,
        "responses": {"default": {"format": value["format"], "options": options}},
    }
    if value.get("width"):
        block["width"] = value["width"]
    draft.do("add", ["blocks", "-"], value=block)


def _remove_block(draft: Draft, edit: Edit) -> None:
    index, _block = draft.block(edit.block)
    draft.do("remove", ["blocks", index])


def _set_title(draft: Draft, edit: Edit) -> None:
    index, block = draft.block(edit.block)
    draft.put(["blocks", index, "title"], _renamed(block["title"], edit))


def _set_screen_title(draft: Draft, edit: Edit) -> None:
    draft.put(["title"], _renamed(draft.body["title"], edit))


def _renamed(title: Json, edit: Edit) -> Json:
    """Change one language, and leave the other alone."""
    if edit.name not in {"ko", "en"}:
        raise Cannot("unknown-language", edit.name)
    before = words(title)
    if "" in before:  # one text for every language
        return edit.value
    return {**before, edit.name: str(edit.value)}


def _move_block(draft: Draft, edit: Edit) -> None:
    index, _block = draft.block(edit.block)
    others = [each["id"] for each in draft.body["blocks"] if each["id"] != edit.block]
    if edit.value in {"before", "after"}:
        if edit.name not in others:
            raise Cannot("unknown-block", edit.name)
        draft.block(edit.name)
        to = others.index(edit.name) + (edit.value == "after")
    else:
        to = 0 if edit.value == "first" else len(others)
    if to == index:
        return  # it stands there already; the gates say that nothing changes
    draft.do("move", ["blocks", to], **{"from": pointer_to(("blocks", index))})


def _swap(draft: Draft, edit: Edit) -> None:
    one, _block = draft.block(edit.block)
    other, _block = draft.block(edit.name)
    low, high = sorted((one, other))
    if low == high:
        raise Cannot("unknown-block", edit.name)
    draft.do("move", ["blocks", low], **{"from": pointer_to(("blocks", high))})
    if high - low > 1:
        draft.do("move", ["blocks", high], **{"from": pointer_to(("blocks", low + 1))})


def _set_size(draft: Draft, edit: Edit) -> None:
    index, _block = draft.block(edit.block)
    name = "width" if edit.kind is Kind.SET_WIDTH else "height"
    draft.put(["blocks", index, name], edit.value)


# --- How a response looks ----------------------------------------------------------
def _set_format(draft: Draft, edit: Edit) -> None:
    look = look_of(draft, edit)
    kept: dict[str, Json] = {}
    if edit.value == look.form:
        return
    if edit.value in ROWS and look.form in ROWS:
        kept = {k: v for k, v in look.options.items() if k in _KEPT_BETWEEN_ROWS}
    draft.put(look.place, {"format": edit.value, "options": kept})


def _set_columns(draft: Draft, edit: Edit) -> None:
    look = look_of(draft, edit)
    look.need(*ROWS, Format.TEXT)
    value: Any = edit.value
    if len(set(value)) < len(value):
        raise Cannot("repeated-column", str(value))
    entries = {
        (each["name"] if isinstance(each, dict) else each): each
        for each in look.options.get("columns", [])
    }
    look.put("columns", [entries.get(name, look.column(name)) for name in value])
    header = look.options.get("row_header")
    if header is not None and header not in value:
        draft.do("remove", (*look.place, "options", "row_header"))


def _set_label(draft: Draft, edit: Edit) -> None:
    look = look_of(draft, edit)
    known = draft.now().columns_of(look.block, edit.response)
    name = look.column(edit.name)
    before = next(dict(each.label) for each in known if each.name == name)
    label: dict[str, Json] = {**before, language_of(str(edit.value)): edit.value}
    if look.form == Format.CHART:
        look.put("labels", {**look.options.get("labels", {}), name: label})
        return
    look.need(*ROWS)
    look.change_column(name, label=label)


def _set_written(draft: Draft, edit: Edit) -> None:
    look = look_of(draft, edit)
    slot = "unit" if edit.kind is Kind.SET_UNIT else "format"
    if look.form == Format.TEXT and edit.name == look.options.get("value"):
        look.put(slot, edit.value)
        return
    look.need(*ROWS)
    look.change_column(edit.name, **{slot: edit.value})


def _set_sort(draft: Draft, edit: Edit) -> None:
    look = look_of(draft, edit)
    look.need(*ROWS)
    value: Any = edit.value
    for key in value:
        look.column(key["column"])
    look.put("sort", value)


def _set_limit(draft: Draft, edit: Edit) -> None:
    look = look_of(draft, edit)
    look.need(*ROWS)
    value: Any = edit.value
    if look.form == Format.GRID and value > 500:
        raise Cannot("page-size", str(value))
    look.put("limit" if look.form == Format.TABLE else "page_size", value)


def _add_total(draft: Draft, edit: Edit) -> None:
    look = look_of(draft, edit)
    look.need(*ROWS)
    entry: Json = {"column": look.column(edit.name), "function": edit.value}
    look.put("totals", [*look.options.get("totals", []), entry])


def _add_emphasis(draft: Draft, edit: Edit) -> None:
    look = look_of(draft, edit)
    look.need(*ROWS)
    value: Any = edit.value
    entry = {"column": look.column(edit.name), **value}
    look.put("emphasis", [*look.options.get("emphasis", []), entry])


_CHART_SLOTS: Final = {
    Kind.SET_CHART_TYPE: "type",
    Kind.SET_CHART_X: "x",
    Kind.SET_CHART_Y: "y",
    Kind.SET_CHART_SERIES: "series",
    Kind.SET_STACK: "stack",
}


def _set_chart(draft: Draft, edit: Edit) -> None:
    look = look_of(draft, edit)
    look.need(Format.CHART)
    value: Any = edit.value
    if edit.kind in {Kind.SET_CHART_X, Kind.SET_CHART_SERIES}:
        look.column(value)
    if edit.kind is Kind.SET_CHART_Y:
        value = [look.column(name) for name in value]
        value = value[0] if len(value) == 1 else value
    look.put(_CHART_SLOTS[edit.kind], value)


# --- Parameters and arguments ------------------------------------------------------
def _add_parameter(draft: Draft, edit: Edit) -> None:
    value: Any = edit.value
    if draft.now().parameter(edit.name) is not None:
        raise Cannot("taken-parameter", edit.name)
    if "parameters" not in draft.body:
        draft.do("add", ["parameters"], value=[])
    draft.do("add", ["parameters", "-"], value={"name": edit.name, **(value or {})})


def _remove_parameter(draft: Draft, edit: Edit) -> None:
    """Take a parameter away, and every binding to it with it."""
    draft.parameter(edit.name)
    for block in list(draft.body["blocks"]):
        for name, value in block["source"].get("arguments", {}).items():
            if value == {"parameter": edit.name}:
                index, _block = draft.block(block["id"])
                draft.do("remove", ["blocks", index, "source", "arguments", name])
    index, _parameter = draft.parameter(edit.name)
    draft.do("remove", ["parameters", index])


def _set_default(draft: Draft, edit: Edit) -> None:
    index, _parameter = draft.parameter(edit.name)
    draft.put(["parameters", index, "default"], edit.value)


def _set_argument(draft: Draft, edit: Edit) -> None:
    index, block = draft.block(edit.block)
    operation = draft.now().operation_of(block)
    taken = {each.name for each in operation.parameters} if operation else set()
    if edit.name not in taken:
        raise Cannot("unknown-argument", edit.name)
    value: Json = edit.value
    if edit.kind is Kind.BIND_PARAMETER:
        if draft.now().parameter(str(edit.value)) is None:
            raise Cannot("unknown-parameter", str(edit.value))
        value = {"parameter": edit.value}
    if "arguments" not in block["source"]:
        draft.do("add", ["blocks", index, "source", "arguments"], value={})
    draft.put(["blocks", index, "source", "arguments", edit.name], value)


_COMPILERS: Final[Mapping[Kind, Callable[[Draft, Edit], None]]] = {
    Kind.ADD_BLOCK: _add_block,
    Kind.REMOVE_BLOCK: _remove_block,
    Kind.SET_TITLE: _set_title,
    Kind.SET_SCREEN_TITLE: _set_screen_title,
    Kind.MOVE_BLOCK: _move_block,
    Kind.SWAP: _swap,
    Kind.SET_WIDTH: _set_size,
    Kind.SET_HEIGHT: _set_size,
    Kind.SET_FORMAT: _set_format,
    Kind.SET_COLUMNS: _set_columns,
    Kind.SET_LABEL: _set_label,
    Kind.SET_NUMBER_FORMAT: _set_written,
    Kind.SET_UNIT: _set_written,
    Kind.SET_SORT: _set_sort,
    Kind.SET_LIMIT: _set_limit,
    Kind.ADD_TOTAL: _add_total,
    Kind.ADD_EMPHASIS: _add_emphasis,
    **dict.fromkeys(_CHART_SLOTS, _set_chart),
    Kind.ADD_PARAMETER: _add_parameter,
    Kind.REMOVE_PARAMETER: _remove_parameter,
    Kind.SET_DEFAULT: _set_default,
    Kind.SET_ARGUMENT: _set_argument,
    Kind.BIND_PARAMETER: _set_argument,
}

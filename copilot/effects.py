"""What an edit must have done, and the only places it may have touched. Pure.

Written apart from the compiler, so that a fault there is seen here: the gates compare
documents, not patches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from connectors.outcomes import Json
from copilot.edits import Edit, Kind
from screens.patches import same

Place: TypeAlias = tuple[str, ...]
"""Where something stands, by id: ``("block", id, "width")``, never by number."""

Body: TypeAlias = Mapping[str, Any]

_NOTHING: Final = object()
_MOVES: Final = frozenset({Kind.MOVE_BLOCK, Kind.SWAP})


def broken_promise(edits: Sequence[Edit], body: Body) -> Edit | None:
    """Return the first edit whose effect is not in the document, or None.

    Of several edits of the same place, the last one counts.
    """
    for index, edit in enumerate(edits):
        later = {(each.kind, each.block, each.name) for each in edits[index + 1 :]}
        gone = any(
            each.kind is Kind.REMOVE_BLOCK and each.block == edit.block
            for each in edits[index + 1 :]
        )
        if gone or (edit.kind, edit.block, edit.name) in later:
            continue
        if not _HOLDS[edit.kind](edit, body):
            return edit
    return None


def outside_footprint(edits: Sequence[Edit], before: Body, after: Body) -> Place | None:
    """Return a changed place that no edit speaks of, or None."""
    allowed = [place for edit in edits for place in _footprint(edit, before)]
    old, new = dict(_leaves(before)), dict(_leaves(after))
    for place in sorted(old.keys() | new.keys()):
        one, other = old.get(place, _NOTHING), new.get(place, _NOTHING)
        if _alike(one, other):
            continue
        if not any(place[: len(start)] == start for start in allowed):
            return place
    if len(edits) == 1 and edits[0].kind is Kind.SWAP:
        order = _order(before)
        one, other = order.index(edits[0].block), order.index(edits[0].name)
        order[one], order[other] = order[other], order[one]
        return None if _order(after) == order else ("blocks", "order")
    moved = {name for e in edits if e.kind in _MOVES for name in (e.block, e.name)}
    for kind, name in (("blocks", "id"), ("parameters", "name")):
        order = [each[name] for each in before.get(kind, []) if each[name] not in moved]
        now = [each[name] for each in after.get(kind, []) if each[name] not in moved]
        stayed = set(order) & set(now)
        if [each for each in order if each in stayed] != [
            each for each in now if each in stayed
        ]:
            return (kind, "order")
    return None


def _alike(one: object, other: object) -> bool:
    if one is _NOTHING or other is _NOTHING:
        return one is other
    return type(one) is type(other) and same(one, other)


# --- Footprints --------------------------------------------------------------------
def _footprint(edit: Edit, before: Body) -> Iterator[Place]:
    block: Place = ("block", edit.block)
    options: Place = (*block, "responses", edit.response, "options")
    match edit.kind:
        case Kind.ADD_BLOCK | Kind.REMOVE_BLOCK:
            yield block
        case Kind.SET_TITLE:
            yield (*block, "title")
        case Kind.SET_SCREEN_TITLE:
            yield ("title",)
        case Kind.SET_WIDTH | Kind.SET_HEIGHT:
            yield (*block, edit.kind.value.removeprefix("set_"))
        case Kind.SET_FORMAT:
            yield (*block, "responses", edit.response)
        case Kind.ADD_PARAMETER | Kind.REMOVE_PARAMETER:
            yield ("parameter", edit.name)
            yield ("parameters",)
            yield from _bindings(edit, before)
        case Kind.SET_DEFAULT:
            yield ("parameter", edit.name, "default")
        case Kind.SET_ARGUMENT | Kind.BIND_PARAMETER:
            yield (*block, "source", "arguments", edit.name)
            yield (*block, "source", "arguments", "")
        case Kind.MOVE_BLOCK | Kind.SWAP:
            return
        case _:
            yield from ((*options, name) for name in _TOUCHES[edit.kind])
            yield (*options, "")


_TOUCHES: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.SET_COLUMNS: ("columns", "row_header"),
    Kind.SET_LABEL: ("columns", "labels"),
    Kind.SET_NUMBER_FORMAT: ("columns", "format"),
    Kind.SET_UNIT: ("columns", "unit"),
    Kind.SET_SORT: ("sort",),
    Kind.SET_LIMIT: ("limit", "page_size"),
    Kind.ADD_TOTAL: ("totals",),
    Kind.ADD_EMPHASIS: ("emphasis",),
    Kind.SET_CHART_TYPE: ("type",),
    Kind.SET_CHART_X: ("x",),
    Kind.SET_CHART_Y: ("y",),
    Kind.SET_CHART_SERIES: ("series",),
    Kind.SET_STACK: ("stack",),
}


def _bindings(edit: Edit, before: Body) -> Iterator[Place]:
    if edit.kind is not Kind.REMOVE_PARAMETER:
        return
    for block in before.get("blocks", []):
        for name, value in block["source"].get("arguments", {}).items():
            if value == {"parameter": edit.name}:
                yield ("block", block["id"], "source", "arguments", name)
                yield ("block", block["id"], "source", "arguments", "")


def _leaves(body: Body) -> Iterator[tuple[Place, Json]]:
    for name, value in body.items():
        if name not in {"blocks", "parameters"}:
            yield from _within((name,), value)
    for kind, name in (("block", "id"), ("parameter", "name")):
        if not body.get(f"{kind}s") and f"{kind}s" in body:
            yield (f"{kind}s",), None
        for each in body.get(f"{kind}s", []):
            yield from _within((kind, str(each[name])), each)


def _within(place: Place, value: Json) -> Iterator[tuple[Place, Json]]:
    if isinstance(value, dict):
        if not value:
            # An empty object and none at all look the same, and are written apart.
            yield (*place, ""), None
        for name, each in value.items():
            yield from _within((*place, name), each)
    elif isinstance(value, list):
        yield (*place, "#"), len(value)
        for index, each in enumerate(value):
            yield from _within((*place, str(index)), each)
    else:
        yield place, value


# --- Post-conditions ---------------------------------------------------------------
def _block(body: Body, name: str) -> Mapping[str, Any]:
    found = (each for each in body["blocks"] if each["id"] == name)
    return next(found, {})


def _options(edit: Edit, body: Body) -> Mapping[str, Any]:
    look = _block(body, edit.block).get("responses", {}).get(edit.response, {})
    options: Mapping[str, Any] = look.get("options", {})
    return options


def _order(body: Body) -> list[str]:
    return [each["id"] for each in body["blocks"]]


def _added(edit: Edit, body: Body) -> bool:
    block, value = _block(body, edit.block), edit.value
    if not block or not isinstance(value, dict):
        return False
    look = block["responses"]["default"]
    return bool(
        block["source"].get("operation") == value["operation"]
        and look["format"] == value["format"]
        and look["options"].get("type") == value.get("chart_type")
    )


def _moved(edit: Edit, body: Body) -> bool:
    order = _order(body)
    place = order.index(edit.block)
    match edit.value:
        case "first":
            return place == 0
        case "last":
            return place == len(order) - 1
        case "before":
            return order[place + 1 : place + 2] == [edit.name]
        case _:
            return order[:place][-1:] == [edit.name]


def _titled(title: Json, edit: Edit) -> bool:
    found = title.get(edit.name) if isinstance(title, dict) else title
    return found == edit.value


def _entry(edit: Edit, body: Body, slot: str) -> object:
    for each in _options(edit, body).get("columns", []):
        if isinstance(each, dict) and each["name"] == edit.name:
            found: object = each.get(slot)
            return found
    return _options(edit, body).get(slot)


def _labelled(edit: Edit, body: Body) -> bool:
    labels = _options(edit, body).get("labels", {})
    found = labels.get(edit.name) or _entry(edit, body, "label")
    return isinstance(found, dict) and edit.value in found.values()


def _listed(edit: Edit, body: Body, slot: str) -> bool:
    value = edit.value if isinstance(edit.value, dict) else {"function": edit.value}
    return {"column": edit.name, **value} in _options(edit, body).get(slot, [])


def _columns(edit: Edit, body: Body) -> bool:
    shown = _options(edit, body).get("columns", [])
    names = [each["name"] if isinstance(each, dict) else each for each in shown]
    return names == edit.value


def _y(edit: Edit, body: Body) -> bool:
    found = _options(edit, body).get("y")
    return edit.value == (found if isinstance(found, list) else [found])


def _option(name: str) -> Callable[[Edit, Body], bool]:
    return lambda edit, body: _options(edit, body).get(name) == edit.value


def _parameter(edit: Edit, body: Body) -> Mapping[str, Any]:
    found = (e for e in body.get("parameters", []) if e["name"] == edit.name)
    return next(found, {})


def _argument(edit: Edit, body: Body) -> object:
    arguments = _block(body, edit.block).get("source", {}).get("arguments", {})
    found: object = arguments.get(edit.name)
    return found


_HOLDS: Final[Mapping[Kind, Callable[[Edit, Body], bool]]] = {
    Kind.ADD_BLOCK: _added,
    Kind.REMOVE_BLOCK: lambda edit, body: edit.block not in _order(body),
    Kind.SET_TITLE: lambda edit, body: _titled(
        _block(body, edit.block).get("title"), edit
    ),
    Kind.SET_SCREEN_TITLE: lambda edit, body: _titled(body["title"], edit),
    Kind.MOVE_BLOCK: _moved,
    Kind.SWAP: lambda edit, body: {edit.block, edit.name} <= set(_order(body)),
    Kind.SET_WIDTH: lambda e, body: _block(body, e.block).get("width") == e.value,
    Kind.SET_HEIGHT: lambda e, body: _block(body, e.block).get("height") == e.value,
    Kind.SET_FORMAT: lambda edit, body: (
        _block(body, edit.block)["responses"][edit.response]["format"] == edit.value
    ),
    Kind.SET_COLUMNS: _columns,
    Kind.SET_LABEL: _labelled,
    Kind.SET_NUMBER_FORMAT: lambda e, body: _entry(e, body, "format") == e.value,
    Kind.SET_UNIT: lambda e, body: _entry(e, body, "unit") == e.value,
    Kind.SET_SORT: _option("sort"),
    Kind.SET_LIMIT: lambda edit, body: (
        edit.value
        in (_options(edit, body).get("limit"), _options(edit, body).get("page_size"))
    ),
    Kind.ADD_TOTAL: lambda edit, body: _listed(edit, body, "totals"),
    Kind.ADD_EMPHASIS: lambda edit, body: _listed(edit, body, "emphasis"),
    Kind.SET_CHART_TYPE: _option("type"),
    Kind.SET_CHART_X: _option("x"),
    Kind.SET_CHART_Y: _y,
    Kind.SET_CHART_SERIES: _option("series"),
    Kind.SET_STACK: _option("stack"),
    Kind.ADD_PARAMETER: lambda edit, body: bool(_parameter(edit, body)),
    Kind.REMOVE_PARAMETER: lambda edit, body: not _parameter(edit, body),
    Kind.SET_DEFAULT: lambda e, body: _parameter(e, body).get("default") == e.value,
    Kind.SET_ARGUMENT: lambda edit, body: _argument(edit, body) == edit.value,
    Kind.BIND_PARAMETER: lambda edit, body: (
        _argument(edit, body) == {"parameter": edit.value}
    ),
}

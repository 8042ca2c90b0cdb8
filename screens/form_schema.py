"""A form from a JSON Schema and the value that stands there. Pure.

What a form cannot express, such as a value of another type than the schema's or a list
too long for a page, becomes a field with its JSON, so that every part of a document has
a field and none is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from connectors.outcomes import Json
from renderers.schemas import gettext_noop
from screens.faults import pointer_to
from screens.form_nodes import Adder, Button, Field, Group, Node, Option
from screens.form_places import Place, Schema, label_of, resolved, types_of
from screens.form_values import (
    PARAMETER_MODE,
    Kind,
    Mode,
    are_lines,
    write,
)
from screens.pointers import ABSENT, Found, steps_of

LANGUAGES: Final = {"ko": gettext_noop("Korean"), "en": gettext_noop("English")}
_SCALARS: Final = {"null", "boolean", "integer", "number", "string"}
_MODES: Final = {
    Mode.TEXT: gettext_noop("text"),
    Mode.NUMBER: gettext_noop("number"),
    Mode.BOOLEAN: gettext_noop("true or false"),
    Mode.NULL: gettext_noop("null (nothing)"),
    Mode.LIST: gettext_noop("list, one on each line"),
    Mode.JSON: "JSON",
}
_NOTHING: Final = gettext_noop("– not given –")
_UNKNOWN: Final = gettext_noop("not known here:")
_PARAMETER: Final = gettext_noop("parameter of the screen:")


def node_of(place: Place) -> Node:
    """Make the form of one place, whatever stands there."""
    kinds = types_of(place.schema)
    for fits, make in _MAKERS:
        if fits(place, kinds):
            return make(place)
    return json_field(place)


def json_field(place: Place) -> Field:
    """Show a place as JSON, because no other field can express it."""
    return _field(place, Kind.JSON, inexpressible=True)


# --- Fields -----------------------------------------------------------------------
def _field(place: Place, kind: Kind, **more: Any) -> Field:
    return Field(
        pointer=place.pointer,
        kind=kind,
        value=place.value,
        shown=write(kind, place.value),
        label=place.label,
        name=place.name,
        help=str(place.schema.get("description", "")),
        required=place.required,
        buttons=place.buttons,
        **{"bounds": _bounds(place.schema), **more},
    )


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    return "" if low is None or high is None else f"{low:,} – {high:,}"


def _text(place: Place) -> Field:
    made = _field(place, Kind.TEXT)
    offered = place.around.options.get(steps_of(place.pointer)[-1])
    if offered is None or place.item:
        return made
    return replace(made, kind=Kind.CHOICE, options=_choices(place, offered))


def _choice(place: Place) -> Field:
    names = place.schema["enum"]
    offered = tuple(Option(name, name=name) for name in names)
    return _field(place, Kind.CHOICE, options=_choices(place, offered))


def _choices(place: Place, offered: tuple[Option, ...]) -> tuple[Option, ...]:
    """Offer nothing, what is known, and what stands there though it is unknown."""
    known = {option.value for option in offered}
    now = write(Kind.CHOICE, place.value).text
    unknown = () if now in known | {""} else (Option(now, _UNKNOWN, now),)
    return (Option("", _NOTHING), *offered, *unknown)


def _boolean(place: Place) -> Field:
    offered = (Option("true", gettext_noop("yes")), Option("false", gettext_noop("no")))
    return _field(place, Kind.BOOLEAN, options=_choices(place, offered))


def _number(place: Place) -> Field:
    return _field(place, Kind.NUMBER)


def _lines(place: Place) -> Field:
    return _field(place, Kind.LINES)


def _scalar(place: Place) -> Field:
    kinds = types_of(place.schema)
    modes = [Mode.TEXT] if "string" in kinds else []
    modes += [Mode.NUMBER] if kinds & {"number", "integer"} else []
    modes += [Mode.BOOLEAN] if "boolean" in kinds else []
    modes += [Mode.NULL] if "null" in kinds else []
    modes += [Mode.LIST, Mode.JSON] if "array" in kinds else []
    shown = write(Kind.SCALAR, place.value)
    if shown.mode == Mode.JSON and Mode.JSON not in modes:
        modes.append(Mode.JSON)
    parameters = place.around.parameters if "object" in kinds else ()
    options = [Option(Mode.NOTHING, _NOTHING)]
    options += [Option(mode, _MODES[mode]) for mode in modes]
    options += [Option(PARAMETER_MODE + name, _PARAMETER, name) for name in parameters]
    if shown.mode not in {option.value for option in options}:
        name = shown.mode.removeprefix(PARAMETER_MODE)
        options.append(Option(shown.mode, _UNKNOWN, name))
    return _field(place, Kind.SCALAR, options=tuple(options))


# --- Groups -----------------------------------------------------------------------
def _group(place: Place, nodes: list[Node], **more: Any) -> Group:
    return Group(
        pointer=place.pointer,
        nodes=tuple(nodes),
        label=place.label,
        name=place.name,
        help=str(place.schema.get("description", "")),
        buttons=place.buttons,
        **more,
    )


def _words(place: Place) -> Node:
    if isinstance(place.value, str):
        split = Button("split", place.pointer)
        return replace(_field(place, Kind.TEXT), buttons=(*place.buttons, split))
    fields: list[Node] = [
        replace(
            _field(place.inside(language, {"type": "string"}, label=label), Kind.TEXT),
            prune=not place.required,
        )
        for language, label in LANGUAGES.items()
    ]
    return _group(place, fields)


def _object(place: Place) -> Node:
    properties = place.schema["properties"]
    wanted = place.schema.get("required", ())
    nodes = [
        node_of(
            place.inside(
                name, each, label=label_of(name, each), required=name in wanted
            )
        )
        for name, each in properties.items()
    ]
    return _group(place, [*nodes, *unknown_fields(place, properties)])


def unknown_fields(place: Place, known: Mapping[str, Any]) -> list[Node]:
    """Show as JSON what the schema does not know, with a way to remove it."""
    value = place.value if isinstance(place.value, dict) else {}
    return [
        json_field(
            place.inside(
                name,
                {},
                name=name,
                buttons=(Button("remove", place.pointer + pointer_to((name,))),),
            )
        )
        for name in value
        if name not in known
    ]


def _list(place: Place) -> Node:
    items: Any = [] if place.value is ABSENT else place.value
    nodes: list[Node] = []
    for index in range(len(items)):
        inner = place.inside(
            index,
            place.schema["items"],
            name=str(index + 1),
            item=True,
            buttons=_order_buttons(place.pointer, index, len(items)),
        )
        label = label_of("", inner.schema)
        nodes.append(node_of(replace(inner, label=label)))
    return _group(
        place, nodes, adder=Adder(place.pointer, blank_of(place.schema["items"]))
    )


def _order_buttons(pointer: str, index: int, count: int) -> tuple[Button, ...]:
    here = f"{pointer}/{index}"
    verbs = ["up"] if index else []
    verbs += ["down"] if index < count - 1 else []
    return tuple(Button(verb, here) for verb in [*verbs, "remove"])


def _map(place: Place) -> Node:
    entries: Any = {} if place.value is ABSENT else place.value
    nodes = [
        node_of(
            place.inside(
                name,
                place.schema["additionalProperties"],
                name=name,
                buttons=(Button("remove", place.pointer + pointer_to((name,))),),
            )
        )
        for name in entries
    ]
    known = place.around.known.get(place.pointer, ())
    likely = tuple(name for name in known if name not in entries)
    blank = blank_of(place.schema["additionalProperties"])
    adder = Adder(place.pointer, blank, named=True, known=likely)
    return _group(place, nodes, adder=adder)


def blank_of(schema: Schema) -> Json:
    """Return what a new entry of this schema begins as."""
    described = resolved(schema)
    if "format" in described.get("properties", {}) and "allOf" in described:
        return {"format": "table"}
    is_text = "string" in types_of(described) and not _names_languages(described)
    return "" if is_text else {}


def _presentation(place: Place) -> Node:
    """Show the format of a response, and the options that this format has."""
    properties = place.schema["properties"]
    form = place.inside(
        "format", properties["format"], label=label_of("", properties["format"]),
        required=True,
    )  # fmt: skip
    options = place.inside(
        "options", properties["options"], label=label_of("", properties["options"])
    )
    chosen = form.value if isinstance(form.value, str) else ""
    if chosen in properties["format"]["enum"]:
        described = resolved({"$ref": f"#/$defs/{chosen}"})
        unfit = _unfit(options.value, described)
        fit = (Button("fit", options.pointer),) if unfit else ()
        options = replace(options, schema=described, buttons=fit)
    nodes = [node_of(form), node_of(options), *unknown_fields(place, properties)]
    return _group(place, nodes)


def _unfit(options: Found, schema: Schema) -> bool:
    return isinstance(options, dict) and not options.keys() <= set(schema["properties"])


def _column(place: Place) -> Node:
    """Show an item that is a name, or an object with more to say."""
    if isinstance(place.value, str):
        expand = Button("expand", place.pointer)
        return replace(_field(place, Kind.TEXT), buttons=(*place.buttons, expand))
    return _object(place)


# --- Which maker fits -------------------------------------------------------------
def _is_words(place: Place, kinds: frozenset[str]) -> bool:
    schema, value = place.schema, place.value
    if not _names_languages(schema):
        return False
    if isinstance(value, dict):
        return all(
            name in LANGUAGES and isinstance(text, str) for name, text in value.items()
        )
    return value is ABSENT or (isinstance(value, str) and "string" in kinds)


def _names_languages(schema: Schema) -> bool:
    names = set(schema.get("properties", ()))
    names |= set(schema.get("propertyNames", {}).get("enum", ()))
    return names == set(LANGUAGES)


def _is_scalar(place: Place, kinds: frozenset[str]) -> bool:
    if "object" in kinds and place.schema.get("required") != ["parameter"]:
        return False
    mixed = len(kinds & _SCALARS) > 1
    return mixed and (place.value is not ABSENT or not place.item)


def _fits(*types: type) -> Callable[[Found], bool]:
    def fits(value: Found) -> bool:
        boolean = isinstance(value, bool)
        return value is ABSENT or (
            isinstance(value, types) and (not boolean or bool in types)
        )

    return fits


_is_text: Final = _fits(str)
_is_number: Final = _fits(int, float, str)
_is_boolean: Final = _fits(bool, str)


def _short(place: Place, value: Json | Found) -> bool:
    return not isinstance(value, list | dict) or len(value) <= place.around.longest


def _is_list_of_texts(place: Place, kinds: frozenset[str]) -> bool:
    if "array" not in kinds or types_of(place.schema.get("items", {})) != {"string"}:
        return False
    value = place.value
    if isinstance(value, str):
        # One text stands for a list of one, where the schema allows it.
        return "string" in kinds and are_lines([value])
    return value is ABSENT or are_lines(value)


_Fits: TypeAlias = Callable[[Place, frozenset[str]], bool]
_MAKERS: Final[tuple[tuple[_Fits, Callable[[Place], Node]], ...]] = (
    (_is_words, _words),
    (
        lambda p, kinds: kinds == {"string"} and "enum" in p.schema
        and _is_text(p.value),
        _choice,
    ),
    (lambda p, kinds: kinds == {"string"} and _is_text(p.value), _text),
    (_is_list_of_texts, _lines),
    (_is_scalar, _scalar),
    (
        lambda p, kinds: kinds in ({"integer"}, {"number"}) and _is_number(p.value),
        _number,
    ),
    (lambda p, kinds: kinds == {"boolean"} and _is_boolean(p.value), _boolean),
    (
        lambda p, kinds: kinds == {"string", "object"} and "properties" in p.schema
        and isinstance(p.value, str | dict),
        _column,
    ),
    (
        lambda p, kinds: kinds == {"array"} and _fits(list)(p.value)
        and _short(p, p.value),
        _list,
    ),
    (
        lambda p, kinds: kinds == {"object"} and _fits(dict)(p.value)
        and "allOf" in p.schema,
        _presentation,
    ),
    (
        lambda p, kinds: kinds == {"object"} and _fits(dict)(p.value)
        and "properties" in p.schema,
        _object,
    ),
    (
        lambda p, kinds: kinds == {"object"} and _fits(dict)(p.value)
        and isinstance(p.schema.get("additionalProperties"), Mapping)
        and _short(p, p.value),
        _map,
    ),
)  # fmt: skip

"""What a clause can ask of blocks and of the screen. Pure.

Each intent looks at a reading and returns a plan, a question, a refusal, or None when
it is not meant. The grammar takes the first plan that leaves nothing over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from connectors.outcomes import Json
from copilot.edits import Edit, Kind
from copilot.proposals import Choice
from copilot.reading import Ask, No, Outcome, Reading
from copilot.vocabulary import CHARTS
from renderers.presentation import Format

Intent = Callable[[Reading], Outcome | None]

_OUT_OF_REACH: Final = (
    "refresh",
    "publish",
    "export",
    "send",
    "access",
    "look",
    "data",
)
_WIDTHS: Final = {"full": 12, "half": 6, "third": 4, "quarter": 3}


def one_block(reading: Reading) -> str | Ask | No:
    """Return the one block that is meant, or what to say instead."""
    found = reading.blocks()
    if isinstance(found, Ask):
        return found
    if found is None:
        if reading.rest or reading.quoted:
            named = " ".join([*reading.rest, *reading.quoted])
            return No("unknown-block", {"name": named})
        return Ask("no-block")
    if len(set(found)) > 1:
        return Ask("one-block")
    return found[0]


def for_block(reading: Reading, make: Callable[[str], Sequence[Edit]]) -> Outcome:
    """Plan edits of the block that is meant; ask for each when it may be several."""
    block = one_block(reading)
    if isinstance(block, Ask) and block.rule == "which-block":
        ids = block.words["ids"].split("\n")
        choices = tuple(Choice(tuple(make(each))) for each in ids)
        return Ask("which-block", {"name": block.words["name"]}, choices)
    if isinstance(block, Ask | No):
        return block
    return reading.plan(*make(block))


# --- Out of reach ------------------------------------------------------------------
def out_of_reach(reading: Reading) -> Outcome | None:
    for meaning in _OUT_OF_REACH:
        if reading.has(meaning):
            return No(f"cannot-{meaning}")
    return None


# --- Places ------------------------------------------------------------------------
def swap(reading: Reading) -> Outcome | None:
    if not reading.has("swap"):
        return None
    found = reading.blocks()
    if isinstance(found, Ask):
        return Ask("which-block", {"name": found.words["name"]})
    if found is None or len(found) != 2:
        return Ask("two-blocks")
    return reading.plan(Edit(Kind.SWAP, found[0], name=found[1]))


def move(reading: Reading) -> Outcome | None:
    meant = reading.has("move")
    end = reading.one_of({"tostart": "first", "toend": "last"})
    side = reading.one_of({"before": "before", "after": "after"})
    if side is None and not reading.numbers:
        side = reading.one_of({"above": "before", "below": "after"})
    if not meant and end is None and side is None:
        return None
    found = reading.blocks()
    if isinstance(found, Ask):
        return Ask("which-block", {"name": found.words["name"]})
    if found is None:
        block = one_block(reading)
        return block if isinstance(block, Ask | No) else None
    if side is not None and len(found) == 2:
        edit = Edit(Kind.MOVE_BLOCK, found[0], name=found[1], value=side)
        return reading.plan(edit)
    if end is not None and len(found) == 1:
        return reading.plan(Edit(Kind.MOVE_BLOCK, found[0], value=end))
    if not meant or len(found) != 1:
        return None
    choices = [Choice((Edit(Kind.MOVE_BLOCK, found[0], value=v),)) for v in _ENDS]
    return Ask("where-to", choices=tuple(choices))


_ENDS: Final = ("first", "last")


# --- Sizes -------------------------------------------------------------------------
def resize(reading: Reading) -> Outcome | None:
    share = reading.one_of(_WIDTHS)
    width, height = reading.has("width"), reading.has("height")
    by_word = reading.has("resize")
    if share is None and not (width or height or by_word):
        return None
    kind = Kind.SET_HEIGHT if height and not width else Kind.SET_WIDTH
    size = share if share is not None else reading.whole()
    if size is None:
        return for_question(reading, "which-size", kind, (3, 4, 6, 8, 12))
    if not 1 <= size <= 12:
        return No("size-limits", {"found": str(size)})
    wanted = int(size)
    return for_block(reading, lambda block: [Edit(kind, block, value=wanted)])


def for_question(
    reading: Reading, rule: str, kind: Kind, values: Sequence[Json]
) -> Outcome:
    """Ask for a value of one block's edit, with a choice for each."""
    block = one_block(reading)
    if isinstance(block, Ask | No):
        return block
    return Ask(
        rule, choices=tuple(Choice((Edit(kind, block, value=v),)) for v in values)
    )


# --- Blocks come and go --------------------------------------------------------------
def remove(reading: Reading) -> Outcome | None:
    if not reading.has("remove"):
        return None
    found = reading.blocks()
    if isinstance(found, list) and len(found) > 1:
        return reading.plan(*(Edit(Kind.REMOVE_BLOCK, each) for each in found))
    return for_block(reading, lambda block: [Edit(Kind.REMOVE_BLOCK, block)])


def add(reading: Reading) -> Outcome | None:
    if not reading.has("add") and not _names_what_is_not_there(reading):
        return None
    chart = reading.one_of({name: name for name in CHARTS})
    form = Format.CHART.value if chart else reading.form(anywhere=True)
    reading.used_formats = reading.used_formats or chart is not None
    found = reading.of_role("operation")
    if len(found) != 1:
        if reading.rest or reading.quoted:
            named = " ".join([*reading.rest, *reading.quoted])
            return No("unknown-operation", {"name": named})
        return Ask("which-operation")
    operation = found[0].id
    if form is None:
        forms = [each.value for each in Format if each is not Format.TEXT]
        choices = (Choice((added(reading, operation, each),)) for each in forms)
        return Ask("which-format", choices=tuple(choices))
    return reading.plan(added(reading, operation, form, chart))


def _names_what_is_not_there(reading: Reading) -> bool:
    """Say whether an operation and a look are named, and no block to change."""
    operation = any(span.of_role("operation") for span in reading.spans)
    block = any(span.of_role("block") for span in reading.spans) or reading.context
    look = reading.formats or reading.meanings.intersection(CHARTS)
    others = reading.meanings - {*CHARTS}
    becomes = "become" in reading.weak
    return bool(operation and look and not (block or others or becomes))


def added(
    reading: Reading, operation: str, form: str, chart: str | None = None
) -> Edit:
    """Write the edit that adds a block for an operation, with an id nobody has."""
    taken = {each["id"] for each in reading.subject.blocks}
    value: dict[str, Json] = {"operation": operation, "format": form}
    if chart:
        value["chart_type"] = chart
    return Edit(Kind.ADD_BLOCK, free_id(operation, taken), value=value)


def free_id(operation: str, taken: set[str]) -> str:
    """Return an id for a new block: that of its operation, numbered when taken."""
    stem = operation.replace("_", "-")[:36]
    stem = stem if stem[:1].isalpha() else f"b-{stem}"[:36]
    return next(name for name in _numbered(stem) if name not in taken)


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1


_PARAMETER_NAME: Final = re.compile(
    r"(?:parameter|param|파라미터)\s+(?:called\s+|named\s+)?([a-z][a-z0-9_]*)"
    r"|\b([a-z][a-z0-9_]*)\s*파라미터",
    re.IGNORECASE,
)


# --- Parameters ----------------------------------------------------------------------
def parameter(reading: Reading) -> Outcome | None:
    if reading.has("default") and "add" not in reading.meanings:
        return _default(reading)
    if not reading.has("parameter"):
        return None
    if reading.has("bind"):
        return _bind(reading)
    if reading.has("remove"):
        found = reading.of_role("parameter")
        if len(found) != 1:
            return _unknown(reading, "parameter")
        return reading.plan(Edit(Kind.REMOVE_PARAMETER, name=found[0].id))
    if reading.has("add"):
        return _add_parameter(reading)
    return None


def _unknown(reading: Reading, what: str) -> Outcome:
    if reading.rest:
        return No(f"unknown-{what}", {"name": " ".join(reading.rest)})
    return Ask(f"which-{what}")


def _default(reading: Reading) -> Outcome | None:
    values = reading.of_role("value")
    found = list(reading.of_role("parameter"))
    reading.has("parameter")
    if len(found) != 1:
        return _unknown(reading, "parameter")
    number, quote = reading.number(), reading.quote()
    value: Json
    if len(values) == 1 and values[0].of == found[0].id:
        value = values[0].id
    elif quote is not None:
        value = quote
    elif number is not None:
        value = int(number) if number == int(number) else number
    else:
        return Ask("which-default", {"name": found[0].id})
    return reading.plan(Edit(Kind.SET_DEFAULT, name=found[0].id, value=value))


def _bind(reading: Reading) -> Outcome | None:
    block = one_block(reading)
    if isinstance(block, Ask | No):
        return block
    arguments = _argument_names(reading, block)
    if not arguments:
        return Ask("which-argument")
    named = [each.id for each in reading.of_role("parameter")] or arguments
    # "bind region" names both, when they are called the same.
    if len(named) != 1:
        return Ask("which-parameter")
    edit = Edit(Kind.BIND_PARAMETER, block, name=arguments[0], value=named[0])
    return reading.plan(edit)


def _argument_names(reading: Reading, block: str) -> list[str]:
    """Return the argument meant: the one that is no parameter, when both are named."""
    named = [
        (index, each)
        for index, span in enumerate(reading.spans)
        for each in span.of_role("argument")
        if each.of == block and index not in reading.used_spans
    ]
    parameters = {each["name"] for each in reading.subject.parameters}
    own = [pair for pair in named if pair[1].id not in parameters] or named[:1]
    for index, _each in own[:1]:
        reading.used_spans.add(index)
    return [each.id for _index, each in own[:1]]


def _add_parameter(reading: Reading) -> Outcome | None:
    kind = reading.one_of({"numeric": "integer", "dated": "date"}) or "text"
    beside = _PARAMETER_NAME.search(reading.masked)
    names = [word for word in reading.rest if word.isascii() and word.isidentifier()]
    if beside is not None and (name := beside[1] or beside[2]) not in names:
        names = [*names, name]
        reading.used.add(name.lower())  # "limit" is a name here, and no limit
    taken = [each.id for each in reading.of_role("parameter")]
    if taken and not names:
        return No("taken-parameter", {"name": taken[0]})
    if len(names) != 1:
        return Ask("parameter-name")
    reading.used_rest.add(names[0])
    value: dict[str, Json] = {"type": kind}
    if reading.has("default"):
        number = reading.number()
        found = reading.quote() if number is None else number
        if found is None:
            return Ask("which-default", {"name": names[0]})
        if kind == "integer" and number is not None and number != int(number):
            return Ask("which-default", {"name": names[0]})
        whole = number is not None and number == int(number)
        value["default"] = int(number or 0) if whole else found
        if kind == "text":
            value["default"] = str(value["default"])
    return reading.plan(Edit(Kind.ADD_PARAMETER, name=names[0].lower(), value=value))


# --- Filters, as far as an operation has an argument for them ------------------------
def narrow(reading: Reading) -> Outcome | None:
    """Fix an argument of one block; rows cannot be filtered by a document."""
    if "default" in reading.meanings or "parameter" in reading.meanings:
        return None
    row_filter = reading.has("rowfilter")
    values = reading.of_role("value")
    meant = reading.has("only", "fix", "keep", "limit")
    if not values:
        compared = reading.meanings & {"atleast", "atmost", "above", "below"}
        marked = reading.meanings & {"emphasis", "red", "yellow", "green"}
        if row_filter or (compared and reading.numbers and not marked):
            return No("cannot-filter")
        return None
    if not (meant or row_filter):
        return None
    block = one_block(reading)
    if isinstance(block, Ask | No):
        return block
    operation = reading.subject.operation_of(reading.subject.block(block) or {})
    taken = {each.name for each in operation.parameters} if operation else set()
    if len(values) != 1 or values[0].of not in taken:
        return No("cannot-filter")
    for index, span in enumerate(reading.spans):
        roles = {(each.role, each.id) for each in span.referents}
        same = {("argument", values[0].of), ("parameter", values[0].of)}
        if roles & same:
            reading.used_spans.add(index)
    edit = Edit(Kind.SET_ARGUMENT, block, name=values[0].of, value=values[0].id)
    return reading.plan(edit)


def rename_without_name(reading: Reading) -> Outcome | None:
    if not reading.has("rename"):
        return None
    if "screen" in reading.weak and not any(s.of_role("block") for s in reading.spans):
        return Ask("new-name")
    block = one_block(reading)
    return block if isinstance(block, Ask | No) else Ask("new-name")

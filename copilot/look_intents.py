"""What a clause can ask of how one response of a block looks. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from connectors.outcomes import Json
from copilot.drafts import ROWS
from copilot.edits import Edit, Kind
from copilot.intents import for_block, one_block
from copilot.proposals import Choice
from copilot.reading import Ask, No, Outcome, Reading
from copilot.subject import shown_columns
from copilot.vocabulary import CHARTS
from renderers.presentation import Format

Make = Callable[[str, str], Sequence[Edit]]
"""Edits for a block and one of its responses."""


def for_look(reading: Reading, make: Make, *, block: str | None = None) -> Outcome:
    """Plan edits of the one response there is; ask which when there are several."""
    if block is None:
        found = one_block(reading)
        if isinstance(found, Ask) and found.rule == "which-block":
            return for_block(reading, lambda each: _for_first(reading, each, make))
        if isinstance(found, Ask | No):
            return found
        block = found
    responses = _responses(reading, block)
    if len(responses) == 1:
        return reading.plan(*make(block, responses[0]))
    choices = tuple(Choice(tuple(make(block, each))) for each in responses)
    return Ask("which-response", choices=choices)


def _for_first(reading: Reading, block: str, make: Make) -> Sequence[Edit]:
    return make(block, _responses(reading, block)[0])


def _responses(reading: Reading, block: str) -> list[str]:
    found = reading.subject.block(block)
    return list(found["responses"]) if found else ["default"]


def look_of(reading: Reading, block: str) -> dict[str, Any]:
    """Return the first response of a block, with its format and options."""
    found = reading.subject.block(block)
    look = next(iter(found["responses"].values())) if found else {}
    return {"format": "", "options": {}, **look}


def block_of_columns(reading: Reading) -> str | Ask | No:
    """Return the block that is named, or the only one with the columns named."""
    found = one_block(reading)
    if not isinstance(found, Ask) or found.rule != "no-block":
        return found
    homes = [
        {each.of for each in span.of_role("column")}
        for span in reading.spans
        if span.of_role("column")
    ]
    common = set.intersection(*homes) if homes else set()
    if len(common) == 1:
        return common.pop()
    if len(common) > 1:
        return Ask("which-block-of-column", {"ids": "\n".join(sorted(common))})
    return found


def with_columns(
    reading: Reading, make: Callable[[str, list[str]], Outcome]
) -> Outcome:
    """Find the block and the columns named in it, then plan; ask for what lacks."""
    block = block_of_columns(reading)
    if isinstance(block, Ask) and block.rule == "which-block-of-column":
        return _each_home(reading, block.words["ids"].split("\n"), make)
    if isinstance(block, Ask | No):
        return block
    columns = [each.id for each in reading.of_role("column", of=block)]
    if not columns:
        if reading.rest:
            return No("unknown-column", {"name": " ".join(reading.rest)})
        return Ask("which-column")
    return make(block, columns)


def _each_home(
    reading: Reading, homes: list[str], make: Callable[[str, list[str]], Outcome]
) -> Outcome:
    """Ask which block is meant, with a choice for every one that can do it."""
    choices = []
    for home in homes:
        reading.used_spans.clear()
        reading.used_numbers.clear()
        columns = [each.id for each in reading.of_role("column", of=home)]
        made = make(home, columns)
        edits = getattr(made, "edits", None)
        if edits:
            choices.append(Choice(edits))
    return Ask("which-block", {"name": ""}, tuple(choices))


# --- Formats and charts --------------------------------------------------------------
def chart_type(reading: Reading) -> Outcome | None:
    chart = reading.one_of({name: name for name in CHARTS})
    if chart is None or "add" in reading.meanings:
        return None
    reading.used_formats = True

    def make(block: str, response: str) -> list[Edit]:
        found = reading.subject.block(block) or {"responses": {}}
        drawn = found["responses"].get(response, {}).get("format") == Format.CHART
        first = Edit(Kind.SET_FORMAT, block, response, value=Format.CHART.value)
        kind = Edit(Kind.SET_CHART_TYPE, block, response, value=chart)
        return [kind] if drawn else [first, kind]

    return for_look(reading, make)


def new_format(reading: Reading) -> Outcome | None:
    form = reading.form()
    if form is None or "add" in reading.meanings:
        return None
    return for_look(
        reading,
        lambda block, response: [Edit(Kind.SET_FORMAT, block, response, value=form)],
    )


def axis(reading: Reading) -> Outcome | None:
    kind = reading.one_of({"xaxis": Kind.SET_CHART_X, "yaxis": Kind.SET_CHART_Y})
    if kind is None and reading.has("split"):
        kind = Kind.SET_CHART_SERIES
    if kind is None:
        return None

    def make(block: str, columns: list[str]) -> Outcome:
        if len(columns) > 1 and kind is not Kind.SET_CHART_Y:
            return Ask("which-column")
        value: Json = list(columns) if kind is Kind.SET_CHART_Y else columns[0]
        return _needs(
            reading, block, (Format.CHART.value,),
            lambda b, r: [Edit(kind, b, r, value=value)],
        )  # fmt: skip

    return with_columns(reading, make)


def stack(reading: Reading) -> Outcome | None:
    how = reading.one_of({"percentstack": "percent", "stack": "stacked"})
    if how is None:
        return None
    return for_look(
        reading,
        lambda block, response: [Edit(Kind.SET_STACK, block, response, value=how)],
    )


def _needs(reading: Reading, block: str, forms: tuple[str, ...], make: Make) -> Outcome:
    form = look_of(reading, block)["format"]
    if form not in forms:
        return No("wrong-format", {"found": form})
    return for_look(reading, make, block=block)


# --- Rows and columns ----------------------------------------------------------------
def sort(reading: Reading) -> Outcome | None:
    named = reading.has("sort")
    rank = reading.one_of({"toprank": True, "bottomrank": False})
    down = reading.one_of({"descending": True, "ascending": False})
    if not named and rank is None and down is None:
        return None
    reading.has("tostart") if down is not None else None
    limit = reading.whole() if rank is not None else None
    reading.has("rows", "only") if limit is not None else None
    if rank is not None and down is None:
        down = rank

    def make(block: str, columns: list[str]) -> Outcome:
        if look_of(reading, block)["format"] not in ROWS:
            return No("wrong-format", {"found": look_of(reading, block)["format"]})
        if down is None:
            choices = (Choice(tuple(_sorted(block, columns, d, None))) for d in _BOTH)
            return Ask("which-order", choices=tuple(choices))
        form = look_of(reading, block)["format"]
        if limit is not None and form != Format.TABLE:
            return No("grid-has-pages")
        return for_look(
            reading, lambda b, r: _sorted(b, columns, down, limit, r), block=block
        )

    return with_columns(reading, make)


_BOTH: Final = (True, False)


def _sorted(
    block: str,
    columns: Sequence[str],
    down: bool,
    limit: int | None,
    response: str = "default",
) -> list[Edit]:
    keys: Json = [{"column": each, "descending": down} for each in columns]
    edits = [Edit(Kind.SET_SORT, block, response, value=keys)]
    if limit is not None:
        edits.append(Edit(Kind.SET_LIMIT, block, response, value=limit))
    return edits


def limit(reading: Reading) -> Outcome | None:
    paged = reading.has("perpage")
    meant = reading.has("limit", "rows")
    if not (paged or meant) or reading.meanings & {"toprank", "bottomrank"}:
        return None
    reading.has("only", "keep")
    count = reading.whole()
    if count is None:
        return Ask("how-many")
    if count < 1:
        return No("at-least-one")

    def make(block: str, response: str) -> list[Edit]:
        return [Edit(Kind.SET_LIMIT, block, response, value=count)]

    block = one_block(reading)
    if isinstance(block, str):
        form = look_of(reading, block)["format"]
        if form not in ROWS:
            return No("wrong-format", {"found": form})
        if paged != (form == Format.GRID):
            table = Edit(Kind.SET_FORMAT, block, "default", value=Format.TABLE.value)
            grid = Edit(Kind.SET_FORMAT, block, "default", value=Format.GRID.value)
            other = table if form == Format.GRID else grid
            own = tuple(make(block, "default"))
            return Ask("limit-or-page", choices=(Choice(own), Choice((other, *own))))
    return for_look(reading, make)


def columns(reading: Reading) -> Outcome | None:
    """Show only some columns, hide some, or show more."""
    named = any(span.of_role("column") for span in reading.spans)
    meant = "column" in reading.weak
    if not named and not meant:
        return None
    if reading.meanings & {"rename", "sum", "avg", "max", "min"}:
        return None
    if "block" in reading.weak and not meant and "only" not in reading.meanings:
        return None  # a block is what comes or goes
    how = reading.one_of({"only": "only", "keep": "only", "hide": "hide"})
    how = how or reading.one_of({"remove": "hide", "add": "add"})
    reading.has("keep", "only") if how == "only" else None
    if how is None:
        return None

    def make(block: str, chosen: list[str]) -> Outcome:
        if look_of(reading, block)["format"] == Format.CHART:
            return No("wrong-format", {"found": Format.CHART.value})
        names = _columns_after(reading, block, chosen, how)
        if isinstance(names, No):
            return names
        value: Json = list(names)
        return for_look(
            reading,
            lambda b, r: [Edit(Kind.SET_COLUMNS, b, r, value=value)],
            block=block,
        )

    return with_columns(reading, make)


def _columns_after(
    reading: Reading, block: str, chosen: list[str], how: str
) -> list[str] | No:
    look, found = look_of(reading, block), reading.subject.block(block)
    known = (
        reading.subject.columns_of(found, _responses(reading, block)[0])
        if found
        else ()
    )
    shown = shown_columns(look["options"]) or [each.name for each in known]
    if how == "only":
        return chosen
    if how == "hide":
        kept = [each for each in shown if each not in chosen]
        return kept or No("last-column")
    return [*shown, *(each for each in chosen if each not in shown)]


# --- Figures -------------------------------------------------------------------------
def total(reading: Reading) -> Outcome | None:
    function = reading.one_of({name: name for name in ("sum", "avg", "max", "min")})
    if function is None:
        return None
    reading.has("add")

    def make(block: str, chosen: list[str]) -> Outcome:
        return _needs(
            reading, block, ROWS,
            lambda b, r: [
                Edit(Kind.ADD_TOTAL, b, r, name=each, value=function) for each in chosen
            ],
        )  # fmt: skip

    return with_columns(reading, make)


def written(reading: Reading) -> Outcome | None:
    """Change how numbers of a column are written."""
    decimals = reading.has("decimals")
    percent = reading.has("percent")
    money = reading.one_of({"won": "KRW", "dollars": "USD"})
    if not (decimals or percent or money):
        return None
    places = reading.whole() if decimals else 0
    if places is None:
        return Ask("how-many-decimals")
    pattern = money or (
        ("0." + "0" * places if places else "0") + ("%" if percent else "")
    )

    def make(block: str, chosen: list[str]) -> Outcome:
        return for_look(
            reading,
            lambda b, r: [
                Edit(Kind.SET_NUMBER_FORMAT, b, r, name=each, value=pattern)
                for each in chosen
            ],
            block=block,
        )

    return with_columns(reading, make)


def unit(reading: Reading) -> Outcome | None:
    if not reading.has("unit"):
        return None
    text = reading.quote()
    if text is None:
        return Ask("which-unit")
    return with_columns(
        reading,
        lambda block, chosen: for_look(
            reading,
            lambda b, r: [
                Edit(Kind.SET_UNIT, b, r, name=each, value=text) for each in chosen
            ],
            block=block,
        ),
    )


_OPERATORS: Final = {"atleast": ">=", "atmost": "<=", "above": ">", "below": "<"}
_TONES: Final = {"red": "bad", "yellow": "warn", "green": "good"}


def emphasis(reading: Reading) -> Outcome | None:
    marked = reading.has("emphasis")
    tone = reading.one_of(_TONES)
    if not marked and tone is None:
        return None
    operator = reading.one_of(_OPERATORS)
    number = reading.number()
    if operator is None or number is None:
        return Ask("when-to-mark")
    bound = int(number) if number == int(number) else number
    value: Json = {"operator": operator, "value": bound, "tone": tone or "warn"}

    def make(block: str, chosen: list[str]) -> Outcome:
        return _needs(
            reading, block, ROWS,
            lambda b, r: [
                Edit(Kind.ADD_EMPHASIS, b, r, name=each, value=value) for each in chosen
            ],
        )  # fmt: skip

    return with_columns(reading, make)

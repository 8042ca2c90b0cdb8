"""The words of the copilot's rules, edits and gates, in the active language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from copilot.edits import Edit, Kind
from copilot.proposals import GateResult, Words
from copilot.subject import Subject, in_language
from screens.document import DocumentError
from screens.messages import with_words

_QUESTIONS: Final[dict[str, Promise]] = {
    "which-block": gettext_lazy("Which block do you mean?"),
    "no-block": gettext_lazy("Which block? Write the title of one."),
    "one-block": gettext_lazy("Write one wish for each block, joined with “and”."),
    "two-blocks": gettext_lazy("Which two blocks should change places?"),
    "where-to": gettext_lazy("Where should the block go?"),
    "which-size": gettext_lazy("Which size, of the twelve columns of the page?"),
    "which-operation": gettext_lazy("Which operation should the new block show?"),
    "which-format": gettext_lazy("How should the new block look?"),
    "which-parameter": gettext_lazy("Which parameter do you mean?"),
    "which-argument": gettext_lazy("Which argument of the block do you mean?"),
    "which-default": gettext_lazy("Which default should the parameter have?"),
    "parameter-name": gettext_lazy(
        "Which name should the parameter have? Small letters, digits and underscores, "
        "such as from_day."
    ),
    "which-column": gettext_lazy("Which column do you mean?"),
    "which-response": gettext_lazy(
        "The block has several responses. Which one should look different?"
    ),
    "which-order": gettext_lazy("Smallest first, or largest first?"),
    "how-many": gettext_lazy("How many rows?"),
    "how-many-decimals": gettext_lazy("How many decimals?"),
    "which-unit": gettext_lazy("Which unit? Put it in quotes, such as 'km'."),
    "when-to-mark": gettext_lazy(
        "When should a value be marked? Name a limit, such as “5 or more”."
    ),
    "limit-or-page": gettext_lazy(
        "A table has a limit of rows, a grid has pages. Which one do you mean?"
    ),
    "new-name": gettext_lazy("What should the new name be? Put it in quotes."),
    "half-understood": gettext_lazy(
        "I understood only a part; “%(left)s” is left over. Should I do this part?"
    ),
    "not-understood": gettext_lazy(
        "I did not understand this. Name the block and what should change."
    ),
    "model-asks": gettext_lazy(
        "The model needs to know more. Name the block, and what it should become."
    ),
}
_REFUSALS: Final[dict[str, Promise]] = {
    "empty": gettext_lazy("Nothing was asked. Write what should change."),
    "too-long": gettext_lazy(
        "The instruction has %(found)s characters; %(limit)s are read. Shorten it."
    ),
    "too-many": gettext_lazy("That is more than %(limit)s changes at once. Split it."),
    "not-an-edit": gettext_lazy(
        "This is no change of this screen. The copilot adds, removes, renames, moves "
        "and resizes blocks, and changes how they look."
    ),
    "cannot-refresh": gettext_lazy(
        "A document cannot say that a block refreshes by itself, so the copilot "
        "cannot do it. Readers get fresh data whenever they open the page."
    ),
    "cannot-filter": gettext_lazy(
        "A document cannot filter rows by their values, only fix an argument that "
        "the operation takes. Ask for an operation with such a parameter."
    ),
    "cannot-publish": gettext_lazy(
        "The copilot only saves drafts. Publish the draft in the editor."
    ),
    "cannot-export": gettext_lazy(
        "The copilot exports nothing. Readers find CSV at tables and grids."
    ),
    "cannot-send": gettext_lazy("The copilot sends nothing to anybody."),
    "cannot-access": gettext_lazy(
        "The copilot changes no permissions. Staff do that at the menu or operation."
    ),
    "cannot-look": gettext_lazy(
        "Colours and fonts are the portal's own; a document cannot change them."
    ),
    "cannot-data": gettext_lazy("The copilot changes a document and never data."),
    "unknown-block": gettext_lazy("This screen has no block “%(name)s”."),
    "unknown-operation": gettext_lazy(
        "There is no operation “%(name)s” that you may use in screens."
    ),
    "unknown-table": gettext_lazy(
        "There is no decision table “%(name)s” that you may use in screens."
    ),
    "unknown-argument": gettext_lazy("The operation takes no argument “%(name)s”."),
    "missing-argument": gettext_lazy(
        "The operation needs the argument “%(name)s”. Add a parameter of this name "
        "first."
    ),
    "unknown-parameter": gettext_lazy("This screen has no parameter “%(name)s”."),
    "unknown-column": gettext_lazy("The block has no column “%(name)s”."),
    "unknown-columns": gettext_lazy(
        "The columns of this block are not known: its operation declares none."
    ),
    "unknown-response": gettext_lazy("The block has no response “%(name)s”."),
    "unknown-language": gettext_lazy("Titles are in ko and en, not in “%(name)s”."),
    "hidden-column": gettext_lazy("The column “%(name)s” is not shown. Show it first."),
    "repeated-column": gettext_lazy("A column can be shown only once."),
    "taken-id": gettext_lazy("There is a block “%(name)s” already."),
    "taken-parameter": gettext_lazy("There is a parameter “%(name)s” already."),
    "last-column": gettext_lazy("That would hide every column. Remove the block."),
    "wrong-format": gettext_lazy(
        "This cannot be done with the format %(found)s. Change the format first."
    ),
    "grid-has-pages": gettext_lazy(
        "A grid has all rows, in pages. Make it a table first to show only the top."
    ),
    "page-size": gettext_lazy("A page has at most 500 rows; found %(found)s."),
    "size-limits": gettext_lazy("Sizes go from 1 to 12; found %(found)s."),
    "at-least-one": gettext_lazy("Show at least one row."),
    "no-change": gettext_lazy("It is like that already: nothing would change."),
    "gate-shut": gettext_lazy("The change was stopped by a gate; see below."),
    "model-refuses": gettext_lazy("The model found no edit for this."),
    "model-unreadable": gettext_lazy(
        "The model's answer could not be read as edits. Word it more simply."
    ),
}
_GATES: Final[dict[str, Promise]] = {
    "size": gettext_lazy("Small enough"),
    "applies": gettext_lazy("Applies, and can be undone"),
    "document": gettext_lazy("Is a valid document"),
    "references": gettext_lazy("Uses only what exists and what you may use"),
    "renders": gettext_lazy("Can be drawn, with no, one and several sample rows"),
    "effect": gettext_lazy("Does what was asked, and nothing else"),
    "risk": gettext_lazy("Needs no confirmation of its own"),
    "change": gettext_lazy("Changes something"),
}
_FAULTS: Final[dict[str, Promise]] = {
    "too-many-steps": gettext_lazy("%(found)s steps are too many."),
    "too-deep": gettext_lazy("A path is too deep."),
    "too-large": gettext_lazy("The document would have %(found)s bytes."),
    "patch-shape": gettext_lazy("This is no JSON Patch (RFC 6902)."),
    "patch-path": gettext_lazy("The path leads nowhere in this document."),
    "patch-test": gettext_lazy("The document has another value there."),
    "cannot-undo": gettext_lazy("It could not be undone."),
    "not-reached": gettext_lazy("Not looked at, because of a fault above."),
    "cannot-draw": gettext_lazy("It cannot be drawn: %(found)s sample rows."),
    "by-hand": gettext_lazy("Written by a person, so there is nothing to compare."),
    "no-effect": gettext_lazy("The effect of %(found)s is not there."),
    "overreach": gettext_lazy("It would change %(found)s, which nobody asked for."),
    "removes-many": gettext_lazy("It removes %(found)s. Confirm it."),
    "drops-binding": gettext_lazy(
        "It takes the parameter away from %(found)s. Confirm it."
    ),
    "no-change": gettext_lazy("Nothing would change."),
}
_BASES: Final[dict[str, Promise]] = {
    "too-few": gettext_lazy("not enough feedback yet"),
    "base-rate": gettext_lazy(
        "the share of all proposals accepted as they were; nothing better was learned"
    ),
    "platt": gettext_lazy("learned from what people did with earlier proposals"),
    "isotonic": gettext_lazy("learned from what people did with earlier proposals"),
}


def question_text(rule: str, words: Words) -> str:
    return str(_QUESTIONS[rule]) % _with_name(words)


def refusal_text(rule: str, words: Words) -> str:
    """Say why something is refused; a hidden name reads like one that is not there."""
    return str(_REFUSALS[rule]) % _with_name(words)


def _with_name(words: Words) -> dict[str, str]:
    found = words.get("found", "")
    return {"name": found, "found": found, "left": "", "limit": "", **words}


def gate_text(result: GateResult) -> str:
    """Name a gate."""
    return str(_GATES[result.gate])


def gate_fault(result: GateResult) -> str:
    """Say what a gate found, "" when it found nothing."""
    if not result.rule:
        return ""
    if result.rule in _FAULTS:
        return str(_FAULTS[result.rule]) % _with_name({"found": result.found})
    if result.rule in _REFUSALS:
        return refusal_text(result.rule, {"found": result.found})
    fault = DocumentError(result.pointer, result.rule, found=result.found)
    return with_words([fault])[0].message


def basis_text(basis: str) -> str:
    return str(_BASES.get(basis, basis))


def confidence_word(probability: float | None) -> str:
    """Put a probability in one word."""
    if probability is None:
        return str(_BASES["too-few"])
    if probability >= 0.9:
        return _("very likely right")
    if probability >= 0.7:
        return _("likely right")
    if probability >= 0.5:
        return _("rather right than wrong")
    return _("uncertain")


# --- Edits in words ----------------------------------------------------------------
_EDITS: Final[Mapping[Kind, Promise]] = {
    Kind.ADD_BLOCK: gettext_lazy(
        "Add a block “%(block)s” that shows %(operation)s as %(format)s."
    ),
    Kind.REMOVE_BLOCK: gettext_lazy("Remove the block “%(block)s”."),
    Kind.SET_TITLE: gettext_lazy(
        "Call the block “%(block)s” “%(value)s” (language %(name)s)."
    ),
    Kind.SET_SCREEN_TITLE: gettext_lazy(
        "Call the screen “%(value)s” (language %(name)s)."
    ),
    Kind.SWAP: gettext_lazy("Let “%(block)s” and “%(other)s” change places."),
    Kind.SET_WIDTH: gettext_lazy(
        "Make the block “%(block)s” %(value)s of 12 columns wide."
    ),
    Kind.SET_HEIGHT: gettext_lazy("Make the block “%(block)s” %(value)s rows high."),
    Kind.SET_FORMAT: gettext_lazy("Show “%(block)s” as %(format)s."),
    Kind.SET_COLUMNS: gettext_lazy("Show these columns of “%(block)s”: %(value)s."),
    Kind.SET_LABEL: gettext_lazy(
        "Head the column %(name)s of “%(block)s” with “%(value)s”."
    ),
    Kind.SET_NUMBER_FORMAT: gettext_lazy("Write %(name)s of “%(block)s” as %(value)s."),
    Kind.SET_UNIT: gettext_lazy("Give %(name)s of “%(block)s” the unit “%(value)s”."),
    Kind.SET_SORT: gettext_lazy("Sort “%(block)s” by %(value)s."),
    Kind.SET_LIMIT: gettext_lazy("Show %(value)s rows of “%(block)s” at once."),
    Kind.ADD_TOTAL: gettext_lazy(
        "Add the figure %(value)s of %(name)s to “%(block)s”."
    ),
    Kind.ADD_EMPHASIS: gettext_lazy(
        "Mark %(name)s of “%(block)s” when it is %(value)s."
    ),
    Kind.SET_CHART_TYPE: gettext_lazy(
        "Draw “%(block)s” as a chart of the type %(value)s."
    ),
    Kind.SET_CHART_X: gettext_lazy("Put %(value)s on the x axis of “%(block)s”."),
    Kind.SET_CHART_Y: gettext_lazy("Put %(value)s on the y axis of “%(block)s”."),
    Kind.SET_CHART_SERIES: gettext_lazy("Part “%(block)s” by %(value)s."),
    Kind.SET_STACK: gettext_lazy("Stack “%(block)s”: %(value)s."),
    Kind.ADD_PARAMETER: gettext_lazy("Add the parameter %(name)s (%(value)s)."),
    Kind.REMOVE_PARAMETER: gettext_lazy(
        "Remove the parameter %(name)s, and every use of it."
    ),
    Kind.SET_DEFAULT: gettext_lazy("Let the parameter %(name)s be %(value)s at first."),
    Kind.SET_ARGUMENT: gettext_lazy("Fix %(name)s of “%(block)s” to %(value)s."),
    Kind.BIND_PARAMETER: gettext_lazy(
        "Take %(name)s of “%(block)s” from the parameter %(value)s."
    ),
}
_MOVES: Final[Mapping[str, Promise]] = {
    "first": gettext_lazy("Move the block “%(block)s” to the beginning."),
    "last": gettext_lazy("Move the block “%(block)s” to the end."),
    "before": gettext_lazy("Move the block “%(block)s” before “%(other)s”."),
    "after": gettext_lazy("Move the block “%(block)s” after “%(other)s”."),
}
_FORMATS: Final[Mapping[str, Promise]] = {
    "text": gettext_lazy("text"),
    "table": gettext_lazy("table"),
    "grid": gettext_lazy("grid"),
    "chart": gettext_lazy("chart"),
}


def edit_text(edit: Edit, subject: Subject) -> str:
    """Say what one edit does, with the titles of the blocks."""
    value: Any = edit.value
    added = value if isinstance(value, dict) and edit.kind is Kind.ADD_BLOCK else {}
    form = added.get("format", value)
    words = {
        "block": _title(edit.block, subject),
        "other": _title(edit.name, subject),
        "name": edit.name,
        "operation": added.get("operation", ""),
        "format": str(_FORMATS.get(form, form)) if isinstance(form, str) else "",
        "value": _value(value),
    }
    pattern = _MOVES[value] if edit.kind is Kind.MOVE_BLOCK else _EDITS[edit.kind]
    return str(pattern) % words


def _title(block: str, subject: Subject) -> str:
    found = subject.block(block)
    return in_language(found["title"], get_language() or "ko") if found else block


def _value(value: Any) -> str:
    match value:
        case dict():
            return " ".join(_value(each) for each in value.values())
        case list():
            return ", ".join(_sort_key(each) for each in value)
        case _:
            return str(value)


def _sort_key(entry: Any) -> str:
    if isinstance(entry, dict) and "column" in entry:
        return f"{entry['column']} {'↓' if entry.get('descending') else '↑'}"
    return _value(entry)

"""Every word the renderers show, in the active language."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connectors.outcomes import Cut, Limit, Origin, Reason
from renderers.presentation import State


def grouped(number: int) -> str:
    return f"{number:,}"


# --- Options ----------------------------------------------------------------------


def unknown_option(name: str, *, near: Sequence[str], known: Sequence[str]) -> str:
    if near:
        text = _("There is no option “%(name)s”. Did you mean “%(near)s”?")
        return text % {"name": name[:80], "near": near[0]}
    text = _("There is no option “%(name)s”. Options are: %(known)s.")
    return text % {"name": name[:80], "known": ", ".join(known)}


def option_error(rule: str, *, found: object, expected: object) -> str:
    words = {
        "unknown": _("Found %(found)s; expected other names."),
        "choice": _("Found %(found)s; expected one of %(expected)s."),
        "type": _("Found %(found)s; expected %(expected)s."),
        "required": _("Found %(found)s; %(expected)s must be given."),
        "minimum": _("Found %(found)s; expected at least %(expected)s."),
        "maximum": _("Found %(found)s; expected at most %(expected)s."),
        "too_short": _("Found %(found)s; expected a length of %(expected)s or more."),
        "too_long": _("Found %(found)s; expected a length of %(expected)s or less."),
        "repeated": _("Found %(found)s; expected each value once."),
        "pattern": _(
            "Found %(found)s; expected 0, 0.00, 0%%, KRW, USD, EUR, JPY, raw, or a "
            "date format such as %%Y-%%m-%%d."
        ),
    }
    text = words.get(rule, _("Found %(found)s, which is not allowed here."))
    return text % {"found": _short(found), "expected": _listed(expected)}


def _short(value: object) -> str:
    text = orjson.dumps(value, default=str).decode(errors="replace")
    return text if len(text) <= 80 else text[:79] + "…"


def _listed(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return str(value)


def missing_columns(names: Sequence[str], *, there: Sequence[str]) -> str:
    text = ngettext(
        "The data has no column %(names)s. It has: %(there)s.",
        "The data has no columns %(names)s. It has: %(there)s.",
        len(names),
    )
    return text % {
        "names": ", ".join(f"“{name}”" for name in names),
        "there": _list_of_columns(there),
    }


def _list_of_columns(names: Sequence[str]) -> str:
    shown = ", ".join(names[:30]) or _("none")
    return shown if len(names) <= 30 else shown + ", …"


# --- Failures ---------------------------------------------------------------------


def state_title(state: State) -> str:
    return {
        State.OK: _("OK"),
        State.EMPTY: _("No rows"),
        State.TRUNCATED: _("Cut short"),
        State.STALE: _("Kept data"),
        State.DENIED: _("Not allowed"),
        State.FAILED: _("This block failed"),
        State.TIMED_OUT: _("No answer in time"),
        State.CIRCUIT_OPEN: _("Calls are paused"),
    }[state]


def way_out(reason: Reason) -> str:
    return {
        Reason.REFUSED: _("Ask the editor of this screen to correct the operation."),
        Reason.DENIED: _("Ask your administrator for access."),
        Reason.INVALID: _("Correct the parameters of this screen, and open it again."),
        Reason.MISSING: _("Ask the editor of this screen to choose an operation."),
        Reason.TIMEOUT: _("Try again, or ask for less data."),
        Reason.CIRCUIT_OPEN: _(
            "The source failed several times in a row; it is left alone for a moment. "
            "Try again soon."
        ),
        Reason.UPSTREAM: _("Try again; if it stays, tell the owner of the source."),
        Reason.UNREADABLE: _("Tell the editor of this screen what you see here."),
        Reason.CANCELLED: _("Open the block again."),
        Reason.INTERNAL: _("Try again; if it stays, report it with the trace id."),
    }[reason]


def mapping_way_out() -> str:
    return _("Ask the editor of this screen to correct the options of this block.")


# --- States of data ---------------------------------------------------------------


def cut(this: Cut) -> str:
    """Say what is shown of how much, and which limit cut it."""
    if this.limit is Limit.BYTES:
        text = _("The answer was cut at %(at)s bytes; the rest is missing.")
        return text % {"at": grouped(this.at)}
    if this.total is None:
        text = _("First %(at)s rows; there are more. Limit: %(at)s rows.")
        return text % {"at": grouped(this.at)}
    text = _("First %(at)s of %(total)s rows. Limit: %(at)s rows.")
    return text % {"at": grouped(this.at), "total": grouped(this.total)}


def table_limit(*, at: int, total: int) -> str:
    text = _("First %(at)s of %(total)s rows. Limit of this table: %(at)s rows.")
    return text % {"at": grouped(at), "total": grouped(total)}


def text_cut(*, at: int, total: int) -> str:
    text = _("First %(at)s of %(total)s characters. Limit of this text: %(at)s.")
    return text % {"at": grouped(at), "total": grouped(total)}


def kept(origin: Origin) -> str:
    return {
        Origin.LIVE: "",
        Origin.CACHE: _("From the cache, as of"),
        Origin.LAST_GOOD: _("The source does not answer. Last good data, as of"),
        Origin.STATIC: _("The source does not answer. Prepared text, as of"),
    }[origin]


def rows(count: int) -> str:
    text = ngettext("%(count)s row", "%(count)s rows", count)
    return text % {"count": grouped(count)}


def covers(count: int, *, total: int) -> str:
    """Say how many values a figure covers."""
    if count == total:
        text = ngettext("of %(count)s value", "of %(count)s values", count)
        return text % {"count": grouped(count)}
    text = _("of %(count)s values in %(total)s rows")
    return text % {"count": grouped(count), "total": grouped(total)}


def function_name(function: str) -> str:
    return {
        "sum": _("Sum"),
        "avg": _("Average"),
        "min": _("Minimum"),
        "max": _("Maximum"),
    }[function]


def tone_word(tone: str) -> str:
    return {"good": _("good"), "warn": _("warning"), "bad": _("bad")}[tone]


def yes_no(value: bool) -> str:
    return _("yes") if value else _("no")


def no_value() -> str:
    return _("no value")


def empty_text() -> str:
    return _("empty text")


def grid_holds(*, held: int, total: int) -> str:
    text = _(
        "Sorting and filters work on the first %(held)s of %(total)s rows; the pages "
        "below hold all of them."
    )
    return text % {"held": grouped(held), "total": grouped(total)}


def not_json() -> str:
    return _("This is not JSON; it is shown as it came.")


def not_a_number(name: str) -> str:
    return _("The first row has no number in column “%(name)s”.") % {"name": name}


def grid_words() -> dict[str, str]:
    """Return the words ``grid.js`` shows."""
    return {
        "filter": _("Filter %(column)s"),
        "contains": _("contains"),
        "atLeast": _("e.g. >= 10"),
        "none": _("No row passes the filters."),
        "shown": _("%(shown)s of %(total)s rows"),
        "noValue": no_value(),
        "emptyText": empty_text(),
        "clear": _("Clear filters"),
        "help": _("Sort by a heading; hold Shift for a second column."),
    }


def privacy(state: str) -> str:
    """Return the word beside a heading: ``masked`` or ``personal``; "" for neither."""
    words = {"masked": _("masked"), "personal": _("personal data")}
    return words.get(state, "")


def masked_columns(names: Sequence[str]) -> str:
    return _("Personal data is masked: %(names)s.") % {"names": ", ".join(names)}


def revealed_columns(names: Sequence[str]) -> str:
    text = _("Personal data is shown: %(names)s. Take care who sees your screen.")
    return text % {"names": ", ".join(names)}

"""Words of the app's rule ids, in the active language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from branching.decisions import Event
from connectors.outcomes import Origin
from screens.comparison import Change
from screens.faults import DocumentError

_RULES: Final = {
    "bound": gettext_lazy(
        "%(found)s is no bound here: give a value of type %(expected)s."
    ),
    "character": gettext_lazy(
        "A text holds a character that cannot be stored. Remove it and paste again."
    ),
    "choices": gettext_lazy("A parameter of type choice needs its choices."),
    "default-choice": gettext_lazy(
        "The default %(found)s is none of the choices: %(expected)s."
    ),
    "default-maximum": gettext_lazy(
        "The default %(found)s is above the maximum %(expected)s."
    ),
    "default-minimum": gettext_lazy(
        "The default %(found)s is below the minimum %(expected)s."
    ),
    "default-response": gettext_lazy(
        "A block that names an operation needs the response default; found: "
        "%(found)s. Add it."
    ),
    "default-type": gettext_lazy("The default %(found)s is not of type %(expected)s."),
    "depth": gettext_lazy("The document nests deeper than %(expected)s levels."),
    "enum": gettext_lazy("%(found)s is not known here. Use one of: %(expected)s."),
    "gone": gettext_lazy(
        "This place is not in the document any more. Look at it again."
    ),
    "kind": gettext_lazy(
        "Say what kind of value this is, or leave it empty where it may be."
    ),
    "new-name": gettext_lazy("Give the new entry a name first."),
    "not-boolean": gettext_lazy("%(found)s is neither true nor false."),
    "not-number": gettext_lazy("%(found)s is no number that can be stored."),
    "taken-name": gettext_lazy("There is an entry %(found)s already."),
    "maxItems": gettext_lazy("There are more than %(expected)s entries. Remove some."),
    "maxLength": gettext_lazy(
        "The text is longer than %(expected)s characters. Shorten it."
    ),
    "maxProperties": gettext_lazy("There are more than %(expected)s entries."),
    "maximum": gettext_lazy("%(found)s is above the largest value %(expected)s."),
    "minItems": gettext_lazy("There are fewer than %(expected)s entries. Add one."),
    "minLength": gettext_lazy("The text is empty. Write something."),
    "minProperties": gettext_lazy("It is empty. Give at least one entry."),
    "minimum": gettext_lazy("%(found)s is below the smallest value %(expected)s."),
    "missing-operation": gettext_lazy(
        "There is no enabled operation %(found)s. Did you mean: %(expected)s?"
    ),
    "missing-presentation": gettext_lazy(
        "The decision table can name the response %(expected)s, but the block does "
        "not say how it looks. Add it."
    ),
    "missing-table": gettext_lazy(
        "There is no decision table %(found)s. Did you mean: %(expected)s?"
    ),
    "name": gettext_lazy("%(found)s is no name here. It must match %(expected)s."),
    "not-allowed": gettext_lazy(
        "You may not use the operation %(found)s. Ask for the permission, or use "
        "another operation."
    ),
    "not-json": gettext_lazy(
        "This is not JSON: %(found)s. Line and column: %(expected)s."
    ),
    "number": gettext_lazy("A number is too large or not finite. Correct it."),
    "one-source": gettext_lazy(
        "A block has exactly one source; found: %(found)s. Keep one of: %(expected)s."
    ),
    "parameter": gettext_lazy(
        "The screen has no parameter %(found)s. Known: %(expected)s."
    ),
    "pattern": gettext_lazy("%(found)s must match %(expected)s."),
    "repeated-key": gettext_lazy(
        "An object names %(found)s twice. Keep the one that is meant."
    ),
    "required": gettext_lazy("%(expected)s is missing. Add it."),
    "reserved": gettext_lazy(
        "The name %(found)s belongs to the page's own address. Choose another."
    ),
    "size": gettext_lazy(
        "The document has %(found)s bytes; at most %(expected)s are allowed."
    ),
    "type": gettext_lazy("%(found)s has the wrong type. Expected: %(expected)s."),
    "unique": gettext_lazy("%(found)s is used twice. Give each its own."),
    "uniqueItems": gettext_lazy("An entry is there twice. Remove one."),
    "unknown": gettext_lazy("%(found)s is not known here. Known: %(expected)s."),
}


def document_error(error: DocumentError) -> str:
    """Say what is wrong, what was found, and the way out."""
    if error.message:
        return error.message
    words = _RULES.get(error.rule)
    if words is None:
        # A rule of a format's schema that needs no words of its own.
        text = _("%(found)s breaks the rule %(rule)s: %(expected)s.")
    else:
        text = str(words)
    return text % {
        "found": error.found or "–",
        "expected": error.expected or "–",
        "rule": error.rule,
    }


def with_words(errors: Iterable[DocumentError]) -> tuple[DocumentError, ...]:
    """Fill in the message of every fault, in the active language."""
    return tuple(replace(error, message=document_error(error)) for error in errors)


def block_timed_out(allowed_ms: int) -> str:
    return _(
        "The block did not answer within %(allowed)s ms. Try again, or give it a "
        "later deadline."
    ) % {"allowed": f"{allowed_ms:,}"}


def block_broken() -> str:
    return _(
        "Something went wrong in the portal. The log has the details; "
        "try again or report the trace id."
    )


def block_cancelled() -> str:
    return _("The block was stopped before it answered. Load it again.")


def nothing_to_call() -> str:
    return _("The decision names no operation. Add a call to the rule.")


def columns_differ() -> str:
    return _(
        "The operations of this decision return different columns, so that their rows "
        "cannot be joined. Give them the same columns."
    )


def table_missing(key: str) -> str:
    return _(
        "There is no decision table %(key)s. It was removed or renamed; ask for the "
        "screen to be corrected."
    ) % {"key": key}


def presentation_missing(name: str) -> str:
    return _(
        "The block does not say how the response %(name)s looks. Add it to the screen."
    ) % {"name": name}


def change(of: Change) -> str:
    """Say one difference between two documents."""
    texts = {
        "screen": _("The screen changed: %(parts)s."),
        "added": _("Block %(block)s was added."),
        "removed": _("Block %(block)s was removed."),
        "changed": _("Block %(block)s changed: %(parts)s."),
        "moved": _("Block %(block)s moved."),
    }
    return texts[of.what] % {"block": of.block, "parts": ", ".join(of.parts)}


def copied_from(key: str, number: int) -> str:
    return _("Copy of %(key)s, version %(number)d") % {"key": key, "number": number}


def key_taken() -> str:
    return _("Another screen has this key.")


def no_viewer() -> str:
    return _("There is no such user here whom you may choose. Choose from the list.")


def reverted_to(number: int) -> str:
    return _("Back to version %(number)d") % {"number": number}


_EVENTS: Final[dict[str, Any]] = {
    Event.UPSTREAM: gettext_lazy("the data source failed"),
    Event.TIMEOUT: gettext_lazy("the data source did not answer in time"),
    Event.CIRCUIT_OPEN: gettext_lazy("the data source is paused after failures"),
    Event.UNREADABLE: gettext_lazy("the answer could not be read"),
    Event.REFUSED: gettext_lazy("the call was refused"),
    Event.EMPTY: gettext_lazy("the answer was empty"),
}


def fallback_used(event: str, *, step: int) -> str:
    """Say that a fallback is shown, and why; "" when none was used."""
    if not step:
        return ""
    words = _EVENTS.get(event)
    cause = str(words) if words else event
    return _("Fallback %(step)d is shown: %(cause)s.") % {"step": step, "cause": cause}


_ORIGINS: Final = {
    Origin.LIVE: gettext_lazy("live"),
    Origin.CACHE: gettext_lazy("from the cache"),
    Origin.LAST_GOOD: gettext_lazy("last good answer"),
    Origin.STATIC: gettext_lazy("fixed answer"),
}


def origin(of: Origin) -> str:
    return str(_ORIGINS[of])


def rows(count: int) -> str:
    return ngettext("%(count)s row", "%(count)s rows", count) % {"count": f"{count:,}"}


def blocks_loaded(*, done: int, total: int, failed: int) -> str:
    """Say how many blocks came, for people who do not see them come."""
    loaded = ngettext(
        "%(done)d of %(total)d block loaded",
        "%(done)d of %(total)d blocks loaded",
        total,
    ) % {"done": done, "total": total}
    if not failed:
        return loaded + "."
    return (
        loaded
        + ", "
        + ngettext("%(n)d failed.", "%(n)d failed.", failed) % {"n": failed}
    )

"""The words for what the log search cannot read, in the active language."""

from __future__ import annotations

from django.utils.translation import gettext as _

from observability.log_query import DEEPEST, LONGEST, MOST_TERMS, NAMES, QueryFault


def fault_text(fault: QueryFault) -> str:
    """Say where a query breaks, what was found, and the way out."""
    found = fault.found
    texts = {
        "too-long": _("%(found)s characters; write at most %(most)s.")
        % {"found": found, "most": LONGEST},
        "too-many-terms": _("More than %(most)s words; leave some out.")
        % {"most": MOST_TERMS},
        "too-deep": _("More than %(most)s parentheses inside each other; remove some.")
        % {"most": DEEPEST},
        "unclosed-quote": _('The quotation mark is not closed; add a second ".'),
        "unclosed-parenthesis": _("The parenthesis is not closed; add a )."),
        "stray-parenthesis": _('A ) without its (; take it away, or write ")".'),
        "empty-parentheses": _("Nothing stands in the parentheses; take them away."),
        "nothing-beside-or": _(
            'Both sides of or need a word; to search for the word itself write "or".'
        ),
        "nothing-to-negate": _(
            "Nothing follows the minus; write a word directly after it."
        ),
        "empty-text": _("Nothing stands between the quotation marks."),
        "unknown-field": _(
            "There is no field %(found)s. Fields are %(names)s; to search for the text "
            "itself, put it in quotation marks."
        )
        % {"found": found, "names": ", ".join(NAMES)},
        "unknown-level": _(
            "“%(found)s” is no level; use debug, info, warning, error or critical."
        )
        % {"found": found},
        "no-comparison": _("%(found)s cannot be compared; write %(found)s:value.")
        % {"found": found},
        "unreadable-time": _(
            "“%(found)s” is no time; write 15m, 2h, 7d, or 2026-01-31T09:30."
        )
        % {"found": found},
    }
    return _("Column %(column)s: %(text)s") % {
        "column": fault.column,
        "text": texts[fault.rule],
    }

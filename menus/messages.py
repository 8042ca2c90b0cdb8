"""The words for rule ids of this app."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from connectors.reveal_models import LEAST_REASON, MOST_REASON
from menus.numbering import Fault
from menus.services import Why
from menus.visibility import Rule

RULES = {
    Rule.SUPERUSER: _("Superusers see every enabled menu."),
    Rule.GRANTED: _("%(holder)s was allowed on %(menu)s."),
    Rule.DENIED: _("%(holder)s was denied on %(menu)s."),
    Rule.NOT_GRANTED: _("Nobody was allowed on this menu or above it."),
    Rule.CUT_OFF: _("%(menu)s breaks inheritance, and nothing was given below it."),
    Rule.DISABLED: _("%(menu)s is disabled, and hides everything below it."),
    Rule.EMPTY_GROUP: _("There is nothing to see in %(menu)s."),
    Rule.CLOSED_SCREEN: _("The screen of %(menu)s is not published, or retired."),
    Rule.NO_MEMBER: _("This user is not an active member of the tenant."),
    Rule.UNREACHABLE: _("%(menu)s hangs under no menu of the tenant's tree."),
}

FAULTS = {
    Fault.NUMBERS: _("numbers contradict the parents"),
    Fault.CIRCLE: _("hangs below itself"),
    Fault.FOREIGN_PARENT: _("its parent is not of this tenant"),
}


def why_in_words(answer: Why) -> str:
    """Say in the active language why a menu is seen or not."""
    return str(RULES[answer.rule]) % {
        "holder": answer.holder,
        "menu": answer.decided_at,
    }


def not_revealed(rule: str) -> str:
    """Say why personal data stays masked."""
    words = {
        "no-permission": _(
            "You may not reveal personal data of these operations. Ask a person who "
            "may change operations for the permission."
        ),
        "reason-short": _("Give a reason of at least %(least)s characters."),
        "reason-long": _("Give a reason of at most %(most)s characters."),
    }
    return str(words[rule]) % {"least": LEAST_REASON, "most": MOST_REASON}


def show_for() -> str:
    """Say for how long a button shows personal data."""
    minutes = settings.SIGNALBOX_REVEAL_MINUTES
    text = ngettext("Show for %(count)d minute", "Show for %(count)d minutes", minutes)
    return text % {"count": minutes}

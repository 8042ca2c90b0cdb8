"""The words for the rules of this app."""

from __future__ import annotations

from django.utils.translation import gettext as _

from tenants.audit import Break
from tenants.permissions import Answer
from tenants.quotas import Level, Limit
from tenants.tokens import Refusal


def answer_text(answer: Answer) -> str:
    """Say why something is allowed or not, in the active language."""
    words = {
        "superuser": _("Allowed: %(holder)s is a superuser."),
        "granted-to-user": _("Allowed: granted to %(holder)s."),
        "granted-to-team": _("Allowed: granted to the team %(holder)s."),
        "other-tenant": _("Not allowed: it belongs to another tenant."),
        "inactive-user": _("Not allowed: the user is not active."),
        "no-member": _("Not allowed: the user is no member of the tenant."),
        "no-grant": _("Not allowed: granted neither to the user nor to a team."),
    }
    return words[answer.rule] % {"holder": answer.holder}


def refusal_text(rule: Refusal) -> str:
    """Say why a token was refused, and the way out, in the active language."""
    words = {
        "unknown": _("Unknown token. Check that it was copied whole."),
        "expired": _("This token has expired. Make a new one in the admin."),
        "revoked": _("This token was revoked. Make a new one in the admin."),
        "inactive-user": _("The user of this token is not active."),
        "suspended": _(
            "The tenant of this token is suspended. Ask an administrator of the portal."
        ),
        "no-member": _("The user of this token can no longer enter its tenant."),
    }
    return words[rule]


def level_text(level: Level) -> str:
    """Say how much of a limit is used, in the active language."""
    words = {
        Limit.QUERIES: _(
            "%(percent)d %% of the queries a day: %(used)s of %(allowed)s"
        ),
        Limit.ROWS: _("%(percent)d %% of the rows a day: %(used)s of %(allowed)s"),
        Limit.STORAGE: _(
            "%(percent)d %% of the storage: %(used)s of %(allowed)s bytes"
        ),
    }
    return words[level.limit] % {
        "percent": level.percent,
        "used": f"{level.used:,}",
        "allowed": f"{level.allowed:,}",
    }


def break_text(found: Break) -> str:
    """Say where a chain of audit entries does not hold, in the active language."""
    words = {
        "missing-entry": _("Entry %(number)d is missing."),
        "wrong-predecessor": _("Entry %(number)d does not follow its predecessor."),
        "changed-entry": _("Entry %(number)d was changed after it was sealed."),
        "beyond-head": _("The chain ends at entry %(number)d, against its own head."),
    }
    return words[found.rule] % {"number": found.number}

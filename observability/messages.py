"""The words for rule ids of this app, in the active language."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from observability.reviews import SignRule

_SIGN_RULES = {
    SignRule.NOT_IN_REVIEW: _("This review is still a draft. Begin the review first."),
    SignRule.ALREADY_SIGNED: _("This review is signed. Nothing is left to do."),
    SignRule.SIGNED_BEFORE: _(
        "You have signed already. Another person has to sign as well."
    ),
    SignRule.CHANGED: _(
        "The stored report is not the one that was frozen. Compare it with a backup; "
        "do not sign it."
    ),
    SignRule.OWN_ACCESS: _(
        "This review looks at nobody's access but yours. Another person has to sign."
    ),
}


def sign_rule_text(rule: SignRule) -> str:
    """Say why somebody may not sign, and the way out."""
    return str(_SIGN_RULES[rule])

"""Previews: a document that nobody published, run as its editor or as somebody else."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from connectors.parameters import ArgumentError
from screens import services
from screens.document import Document, DocumentError
from screens.models import Screen
from screens.pages import OpenPage
from tenants.audit import record
from tenants.models import User
from tenants.scope import Actor

WIDTHS: Final = (("desktop", _("desktop")), ("phone", _("phone")))
MOST_VIEWERS: Final = 500


def viewers(actor: Actor) -> QuerySet[User]:
    """Return whom a page may be previewed as: active members of the actor's tenant.

    A superuser's view is for superusers: nobody sees more by a preview.
    """
    members = User.objects.filter(
        is_active=True, memberships__tenant_id=actor.tenant_id
    ).order_by("username")
    chief = User.objects.filter(pk=actor.user_id, is_superuser=True, is_active=True)
    if not chief.exists():
        members = members.filter(is_superuser=False)
    return members.exclude(pk=actor.user_id)[:MOST_VIEWERS]


def find_viewer(text: str, *, actor: Actor) -> User | None:
    """Return the user of that number whom the actor may choose, or None."""
    numeric = text.isascii() and text.isdecimal() and len(text) < 19
    chosen = {user.pk: user for user in viewers(actor)} if numeric else {}
    return chosen.get(int(text)) if numeric else None


def preview_as(
    screen: Screen,
    document: Document,
    *,
    viewer: User,
    actor: Actor,
    arguments: services.Given,
) -> OpenPage | tuple[ArgumentError, ...] | tuple[DocumentError, ...]:
    """Run a document with the rights, the language and the time zone of `viewer`.

    The audit trail names both. Operations are those that the *actor* may use: a
    preview as somebody else opens nothing that a preview as oneself does not.

    Args:
        viewer: One of `viewers`.
    """
    shown_to = Actor(viewer.pk, actor.tenant_id, acting_for=actor.user_id)
    record(
        actor=shown_to,
        action="screen.previewed",
        target=screen,
        changes={"as": viewer.get_username()},
    )
    return services.preview(
        document, actor=actor, arguments=arguments, key=screen.key, viewer=viewer
    )

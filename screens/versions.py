"""Save, publish and revert: every change is a new version, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from connectors.outcomes import Json
from screens import checks, messages
from screens.document import Document, DocumentError, parse_document
from screens.models import Screen, ScreenVersion
from tenants.audit import record
from tenants.scope import Actor, required_tenant_id


@dataclass(frozen=True, slots=True)
class StaleBase:
    """Somebody saved in between: the newest version, to compare with."""

    newest: ScreenVersion


@dataclass(frozen=True, slots=True)
class KeyRefused:
    """A key that no new screen can have, and why, in the active language."""

    message: str


@transaction.atomic
def save_version(
    screen: Screen,
    body: Json,
    *,
    actor: Actor,
    base_version: int,
    note: str = "",
) -> ScreenVersion | tuple[DocumentError, ...] | StaleBase:
    """Save a document as a new draft of `screen`, or say what is wrong with it.

    Args:
        base_version: Number of the version the change began with, 0 for none. When
            it is no longer the newest one, nothing is saved.
        note: Why, in at most 200 characters.
    """
    document = parse_document(body)
    if isinstance(document, tuple):
        return messages.with_words(document)
    newest = _newest(screen)
    if newest is not None and newest.number != base_version:
        return StaleBase(newest)
    version = ScreenVersion.objects.create(
        screen=screen,
        number=(newest.number if newest else 0) + 1,
        body=body,
        note=note[:200],
        author_id=actor.user_id,
    )
    record(
        actor=actor,
        action="screen.saved",
        target=screen,
        changes={"version": [base_version, version.number], "note": version.note},
    )
    return version


@transaction.atomic
def publish(
    version: ScreenVersion, *, actor: Actor
) -> ScreenVersion | tuple[DocumentError, ...]:
    """Show a version to readers from now on, or say what stands against it.

    Every operation and decision table it names must exist, every response that a
    table can name must have a presentation, and the actor must be allowed to use
    every operation. Publishing the published version again changes nothing.
    """
    document = parse_document(version.body)
    if isinstance(document, tuple):
        return messages.with_words(document)
    if errors := publish_errors(document, actor=actor):
        return errors
    screen = Screen.objects.select_for_update().get(pk=version.screen_id)
    if screen.published_id == version.pk:
        return version
    before = screen.published.number if screen.published else None
    # Whoever had the lock before may have published it, and another one since.
    version = ScreenVersion.objects.get(pk=version.pk)
    if version.state != ScreenVersion.State.PUBLISHED:
        version.state = ScreenVersion.State.PUBLISHED
        version.save()
    screen.published = version
    screen.title = dict(document.title.by_language)
    screen.save()
    record(
        actor=actor,
        action="screen.published",
        target=screen,
        changes={"version": [before, version.number], "note": version.note},
    )
    return version


@transaction.atomic
def revert(
    screen: Screen, number: int, *, actor: Actor
) -> ScreenVersion | tuple[DocumentError, ...]:
    """Publish the document of an earlier version again, as a new version.

    Raises:
        ScreenVersion.DoesNotExist: the screen has no version of this number.
    """
    earlier = ScreenVersion.objects.get(screen=screen, number=number)
    newest = _newest(screen)
    version = ScreenVersion.objects.create(
        screen=screen,
        number=(newest.number if newest else 0) + 1,
        body=earlier.body,
        note=messages.reverted_to(number),
        author_id=actor.user_id,
    )
    published = publish(version, actor=actor)
    if isinstance(published, tuple):
        version.delete()
    return published


def copy_screen(
    version: ScreenVersion, *, key: str, actor: Actor
) -> ScreenVersion | KeyRefused:
    """Make a new screen whose first draft is the document of `version`.

    Nobody but editors sees it: it has to be published, and needs a menu of its own.
    """
    new = Screen(key=key)
    try:
        new.full_clean()
        with transaction.atomic():
            new.save()
    except ValidationError as error:
        return KeyRefused(" ".join(error.messages))
    except IntegrityError:
        # Somebody took the key between the check and the insert.
        return KeyRefused(messages.key_taken())
    source = version.screen
    with transaction.atomic():
        draft = ScreenVersion.objects.create(
            screen=new,
            number=1,
            body=version.body,
            note=messages.copied_from(source.key, version.number),
            author_id=actor.user_id,
        )
        changes = {"from": source.key, "version": version.number}
        record(actor=actor, action="screen.copied", target=new, changes=changes)
    return draft


def publish_errors(document: Document, *, actor: Actor) -> tuple[DocumentError, ...]:
    """Say what stands against publishing a document."""
    names = checks.Names.of(actor)
    errors = [
        *checks.name_errors(document, names=names),
        *checks.permission_errors(document, names=names, actor=actor),
    ]
    return messages.with_words(errors)


def screen_faults() -> dict[str, tuple[DocumentError, ...]]:
    """Check every screen of the tenant in scope that readers reach, by key."""
    nobody = Actor(user_id=0, tenant_id=required_tenant_id())
    names = checks.Names.of(nobody)
    found = {}
    for screen in Screen.objects.open_to_readers().with_published():
        body = screen.published.body if screen.published else None
        document = parse_document(body)
        faults = (
            document
            if isinstance(document, tuple)
            else checks.name_errors(document, names=names)
        )
        found[screen.key] = messages.with_words(faults)
    return found


def _newest(screen: Screen) -> ScreenVersion | None:
    """Return the newest version, and keep others from adding one meanwhile."""
    Screen.objects.select_for_update().get(pk=screen.pk)
    return ScreenVersion.objects.filter(screen=screen).order_by("-number").first()

"""The editor's tab of versions: drafts, compare, publish, revert and copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from screens import editing, messages, services
from screens.comparison import changes_between
from screens.document import DocumentError
from screens.editor import (
    INVALID,
    for_editors,
    number_of,
    page_context,
    versions_of,
)
from screens.form_edits import part_of
from screens.models import Screen, ScreenVersion
from tenants.scope import Actor

PANEL: Final = "screen-versions"
MOST: Final = 50


@require_GET
@for_editors
def versions(request: HttpRequest, key: str) -> HttpResponse:
    """Show drafts and published versions, and what can be done with them."""
    screen = get_object_or_404(Screen, key=key)
    return _page(request, screen)


@require_GET
@for_editors
def compare(request: HttpRequest, key: str) -> HttpResponse:
    """Show what changed between two versions, in words and as text."""
    screen = get_object_or_404(Screen, key=key)
    rows = screen.versions.select_related("author")
    before = get_object_or_404(rows, number=number_of(request, "from"))
    after = get_object_or_404(rows, number=number_of(request, "to"))
    lines = editing.difference(
        editing.as_text(before.body), editing.as_text(after.body)
    )
    title = _("Version %(before)d and version %(after)d") % {
        "before": before.number,
        "after": after.number,
    }
    changes = changes_between(before.body, after.body)
    context = page_context(request, screen, title=title, panel=PANEL)
    context |= {
        "before": before,
        "after": after,
        "lines": lines,
        "changes": [messages.change(each) for each in changes],
    }
    return render(request, "screens/compare.html", context)


@require_POST
@for_editors
def publish(request: HttpRequest, key: str) -> HttpResponse:
    """Publish one version."""
    screen, version = _posted_version(request, key)
    published = services.publish(version, actor=Actor.of(request))
    return _published(request, screen, version, published)


@require_POST
@for_editors
def revert(request: HttpRequest, key: str) -> HttpResponse:
    """Publish an earlier document again, as a new version."""
    screen, version = _posted_version(request, key)
    published = services.revert(screen, version.number, actor=Actor.of(request))
    return _published(request, screen, version, published)


@require_POST
@for_editors
def copy(request: HttpRequest, key: str) -> HttpResponse:
    """Make a new screen of a version; it begins as a draft."""
    if not request.user.has_perm("screens.add_screen"):
        raise PermissionDenied
    screen, version = _posted_version(request, key)
    new_key = request.POST.get("new_key", "").strip()
    copied = services.copy_screen(version, key=new_key, actor=Actor.of(request))
    if isinstance(copied, services.KeyRefused):
        return _page(
            request,
            screen,
            status=INVALID,
            key_error=copied.message,
            new_key=new_key,
            copy_number=version.number,
        )
    words = _("%(key)s is a copy of %(from)s. Nobody sees it until it is published.")
    notices.success(request, words % {"key": copied.screen.key, "from": screen.key})
    return redirect("screen-properties", key=copied.screen.key)


def _posted_version(request: HttpRequest, key: str) -> tuple[Screen, ScreenVersion]:
    screen = get_object_or_404(Screen, key=key)
    rows = ScreenVersion.objects.select_related("screen")
    number = number_of(request, "number")
    return screen, get_object_or_404(rows, screen=screen, number=number)


def _published(
    request: HttpRequest,
    screen: Screen,
    version: ScreenVersion,
    published: ScreenVersion | tuple[DocumentError, ...],
) -> HttpResponse:
    if isinstance(published, ScreenVersion):
        message = _("Version %d is published.") % published.number
        notices.success(request, message)
        return redirect(PANEL, key=screen.key)
    return _page(request, screen, faulty=version, errors=published, status=INVALID)


def _page(
    request: HttpRequest,
    screen: Screen,
    *,
    faulty: ScreenVersion | None = None,
    errors: Sequence[DocumentError] = (),
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """Draw the tab; `errors` are those that forbid to publish the version `faulty`."""
    rows = list(versions_of(screen)[:MOST])
    title = _("Versions of %s") % screen
    context = page_context(request, screen, title=title, panel=PANEL)
    body = faulty.body if faulty else None
    context |= {
        "versions": rows,
        "drafts": [row for row in rows if row.state == ScreenVersion.State.DRAFT],
        "published_versions": [
            row for row in rows if row.state == ScreenVersion.State.PUBLISHED
        ],
        "faulty": faulty,
        "errors": [(error, part_of(body, error.pointer)) for error in errors],
        "may_copy": request.user.has_perm("screens.add_screen"),
        **more,
    }
    return render(request, "screens/versions.html", context, status=status)

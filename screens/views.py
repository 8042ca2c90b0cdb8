"""The editor's JSON tab, and previews of what is in it. Needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connectors.outcomes import Json
from screens import editing, services
from screens.document import SCHEMA, DocumentError
from screens.editor import (
    INVALID,
    STALE,
    base_version,
    draft_context,
    for_editors,
    newest_number,
    page_context,
    shown_version,
    stale_context,
)
from screens.messages import with_words
from screens.models import Screen, ScreenVersion
from screens.preview_views import Refused, preview_page
from tenants.scope import Actor


@require_GET
def schema(request: HttpRequest) -> HttpResponse:
    """The published JSON Schema; it holds no data of any tenant."""
    response = JsonResponse(SCHEMA, json_dumps_params={"indent": 2})
    response["Content-Type"] = "application/schema+json"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@for_editors
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """Show a version as JSON, or save what was posted as the next one."""
    screen = get_object_or_404(Screen, key=key)
    if request.method == "POST":
        if request.POST.get("action") == "show":
            return _shown(request, screen)
        return _save(request, screen)
    shown = shown_version(request, screen)
    text = editing.as_text(shown.body if shown else editing.EMPTY)
    return json_page(request, screen, text=text, base=newest_number(screen))


@require_POST
@for_editors
def preview(request: HttpRequest, key: str) -> HttpResponseBase:
    """Run what was posted, without saving it."""
    screen = get_object_or_404(Screen, key=key)
    body, fault = editing.read_json(request.POST.get("document", ""))
    if fault is not None:
        return _again(request, screen, errors=with_words([fault]))
    page = preview_page(request, screen, body)
    if isinstance(page, Refused):
        return _again(
            request,
            screen,
            errors=page.errors,
            argument_errors=page.arguments,
            viewer_error=page.viewer,
        )
    return page


def _save(request: HttpRequest, screen: Screen) -> HttpResponse:
    body, fault = editing.read_json(request.POST.get("document", ""))
    if fault is not None:
        return _again(request, screen, errors=with_words([fault]))
    saved = save(request, screen, body)
    match saved:
        case ScreenVersion():
            return redirect("screen-edit", key=screen.key)
        case services.StaleBase(newest=newest):
            return _again(request, screen, newer=newest)
        case errors:
            return _again(request, screen, errors=errors)


def save(
    request: HttpRequest, screen: Screen, body: Json
) -> ScreenVersion | tuple[DocumentError, ...] | services.StaleBase:
    """Save what a tab of the editor made, and leave a notice when it was saved."""
    saved = services.save_version(
        screen,
        body,
        actor=Actor.of(request),
        base_version=base_version(request),
        note=request.POST.get("note", ""),
    )
    if isinstance(saved, ScreenVersion):
        notices.success(request, _("Version %d is saved as a draft.") % saved.number)
    return saved


def _shown(request: HttpRequest, screen: Screen) -> HttpResponse:
    """Go on with a document that came from another tab; nothing is judged yet."""
    text = request.POST.get("document", "")
    body, fault = editing.read_json(text)
    shown = text if fault is not None else editing.as_text(body)
    return json_page(request, screen, text=shown, base=base_version(request))


def _again(
    request: HttpRequest,
    screen: Screen,
    *,
    errors: Sequence[DocumentError] = (),
    newer: ScreenVersion | None = None,
    **more: Any,
) -> HttpResponse:
    """Show the tab with what was typed, and what is wrong with it."""
    text = request.POST.get("document", "")
    return json_page(
        request,
        screen,
        text=text,
        base=base_version(request),
        errors=errors,
        status=STALE if newer else INVALID,
        **stale_context(newer, text),
        **more,
    )


def json_page(
    request: HttpRequest,
    screen: Screen,
    *,
    text: str,
    base: int,
    errors: Sequence[DocumentError] = (),
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """Draw the JSON tab around a text."""
    context = page_context(
        request, screen, title=_("Edit %s") % screen, panel="screen-edit"
    )
    context |= draft_context(request)
    context |= {
        "text": text,
        "base_version": base,
        "errors": editing.located(errors, text),
        "is_new": base == 0,
        **more,
    }
    return render(request, "screens/edit.html", context, status=status)

"""The editor of screens: save, compare, preview, publish, revert. Needs no script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib import admin
from django.contrib import messages as notices
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    QueryDict,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connectors.messages import argument_error
from screens import editing, services
from screens.document import SCHEMA, Document, DocumentError, parse_document
from screens.messages import with_words
from screens.models import Screen, ScreenVersion
from screens.streaming import stream_page
from tenants.scope import Actor

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

_INVALID = 422
_STALE = 409


def for_editors(view: View[P]) -> View[P]:
    """Let in staff of a tenant who may change screens."""

    @wraps(view)
    def guarded(
        request: HttpRequest, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        allowed = user.is_staff and user.has_perm("screens.change_screen")
        if not allowed or getattr(request, "tenant", None) is None:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return cast("View[P]", guarded)


@require_GET
def schema(request: HttpRequest) -> HttpResponse:
    """The published JSON Schema; it holds no data of any tenant."""
    response = JsonResponse(SCHEMA, json_dumps_params={"indent": 2})
    response["Content-Type"] = "application/schema+json"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@for_editors
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """Show the newest version, or save what was posted as the next one."""
    screen = get_object_or_404(Screen, key=key)
    if request.method == "POST":
        return _save(request, screen)
    shown = _shown_version(request, screen)
    newest = screen.versions.order_by("-number").first()
    text = editing.as_text(shown.body if shown else editing.EMPTY)
    base = newest.number if newest else 0
    return _editor(request, screen, text=text, base_version=base)


@require_POST
@for_editors
def preview(request: HttpRequest, key: str) -> HttpResponseBase:
    """Run what was posted as the editor, without saving it."""
    screen = get_object_or_404(Screen, key=key)
    document = _read(request.POST.get("document", ""))
    if isinstance(document, tuple):
        return _editor_again(request, screen, errors=document)
    page = services.preview(
        document,
        actor=Actor.of(request),
        arguments=dict(QueryDict(request.POST.get("arguments", "")).lists()),
        key=screen.key,
    )
    if isinstance(page, tuple):
        return _editor_again(
            request,
            screen,
            errors=[each for each in page if isinstance(each, DocumentError)],
            argument_errors=[
                argument_error(each)
                for each in page
                if not isinstance(each, DocumentError)
            ],
        )
    context = _context(request, screen, title=_("Preview of %s") % page.title())
    # Its script waits for the end of the stream, and then moves the page.
    context["is_nav_sidebar_enabled"] = False
    return stream_page(request, "screens/preview.html", context, page=page)


@require_GET
@for_editors
def compare(request: HttpRequest, key: str) -> HttpResponse:
    """Show what changed between two versions."""
    screen = get_object_or_404(Screen, key=key)
    before = get_object_or_404(screen.versions, number=_number(request, "from"))
    after = get_object_or_404(screen.versions, number=_number(request, "to"))
    lines = editing.difference(
        editing.as_text(before.body), editing.as_text(after.body)
    )
    title = _("Version %(before)d and version %(after)d") % {
        "before": before.number,
        "after": after.number,
    }
    context = _context(request, screen, title=title)
    context |= {"before": before, "after": after, "lines": lines}
    return render(request, "screens/compare.html", context)


@require_POST
@for_editors
def publish(request: HttpRequest, key: str) -> HttpResponse:
    """Publish one version."""
    screen = get_object_or_404(Screen, key=key)
    number = _number(request, "number")
    version = get_object_or_404(ScreenVersion, screen=screen, number=number)
    published = services.publish(version, actor=Actor.of(request))
    return _published(request, screen, version, published)


@require_POST
@for_editors
def revert(request: HttpRequest, key: str) -> HttpResponse:
    """Publish an earlier document again, as a new version."""
    screen = get_object_or_404(Screen, key=key)
    number = _number(request, "number")
    version = get_object_or_404(ScreenVersion, screen=screen, number=number)
    published = services.revert(screen, number, actor=Actor.of(request))
    return _published(request, screen, version, published)


def _save(request: HttpRequest, screen: Screen) -> HttpResponse:
    text = request.POST.get("document", "")
    body, fault = editing.read_json(text)
    if fault is not None:
        return _editor_again(request, screen, errors=with_words([fault]))
    saved = services.save_version(
        screen,
        body,
        actor=Actor.of(request),
        base_version=_number(request, "base_version"),
        note=request.POST.get("note", ""),
    )
    match saved:
        case ScreenVersion():
            message = _("Version %d is saved as a draft.") % saved.number
            notices.success(request, message)
            return redirect("screen-edit", key=screen.key)
        case services.StaleBase(newest=newest):
            return _editor_again(request, screen, newer=newest)
        case errors:
            return _editor_again(request, screen, errors=errors)


def _published(
    request: HttpRequest,
    screen: Screen,
    version: ScreenVersion,
    published: ScreenVersion | tuple[DocumentError, ...],
) -> HttpResponse:
    if isinstance(published, ScreenVersion):
        message = _("Version %d is published.") % published.number
        notices.success(request, message)
        return redirect("screen-edit", key=screen.key)
    newest = screen.versions.order_by("-number").first()
    return _editor(
        request,
        screen,
        text=editing.as_text(version.body),
        base_version=newest.number if newest else 0,
        errors=published,
        status=_INVALID,
    )


def _read(text: str) -> Document | tuple[DocumentError, ...]:
    body, fault = editing.read_json(text)
    if fault is not None:
        return with_words([fault])
    document = parse_document(body)
    return with_words(document) if isinstance(document, tuple) else document


def _editor_again(
    request: HttpRequest,
    screen: Screen,
    *,
    errors: Sequence[DocumentError] = (),
    argument_errors: Sequence[str] = (),
    newer: ScreenVersion | None = None,
) -> HttpResponse:
    """Show the editor with what was typed, and what is wrong with it."""
    text = request.POST.get("document", "")
    newer_text = editing.as_text(newer.body) if newer else ""
    return _editor(
        request,
        screen,
        text=text,
        base_version=_number(request, "base_version"),
        errors=errors,
        status=_STALE if newer else _INVALID,
        argument_errors=argument_errors,
        newer=newer,
        newer_text=newer_text,
        newer_lines=editing.difference(newer_text, text) if newer else [],
    )


def _editor(
    request: HttpRequest,
    screen: Screen,
    *,
    text: str,
    base_version: int,
    errors: Sequence[DocumentError] = (),
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    versions = screen.versions.select_related("author").order_by("-number")
    context = _context(request, screen, title=_("Edit %s") % screen)
    context |= {
        "text": text,
        "base_version": base_version,
        "errors": errors,
        "versions": versions[:50],
        "note": request.POST.get("note", ""),
        "arguments": request.POST.get("arguments", ""),
        **more,
    }
    return render(request, "screens/edit.html", context, status=status)


def _context(request: HttpRequest, screen: Screen, *, title: str) -> dict[str, Any]:
    shared: Mapping[str, Any] = admin.site.each_context(request)
    return {**shared, "title": title, "screen": screen}


def _shown_version(request: HttpRequest, screen: Screen) -> ScreenVersion | None:
    """Return the version that was asked for, or the newest one."""
    versions = screen.versions.order_by("-number")
    if "version" in request.GET:
        return get_object_or_404(versions, number=_number(request, "version"))
    return versions.first()


def _number(request: HttpRequest, name: str) -> int:
    """Read a number of a version; 0, which no version has, for anything else."""
    text = request.POST.get(name) or request.GET.get(name) or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0

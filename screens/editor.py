"""What the pages of the editor share: who comes in, what stands on each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, cast

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404

from screens import editing
from screens.models import Screen, ScreenVersion
from screens.previews import WIDTHS, viewers
from tenants.scope import Actor

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

INVALID: Final = 422
STALE: Final = 409


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


def page_context(
    request: HttpRequest, screen: Screen, *, title: str, panel: str
) -> dict[str, Any]:
    """Return what ``screens/editor_base.html`` needs; `panel` names its address."""
    shared: Mapping[str, Any] = admin.site.each_context(request)
    return {**shared, "title": title, "screen": screen, "active_panel": panel}


def draft_context(request: HttpRequest) -> dict[str, Any]:
    """Return what is typed beside a document: its note, and how it is previewed."""
    return {
        "note": request.POST.get("note", ""),
        "arguments": request.POST.get("arguments", ""),
        "viewers": viewers(Actor.of(request)),
        "viewer": request.POST.get("viewer", ""),
        "widths": WIDTHS,
        "width": request.POST.get("width", ""),
    }


def stale_context(newer: ScreenVersion | None, text: str) -> dict[str, Any]:
    """Return what a refused save shows: the newer version, and the difference."""
    if newer is None:
        return {}
    newer_text = editing.as_text(newer.body)
    return {
        "newer": newer,
        "newer_text": newer_text,
        "newer_lines": editing.difference(newer_text, text),
    }


def versions_of(screen: Screen) -> QuerySet[ScreenVersion]:
    """Return the versions of a screen without their documents, newest first."""
    rows: QuerySet[ScreenVersion] = screen.versions.all()
    return rows.select_related("author").defer("body").order_by("-number")


def shown_version(request: HttpRequest, screen: Screen) -> ScreenVersion | None:
    """Return the version that was asked for, or the newest one."""
    versions = screen.versions.order_by("-number")
    if "version" in request.GET:
        return get_object_or_404(versions, number=number_of(request, "version"))
    return versions.first()


def newest_number(screen: Screen) -> int:
    numbers = screen.versions.order_by("-number").values_list("number", flat=True)
    return numbers.first() or 0


def base_version(request: HttpRequest) -> int:
    """Return the version a change began with, or the one it may be saved over."""
    return number_of(request, "over") or number_of(request, "base_version")


def number_of(request: HttpRequest, name: str) -> int:
    """Read a number of a version; 0, which no version has, for anything else."""
    text = request.POST.get(name) or request.GET.get(name) or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0

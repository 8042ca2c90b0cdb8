"""The page on which a reader reveals or exports the personal data of a block."""

from __future__ import annotations

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from connectors.outcomes import Failure, Success, Table
from connectors.parameters import ArgumentError
from connectors.reveal_models import LEAST_REASON, MOST_REASON
from connectors.services import (
    NotRevealed,
    exportable,
    hide,
    operation_keys,
    record_export,
    reveal,
    revealable,
)
from menus import messages
from menus.models import Menu
from menus.opening import (
    BOM,
    csv_response,
    finished_block,
    given_of,
    note_export,
    open_page,
    status_of,
)
from menus.services import menu_for
from menus.visibility import Kind
from screens.models import Screen
from screens.services import NotPublished, UnknownBlock, personal_operations
from tenants.access import tenant_required
from tenants.scope import Actor


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_required
def block_personal(request: HttpRequest, slug: str, block: str) -> HttpResponseBase:
    """Ask for a reason; then show the block's personal data for a while, or export."""
    actor = Actor.of(request)
    menu = _menu_or_404(actor, slug)
    keys = _operations(request, menu, block, actor)
    if request.method != "POST":
        return _form(request, menu, block, keys)
    reason = request.POST.get("reason", "")
    if request.POST.get("action") == "export":
        return _export(request, menu, block, keys, reason=reason)
    found = reveal(keys, place=_place(menu), reason=reason, actor=actor)
    if isinstance(found, NotRevealed):
        return _form(request, menu, block, keys, refused=found, reason=reason)
    return HttpResponseRedirect(_screen_address(request, menu) + f"#block-{block}")


@require_POST
@tenant_required
def hide_personal(request: HttpRequest, slug: str) -> HttpResponse:
    """Mask again what the reader has revealed on the screen of a menu."""
    actor = Actor.of(request)
    menu = _menu_or_404(actor, slug)
    hide(place=_place(menu), actor=actor)
    return HttpResponseRedirect(_screen_address(request, menu))


def _export(
    request: HttpRequest,
    menu: Menu,
    block: str,
    keys: tuple[str, ...],
    *,
    reason: str,
) -> HttpResponseBase:
    actor = Actor.of(request)
    allowed = exportable(keys, reason=reason, actor=actor)
    if isinstance(allowed, NotRevealed):
        return _form(request, menu, block, keys, refused=allowed, reason=reason)
    page = open_page(
        menu, given=given_of(request), actor=actor, only=block, revealed=allowed
    )
    if isinstance(page, tuple):
        raise Http404  # the form has read the same arguments a moment ago
    response = finished_block(page).response
    outcome = response.outcome
    if isinstance(outcome, Failure):
        context = {"menu": menu, "message": outcome.message}
        status = status_of(outcome)
        return render(request, "menus/no_export.html", context, status=status)
    rows, columns = _shown(outcome)
    record_export(
        set(response.operations) & set(allowed),
        place=_place(menu),
        reason=reason,
        actor=actor,
        rows=rows,
        columns=columns,
    )
    note_export(menu, block, actor=actor)
    bom = request.POST.get(BOM) == "1"
    return csv_response(outcome, filename=f"{menu.slug}-{block}", bom=bom)


def _shown(success: Success) -> tuple[int, tuple[str, ...]]:
    """Return how many rows there are, and the personal columns that are not masked."""
    table = success.data
    if not isinstance(table, Table):
        return len(table.splitlines()), ()
    columns = [each for each in table.columns if each.personal and not each.masked]
    return len(table.rows), tuple(column.name for column in columns)


def _form(
    request: HttpRequest,
    menu: Menu,
    block: str,
    keys: tuple[str, ...],
    *,
    refused: NotRevealed | None = None,
    reason: str = "",
) -> HttpResponse:
    actor = Actor.of(request)
    labels = operation_keys(actor=actor)
    allowed = revealable(keys, actor=actor)
    status = 200
    if refused is not None:
        status = 403 if refused.rule == "no-permission" else 400
    context: dict[str, Any] = {
        "menu": menu,
        "operations": [
            {"label": labels.get(key, key), "allowed": key in allowed} for key in keys
        ],
        "allowed": bool(allowed),
        "fault": messages.not_revealed(refused.rule) if refused else "",
        "reason": reason,
        "least": LEAST_REASON,
        "most": MOST_REASON,
        "show_for": messages.show_for(),
        "back": _screen_address(request, menu),
    }
    response = render(request, "menus/personal.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _operations(
    request: HttpRequest, menu: Menu, block: str, actor: Actor
) -> tuple[str, ...]:
    """Return the block's operations that may hold personal data.

    Raises:
        Http404: there is no such block, the arguments are wrong, or nothing in it is
            marked as personal.
    """
    if menu.kind != Kind.SCREEN or menu.screen is None:
        raise Http404
    try:
        found = personal_operations(
            menu.screen, arguments=given_of(request), actor=actor, only=block
        )
    except (NotPublished, UnknownBlock):
        raise Http404 from None
    keys = tuple(each for each in found if not isinstance(each, ArgumentError))
    if not keys:
        raise Http404
    return keys


def _menu_or_404(actor: Actor, slug: str) -> Menu:
    try:
        return menu_for(actor, slug)
    except Menu.DoesNotExist:
        raise Http404 from None


def _place(menu: Menu) -> str:
    return cast("Screen", menu.screen).key


def _screen_address(request: HttpRequest, menu: Menu) -> str:
    query = request.GET.urlencode()
    return reverse("menu", args=[menu.slug]) + (f"?{query}" if query else "")

"""Pages of readers: the home of the portal, menus, and single blocks."""

from __future__ import annotations

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from connectors.outcomes import Failure
from connectors.parameters import ArgumentError
from menus.checklist import checklist, put_away
from menus.forms import ParameterForm, parameter_form
from menus.models import Menu
from menus.navigation import Item, navigation_of, visible_on
from menus.opening import (
    BOM,
    csv_response,
    finished_block,
    given_of,
    note_export,
    open_page,
    status_of,
)
from menus.personal import (
    RECENT,
    favourite_ids,
    recent_ids,
    remember_visit,
    set_favourite,
)
from menus.services import menu_for
from menus.visibility import Kind
from observability.services import measure
from screens import frame
from screens.document import Document
from screens.models import Screen
from screens.services import (
    NotPublished,
    OpenPage,
    UnknownBlock,
    published_document,
)
from screens.streaming import stream_page
from tenants.access import tenant_required
from tenants.models import User
from tenants.scope import Actor


@require_safe
@tenant_required
def home(request: HttpRequest) -> HttpResponse:
    actor = Actor.of(request)
    navigation = navigation_of(request)
    by_id = {item.id: item for item in navigation.items}
    context = {
        "navigation": navigation,
        "favourites": _known(by_id, favourite_ids(actor)),
        "recents": _known(by_id, recent_ids(actor))[:RECENT],
        "checklist": checklist(actor, cast("User", request.user)),
    }
    return render(request, "menus/home.html", context)


@require_POST
@tenant_required
def first_steps(request: HttpRequest) -> HttpResponse:
    """Put the list of first steps away, or take it out again."""
    put_away(Actor.of(request), wanted=request.POST.get("wanted") != "no")
    return HttpResponseRedirect(reverse("home"))


@require_safe
@tenant_required
def open_menu(request: HttpRequest, slug: str) -> HttpResponseBase:
    actor = Actor.of(request)
    # Before it is measured: a slug that leads nowhere would be a key of its own.
    menu = _menu_or_404(request, slug)
    with measure("menu", key=slug, tenant=str(actor.tenant_id)):
        if request.method == "HEAD":
            return HttpResponse()
        remember_visit(actor, menu)
        match Kind(menu.kind):
            case Kind.GROUP:
                return _group_page(request, menu)
            case Kind.LINK:
                return render(request, "menus/link.html", _context(request, menu))
            case Kind.SCREEN:
                return _screen_page(request, menu)


@require_safe
@tenant_required
def menu_block(request: HttpRequest, slug: str, block: str) -> HttpResponseBase:
    menu = _menu_or_404(request, slug)
    if request.method == "HEAD":
        return HttpResponse()
    page = _opened(request, menu, only=block)
    if isinstance(page, tuple):
        return _wrong_arguments(request, menu, page)
    drawn = finished_block(page)
    card = frame.card(page, drawn)
    if request.htmx:  # type: ignore[attr-defined]
        return _unstored(HttpResponse(card))
    context = {
        **_context(request, menu),
        "card": card,
        "screen_head": frame.head(page),
        "heading": drawn.block.title.in_language(page.reader.language),
        "size": frame.size_of(drawn.block),
        "query": request.GET.urlencode(),
        "page": page,
    }
    return _unstored(render(request, "menus/block.html", context))


@require_safe
@tenant_required
def menu_block_csv(request: HttpRequest, slug: str, block: str) -> HttpResponseBase:
    menu = _menu_or_404(request, slug)
    if request.method == "HEAD":
        return HttpResponse(content_type="text/csv; charset=utf-8")
    # A reveal is for looking; an export of personal data has a form of its own.
    page = _opened(request, menu, only=block, with_reveals=False)
    if isinstance(page, tuple):
        return _wrong_arguments(request, menu, page)
    outcome = finished_block(page).response.outcome
    if isinstance(outcome, Failure):
        context = {**_context(request, menu), "message": outcome.message}
        status = status_of(outcome)
        return render(request, "menus/no_export.html", context, status=status)
    note_export(menu, block, actor=Actor.of(request))
    bom = request.GET.get(BOM) == "1"
    return csv_response(outcome, filename=f"{slug}-{block}", bom=bom)


@require_POST
@tenant_required
def favourite_menu(request: HttpRequest, slug: str) -> HttpResponse:
    """Pin or unpin a menu, then go back to where the reader was."""
    menu = _menu_or_404(request, slug)
    wanted = request.POST.get("wanted") != "no"
    set_favourite(Actor.of(request), menu, wanted=wanted)
    back = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(back if ours else reverse("menu", args=[slug]))


def _menu_or_404(request: HttpRequest, slug: str) -> Menu:
    try:
        return menu_for(Actor.of(request), slug, visible=visible_on(request))
    except Menu.DoesNotExist:
        raise Http404 from None


def _opened(
    request: HttpRequest,
    menu: Menu,
    *,
    only: str | None = None,
    with_reveals: bool = True,
) -> OpenPage | tuple[ArgumentError, ...]:
    actor = Actor.of(request)
    try:
        return open_page(
            menu,
            given=given_of(request),
            actor=actor,
            only=only,
            with_reveals=with_reveals,
        )
    except (Screen.DoesNotExist, NotPublished, UnknownBlock):
        raise Http404 from None


def _group_page(request: HttpRequest, menu: Menu) -> HttpResponse:
    children = navigation_of(request).below(menu.pk)
    context = {**_context(request, menu), "children": children}
    return render(request, "menus/group.html", context)


def _screen_page(request: HttpRequest, menu: Menu) -> HttpResponseBase:
    page = _opened(request, menu)
    if isinstance(page, tuple):
        return _wrong_arguments(request, menu, page)
    try:
        form = _form(request, page.document)
        context = _screen_context(request, menu, page.document, form)
    except BaseException:
        page.close()
        raise
    return stream_page(request, "menus/open_menu.html", context, page=page)


def _wrong_arguments(
    request: HttpRequest, menu: Menu, faults: tuple[ArgumentError, ...]
) -> HttpResponse:
    """Show the form with every fault at its field; no block has run."""
    document = published_document(menu.screen.published)  # type: ignore[union-attr,arg-type]
    form = _form(request, document, faults)
    context = {**_screen_context(request, menu, document, form), "refused": True}
    return _unstored(render(request, "menus/open_menu.html", context, status=400))


def _form(
    request: HttpRequest,
    document: Document,
    faults: tuple[ArgumentError, ...] = (),
) -> ParameterForm:
    language = get_language() or "ko"
    given = given_of(request)
    return parameter_form(
        document.parameters, given=given, language=language, faults=faults
    )


def _screen_context(
    request: HttpRequest, menu: Menu, document: Document, form: ParameterForm
) -> dict[str, Any]:
    language = get_language() or "ko"
    return {
        **_context(request, menu),
        "heading": document.title.in_language(language) or menu.name,
        "description": document.description.in_language(language),
        "form": form,
        "edit_address": _edit_address(request, menu),
    }


def _context(request: HttpRequest, menu: Menu) -> dict[str, Any]:
    favourites = favourite_ids(Actor.of(request))
    return {"menu": menu, "is_favourite": menu.pk in favourites}


def _edit_address(request: HttpRequest, menu: Menu) -> str:
    user = request.user
    if not (user.is_staff and user.has_perm("screens.change_screen")):
        return ""
    return reverse("screen-edit", args=[menu.screen.key]) if menu.screen else ""


def _known(by_id: dict[int, Item], ids: tuple[int, ...]) -> list[Item]:
    return [by_id[key] for key in ids if key in by_id]


def _unstored(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response

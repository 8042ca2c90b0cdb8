"""The editor's properties tab: forms over a document that travels with every action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from connectors.outcomes import Json
from screens import editing, services
from screens.document import Document, DocumentError, parse_document
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
from screens.form_choices import outline_of, surroundings_of
from screens.form_edits import (
    VERBS,
    act,
    apply,
    at_fields,
    nearest_of,
    nodes_of,
    part_of,
    place_of,
    with_unread,
)
from screens.form_nodes import Node, element_id, places_of
from screens.form_places import Surroundings
from screens.form_values import Unread, Written
from screens.messages import with_words
from screens.models import Screen, ScreenVersion
from screens.preview_views import Refused, preview_page
from screens.views import json_page, save
from tenants.forms import json_fault
from tenants.scope import Actor


@dataclass(frozen=True, slots=True)
class Desk:
    """What lies on the editor's desk: one document, and the part that is open.

    Attributes:
        base: Number of the version the work began with.
        unread: Texts that no value could be made of, by pointer.
    """

    screen: Screen
    body: Json
    part: str
    base: int
    errors: tuple[DocumentError, ...] = ()
    unread: Mapping[str, tuple[Written, Unread]] = field(default_factory=dict)
    newer: ScreenVersion | None = None
    status: int = 200
    argument_errors: tuple[str, ...] = ()
    viewer_error: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@for_editors
def properties(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show a document as forms, or do what a button of them says."""
    screen = get_object_or_404(Screen, key=key)
    if request.method == "POST":
        return _posted(request, screen)
    shown = shown_version(request, screen)
    body = shown.body if shown else editing.EMPTY
    part = part_of(body, request.GET.get("open", ""))
    desk = Desk(screen, body, part, base=newest_number(screen))
    if "check" in request.GET:
        desk = replace(desk, errors=_all_errors(body, Actor.of(request)))
    return _page(request, desk)


def _posted(request: HttpRequest, screen: Screen) -> HttpResponseBase:
    text = request.POST.get("document", "")
    body, fault = editing.read_json(text)
    base = base_version(request)
    if fault is not None:
        errors = with_words([fault])
        return _json_tab(request, screen, text, base=base, errors=errors)
    if errors := _beyond_forms(body):
        text = editing.as_text(body)
        return _json_tab(request, screen, text, base=base, errors=errors)
    desk = Desk(screen, body, part_of(body, request.POST.get("open", "")), base)
    verb, _colon, pointer = request.POST.get("action", "apply").partition(":")
    if verb == "show":
        # The document comes from another tab, whose page has no fields.
        part = part_of(body, pointer) if pointer else desk.part
        errors = _errors_of(body)
        return _page(request, replace(desk, part=part, errors=errors))
    around = surroundings_of(body, desk.part, actor=Actor.of(request))
    nodes = nodes_of(body, desk.part, around)
    applied = apply(body, nodes, {name: str(v) for name, v in request.POST.items()})
    desk = replace(desk, body=applied.body, unread=applied.unread)
    if errors := _beyond_forms(desk.body):
        text = editing.as_text(desk.body)
        return _json_tab(request, screen, text, base=base, errors=errors)
    if applied.unread:
        errors = (*_unread_errors(applied.unread), *_errors_of(desk.body))
        return _page(request, replace(desk, errors=errors, status=INVALID))
    return _done(request, desk, verb, pointer, around)


def _done(
    request: HttpRequest, desk: Desk, verb: str, pointer: str, around: Surroundings
) -> HttpResponseBase:
    """Do what the button says with a document in which everything was read."""
    match verb:
        case "save":
            return _save(request, desk)
        case "preview":
            return _preview(request, desk)
        case "json":
            text = editing.as_text(desk.body)
            return json_page(request, desk.screen, text=text, base=desk.base)
        case verb if verb in VERBS:
            name = request.POST.get(f"n:{pointer}", "")
            nodes = nodes_of(desk.body, desk.part, around)
            acted = act(desk.body, nodes, verb=verb, pointer=pointer, name=name)
            if isinstance(acted, DocumentError):
                errors = with_words([acted])
                return _page(request, replace(desk, errors=errors, status=INVALID))
            errors = _errors_of(acted.body) if verb == "open" else ()
            desk = replace(desk, body=acted.body, part=acted.part, errors=errors)
            return _page(request, desk)
        case _:
            errors = _all_errors(desk.body, Actor.of(request))
            return _page(request, replace(desk, errors=errors))


def _save(request: HttpRequest, desk: Desk) -> HttpResponse:
    saved = save(request, desk.screen, desk.body)
    match saved:
        case ScreenVersion():
            address = reverse("screen-properties", kwargs={"key": desk.screen.key})
            return redirect(f"{address}?open={desk.part}" if desk.part else address)
        case services.StaleBase(newest=newest):
            return _page(request, replace(desk, newer=newest, status=STALE))
        case errors:
            return _page(request, _faulty(desk, errors))


def _preview(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    page = preview_page(request, desk.screen, desk.body)
    if not isinstance(page, Refused):
        return page
    refused = replace(
        _faulty(desk, page.errors),
        argument_errors=page.arguments,
        viewer_error=page.viewer,
    )
    return _page(request, refused)


def _faulty(desk: Desk, errors: tuple[DocumentError, ...]) -> Desk:
    """Open a part that has an error, when the open one has none."""
    parts = [part_of(desk.body, error.pointer) for error in errors]
    part = parts[0] if parts and desk.part not in parts else desk.part
    return replace(desk, errors=errors, part=part, status=INVALID)


def _json_tab(
    request: HttpRequest,
    screen: Screen,
    text: str,
    *,
    base: int,
    errors: tuple[DocumentError, ...],
) -> HttpResponse:
    """Go on in the JSON tab with what no form can show."""
    return json_page(
        request, screen, text=text, base=base, errors=errors, status=INVALID
    )


def _beyond_forms(body: Json) -> tuple[DocumentError, ...]:
    """Return faults for which there is no form: characters no page can hold, depth."""
    return tuple(e for e in _errors_of(body) if e.rule in {"character", "depth"})


def _errors_of(body: Json) -> tuple[DocumentError, ...]:
    found = parse_document(body)
    return with_words(found) if isinstance(found, tuple) else ()


def _all_errors(body: Json, actor: Actor) -> tuple[DocumentError, ...]:
    """Return what stands against saving, or else against publishing."""
    found = parse_document(body)
    if isinstance(found, Document):
        return services.publish_errors(found, actor=actor)
    return with_words(found)


def _unread_errors(
    unread: Mapping[str, tuple[Written, Unread]],
) -> tuple[DocumentError, ...]:
    return with_words(
        DocumentError(
            pointer,
            fault.rule,
            found=json_fault(fault.found) if fault.rule == "not-json" else fault.found,
            expected=fault.expected,
        )
        for pointer, (_text, fault) in unread.items()
    )


def _page(request: HttpRequest, desk: Desk) -> HttpResponse:
    around = surroundings_of(desk.body, desk.part, actor=Actor.of(request))
    nodes = with_unread(nodes_of(desk.body, desk.part, around), desk.unread)
    context = page_context(
        request,
        desk.screen,
        title=_("Edit %s") % desk.screen,
        panel="screen-properties",
    )
    context |= draft_context(request)
    context |= stale_context(desk.newer, editing.as_text(desk.body))
    context |= {
        "document": editing.for_hidden_field(desk.body),
        "open": desk.part,
        "base_version": desk.base,
        "outline": outline_of(desk.body, desk.part, desk.errors),
        "nodes": at_fields(nodes, desk.errors),
        "errors": _told(desk.body, desk.part, nodes, desk.errors),
        "argument_errors": desk.argument_errors,
        "viewer_error": desk.viewer_error,
    }
    return render(request, "screens/properties.html", context, status=desk.status)


@dataclass(frozen=True, slots=True)
class Told:
    """An error in the list above the form, with the way to its field.

    Attributes:
        link: Id of the nearest element, when the error is in the open part.
    """

    error: DocumentError
    link: str


def _told(
    body: Json, part: str, nodes: Sequence[Node], errors: Sequence[DocumentError]
) -> list[Told]:
    places = set(places_of(nodes))
    told = []
    for error in errors:
        is_here = part_of(body, error.pointer) == part
        nearest = nearest_of(places, place_of(error)) if is_here else ""
        told.append(Told(error, element_id(nearest) if nearest else ""))
    return told

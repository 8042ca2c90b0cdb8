"""Run a document that is being edited, as its editor or as a user who was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.utils.translation import gettext as _

from connectors.messages import argument_error
from connectors.outcomes import Json
from connectors.parameters import ArgumentError
from screens import editing, editor, messages, previews, services
from screens.document import Document, DocumentError, parse_document
from screens.models import Screen
from screens.pages import OpenPage
from screens.streaming import stream_page
from tenants.models import User
from tenants.scope import Actor


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no preview, in words.

    Attributes:
        errors: What is wrong with the document.
        arguments: What is wrong with the arguments.
        viewer: What is wrong with the user who was chosen, or "".
    """

    errors: tuple[DocumentError, ...] = ()
    arguments: tuple[str, ...] = ()
    viewer: str = ""


def preview_page(
    request: HttpRequest, screen: Screen, body: Json
) -> HttpResponseBase | Refused:
    """Stream the preview that a tab of the editor asks for, or say why there is none.

    Reads ``arguments``, ``viewer`` (the number of a user, or "" for the editor) and
    ``width`` from the request.
    """
    document = parse_document(body)
    if isinstance(document, tuple):
        return Refused(errors=messages.with_words(document))
    actor, chosen = Actor.of(request), request.POST.get("viewer", "")
    viewer = previews.find_viewer(chosen, actor=actor) if chosen else None
    if chosen and viewer is None:
        return Refused(viewer=messages.no_viewer())
    page = _opened(request, screen, document, viewer=viewer, actor=actor)
    if isinstance(page, tuple):
        return _refused(page)
    return _streamed(request, screen, body, page=page, viewer=viewer)


def _opened(
    request: HttpRequest,
    screen: Screen,
    document: Document,
    *,
    viewer: User | None,
    actor: Actor,
) -> OpenPage | tuple[ArgumentError, ...] | tuple[DocumentError, ...]:
    given = dict(QueryDict(request.POST.get("arguments", "")).lists())
    if viewer is None:
        return services.preview(document, actor=actor, arguments=given, key=screen.key)
    return previews.preview_as(
        screen, document, viewer=viewer, actor=actor, arguments=given
    )


def _refused(
    faults: tuple[ArgumentError, ...] | tuple[DocumentError, ...],
) -> Refused:
    errors = [each for each in faults if isinstance(each, DocumentError)]
    others = [each for each in faults if not isinstance(each, DocumentError)]
    return Refused(tuple(errors), tuple(argument_error(each) for each in others))


def _streamed(
    request: HttpRequest,
    screen: Screen,
    body: Json,
    *,
    page: OpenPage,
    viewer: User | None,
) -> HttpResponseBase:
    try:
        context = editor.page_context(
            request,
            screen,
            title=_("Preview of %s") % page.title(),
            panel="screen-properties",
        )
    except BaseException:
        page.close()
        raise
    context |= {
        # Its script waits for the end of the stream, and then moves the page.
        "is_nav_sidebar_enabled": False,
        "viewer": viewer,
        "width": "phone" if request.POST.get("width") == "phone" else "desktop",
        "document": editing.for_hidden_field(body),
        "base_version": editor.base_version(request),
        "open": request.POST.get("open", ""),
    }
    return stream_page(request, "screens/preview.html", context, page=page)

"""The readers' API: the menus, screens and blocks of the pages, as JSON and CSV."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import api_view, permission_classes, renderer_classes
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from connectors.messages import argument_error
from connectors.outcomes import Failure
from connectors.parameters import Argument, ArgumentError, ParameterSpec, as_text
from menus.api_serializers import (
    BadArgumentsSerializer,
    MenuDetailSerializer,
    MenuSerializer,
    OutcomeSerializer,
    ProblemSerializer,
    RunSerializer,
)
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
from menus.services import VisibleMenu, menu_for, visible_menus
from screens.document import Block, Document, Text
from screens.models import Screen
from screens.services import (
    NotPublished,
    OpenPage,
    UnknownBlock,
    outcome_as_json,
    published_document,
)
from tenants.api import HasScope
from tenants.scope import Actor

HIDDEN = OpenApiResponse(
    ProblemSerializer, "There is no such menu or block, or you may not see it."
)
BAD_ARGUMENTS = OpenApiResponse(
    BadArgumentsSerializer, "An argument was refused; nothing was run."
)
WRONG_SCOPE = OpenApiResponse(ProblemSerializer, "The token lacks the scope.")
ARGUMENTS = OpenApiParameter(
    "arguments",
    {"type": "object", "additionalProperties": {"type": "string"}},
    OpenApiParameter.QUERY,
    style="form",
    explode=True,
    description="Parameters of the screen, each under its own name.",
)


class CsvRenderer(JSONRenderer):
    """Lets a client ask for ``text/csv``; what is told instead of rows is JSON."""

    media_type = "text/csv"
    format = "csv"


@extend_schema(
    operation_id="list_menus",
    responses={200: MenuSerializer(many=True), 403: WRONG_SCOPE},
)
@api_view(["GET"])
@permission_classes([HasScope("read")])
def list_menus(request: Request) -> Response:
    """The menus you see, in tree order."""
    menus = visible_menus(Actor.of(request))
    slugs = {menu.id: menu.slug for menu in menus}
    listed = [_menu(menu, slugs) for menu in menus]
    return Response(MenuSerializer(listed, many=True).data)


@extend_schema(
    operation_id="read_menu",
    responses={200: MenuDetailSerializer, 403: WRONG_SCOPE, 404: HIDDEN},
)
@api_view(["GET"])
@permission_classes([HasScope("read")])
def read_menu(request: Request, slug: str) -> Response:
    """One menu: the title, parameters and blocks of its screen."""
    menus = visible_menus(Actor.of(request))
    menu = _menu_or_404(request, slug, visible=menus)
    shown = next(each for each in menus if each.id == menu.pk)
    detail = _menu(shown, {each.id: each.slug for each in menus}) | _screen(menu)
    return Response(MenuDetailSerializer(detail).data)


@extend_schema(
    operation_id="run_menu",
    parameters=[ARGUMENTS],
    responses={200: RunSerializer, 400: BAD_ARGUMENTS, 403: WRONG_SCOPE, 404: HIDDEN},
)
@api_view(["GET"])
@permission_classes([HasScope("run")])
def run_menu(request: Request, slug: str) -> Response:
    """Run every block of a menu's screen; a failed block is told in its place."""
    page = _opened(request, _menu_or_404(request, slug))
    if isinstance(page, tuple):
        return _bad_arguments(page)
    with page:
        done = {drawn.block.id: drawn for drawn in page}
    blocks = [done[block.id] for block in page.blocks if block.id in done]
    return Response(
        {
            "screen": page.key,
            "version": page.version,
            "title": page.title(),
            "arguments": {
                name: _written(value) for name, value in page.arguments.items()
            },
            "blocks": [outcome_as_json(each.block, each.response) for each in blocks],
        }
    )


@extend_schema(
    operation_id="run_block",
    parameters=[ARGUMENTS],
    responses={
        200: OutcomeSerializer,
        400: BAD_ARGUMENTS,
        403: WRONG_SCOPE,
        404: HIDDEN,
    },
)
@api_view(["GET"])
@permission_classes([HasScope("run")])
def run_block(request: Request, slug: str, block: str) -> Response:
    """Run one block of a menu's screen."""
    page = _opened(request, _menu_or_404(request, slug), only=block)
    if isinstance(page, tuple):
        return _bad_arguments(page)
    drawn = finished_block(page)
    return Response(outcome_as_json(drawn.block, drawn.response))


@extend_schema(
    operation_id="export_block",
    parameters=[
        ARGUMENTS,
        OpenApiParameter(
            BOM, bool, description="1 puts the UTF-8 byte order mark in front."
        ),
    ],
    responses={
        (200, "text/csv"): OpenApiTypes.STR,
        400: BAD_ARGUMENTS,
        403: WRONG_SCOPE,
        404: HIDDEN,
        502: OpenApiResponse(ProblemSerializer, "The block failed: no rows."),
    },
)
@api_view(["GET"])
@permission_classes([HasScope("export")])
@renderer_classes([JSONRenderer, CsvRenderer])
def export_block(request: Request, slug: str, block: str) -> HttpResponseBase:
    """The rows of one block as CSV, streamed."""
    menu = _menu_or_404(request, slug)
    page = _opened(request, menu, only=block)
    if isinstance(page, tuple):
        return _bad_arguments(page)
    outcome = finished_block(page).response.outcome
    if isinstance(outcome, Failure):
        return Response({"detail": outcome.message}, status=status_of(outcome))
    note_export(menu, block, actor=Actor.of(request))
    bom = request.GET.get(BOM) == "1"
    return csv_response(outcome, filename=f"{slug}-{block}", bom=bom)


def _menu_or_404(
    request: Request, slug: str, *, visible: tuple[VisibleMenu, ...] | None = None
) -> Menu:
    try:
        return menu_for(Actor.of(request), slug, visible=visible)
    except Menu.DoesNotExist:
        raise Http404 from None


def _opened(
    request: Request, menu: Menu, *, only: str | None = None
) -> OpenPage | tuple[ArgumentError, ...]:
    actor = Actor.of(request)
    try:
        return open_page(menu, given=given_of(request), actor=actor, only=only)
    except (Screen.DoesNotExist, NotPublished, UnknownBlock):
        raise Http404 from None


def _bad_arguments(faults: tuple[ArgumentError, ...]) -> Response:
    errors = [
        {"name": fault.name, "rule": fault.rule, "message": argument_error(fault)}
        for fault in faults
    ]
    return Response({"errors": errors}, status=400)


def _menu(menu: VisibleMenu, slugs: dict[int, str]) -> dict[str, Any]:
    return {
        "slug": menu.slug,
        "parent": slugs[menu.parent_id] if menu.parent_id is not None else None,
        "depth": menu.depth,
        "kind": menu.kind.value,
        "name": menu.label.in_language(_language()),
        "label": dict(menu.label.by_language),
        "icon": menu.icon,
        "screen": menu.screen,
        "url": menu.url,
        "address": reverse("menu", args=[menu.slug]),
    }


def _screen(menu: Menu) -> dict[str, Any]:
    version = menu.screen.published if menu.screen is not None else None
    if version is None:
        document, number = Document(Text({}), ()), None
    else:
        document, number = published_document(version), version.number
    return {
        "title": document.title.in_language(_language()),
        "description": document.description.in_language(_language()),
        "version": number,
        "parameters": [_parameter(spec) for spec in document.parameters],
        "blocks": [_block(menu, block) for block in document.blocks],
    }


def _parameter(spec: ParameterSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "type": spec.type.value,
        "required": spec.required,
        "default": _written(spec.default),
        "choices": list(spec.choices),
        "title": Text(spec.label).in_language(_language()) or spec.name,
    }


def _block(menu: Menu, block: Block) -> dict[str, Any]:
    return {
        "id": block.id,
        "title": block.title.in_language(_language()),
        "width": block.width,
        "height": block.height,
        "address": reverse("api-menu-block", args=[menu.slug, block.id]),
        "csv_address": reverse("api-menu-block-csv", args=[menu.slug, block.id]),
    }


def _written(value: Argument) -> str | None:
    return None if value is None else as_text(value)


def _language() -> str:
    return get_language() or "ko"

"""Open the screen of a menu, whole or one block of it, for pages and the API alike."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse

from connectors.outcomes import Column, Failure, Reason, Success, Table
from connectors.parameters import ArgumentError
from menus.models import Menu
from renderers.services import csv_lines
from screens.models import Screen
from screens.services import Addresses, Drawn, OpenPage, open_screen
from tenants.audit import record
from tenants.scope import Actor

Given: TypeAlias = dict[str, list[str]]

STATUS = {Reason.DENIED: 403, Reason.TIMEOUT: 504, Reason.CIRCUIT_OPEN: 503}
BOM = "bom"


def given_of(request: HttpRequest) -> Given:
    """Return the raw arguments of an address; ``bom`` is asked of exports only."""
    return {name: values for name, values in request.GET.lists() if name != BOM}


def addresses_of(menu: Menu) -> Addresses:
    return Addresses(
        block=lambda block: reverse("menu-block", args=[menu.slug, block]),
        csv=lambda block: reverse("menu-block-csv", args=[menu.slug, block]),
        personal=lambda block: reverse("menu-block-personal", args=[menu.slug, block]),
    )


def open_page(
    menu: Menu,
    *,
    given: Mapping[str, list[str]],
    actor: Actor,
    only: str | None = None,
    with_reveals: bool = False,
    revealed: Collection[str] = (),
) -> OpenPage | tuple[ArgumentError, ...]:
    """Start the screen of a menu.

    Args:
        with_reveals: Show the personal data that the actor has revealed: pages only,
            never an export and never the API.
        revealed: Operations whose personal data an export holds, with a reason.

    Raises:
        Screen.DoesNotExist: the menu opens no screen.
        NotPublished: the screen is not open to readers.
        UnknownBlock: the screen has no block `only`.
    """
    if menu.screen is None:
        raise Screen.DoesNotExist(f"Menu {menu.slug} opens no screen.")
    return open_screen(
        menu.screen,
        arguments=given,
        actor=actor,
        addresses=addresses_of(menu),
        only=only,
        with_reveals=with_reveals,
        revealed=revealed,
    )


def finished_block(page: OpenPage) -> Drawn:
    """Wait for the one block of a page that was opened with ``only``."""
    with page:
        return next(page)


def status_of(failure: Failure) -> int:
    """Return the HTTP status that a failed block is told with."""
    return STATUS.get(failure.reason, 502)


def csv_response(
    success: Success, *, filename: str, bom: bool
) -> StreamingHttpResponse:
    """Answer with rows as CSV, line by line.

    Args:
        bom: Begin with the UTF-8 byte order mark, which Korean Excel wants.
    """
    return StreamingHttpResponse(
        _encoded(csv_lines(_table_of(success)), bom=bom),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{filename}.csv"',
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        },
    )


def note_export(menu: Menu, block: str, *, actor: Actor) -> None:
    """Put into the audit trail that rows left the portal."""
    record(actor=actor, action="block.exported", target=menu, changes={"block": block})


def _table_of(success: Success) -> Table:
    """A text is a table of one column, one row a line."""
    if isinstance(success.data, Table):
        return success.data
    lines = success.data.splitlines()
    return Table((Column("text"),), tuple((line,) for line in lines))


def _encoded(lines: Iterator[str], *, bom: bool) -> Iterator[bytes]:
    if bom:
        yield codecs.BOM_UTF8
    for line in lines:
        yield line.encode()

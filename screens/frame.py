"""The frame of a page: one shadow root for the grid, skeletons, cells and the end.

The host is the grid itself. Named slots hold skeletons, the last slot has no name so
that stray content stays visible, and every cell is ordinary content that arrives in
order of completion and is shown in order of the document. When ``<template for>`` has
come to every browser, this is the one file to change.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from connectors.masking import is_personal
from connectors.outcomes import Origin, Success, Table
from screens import messages
from screens.document import Block
from screens.pages import Drawn, OpenPage


def head(page: OpenPage) -> SafeString:
    """Return what a page needs in its ``<head>``; scripts are asynchronous.

    The renderers' own script loads what a block needs when the block comes.
    """
    return render_to_string("screens/head.html", {"page": page})


def opening(page: OpenPage) -> SafeString:
    """Return the grid's start tag and the shadow root with a skeleton per block."""
    language = page.reader.language
    skeletons = tuple(
        Skeleton(
            id=block.id,
            title=block.title.in_language(language),
            part=f"skeleton {size_of(block)}",
            address=page.address_of(block),
        )
        for block in page.blocks
    )
    return _opening(skeletons, get_language())


class Skeleton(NamedTuple):
    """What stands in the place of a block until it comes."""

    id: str
    title: str
    part: str
    address: str


@lru_cache(maxsize=256)
def _opening(skeletons: tuple[Skeleton, ...], language: str | None) -> SafeString:
    """Draw the skeletons once: everything that is in them is in the key.

    Args:
        language: The active one, which the words of the template are in.
    """
    return render_to_string("screens/opening.html", {"skeletons": skeletons})


def cell(page: OpenPage, drawn: Drawn) -> SafeString:
    """Return a block in its place of the grid."""
    context = _card_context(page, drawn) | {"size": size_of(drawn.block)}
    return render_to_string("screens/cell.html", context)


def bare_cell(block_id: str) -> SafeString:
    """Return a failed block drawn without any template, for when those fail."""
    return format_html(
        '<div class="cell" slot="b-{}"><section class="block block-failed" '
        'id="block-{}"><p>{}</p></section></div>',
        block_id,
        block_id,
        messages.block_broken(),
    )


def card(page: OpenPage, drawn: Drawn) -> SafeString:
    """Return a block without a place: its own page, or the answer to a refresh."""
    return render_to_string("screens/card.html", _card_context(page, drawn))


def closing(page: OpenPage, *, done: int, failed: int) -> SafeString:
    """Return the end of the grid, and how many blocks came."""
    summary = messages.blocks_loaded(done=done, total=len(page.blocks), failed=failed)
    return render_to_string("screens/closing.html", {"summary": summary})


def size_of(block: Block) -> str:
    """Return the classes of a block's width and height."""
    return f"w{block.width} h{block.height}"


def _card_context(page: OpenPage, drawn: Drawn) -> dict[str, object]:
    block, response, rendered = drawn
    outcome = response.outcome
    success = outcome if isinstance(outcome, Success) else None
    table = success.data if success and isinstance(success.data, Table) else None
    decision = response.decision
    return {
        "block": block,
        "title": block.title.in_language(page.reader.language),
        "body": rendered.html,
        "state": rendered.state.value,
        "source": ", ".join(response.operations) or block.source.operation,
        "table": decision.table if decision else "",
        "rule": decision.rule if decision and decision.table else "",
        "elapsed_ms": f"{response.elapsed_ms:,.0f}",
        "as_of": success.as_of if success else None,
        "origin": messages.origin(success.origin) if success else "",
        "is_kept": success is not None and success.origin is not Origin.LIVE,
        "rows": messages.rows(len(table.rows)) if table else "",
        "fallback": messages.fallback_used(response.because, step=response.step),
        "address": page.address_of(block),
        "csv_address": page.csv_address_of(block) if table else "",
        "personal_address": (
            page.personal_address_of(block) if success and is_personal(success) else ""
        ),
    }

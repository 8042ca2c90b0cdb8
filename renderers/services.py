"""The door of the renderers: outcomes in, safe HTML out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from django.utils import translation

from connectors.outcomes import Failure, Outcome, Reason, Success
from observability.services import measure
from renderers import chart, grid, messages, table, text
from renderers.columns import CannotDraw, ColumnsMissing
from renderers.export import csv_lines
from renderers.figures import warm
from renderers.frame import failure_block
from renderers.presentation import Format, Presentation, RenderContext, RenderedBlock
from renderers.safety import neutralised

__all__ = ["ASSETS", "RENDERERS", "csv_lines", "render_outcome", "warm"]

Renderer: TypeAlias = Callable[[Success, Presentation, RenderContext], RenderedBlock]

RENDERERS: Mapping[Format, Renderer] = {
    Format.TEXT: text.render,
    Format.GRID: grid.render,
    Format.TABLE: table.render,
    Format.CHART: chart.render,
}

ASSETS: Mapping[str, tuple[str, ...]] = {
    "grid": (
        "renderers/vendor/tabulator.min.css",
        "renderers/vendor/tabulator.min.js",
        "renderers/grid.js",
    ),
    "chart-basic": ("renderers/vendor/plotly-basic.min.js", "renderers/chart.js"),
    "chart-cartesian": (
        "renderers/vendor/plotly-cartesian.min.js",
        "renderers/chart.js",
    ),
}
"""Static paths of the styles and scripts behind the names in ``RenderedBlock.assets``.

A page needs none of them by name: ``renderers/head.html`` in its head loads
``blocks.css`` and ``blocks.js``, which fetch these when a block needs them.
"""


def render_outcome(
    outcome: Outcome, presentation: Presentation, context: RenderContext
) -> RenderedBlock:
    """Draw an outcome: a success in its format, a failure as a card.

    Words are in ``context.language``, whatever language is active. Options that the
    data cannot follow, such as a column that is not there, draw a failure, too; the
    options themselves are taken to be valid (``renderers.options.option_errors``).
    """
    with (
        measure("renderer", key=presentation.format.value),
        translation.override(context.language),
    ):
        if isinstance(outcome, Failure):
            return failure_block(outcome, context=context)
        try:
            return RENDERERS[presentation.format](outcome, presentation, context)
        except CannotDraw as error:
            return failure_block(
                Failure(Reason.UNREADABLE, _words(error), outcome.elapsed_ms),
                context=context,
                way_out=messages.mapping_way_out(),
            )


def _words(error: CannotDraw) -> str:
    if isinstance(error, ColumnsMissing):
        return messages.missing_columns(
            [neutralised(name) for name in error.names],
            there=[neutralised(name) for name in error.there],
        )
    return str(error)

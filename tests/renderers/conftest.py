"""Outcomes to draw, and a door that draws them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from connectors.outcomes import Column, ColumnType, Cut, Outcome, Success, Table
from renderers.presentation import Format, Presentation, RenderContext, RenderedBlock
from renderers.services import render_outcome

NOW = datetime(2026, 11, 23, 3, 4, 5, tzinfo=UTC)

Draw: TypeAlias = Callable[..., RenderedBlock]


def success(data: Table | str, **values: Any) -> Success:
    return Success(data, status=200, as_of=NOW, elapsed_ms=1.0, **values)


def table(
    columns: Sequence[Any],
    *rows: Sequence[Any],
    cuts: tuple[Cut, ...] = (),
) -> Table:
    return Table(
        tuple(Column(c) if isinstance(c, str) else c for c in columns),
        tuple(tuple(row) for row in rows),
        cuts,
    )


def integers(name: str, **values: Any) -> Column:
    return Column(name, ColumnType.INTEGER, **values)


def decimals(name: str, **values: Any) -> Column:
    return Column(name, ColumnType.DECIMAL, **values)


def context(**values: Any) -> RenderContext:
    return RenderContext(
        **{
            "block_id": "stock",
            "title": "Stock by site",
            "address": "/m/stock/blocks/stock/?site=1",
            "language": "en",
            **values,
        }
    )


@pytest.fixture
def draw() -> Draw:
    def draw_outcome(
        outcome: Outcome | Table | str,
        format: str = "table",  # noqa: A002
        options: dict[str, Any] | None = None,
        **values: Any,
    ) -> RenderedBlock:
        if isinstance(outcome, (Table, str)):
            outcome = success(outcome)
        presentation = Presentation(Format(format), options or {})
        return render_outcome(outcome, presentation, context(**values))

    return draw_outcome

"""The frame around every format: the state it is in, and what must be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from connectors.messages import note_text
from connectors.outcomes import Cut, Failure, Origin, Reason, Success, Table
from renderers import messages
from renderers.formatting import in_zone
from renderers.icons import icon
from renderers.presentation import Format, RenderContext, RenderedBlock, State
from renderers.safety import neutralised

FAILURE_STATES: Mapping[Reason, State] = {
    Reason.DENIED: State.DENIED,
    Reason.TIMEOUT: State.TIMED_OUT,
    Reason.CIRCUIT_OPEN: State.CIRCUIT_OPEN,
}
# What opening the block again cannot cure.
_FINAL = frozenset({Reason.DENIED, Reason.REFUSED, Reason.INVALID, Reason.MISSING})


@dataclass(frozen=True, slots=True)
class Body:
    """What a format drew: its HTML and what the reader must know.

    Attributes:
        cuts: Sentences, each telling one cut.
        notes: Sentences of less weight.
    """

    html: SafeString
    cuts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    assets: frozenset[str] = frozenset()
    empty: bool = False


def zone_of(context: RenderContext) -> ZoneInfo:
    """Return the reader's zone; UTC when this machine does not know it."""
    try:
        return ZoneInfo(context.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def framed(
    body: Body,
    *,
    format: Format,  # noqa: A002
    success: Success,
    context: RenderContext,
) -> RenderedBlock:
    """Put the body of a success into its frame."""
    cuts = (*_source_cuts(success), *body.cuts)
    html = render_to_string(
        "renderers/block.html",
        {
            "format": format.value,
            "state": state_of(success, empty=body.empty, cut=bool(cuts)).value,
            "body": body.html,
            "kept": _kept(success, context),
            "cuts": cuts,
            "cut_icon": icon("cut"),
            "notes": (*map(note_text, success.notes), *_privacy(success), *body.notes),
            "note_icon": icon("info"),
        },
    )
    state = state_of(success, empty=body.empty, cut=bool(cuts))
    return RenderedBlock(html=html, state=state, assets=body.assets)


def state_of(success: Success, *, empty: bool, cut: bool) -> State:
    """Name the one state that matters most; the frame tells the others, too."""
    if success.origin is not Origin.LIVE:
        return State.STALE
    if empty:
        return State.EMPTY
    return State.TRUNCATED if cut else State.OK


def empty_body(table: Table | None = None) -> Body:
    """Draw what stands where there are no rows."""
    names = [neutralised(column.name) for column in table.columns] if table else []
    html = render_to_string(
        "renderers/states/empty.html",
        {"icon": icon("empty"), "columns": names[:20]},
    )
    return Body(html=html, empty=True)


def failure_block(
    failure: Failure,
    *,
    context: RenderContext,
    title: str = "",
    way_out: str = "",
) -> RenderedBlock:
    """Draw the card of a failure: the cause, what can be done, retry, trace id."""
    state = FAILURE_STATES.get(failure.reason, State.FAILED)
    html = render_to_string(
        f"renderers/states/{state.value}.html",
        {
            "state": state.value,
            "title": title or messages.state_title(state),
            "message": neutralised(failure.message),
            "way_out": way_out or messages.way_out(failure.reason),
            "retry": context.address if failure.reason not in _FINAL else "",
            "name": context.title,
            "trace_id": context.trace_id,
            "trace_address": context.trace_address,
            "icon": icon(
                {
                    State.DENIED: "lock",
                    State.TIMED_OUT: "clock",
                    State.CIRCUIT_OPEN: "pause",
                }.get(state, "bad")
            ),
        },
    )
    return RenderedBlock(html=html, state=state)


def with_query(address: str, **values: str) -> str:
    """Return `address` with some of its query replaced; "" stays ""."""
    if not address:
        return ""
    parts = urlsplit(address)
    query = [
        pair
        for pair in parse_qsl(parts.query, keep_blank_values=True)
        if pair[0] not in values
    ]
    return urlunsplit(parts._replace(query=urlencode([*query, *values.items()])))


def _privacy(success: Success) -> tuple[str, ...]:
    """Say in one sentence each which columns are masked, and which are revealed."""
    if not isinstance(success.data, Table):
        return ()
    columns = [each for each in success.data.columns if each.personal]
    hidden = [neutralised(each.name) for each in columns if each.masked]
    shown = [neutralised(each.name) for each in columns if not each.masked]
    return (
        *((messages.masked_columns(hidden),) if hidden else ()),
        *((messages.revealed_columns(shown),) if shown else ()),
    )


def _source_cuts(success: Success) -> tuple[str, ...]:
    cuts: Sequence[Cut] = success.data.cuts if isinstance(success.data, Table) else ()
    return tuple(messages.cut(cut) for cut in cuts)


def _kept(success: Success, context: RenderContext) -> dict[str, Any] | None:
    if success.origin is Origin.LIVE:
        return None
    moment = in_zone(success.as_of, zone_of(context))
    cached = success.origin is Origin.CACHE
    return {
        "words": messages.kept(success.origin),
        "icon": icon("clock"),
        "tone": "info" if cached else "warn",
        "iso": moment.isoformat(),
        "text": moment.strftime("%Y-%m-%d %H:%M:%S"),
        "zone": moment.strftime("%Z"),
    }

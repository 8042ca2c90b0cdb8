"""Traces that were kept: a list of them, and the waterfall of one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from observability import held_traces, trace_export, trace_store
from observability.log_search import Place
from observability.log_views import reach_of
from observability.models import StoredTrace

PAGE = 100
DEEPEST = 12
WIDTH = 1_000
_ID = re.compile(r"[0-9a-f]{32}")


@require_safe
@staff_member_required
def traces(request: HttpRequest) -> HttpResponse:
    """The newest traces of the reader's tenant."""
    wanted = request.GET.get("q", "").strip()
    if _ID.fullmatch(wanted.lower()):
        return redirect("trace", wanted.lower())
    kept = request.GET.get("kept", "")
    rows = _visible(request).select_related("tenant").defer("spans")
    if kept in StoredTrace.Kept.values:
        rows = rows.filter(kept=kept)
    if wanted:
        rows = rows.filter(Q(key__icontains=wanted) | Q(trace_id__startswith=wanted))
    if after := Place.read(request.GET.get("after", "")):
        rows = rows.filter(
            Q(started_at__lt=after.at) | Q(started_at=after.at, pk__lt=after.pk)
        )
    found = list(rows.order_by("-started_at", "-pk")[: PAGE + 1])
    shown, older = found[:PAGE], ""
    given = {"q": wanted, "kept": kept}
    if len(found) > PAGE:
        place = Place(shown[-1].started_at, shown[-1].pk)
        older = "?" + urlencode({**given, "after": str(place)})
    context = {
        **admin.site.each_context(request),
        "title": _("Traces"),
        "rows": shown,
        "older": older,
        "query": wanted,
        "kept": kept,
        "choices": [
            (value, label, "?" + urlencode({**given, "kept": value}))
            for value, label in [("", _("All")), *StoredTrace.Kept.choices]
        ],
        "dropped": trace_store.store_of_process.dropped() + held_traces.given_up(),
        "unsent": trace_export.sender.dropped(),
    }
    return render(request, "observability/traces.html", context)


@require_safe
@staff_member_required
def trace(request: HttpRequest, trace_id: str) -> HttpResponse:
    """The waterfall of one trace; 404 with its log lines when it was not kept."""
    parts = list(_visible(request).filter(trace_id=trace_id).order_by("started_at"))
    steps = list(waterfall([span for part in parts for span in part.spans]))
    context = {
        **admin.site.each_context(request),
        "title": _("Trace %(id)s") % {"id": trace_id[:8]},
        "trace_id": trace_id,
        "parts": parts,
        "steps": steps,
        "left_out": sum(part.left_out for part in parts),
        "width": WIDTH,
        "log_address": f"{reverse('logs')}?"
        + urlencode({"q": f"trace:{trace_id}", "hours": 720}),
    }
    status = 200 if parts else 404
    return render(request, "observability/trace.html", context, status=status)


def _visible(request: HttpRequest) -> Any:
    reach = reach_of(request)
    return StoredTrace.objects.visible_to(reach.tenant_id, portal=reach.portal)


class Step(NamedTuple):
    """One span of a waterfall.

    Attributes:
        depth: How many spans are around it, at most `DEEPEST`.
        start_ms: Milliseconds after the first span.
        x: Of the bar, as text for no language's comma; `width` as well.
    """

    name: str
    depth: int
    start_ms: float
    took_ms: float
    reason: str
    attributes: Mapping[str, object]
    started_at: datetime
    x: str
    width: str


def waterfall(spans: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    """Put spans beneath their parents, in the order in which they began.

    A span whose parent is elsewhere, or was left out, stands on the first level.
    """
    if not spans:
        return
    first = min(span["start_ns"] for span in spans)
    last = max(max(span["start_ns"], span["end_ns"]) for span in spans)
    whole = max(last - first, 1)
    known = {span["id"] for span in spans}
    children: dict[str, list[Mapping[str, Any]]] = {}
    for span in sorted(spans, key=lambda span: span["start_ns"], reverse=True):
        parent = span["parent"] if span["parent"] in known else ""
        children.setdefault(parent, []).append(span)
    while children:
        # Spans in a circle have no first one; no trace of ours has any.
        begin = "" if "" in children else next(iter(children))
        waiting = [(span, 0) for span in children.pop(begin)]
        while waiting:
            span, depth = waiting.pop()
            yield _step(span, depth, first=first, whole=whole)
            waiting += [(child, depth + 1) for child in children.pop(span["id"], [])]


def _step(span: Mapping[str, Any], depth: int, *, first: int, whole: int) -> Step:
    took = max(span["end_ns"] - span["start_ns"], 0)
    x = WIDTH * (span["start_ns"] - first) / whole
    return Step(
        name=span["name"],
        depth=min(depth, DEEPEST),
        start_ms=(span["start_ns"] - first) / 1e6,
        took_ms=took / 1e6,
        reason=span["reason"],
        attributes=span["attributes"],
        started_at=datetime.fromtimestamp(span["start_ns"] / 1e9, tz=UTC),
        x=f"{x:.1f}",
        width=f"{max(WIDTH * took / whole, 2):.1f}",
    )

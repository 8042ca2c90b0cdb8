"""The page that searches log lines: a query, counts, the lines, and older ones."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from observability import log_store
from observability.log_messages import fault_text
from observability.log_query import (
    LABELS,
    NAMES,
    Every,
    Moment,
    Node,
    QueryFault,
    parse,
    quoted,
)
from observability.log_search import PAGE, Counted, Place, Reach, histogram, search
from observability.models import LogLine

DEFAULT_HOURS = 24
_CHART_HEIGHT = 60
_CHART_WIDTH = 600
_SHOWN = 300


@require_safe
@staff_member_required
def logs(request: HttpRequest) -> HttpResponse:
    """Lines of the reader's tenant; superusers also see those of no tenant."""
    asked = Asked.of(request)
    reach = reach_of(request)
    now = timezone.now()
    node = parse(asked.query)
    context = {
        **admin.site.each_context(request),
        "title": _("Logs"),
        "asked": asked,
        "windows": windows(asked),
        "names": ", ".join(NAMES),
        "without_tenant": reach.tenant_id is None and not reach.portal,
        "dropped": sum(log_store.store_of_process.dropped().values()),
    }
    if isinstance(node, QueryFault):
        pointed = f"{asked.query}\n{' ' * (node.column - 1)}^"
        context |= {"fault": fault_text(node), "pointed": pointed}
        return render(request, "observability/logs.html", context, status=400)
    context |= _answer(node, asked, reach, now)
    return render(request, "observability/logs.html", context)


def reach_of(request: HttpRequest) -> Reach:
    """Say whose lines the reader of a page may see."""
    tenant = getattr(request, "tenant", None)
    user = request.user
    portal = bool(user.is_active and user.is_superuser)
    return Reach(tenant.pk if tenant is not None else None, portal=portal)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page asks for."""

    query: str
    hours: int
    after: Place | None = None

    @classmethod
    def of(cls, request: HttpRequest) -> Asked:
        hours = request.GET.get("hours", "")
        return cls(
            query=request.GET.get("q", "").strip(),
            hours=int(hours) if hours in {"1", "24", "168", "720"} else DEFAULT_HOURS,
            after=Place.read(request.GET.get("after", "")),
        )

    def address(
        self, *, more: str = "", hours: int = 0, after: Place | None = None
    ) -> str:
        """Return the address of the page with more in its query."""
        query = self.query
        if more and query:
            # Around an or, what is added would belong to its last word alone.
            query = f"({query})" if " or " in f" {query.lower()} " else query
        given: dict[str, object] = {"q": f"{query} {more}".strip()}
        given["hours"] = hours or self.hours
        if after is not None:
            given["after"] = after
        return f"{reverse('logs')}?{urlencode(given)}"


class Window(NamedTuple):
    hours: int
    words: str
    address: str


def windows(asked: Asked) -> list[Window]:
    return [
        Window(hours, _window_words(hours), asked.address(hours=hours))
        for hours in (1, 24, 168, 720)
    ]


def _window_words(hours: int) -> str:
    if hours < 48:
        words = ngettext("Last hour", "Last %(hours)s hours", hours)
        return words % {"hours": hours}
    days = hours // 24
    return ngettext("Last day", "Last %(days)s days", days) % {"days": days}


def _answer(node: Node, asked: Asked, reach: Reach, now: datetime) -> dict[str, Any]:
    since = now - timedelta(hours=asked.hours)
    within = Every((node, Moment("since", at=since)))
    lines = search(within, reach=reach, after=asked.after, limit=PAGE + 1, now=now)
    counts = histogram(node, reach=reach, since=since, until=now, now=now)
    shown = lines[:PAGE]
    older = ""
    if len(lines) > PAGE:
        older = asked.address(after=Place(shown[-1].at, shown[-1].pk))
    return {
        "lines": [ShownLine(line, asked) for line in shown],
        "bars": list(_bars(counts, asked)),
        "total": sum(each.lines for each in counts),
        "older": older,
        "newest": asked.address() if asked.after else "",
        "chart": {"width": _CHART_WIDTH, "height": _CHART_HEIGHT},
    }


class Bar(NamedTuple):
    """One stretch of time; numbers of the drawing as text, for no language's comma."""

    counted: Counted
    x: str
    width: str
    y: str
    height: str
    loud_y: str
    loud_height: str
    address: str


def _bars(counts: list[Counted], asked: Asked) -> Iterator[Bar]:
    most = max((each.lines for each in counts), default=0) or 1
    width = _CHART_WIDTH / len(counts)
    for number, each in enumerate(counts):
        height = _CHART_HEIGHT * each.lines / most
        loud = _CHART_HEIGHT * each.loud / most
        more = f"since:{each.since.isoformat()} until:{each.until.isoformat()}"
        yield Bar(
            each,
            x=f"{number * width:.1f}",
            width=f"{width * 0.9:.1f}",
            y=f"{_CHART_HEIGHT - height:.1f}",
            height=f"{height:.1f}",
            loud_y=f"{_CHART_HEIGHT - loud:.1f}",
            loud_height=f"{loud:.1f}",
            address=asked.address(more=more),
        )


class Fact(NamedTuple):
    """One key and value of a line, with the addresses that search with or without."""

    name: str
    value: str
    only: str
    without: str


class ShownLine:
    """One line as the page shows it."""

    def __init__(self, line: LogLine, asked: Asked) -> None:
        self.line = line
        self.short = line.message[:_SHOWN]
        self.cut = len(line.message) > _SHOWN
        self.level_name = logging.getLevelName(line.level).lower()
        self.facts = [
            Fact(name, value, asked.address(more=term), asked.address(more=f"-{term}"))
            for name, value, term in _facts(line)
        ]
        self.trace = reverse("trace", args=[line.trace_id]) if line.trace_id else ""


def _facts(line: LogLine) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and query term of everything a line tells."""
    tenant = line.tenant.key if line.tenant is not None else ""
    columns = {
        "logger": line.logger,
        "tenant": tenant,
        "trace": line.trace_id,
        "user": line.user,
        "status": line.status,
        "process": line.worker,
        **{name: str(line.labels[name]) for name in LABELS if name in line.labels},
    }
    for name, value in columns.items():
        if value:
            yield name, value, f"{name}:{quoted(value)}"
    for name, found in line.data.items():
        text = log_store.value_text(found)
        yield name, text, quoted(f"{name}={text}"[:200])

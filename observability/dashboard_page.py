"""What the dashboard's template is given: words, links and drawings, no logic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from observability import services
from observability.dashboard import (
    ORDERS,
    WINDOWS,
    Figure,
    Row,
    Word,
    dashboard_rows,
    ordered,
)
from observability.models import Alert, MeasuredKind
from observability.objective_results import (
    ObjectiveResult,
    results_at,
    running_minute_end,
)
from observability.objectives import BURN_MINUTES, Counts, Outlook, Result
from observability.recorder import OTHER_KEY
from tenants.scope import using_tenant

SPARK_WIDTH, SPARK_HEIGHT = 120, 24
LOUD_BURN = 1.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, a second line below, and whether it is bad news."""

    text: str
    note: str = ""
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One link of a list of which one is the present one."""

    text: str
    query: str
    current: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """A column that can be sorted by a link.

    Attributes:
        sorted: ``ascending``, ``descending`` or "", as ``aria-sort`` has it.
    """

    text: str
    query: str
    sorted: str


def dashboard(
    tenant_id: int, *, hours: int, kind: str, order: str, now: datetime
) -> dict[str, Any]:
    """Return everything the page shows of one tenant; four statements.

    Args:
        hours: One of `WINDOWS`.
        kind: Only this kind; "" for all.
        order: A name of `ORDERS`, with a minus for the largest first.
    """
    with services.recorder.paused() as pending:
        rows = dashboard_rows(tenant_id, hours=hours, now=now, pending=pending)
        results = results_at(
            tenant_id, end=running_minute_end(now), now=now, pending=pending
        )
    with using_tenant(tenant_id):
        alerts = list(Alert.objects.unresolved().select_related("rule"))
    kinds = sorted({row.kind for row in rows})
    shown = [row for row in rows if not kind or row.kind == kind]
    return {
        "objectives": [_objective(each, alerts) for each in results],
        "burn_titles": [minutes_text(minutes) for minutes in BURN_MINUTES],
        "rows": [_row(row) for row in ordered(shown, order)],
        "headings": _headings(hours, kind, order),
        "windows": [
            Choice(window_text(each), f"?hours={each}&kind={kind}", each == hours)
            for each in WINDOWS
        ],
        "kinds": [
            Choice(_kind_text(each), f"?hours={hours}&kind={each}", each == kind)
            for each in ["", *kinds]
        ],
        "window": window_text(hours),
        "overflow": any(row.key == OTHER_KEY for row in rows),
    }


def window_text(hours: int) -> str:
    if hours % 24 == 0 and hours > 24:
        days = hours // 24
        return ngettext("Last %d day", "Last %d days", days) % days
    return ngettext("Last hour", "Last %(hours)d hours", hours) % {"hours": hours}


def minutes_text(minutes: int) -> str:
    """Return minutes in the largest unit that divides them: 5 min, 6 h, 3 d."""
    if minutes % (24 * 60) == 0:
        return _("%d d") % (minutes // (24 * 60))
    if minutes % 60 == 0:
        return _("%d h") % (minutes // 60)
    return _("%d min") % minutes


# --- Objectives -------------------------------------------------------------------


def _objective(found: ObjectiveResult, alerts: Sequence[Alert]) -> dict[str, Any]:
    objective, result = found.objective, found.result
    own = [each for each in alerts if each.rule.objective_id == objective.pk]
    left = result.budget_left
    return {
        "objective": objective,
        "kind": _kind_text(objective.kind),
        "promise": _promise_text(found),
        "share": _share(result),
        "left": None if left is None else Cell(_percent(float(left)), bad=left < 0),
        "events_left": _events_left(result),
        "burns": [_burn(result, minutes) for minutes in BURN_MINUTES],
        "outlook": outlook_text(result),
        "alert": min(own, key=lambda each: each.rule.rank, default=None),
        "spark": spark(found.daily, result),
        "spark_width": SPARK_WIDTH,
        "spark_height": SPARK_HEIGHT,
    }


def _promise_text(found: ObjectiveResult) -> str:
    objective = found.objective
    values = {
        "target": f"{objective.target.normalize():f}",
        "days": objective.window_days,
        "ms": objective.threshold_ms,
    }
    if objective.threshold_ms is None:
        return _("%(target)s %% without error in %(days)d d") % values
    return _("%(target)s %% within %(ms)d ms in %(days)d d") % values


def _share(result: Result) -> Cell | None:
    share = result.period.good_share
    if share is None:
        return None
    return Cell(f"{100 * share:.3f} %", bad=result.met is False)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _events_left(result: Result) -> str:
    left = result.events_left
    if left is None:
        return ""
    if left < 0:
        over = -left
        return ngettext("%d event over", "%d events over", over) % over
    return ngettext("%d event left", "%d events left", left) % left


def _burn(result: Result, minutes: int) -> Cell:
    rate = result.burn(minutes)
    if rate is None:
        return Cell(_("no data"))
    return Cell(f"{rate:.2f}×", bad=rate > LOUD_BURN)


def outlook_text(result: Result) -> str:
    """Say what becomes of the budget, in words."""
    outlook, minutes = result.outlook()
    if outlook is Outlook.ENDS and minutes is not None:
        return _("spent in %(time)s") % {"time": _rough(timedelta(minutes=minutes))}
    return {
        Outlook.UNKNOWN: _("no data"),
        Outlook.SPENT: _("spent"),
        Outlook.LASTS: _("lasts"),
    }[outlook]


def _rough(length: timedelta) -> str:
    if length >= timedelta(days=2):
        return _("%d d") % length.days
    if length >= timedelta(hours=2):
        return _("%d h") % (length // timedelta(hours=1))
    return _("%d min") % (length // timedelta(minutes=1))


def spark(daily: Sequence[Counts], result: Result) -> str:
    """Return the points of a line over the days: the bad share of each day.

    The top is twice the budget; days without an event have no point.
    """
    if len(daily) < 2:
        return ""
    budget = result.promise.budget_ppm / 1_000_000
    points = []
    for number, counts in enumerate(daily):
        if counts.known:
            x = SPARK_WIDTH * number / (len(daily) - 1)
            spent = min(counts.bad / counts.total / budget, 2)
            points.append(f"{x:.1f},{SPARK_HEIGHT - 1 - spent / 2 * 22:.1f}")
    return " ".join(points)


# --- Rows -------------------------------------------------------------------------


def _row(row: Row) -> dict[str, Any]:
    return {
        "kind": _kind_text(row.kind),
        "kind_key": row.kind,
        "key": row.key,
        "can_promise": row.kind in MeasuredKind.values and row.key != OTHER_KEY,
        "cells": [
            _cell(row.volume, "{:,.0f}", worse=None),
            _cell(row.errors, "{:.2f}", worse=Word.MORE),
            _cell(row.p50, "{:,.1f}", worse=Word.MORE),
            _cell(row.p95, "{:,.1f}", worse=Word.MORE),
            _cell(row.p99, "{:,.1f}", worse=Word.MORE),
        ],
    }


def _cell(figure: Figure, form: str, *, worse: Word | None) -> Cell:
    text = "–" if figure.value is None else form.format(figure.value)
    words = {
        Word.TOO_FEW: _("too few"),
        Word.NEW: _("new"),
        Word.SAME: _("as before"),
        Word.MORE: _("more"),
        Word.LESS: _("less"),
    }
    note = words[figure.word]
    if figure.ratio is not None:
        note = f"×{figure.ratio:.2f} {note}"
    return Cell(text, note, figure.word == worse)


def _headings(hours: int, kind: str, order: str) -> list[Heading]:
    titles = {
        "kind": _("Kind"),
        "key": _("Key"),
        "volume": _("Events"),
        "errors": _("Errors, %"),
        "p50": _("p50, ms"),
        "p95": _("p95, ms"),
        "p99": _("p99, ms"),
    }
    return [_heading(name, titles[name], hours, kind, order) for name in ORDERS]


def _heading(name: str, text: str, hours: int, kind: str, order: str) -> Heading:
    # Words begin at A, numbers at the largest; a second click turns it round.
    first = name if name in {"kind", "key"} else f"-{name}"
    turned = name if first.startswith("-") else f"-{name}"
    wanted = turned if order == first else first
    present = {name: "ascending", f"-{name}": "descending"}.get(order, "")
    return Heading(text, f"?hours={hours}&kind={kind}&order={wanted}", present)


def _kind_text(kind: str) -> str:
    if not kind:
        return _("Everything")
    known = dict(MeasuredKind.choices)
    return str(known.get(kind, kind))

"""Whether the copilot's confidence can be believed, as figures to draw and to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from copilot.measures import Bin, Interval, aurc, brier, ece, reliability
from copilot.models import EvaluationRun, Feedback, Suggestion

SIDE: Final = 320
EDGE: Final = 40
_DECIDED: Final = {"accepted", "edited", "rejected"}


@dataclass(frozen=True, slots=True)
class Dot:
    """One bar of the diagram: a dot sized by how many, and its 95 % band."""

    x: float
    y: float
    r: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Report:
    """What the page shows.

    Attributes:
        source: ``feedback``, ``golden`` or ``nothing``: where the bars come from.
        figures: Brier, AURC and ECE of the same proposals; empty without any.
    """

    source: str
    bars: tuple[Bin, ...]
    dots: tuple[Dot, ...]
    figures: dict[str, float]
    run: EvaluationRun | None


def report() -> Report:
    """Return the reliability of the tenant in scope.

    From what people did with proposals that carried a number; while there are none,
    from the newest run of the golden set.
    """
    run = EvaluationRun.objects.first()
    said, happened = _decided()
    if said:
        bars = reliability(said, happened)
        figures = {
            "brier": brier(said, happened),
            "aurc": aurc(said, happened),
            "ece": ece(said, happened),
        }
        return Report("feedback", bars, _dots(bars), figures, run)
    confidence: dict[str, Any] = run.figures.get("confidence", {}) if run else {}
    bars = tuple(_bar(each) for each in confidence.get("bars", []))
    figures = {
        name: confidence[name]
        for name in ("brier", "aurc", "ece")
        if name in confidence
    }
    return Report("golden" if bars else "nothing", bars, _dots(bars), figures, run)


def cells(run: EvaluationRun) -> list[dict[str, Any]]:
    """Return accuracy by category, with a cell for each language."""
    return [
        {"category": name, "cells": [found.get("ko"), found.get("en")]}
        for name, found in run.figures.get("cells", {}).items()
    ]


def _decided() -> tuple[list[float], list[bool]]:
    """Return what was said of decided proposals, and whether it came true."""
    rows = Suggestion.objects.filter(
        kind=Suggestion.Kind.PROPOSAL, probability__isnull=False
    ).prefetch_related("feedback")
    said, happened = [], []
    for row in rows:
        outcomes = {each.outcome for each in row.feedback.all()}
        if outcomes & _DECIDED:
            said.append(float(row.probability or 0))
            happened.append(
                Feedback.Outcome.ACCEPTED in outcomes
                and Feedback.Outcome.REVERTED not in outcomes
            )
    return said, happened


def _bar(raw: dict[str, float]) -> Bin:
    happened = Interval(raw["happened"], raw["from"], raw["to"])
    return Bin(raw["low"], raw["said"], happened, int(raw["count"]))


def _dots(bars: tuple[Bin, ...]) -> tuple[Dot, ...]:
    most = max((each.count for each in bars), default=1)
    return tuple(
        Dot(
            _across(each.said),
            _up(each.happened.share),
            round(3 + 9 * (each.count / most) ** 0.5, 1),
            _up(each.happened.high),
            _up(each.happened.low),
        )
        for each in bars
    )


def _across(share: float) -> float:
    return round(EDGE + share * SIDE, 1)


def _up(share: float) -> float:
    return round(10 + (1 - share) * SIDE, 1)

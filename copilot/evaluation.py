"""Hold the copilot against the golden set: figures, and what got worse."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from copilot import confidence, effects, measures
from copilot.compiling import CompileFault, compile_edits
from copilot.golden_set import ASK, Case, subjects
from copilot.proposals import Answer, Proposal, Question, Refusal
from copilot.subject import Subject
from screens.document import parse_document
from screens.patches import Patched, apply_patch, same

Engine = Callable[[str, Subject], Answer]

MOST_LOST: Final = 0.03
"""Share of a category that may get lost before it counts as worse."""

_FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Scored:
    """One case, and what came of it.

    Attributes:
        right: Exactly the expected document, question or refusal.
        proposed: A proposal was made.
        false_accept: It was made where it had to ask or to refuse.
        invalid: Its patch cannot be applied, or leads to no document.
        overreach: It changed something that was not asked for.
        features: Numbers of the proposal.
        got: What came, in a few words.
    """

    case: Case
    right: bool
    proposed: bool = False
    false_accept: bool = False
    invalid: bool = False
    overreach: bool = False
    features: Mapping[str, float] | None = None
    got: str = ""


def evaluate(cases: Sequence[Case], engine: Engine) -> list[Scored]:
    """Answer every case, and compare documents, not wordings."""
    return [score(case, engine(case.text, subjects()[case.screen])) for case in cases]


def score(case: Case, answer: Answer) -> Scored:
    """Compare one answer with what was expected."""
    if isinstance(answer, Question):
        right = case.expect == ASK
        return Scored(case, right, got=f"question {answer.rule}")
    if isinstance(answer, Refusal):
        right = isinstance(case.expect, str) and case.expect != ASK
        return Scored(case, right, got=f"refusal {answer.rule}")
    return _score_proposal(case, answer)


def _score_proposal(case: Case, answer: Proposal) -> Scored:
    subject = subjects()[case.screen]
    got = ", ".join(
        f"{edit.kind.value} {edit.block or edit.name}" for edit in answer.edits
    )
    done = apply_patch(dict(subject.body), list(answer.patch))
    valid = isinstance(done, Patched) and not isinstance(
        parse_document(done.body), tuple
    )
    if isinstance(case.expect, str):
        return Scored(
            case, False, proposed=True, false_accept=True, invalid=not valid,
            features=answer.features, got=got,
        )  # fmt: skip
    wanted = compile_edits(case.expect, subject)
    if isinstance(wanted, CompileFault):
        raise ValueError(f"{case.template}: {wanted}")
    after: Any = answer.body
    beyond = effects.outside_footprint(case.expect, subject.body, after)
    return Scored(
        case,
        valid and same(answer.body, wanted.body),
        proposed=True,
        invalid=not valid,
        overreach=beyond is not None,
        features=answer.features,
        got=got,
    )


# --- Figures -----------------------------------------------------------------------
def figures(scored: Sequence[Scored]) -> dict[str, Any]:
    """Return all figures of a run as JSON: shares with intervals, and the cells."""
    must_act = [each for each in scored if not isinstance(each.case.expect, str)]
    must_not = [each for each in scored if isinstance(each.case.expect, str)]
    proposals = [each for each in scored if each.proposed]
    return {
        "cases": len(scored),
        "accuracy": _share(scored, "right"),
        "exact_effect": _share(must_act, "right"),
        "false_accepts": _share(must_not, "false_accept"),
        "invalid": _share(proposals, "invalid"),
        "overreach": _share(proposals, "overreach"),
        "abstained": _share(must_act, "proposed", wanted=False),
        "cells": _cells(scored),
        "confidence": _confidence(proposals),
    }


def _share(
    scored: Sequence[Scored], name: str, *, wanted: bool = True
) -> dict[str, float]:
    count = sum(getattr(each, name) is wanted for each in scored)
    interval = measures.wilson(count, len(scored))
    return {
        "count": count,
        "of": len(scored),
        "share": interval.share,
        "low": interval.low,
        "high": interval.high,
    }


def _cells(scored: Sequence[Scored]) -> dict[str, dict[str, dict[str, float]]]:
    """Return accuracy by category and language."""
    names = sorted({each.case.category for each in scored})
    return {
        name: {
            language: _share(
                [
                    each
                    for each in scored
                    if (each.case.category, each.case.language) == (name, language)
                ],
                "right",
            )
            for language in ("ko", "en")
        }
        for name in names
    }


def _confidence(proposals: Sequence[Scored]) -> dict[str, Any]:
    """Say how well a confidence learned on some templates serves the others."""
    labels = [_label(each) for each in proposals]
    happened = [each.accepted for each in labels]
    if not labels:
        return {}
    said = _cross_fitted(labels)
    base = sum(happened) / len(happened)
    bars = measures.reliability(said, happened)
    return {
        "labels": len(labels),
        "brier": measures.brier(said, happened),
        "brier_base": measures.brier([base] * len(happened), happened),
        "aurc": measures.aurc(said, happened),
        "aurc_base": measures.aurc([base] * len(happened), happened),
        "ece": measures.ece(said, happened),
        "bars": [
            {
                "low": each.low,
                "said": each.said,
                "happened": each.happened.share,
                "from": each.happened.low,
                "to": each.happened.high,
                "count": each.count,
            }
            for each in bars
        ],
    }


def _label(scored: Scored) -> confidence.Label:
    return confidence.Label(scored.features or {}, scored.right, scored.case.template)


def _cross_fitted(labels: Sequence[confidence.Label]) -> list[float]:
    """Give each proposal a number from a fit that has not seen its template."""
    prompts = sorted({each.prompt for each in labels})
    fold = {prompt: index % _FOLDS for index, prompt in enumerate(prompts)}
    said = []
    for held in range(_FOLDS):
        known = [each for each in labels if fold[each.prompt] != held]
        fit = confidence.fit_confidence(known)
        base = sum(each.accepted for each in known) / len(known) if known else 0.5
        for index, each in enumerate(labels):
            if fold[each.prompt] == held:
                number = fit.probability(each.features)
                said.append((index, base if number is None else number))
    return [number for _index, number in sorted(said)]


# --- Regression --------------------------------------------------------------------
def regressions(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """Say what got worse than a baseline, one sentence each; empty when nothing did.

    A category may lose up to three points; false accepts, invalid patches and
    over-reach may not grow at all.
    """
    found = []
    for name, cells in before["cells"].items():
        for language, earlier in cells.items():
            cell = now["cells"].get(name, {}).get(language)
            if cell is None or not earlier["of"]:
                continue
            if earlier["share"] - cell["share"] > MOST_LOST:
                found.append(
                    f"{name}/{language}: {cell['share']:.1%}, was "
                    f"{earlier['share']:.1%}"
                )
    return found + [
        f"{name}: {now[name]['count']:g} of {now[name]['of']:g}, was "
        f"{before[name]['count']:g} of {before[name]['of']:g}"
        for name in ("false_accepts", "invalid", "overreach")
        if now[name]["share"] > before[name]["share"]
    ]


# --- Perturbations -----------------------------------------------------------------
PERTURBATIONS: Final = ("polite", "lower", "blanks")


def perturbed(text: str, language: str, how: str) -> str:
    """Write an instruction as others would; what is quoted stays as it is.

    ``polite`` wraps it in courtesy, ``lower`` writes small letters, and ``blanks``
    drops every second blank of a Korean sentence, as people on phones do.
    """
    quoted = re.search(r"['\"]", text) is not None
    if how == "polite":
        return (
            f"{text} 부탁드립니다" if language == "ko" else f"could you please {text}"
        )
    if how == "lower":
        return text if quoted else text.lower()
    if language != "ko" or quoted:
        return text
    words = text.split(" ")
    joined = ["".join(words[index : index + 2]) for index in range(0, len(words), 2)]
    return " ".join(joined)

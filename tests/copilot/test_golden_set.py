"""The copilot does what the golden set wants, and refuses or asks where it must."""

from __future__ import annotations

import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from copilot.edits import Edit, Kind
from copilot.engine import answer
from copilot.evaluation import evaluate, figures, perturbed, regressions, score
from copilot.golden_set import Case, cases, subjects
from copilot.models import EvaluationRun
from copilot.proposals import Proposal, Refusal
from screens.document import Document, parse_document
from tenants.models import Tenant
from tenants.scope import using_tenant


def test_the_set_is_large_and_half_korean() -> None:
    every = cases("all")
    languages = Counter(case.language for case in every)

    assert len(every) >= 200
    assert abs(languages["ko"] - languages["en"]) <= 0.1 * len(every)
    assert {case.category for case in cases("dev")} == {
        case.category for case in cases("test")
    }
    assert not {c.text for c in every} & {c.text for c in cases("strange")}
    assert not {c.template for c in cases("dev")} & {c.template for c in cases("test")}
    assert not {c.text for c in cases("dev")} & {c.text for c in cases("test")}


def test_its_screens_are_documents() -> None:
    for subject in subjects().values():
        assert isinstance(parse_document(dict(subject.body)), Document)


def test_the_test_split_is_answered_as_the_goal_asks() -> None:
    scored = evaluate(cases("test"), answer)

    found = figures(scored)

    wrong = [(each.case.text, each.got) for each in scored if not each.right]
    assert found["exact_effect"]["share"] >= 0.85, wrong
    assert found["false_accepts"]["share"] <= 0.05, wrong
    assert found["invalid"]["count"] == 0
    assert found["overreach"]["count"] == 0


@pytest.mark.parametrize("how", ["polite", "lower"])
def test_courtesy_and_small_letters_change_little(how: str) -> None:
    polite = [
        Case(c.template, c.category, c.language, c.screen,
             perturbed(c.text, c.language, how), c.expect)
        for c in cases("test")[::3]
    ]  # fmt: skip

    found = figures(evaluate(polite, answer))

    assert found["exact_effect"]["share"] >= 0.85
    assert found["false_accepts"]["share"] <= 0.05
    assert found["invalid"]["count"] == 0


def test_in_words_it_was_not_made_for_it_asks_rather_than_guesses() -> None:
    """What it understands of them is little, and what it gets wrong must be less."""
    scored = evaluate(cases("strange"), answer)

    wrong = [each.case.text for each in scored if each.proposed and not each.right]
    assert len(wrong) <= 0.05 * len(scored), wrong
    assert figures(scored)["invalid"]["count"] == 0


# --- The scoring can fail ------------------------------------------------------------
CASE = Case(
    "t", "remove", "en", "shop", "remove returns", (Edit(Kind.REMOVE_BLOCK, "returns"),)
)


def proposal(text: str) -> Proposal:
    made = answer(text, subjects()["shop"])
    assert isinstance(made, Proposal), made
    return made


def test_another_block_is_wrong_and_overreaches() -> None:
    wrong = score(CASE, proposal("remove revenue trend"))

    assert not wrong.right
    assert wrong.overreach
    assert score(CASE, proposal("remove returns")).right


def test_a_proposal_where_it_must_refuse_is_a_false_accept() -> None:
    must_refuse = Case("t", "refuse", "en", "shop", "remove returns", "refuse")

    assert score(must_refuse, proposal("remove returns")).false_accept
    assert score(must_refuse, Refusal("not-an-edit")).right


def shares(right: int, of: int, false_accepts: int = 0) -> dict[str, Any]:
    return {
        "cells": {"remove": {"ko": {"share": right / of, "of": of}}},
        **{
            name: {"share": count / of, "count": count, "of": of}
            for name, count in [
                ("false_accepts", false_accepts), ("invalid", 0), ("overreach", 0),
            ]
        },
    }  # fmt: skip


def test_a_category_that_loses_four_points_is_worse() -> None:
    assert regressions(shares(96, 100), shares(100, 100)) != []
    assert regressions(shares(98, 100), shares(100, 100)) == []


def test_one_more_false_accept_is_worse() -> None:
    found = regressions(shares(100, 100, 1), shares(100, 100))

    assert found == ["false_accepts: 1 of 100, was 0 of 100"]


# --- The command ---------------------------------------------------------------------
def test_the_command_prints_keeps_and_compares(acme: Tenant, tmp_path: Path) -> None:
    out = StringIO()
    call_command("copilot_eval", category="remove", split="dev", json=True, stdout=out)
    baseline = tmp_path / "baseline.json"
    baseline.write_text(out.getvalue(), encoding="utf-8")

    again = StringIO()
    call_command(
        "copilot_eval",
        category="remove",
        split="dev",
        baseline=str(baseline),
        stdout=again,
    )

    assert "exact_effect" in again.getvalue()
    assert "remove" in again.getvalue()
    with using_tenant(acme):
        runs = list(EvaluationRun.objects.all())
    assert len(runs) == 2
    found = json.loads(out.getvalue())
    assert runs[0].accuracy == found["exact_effect"]["share"]
    assert {"brier", "aurc", "ece"} <= found["confidence"].keys()


def test_the_command_fails_when_something_got_worse(
    acme: Tenant, tmp_path: Path
) -> None:
    out = StringIO()
    call_command("copilot_eval", category="remove", split="dev", json=True, stdout=out)
    dreamed = json.loads(out.getvalue())
    dreamed["cells"]["remove"]["ko"]["share"] = 1.04
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps(dreamed), encoding="utf-8")

    with pytest.raises(CommandError, match="remove/ko"):
        call_command(
            "copilot_eval",
            category="remove",
            split="dev",
            baseline=str(baseline),
            stdout=StringIO(),
        )


def test_the_command_names_what_is_missing(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No model is configured"):
        call_command("copilot_eval", engine="model")
    with pytest.raises(CommandError, match="No active tenant"):
        call_command("copilot_eval", tenant="nobody")
    with pytest.raises(CommandError, match="no figures there"):
        call_command("copilot_eval", baseline=str(tmp_path / "none.json"))

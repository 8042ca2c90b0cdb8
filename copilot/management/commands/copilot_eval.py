"""`copilot_eval`: hold the copilot against its golden set."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from copilot.engine import answer
from copilot.evaluation import (
    PERTURBATIONS,
    Engine,
    Scored,
    evaluate,
    figures,
    perturbed,
    regressions,
)
from copilot.golden_set import Case, cases
from copilot.llm import configured_model
from copilot.modelling import Conversation
from copilot.models import EvaluationRun
from copilot.proposals import Refusal
from tenants.models import Tenant
from tenants.scope import using_tenant

_BUDGET: Final = 50_000_000


class Command(BaseCommand):
    help = (
        "Answer every case of the golden set, and print how often that was right: by "
        "category and language, with 95 % intervals, and the figures of the "
        "confidence.\n\n"
        "Changes no screen. The run is kept for the tenant, or for every tenant when "
        "none is named. Exit status 1 when something got worse than the baseline."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--engine", choices=["grammar", "model"], default="grammar")
        parser.add_argument("--set", choices=["golden"], default="golden", dest="name")
        parser.add_argument(
            "--split", choices=["dev", "test", "all", "strange"], default="test"
        )
        parser.add_argument(
            "--perturb", choices=PERTURBATIONS, help="write every case another way"
        )
        parser.add_argument("--category", metavar="NAME", help="only this category")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--baseline", metavar="FILE", help="figures printed before")
        parser.add_argument(
            "--failures", action="store_true", help="list what was wrong"
        )
        parser.add_argument("--tenant", metavar="KEY", help="keep the run for this one")

    def handle(self, *, engine: str, name: str, split: str, **options: Any) -> None:
        before = _baseline(options["baseline"])
        tenants = _tenants(options["tenant"])
        chosen = _chosen(split, options["category"], options["perturb"])
        scored = evaluate(chosen, _engine(engine))
        found = figures(scored)
        for tenant in tenants:
            _keep(tenant, engine, name, split, found)
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False, indent=2))
        else:
            self._print(found)
        if options["failures"]:
            self._print_failures(scored)
        if before is not None and (worse := regressions(found, before)):
            raise CommandError(f"Worse than the baseline: {'; '.join(worse)}.")

    def _print(self, found: dict[str, Any]) -> None:
        for name in _SHARES:
            self.stdout.write(f"{name:<14} {_share(found[name])}")
        self.stdout.write("")
        self.stdout.write(f"{'category':<14} {'ko':<34} en")
        for name, cells in found["cells"].items():
            self.stdout.write(
                f"{name:<14} {_share(cells['ko']):<34} {_share(cells['en'])}"
            )
        self.stdout.write("")
        for name, value in found["confidence"].items():
            if name != "bars":
                self.stdout.write(f"{name:<14} {value:.4f}")

    def _print_failures(self, scored: Sequence[Scored]) -> None:
        for each in scored:
            if not each.right:
                case = each.case
                self.stdout.write(f"{case.template}: {case.text} -> {each.got}")


_SHARES: Final = (
    "accuracy", "exact_effect", "false_accepts", "invalid", "overreach", "abstained",
)  # fmt: skip


def _share(cell: dict[str, float]) -> str:
    if not cell["of"]:
        return "—"
    return (
        f"{cell['share']:6.1%} ({cell['count']:g} of {cell['of']:g}; "
        f"{cell['low']:.1%}–{cell['high']:.1%})"
    )


def _baseline(path: str | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        read: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(
            f"{path}: no figures there ({error}). Write them with --json."
        ) from error
    if "cells" not in read:
        raise CommandError(f"{path}: no figures there. Write them with --json.")
    return read


def _tenants(key: str | None) -> list[Tenant]:
    rows = Tenant.objects.filter(is_active=True)
    if key is None:
        return list(rows)
    found = list(rows.filter(key=key))
    if not found:
        raise CommandError(f"No active tenant {key!r}.")
    return found


def _chosen(split: str, category: str | None, perturbation: str | None) -> list[Case]:
    every = cases(split)
    found = [case for case in every if category in {None, case.category}]
    if not found:
        known = ", ".join(sorted({case.category for case in every}))
        raise CommandError(f"No category {category!r}. Known: {known}.")
    if perturbation is None:
        return found
    return [
        replace(case, text=perturbed(case.text, case.language, perturbation))
        for case in found
    ]


def _engine(name: str) -> Engine:
    if name == "grammar":
        return answer
    model = configured_model(tenant_id=0)
    if model is None:
        raise CommandError(
            "No model is configured: set SIGNALBOX_MODEL_URL and SIGNALBOX_MODEL_NAME."
        )
    talk = Conversation(
        model,
        repairs=settings.SIGNALBOX_MODEL_REPAIRS,
        most_tokens=settings.SIGNALBOX_MODEL_TOKENS,
        budget=_BUDGET,
    )
    return lambda text, subject: (
        talk.ask(text, subject) or Refusal("model-unreadable", engine="model")
    )


def _keep(
    tenant: Tenant, engine: str, name: str, split: str, found: dict[str, Any]
) -> None:
    with using_tenant(tenant):
        EvaluationRun.objects.create(
            engine=engine,
            golden_set=name,
            split=split,
            cases=found["cases"],
            accuracy=found["exact_effect"]["share"],
            false_accepts=found["false_accepts"]["share"],
            figures=found,
        )

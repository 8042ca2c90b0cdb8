"""Pages of the admin about saved SQL: a rule, and a statement to test."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models.options import Options
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from connectors.query_forms import StatementForm, shown_refusal
from connectors.query_rules import RULE_TEXTS
from connectors.query_safety import Refused
from connectors.refusal_models import RefusalLayer
from connectors.refusals import record_refusal
from tenants.scope import Actor

_LONGEST_EXAMPLE = 200


def rule_page(
    request: HttpRequest, rule: str, *, site: AdminSite, opts: Options[Any]
) -> HttpResponse:
    """Show what a rule forbids and why, with an example of each side."""
    if rule not in RULE_TEXTS:
        raise Http404
    context = {
        **site.each_context(request),
        "title": _("The rule “%(rule)s”") % {"rule": rule},
        "opts": opts,
        "rule": rule,
        "text": RULE_TEXTS[rule],
        "refused": example(rule),
        "rules": RULE_TEXTS.items(),
    }
    return TemplateResponse(request, "connectors/query_rule.html", context)


def example(rule: str) -> str:
    """Return the refused example of a rule as a page can show it."""
    text = RULE_TEXTS[rule].refused
    shown = text if text.isprintable() else json.dumps(text)[1:-1]
    return shown if len(shown) <= _LONGEST_EXAMPLE else f"{shown[:60]} …"


def statement_page(
    request: HttpRequest, *, site: AdminSite, opts: Options[Any]
) -> HttpResponse:
    """Judge a statement without running it."""
    form = StatementForm(request.POST if request.method == "POST" else None)
    verdict = form.verdict() if form.is_bound and form.is_valid() else None
    refusal = None
    if isinstance(verdict, Refused):
        refusal = shown_refusal(verdict, form.cleaned_data["sql"])
        record_refusal(
            verdict.rule,
            layer=RefusalLayer.JUDGE,
            actor=Actor.of(request),
            source=form.source_key,
            operation="",
        )
    context = {
        **site.each_context(request),
        "title": _("Test a statement"),
        "opts": opts,
        "form": form,
        "verdict": verdict,
        "refusal": refusal,
    }
    return TemplateResponse(request, "connectors/statement.html", context)

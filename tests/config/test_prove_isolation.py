"""The isolation prover: green on the product, red on every leak that is planted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from config.isolation import canaries
from config.isolation.erasing import canary_tenants
from config.isolation.filling import NoCanary
from config.isolation.findings import ENOUGH, Report, Rule
from config.isolation.proving import prove
from config.isolation.recipes import RECIPES
from connectors import last_good_store
from connectors.outcomes import Table
from connectors.specs import OperationSpec
from menus import opening as exporting
from menus import views as menu_views
from menus.models import Menu
from observability import log_store
from observability.logs import Caught
from renderers.services import csv_lines
from screens.admin import ScreenAdmin
from screens.models import Screen
from tenants.models import Tenant, User

pytestmark = pytest.mark.django_db
# Some 7,000 requests: once, on the database that production has.
WHOLE = pytest.mark.postgresql


@pytest.fixture(scope="module")
def report(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Report:
    """One whole run, in a transaction that is rolled back."""
    in_this_thread = override_settings(SIGNALBOX_POOL_CALLER_RUNS=True)
    with django_db_blocker.unblock(), in_this_thread, transaction.atomic():
        made = prove()
        transaction.set_rollback(True)
    return made


@WHOLE
def test_no_mark_crosses(report: Report) -> None:
    assert [str(finding) for finding in report.findings] == []
    assert report.is_green


@WHOLE
def test_nearly_every_url_pattern_is_walked(report: Report) -> None:
    assert report.patterns > 250
    assert report.coverage >= ENOUGH, report.unwalked


@WHOLE
def test_nothing_of_the_canaries_stays(report: Report) -> None:
    assert canary_tenants() == []
    assert not Tenant.objects.filter(key__startswith="canary-").exists()
    assert not User.objects.filter(username__startswith="canary-").exists()


# --- Planted leaks ------------------------------------------------------------------


def shown(report: Report) -> set[tuple[str, str]]:
    """Return where marks crossed: name of the URL, and the model they stand in."""
    return {
        (finding.pattern, finding.place.rpartition(".")[0])
        for finding in report.findings
        if finding.rule is Rule.SHOWN
    }


def test_a_view_that_forgets_the_scope_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def every_tenants(self: object, request: HttpRequest) -> QuerySet[Screen]:
        return Screen.all_tenants.all()

    monkeypatch.setattr(ScreenAdmin, "get_queryset", every_tenants)

    report = prove(only=["admin:screens_screen_changelist"])

    assert ("admin:screens_screen_changelist", "screens.Screen") in shown(report)
    assert not report.is_green


def test_a_cache_key_without_the_tenant_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def by_key_alone(spec: OperationSpec, *_: object) -> str:
        return f"last-good:{spec.key}"

    monkeypatch.setattr(last_good_store, "name_of", by_key_alone)

    report = prove(only=["menu-block"])

    assert ("menu-block", "connectors.Operation") in shown(report)
    places = {finding.place for finding in report.findings}
    assert places == {"connectors.Operation.answer kept for a fallback"}


def test_an_export_without_the_scope_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = csv_lines

    def with_everybodys(table: Table) -> Iterator[str]:
        yield from rows(table)
        for screen in Screen.all_tenants.all():
            yield f"{screen.title}\r\n"

    monkeypatch.setattr(exporting, "csv_lines", with_everybodys)

    report = prove(only=["menu-block-csv", "api-menu-block-csv"])

    assert shown(report) == {
        ("menu-block-csv", "screens.ScreenVersion"),
        ("api-menu-block-csv", "screens.ScreenVersion"),
    }


def test_a_log_line_under_the_wrong_tenant_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = log_store.write

    def under_the_first(lines: Sequence[Caught]) -> None:
        first = Tenant.objects.order_by("pk").first()
        assert first is not None
        written([line._replace(tenant_id=first.pk) for line in lines])

    monkeypatch.setattr(log_store, "write", under_the_first)

    report = prove(only=["logs"])

    assert ("logs", "observability.LogLine") in shown(report)


def test_a_row_of_another_that_answers_unlike_no_row_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(menu_views, "_menu_or_404", _forbidden_or_404)

    report = prove(only=["menu"])

    assert Rule.TOLD in {finding.rule for finding in report.findings}


def _forbidden_or_404(request: HttpRequest, slug: str) -> Menu:
    menu = Menu.all_tenants.filter(slug=slug).first()
    if menu is None:
        raise Http404
    raise PermissionDenied


def test_a_model_that_cannot_be_marked_stops_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    label = "observability.AlertRule"
    recipes = {name: one for name, one in RECIPES.items() if name != label}
    monkeypatch.setattr(canaries, "RECIPES", recipes)

    with pytest.raises(NoCanary, match=rf"(?s){label}.*config/isolation/recipes\.py"):
        prove(only=["logs"])
    assert canary_tenants() == []


def test_the_command_says_what_crossed_and_leaves_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("prove_isolation", "--only", "healthz")
    assert "No mark crossed." in capsys.readouterr().out
    monkeypatch.setattr(menu_views, "_menu_or_404", _forbidden_or_404)

    with pytest.raises(SystemExit) as left:
        call_command("prove_isolation", "--only", "menu", "--json")

    assert left.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert told["green"] is False
    assert "menu" in {finding["pattern"] for finding in told["findings"]}

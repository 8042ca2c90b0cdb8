"""demo/history.py: a new portal begins with two hours of recorded history."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from copilot.models import Suggestion
from demo.datasets import DATA
from demo.history import DRAFT, OBJECTIVE, beginning, load_history
from demo.loader import load_demo
from demo.recording import INCIDENT, MINUTES, TRACE_FILE
from observability.models import Alert, LogLine, Measurement, StoredTrace
from observability.services import results_at
from screens.models import Screen
from tenants.models import Tenant
from tenants.scope import using_tenant


@pytest.fixture
def hanbit(db: None) -> Tenant:
    load_demo()
    assert load_history()
    return Tenant.objects.get(key="hanbit")


def test_the_recording_ends_now_and_holds_the_incident(hanbit: Tenant) -> None:
    began = beginning(timezone.now())
    rows = Measurement.objects.filter(tenant=hanbit, key="earthquakes-all")

    bad = {
        int((row.starts_at - began).total_seconds()) // 60 for row in rows if row.bad
    }

    assert bad
    # The minute may turn between loading and looking.
    assert bad <= {minute + off for minute in INCIDENT for off in (-1, 0, 1)}
    assert all(
        began - timedelta(minutes=1) <= row.starts_at < began + timedelta(hours=2)
        for row in rows
    )
    assert MINUTES == 120


def test_its_objective_burns_and_its_alert_fires(hanbit: Tenant) -> None:
    alerts = Alert.all_tenants.filter(tenant=hanbit, phase="firing")

    assert set(alerts.values_list("rule__objective__key", flat=True)) == {OBJECTIVE}
    minute = timezone.now().replace(second=0, microsecond=0)
    [result] = results_at(hanbit.pk, end=minute)
    assert result.result.budget_left is not None
    assert result.result.budget_left < 0


def test_its_log_lines_are_in_two_languages_and_of_two_tenants(hanbit: Tenant) -> None:
    lines = LogLine.objects.filter(logger="connectors.services")

    assert lines.filter(tenant=hanbit, message__contains="응답했습니다").exists()
    assert lines.filter(message__contains="answered with status").exists()
    assert lines.values("tenant").distinct().count() == 2


def test_a_failed_page_has_a_trace_with_one_root(hanbit: Tenant) -> None:
    trace = StoredTrace.objects.get(tenant=hanbit)

    ids = {span["id"] for span in trace.spans}
    roots = [span for span in trace.spans if span["parent"] not in ids]
    recorded = json.loads((DATA / TRACE_FILE).read_text(encoding="utf-8"))
    assert len(roots) == 1
    assert trace.failed
    assert len(trace.spans) == len(recorded["spans"])
    assert {span["attributes"]["signalbox.tenant"] for span in trace.spans} <= {
        str(hanbit.pk),
        "",
    }


def test_a_draft_waits_with_a_proposal_of_the_copilot(hanbit: Tenant) -> None:
    with using_tenant(hanbit):
        screen = Screen.objects.get(key=DRAFT)
        suggestion = Suggestion.objects.get(screen=screen)

        assert screen.published is None
        assert suggestion.kind == "proposal"


def test_a_portal_with_a_history_keeps_its_own(hanbit: Tenant) -> None:
    before = Measurement.objects.count()

    assert not load_history()
    assert Measurement.objects.count() == before

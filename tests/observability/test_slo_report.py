"""manage.py slo_report: the same numbers as the dashboard, for people and machines."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from tenants.models import Tenant, User
from tests.observability.counting import NOON, objective, row, store, tally_of

pytestmark = pytest.mark.django_db


def report(*arguments: str) -> str:
    out = StringIO()
    with time_machine.travel(NOON + timedelta(seconds=40)):
        call_command("slo_report", *arguments, stdout=out)
    return out.getvalue()


def test_it_lists_share_budget_and_burn(acme: Tenant, globex: Tenant) -> None:
    objective(acme)
    objective(globex, key="silent")
    store([row(acme, NOON - timedelta(minutes=2), tally_of(total=4_000, bad=1))])

    text = report()

    assert "acme: 1 objectives" in text
    assert "99.9750 % of 99.9000 %, budget left 75.0 % (3 events)" in text
    assert "burn 5 min 0.25, 30 min 0.25" in text
    assert "silent: no data in 30 d" in text


def test_machines_get_json_of_one_tenant(
    acme: Tenant, globex: Tenant, user: User
) -> None:
    objective(acme, owner=user)
    objective(globex)
    store([row(acme, NOON - timedelta(minutes=2), tally_of(total=1_000, bad=2))])

    [entry] = json.loads(report("--json", "--tenant", "acme"))

    assert entry["tenant"] == "acme"
    assert entry["owner"] == "jo"
    assert (entry["sli"], entry["met"], entry["total"]) == (0.998, False, 1_000)
    assert (entry["budget_left"], entry["events_left"]) == (-1, -1)
    assert (entry["outlook"], entry["spent_in_minutes"]) == ("spent", 0)
    assert entry["burn_by_minutes"]["5"] == 2
    [silent] = json.loads(report("--json", "--tenant", "globex"))
    assert silent["sli"] is None
    assert silent["budget_left"] is None


def test_a_tenant_that_is_not_there_is_told() -> None:
    with pytest.raises(CommandError, match="No such active tenant: nobody"):
        report("--tenant", "nobody")

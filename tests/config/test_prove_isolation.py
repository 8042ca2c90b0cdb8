"""The isolation prover: green on the product, red on every leak that is planted."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from config.isolation.erasing import canary_tenants
from config.isolation.findings import ENOUGH, Report
from config.isolation.proving import prove
from tenants.models import Tenant, User


pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def report(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Report:
    """One whole run, in a transaction that is rolled back."""
    in_this_thread = override_settings(SIGNALBOX_POOL_CALLER_RUNS=True)
    with django_db_blocker.unblock(), in_this_thread, transaction.atomic():
        made = prove()
        transaction.set_rollback(True)
    return made


def test_no_mark_crosses(report: Report) -> None:
    assert [str(finding) for finding in report.findings] == []
    assert report.is_green


def test_nearly_every_url_pattern_is_walked(report: Report) -> None:
    assert report.patterns > 250
    assert report.coverage >= ENOUGH, report.unwalked

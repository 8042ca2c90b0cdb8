"""What staff read of the copilot: lists that ask no more for many rows than for one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from copilot.models import (
    Calibration,
    EvaluationRun,
    Feedback,
    ModelCall,
    Suggestion,
)
from screens.models import ScreenVersion
from tenants.models import User
from tenants.scope import Actor, using_tenant

MODELS = [model for model in admin.site._registry if model._meta.app_label == "copilot"]


def rows(version: ScreenVersion, count: int) -> None:
    for number in range(count):
        suggestion = Suggestion.objects.create(
            screen=version.screen, base_version=1, base_digest="d",
            instruction=f"wish {number}", engine="grammar", kind="proposal",
        )  # fmt: skip
        Feedback.objects.create(suggestion=suggestion, outcome="shown")
        ModelCall.objects.create(suggestion=suggestion, model="m", outcome="timeout")
        Calibration.objects.create(engine="grammar", basis="platt")
        EvaluationRun.objects.create(engine="grammar", golden_set="golden")


@pytest.fixture
def browser(version: ScreenVersion, chief: Actor) -> Client:
    client = Client()
    user = User.objects.get(pk=chief.user_id)
    client.force_login(user, backend="tenants.backends.TenantBackend")
    return client


def queries_of(client: Client, model: type[models.Model]) -> int:
    address = reverse(f"admin:copilot_{model._meta.model_name}_changelist")
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_list_asks_no_more_for_many_rows(
    model: Any, browser: Client, version: ScreenVersion, chief: Actor
) -> None:
    with using_tenant(chief.tenant_id):
        rows(version, 1)
    few = queries_of(browser, model)
    with using_tenant(chief.tenant_id):
        rows(version, 15)

    assert queries_of(browser, model) == few


@pytest.mark.parametrize(
    "model", [Suggestion, Feedback, ModelCall, Calibration, EvaluationRun]
)
def test_what_the_portal_writes_nobody_changes(
    model: Any, browser: Client, version: ScreenVersion, chief: Actor
) -> None:
    with using_tenant(chief.tenant_id):
        rows(version, 1)
        row = model.objects.first()
    name = f"admin:copilot_{model._meta.model_name}"

    page = browser.get(reverse(f"{name}_change", args=[row.pk]))

    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert browser.get(reverse(f"{name}_add")).status_code == 403
    assert browser.get(reverse(f"{name}_delete", args=[row.pk])).status_code == 403

"""The first steps on the home tick themselves when the thing has really happened."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from branching.models import DecisionTable, Rule
from connectors.models import Operation
from menus.checklist import Checklist, Step, checklist
from menus.checklist_models import FirstStep
from menus.models import Menu
from tenants.audit import record
from tenants.models import AuditEntry, Membership, Tenant, User
from tenants.scope import Actor, using_tenant
from tests.menus.conftest import BACKEND, MakeScreen

OF_EVERYBODY = [Step.OPEN_SCREEN, Step.EXPORT]
OF_STAFF = [
    *OF_EVERYBODY,
    Step.SEE_WHY,
    Step.TEST_OPERATION,
    Step.ADD_MENU,
    Step.CHANGE_RULE,
]


@pytest.fixture
def root(admin_actor: Actor) -> User:
    return User.objects.get(pk=admin_actor.user_id)


@pytest.fixture
def staff(root: User, client: Client) -> Client:
    client.force_login(root, backend=BACKEND)
    return client


@pytest.fixture
def table(stock: Operation) -> DecisionTable:
    return DecisionTable.objects.create(key="which", default_operation="stock")


def body(response: Any) -> str:
    pieces = response.streaming_content if response.streaming else [response.content]
    return b"".join(pieces).decode()


def read(user: User, tenant: Tenant) -> Checklist:
    return checklist(Actor(user_id=user.pk, tenant_id=tenant.pk), user)


def done(user: User, tenant: Tenant) -> list[str]:
    return [ticked.step for ticked in read(user, tenant).steps if ticked.done_at]


def rule_form(table: DecisionTable) -> dict[str, Any]:
    return {
        "key": table.key, "label": "{}", "hit_policy": "first", "parameters": "{}",
        "default_operation": "stock", "default_arguments": "{}",
        "default_response": "default", "fallbacks": "[]",
        "rules-TOTAL_FORMS": "1", "rules-INITIAL_FORMS": "0", "rules-0-order": "1",
        "rules-0-key": "always", "rules-0-enabled": "on",
        "rules-0-operation": "stock", "rules-0-arguments": "{}",
        "rules-0-response": "default", "rules-0-priority": "0", "rules-0-note": "",
    }  # fmt: skip


def test_each_step_is_ticked_when_it_was_really_done(
    staff: Client, root: User, acme: Tenant, screen_menu: Menu, table: DecisionTable
) -> None:
    happened: list[str] = []
    assert done(root, acme) == happened

    def now_done(step: Step) -> None:
        happened.append(step)
        assert set(done(root, acme)) == set(happened)

    body(staff.get("/m/stock/"))
    now_done(Step.OPEN_SCREEN)

    assert "Seoul" in body(staff.get("/m/stock/blocks/stock-0.csv"))
    now_done(Step.EXPORT)

    try_it = reverse("admin:branching_decisiontable_try", args=[table.pk])
    staff.get(try_it)
    assert done(root, acme) == happened, "to look at the form is not to try"
    assert "What became of it" in body(staff.get(try_it, {"run": "1"}))
    now_done(Step.SEE_WHY)

    with using_tenant(acme):
        operation = Operation.objects.get(key="stock")
    tested = staff.post(reverse("admin:connectors_operation_test", args=[operation.pk]))
    assert "Busan" in body(tested)
    now_done(Step.TEST_OPERATION)

    menu = {
        "label_ko": "재고", "label_en": "Stock again", "slug": "again",
        "kind": "screen", "screen": screen_menu.screen_id, "enabled": "on", "icon": "",
    }  # fmt: skip
    assert staff.post(reverse("admin:menus_menu_add"), menu).status_code == 302
    now_done(Step.ADD_MENU)

    change = reverse("admin:branching_decisiontable_change", args=[table.pk])
    assert staff.post(change, rule_form(table)).status_code == 302
    with using_tenant(acme):
        assert Rule.objects.get().key == "always"
    now_done(Step.CHANGE_RULE)

    if not apps.is_installed("copilot"):
        assert read(root, acme).complete


def test_an_accepted_proposal_of_the_copilot_is_the_seventh(
    root: User, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps, "is_installed", lambda _label: True)
    assert [ticked.step for ticked in read(root, acme).steps] == [
        *OF_STAFF,
        Step.COPILOT,
    ]

    actor = Actor(user_id=root.pk, tenant_id=acme.pk)
    record(actor=actor, action="copilot.accepted", target=None)

    assert done(root, acme) == [Step.COPILOT]


def test_a_reader_is_offered_what_a_reader_may_do(
    reader: Client, user: User, acme: Tenant, screen_menu: Menu
) -> None:
    assert [ticked.step for ticked in read(user, acme).steps] == OF_EVERYBODY

    html = body(reader.get("/"))

    assert "First steps" in html
    assert "0 of 2 done" in html
    assert "Add a menu" not in html


def test_what_others_do_ticks_nothing(
    reader: Client, user: User, root: User, acme: Tenant, screen_menu: Menu
) -> None:
    body(reader.get("/m/stock/"))
    body(reader.get("/m/stock/blocks/stock-0.csv"))

    assert done(user, acme) == OF_EVERYBODY
    assert done(root, acme) == []


def test_each_tenant_has_a_list_of_its_own(
    staff: Client, root: User, acme: Tenant, globex: Tenant, screen_menu: Menu
) -> None:
    Membership.objects.create(user=root, tenant=globex)
    body(staff.get("/m/stock/"))

    assert done(root, acme) == [Step.OPEN_SCREEN]
    assert done(root, globex) == []


def test_a_tick_stays_when_its_trace_is_gone(
    reader: Client, user: User, acme: Tenant, screen_menu: Menu
) -> None:
    body(reader.get("/m/stock/"))
    assert done(user, acme) == [Step.OPEN_SCREEN]
    moment = read(user, acme).steps[0].done_at

    with using_tenant(acme):
        screen_menu.visits.all().delete()

    assert read(user, acme).steps[0].done_at == moment


def test_the_list_is_put_away_and_comes_back(reader: Client, screen_menu: Menu) -> None:
    assert reader.get("/first-steps/").status_code == 405

    away = reader.post("/first-steps/", follow=True)
    assert "First steps" not in body(away)
    assert "Show the first steps again" in body(away)
    assert reader.post("/first-steps/").status_code == 302, "twice is once"

    back = reader.post("/first-steps/", {"wanted": "no"}, follow=True)
    assert "First steps" in body(back)


def test_an_export_is_in_the_audit_trail(
    reader: Client, user: User, screen_menu: Menu
) -> None:
    body(reader.get("/m/stock/blocks/stock-0.csv"))

    entry = AuditEntry.all_tenants.get(action="block.exported")
    assert (entry.user_id, entry.target_id) == (user.pk, str(screen_menu.pk))
    assert entry.changes == {"block": "stock-0"}


def test_the_list_costs_the_same_whatever_happened(
    staff: Client,
    root: User,
    acme: Tenant,
    make_screen: MakeScreen,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    actor = Actor(user_id=root.pk, tenant_id=acme.pk)
    for _each in range(20):
        record(actor=actor, action="operation.tested", target=None)

    with django_assert_max_num_queries(4) as first:
        checklist(actor, root)
    with django_assert_max_num_queries(3) as then:
        checklist(actor, root)

    assert (len(first), len(then)) == (4, 3)
    with using_tenant(acme):
        assert FirstStep.objects.count() == 1

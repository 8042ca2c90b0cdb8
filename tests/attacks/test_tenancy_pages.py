"""Strangers and leavers at the pages of readers, editors and the API."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from branching.models import DecisionTable
from connectors.models import Operation
from menus.models import Favourite, Menu
from observability.services import flush, measure
from screens.models import Screen
from tenants.models import Membership, Team, Tenant, User
from tenants.tokens import issue_token
from tests.attacks.conftest import MARK, SignIn, World
from tests.attacks.pages import body_of, in_a_week
from tests.attacks.test_tenancy import MODELS, address_of
from tests.attacks.watching_rows import TRACE

EDITOR = [
    ("get", "edit", {}),
    ("post", "edit", {"document": "{}", "base_version": "1"}),
    ("post", "preview", {"document": "{}"}),
    ("get", "compare", {"from": "1", "to": "1"}),
    ("post", "publish", {"number": "1"}),
    ("post", "revert", {"number": "1"}),
]


@pytest.mark.parametrize(("method", "page", "data"), EDITOR)
def test_the_editor_does_not_know_a_foreign_screen(
    world: World, insider: Client, method: str, page: str, data: dict[str, str]
) -> None:
    call = getattr(insider, method)

    foreign = call(reverse(f"screen-{page}", args=[f"{MARK}-screen"]), data)
    missing = call(reverse(f"screen-{page}", args=["no-such-screen"]), data)

    assert foreign.status_code == missing.status_code == 404
    assert MARK not in body_of(foreign).replace(f"{MARK}-screen", "")


READERS = [
    ("get", "menu", []),
    ("head", "menu", []),
    ("post", "menu-favourite", []),
    ("get", "menu-block", ["only"]),
    ("head", "menu-block", ["only"]),
    ("get", "menu-block-csv", ["only"]),
    ("head", "menu-block-csv", ["only"]),
    ("get", "api-menu", []),
    ("options", "api-menu", []),
    ("get", "api-menu-run", []),
    ("get", "api-menu-block", ["only"]),
    ("get", "api-menu-block-csv", ["only"]),
]


@pytest.mark.parametrize(("method", "name", "more"), READERS)
def test_a_foreign_menu_answers_as_no_menu(
    world: World, insider: Client, method: str, name: str, more: list[str]
) -> None:
    call = getattr(insider, method)

    foreign = call(reverse(name, args=[f"{MARK}-menu", *more]))
    missing = call(reverse(name, args=["no-such-menu", *more]))

    assert foreign.status_code == missing.status_code
    assert method == "options" or foreign.status_code == 404
    assert MARK not in body_of(foreign).replace(f"{MARK}-menu", "")
    assert not Favourite.all_tenants.filter(user=world.insider).exists()


def test_a_tenant_that_is_not_yours_cannot_be_entered(
    world: World, insider: Client
) -> None:
    foreign = insider.post(reverse("switch-tenant"), {"key": "namu"})
    missing = insider.post(reverse("switch-tenant"), {"key": "no-such"})
    forged = insider.session
    forged["tenant_id"] = world.namu.pk
    forged.save()

    assert foreign.status_code == missing.status_code == 404
    assert insider.get("/").context["tenant"] == world.hanbit


def test_who_loses_the_membership_is_out_at_once(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world.operator)
    assert browser.get(reverse("menu", args=["overview"])).status_code == 200

    Membership.objects.get(user=world.operator).delete()

    for name, args in (("home", []), ("menu", ["overview"])):
        assert browser.get(reverse(name, args=args)).status_code == 403
    for model in (Screen, Operation, Menu):
        assert browser.get(address_of(model, "changelist")).status_code == 403
    assert browser.get("/screens/weather/edit/").status_code == 403
    assert browser.get("/api/menus/").status_code == 403


def test_an_inactive_tenant_is_closed_at_once(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world.operator)
    assert browser.get(reverse("home")).status_code == 200

    Tenant.objects.filter(pk=world.hanbit.pk).update(is_active=False)

    assert browser.get(reverse("home")).status_code == 403
    assert browser.get(reverse("menu", args=["overview"])).status_code == 403
    assert browser.get("/api/menus/").status_code == 403


def test_who_left_a_tenant_sees_nothing_of_it_on_the_admin_home(
    world: World, sign_in: SignIn
) -> None:
    """Django lists what a user did last, whatever the tenant."""
    person = world.rows[User]
    person.groups.add(Team.objects.get(tenant=world.namu, label="Viewers"))
    browser = sign_in(person)
    browser.post(address_of(Screen, "add"), {"key": f"{MARK}-deed"})
    assert f"{MARK}-deed" in body_of(browser.get("/admin/"))  # told once
    Membership.objects.filter(user=person).delete()
    Membership.objects.create(user=person, tenant=world.hanbit)

    assert f"{MARK}-deed" not in body_of(browser.get("/admin/"))


def test_a_token_stays_in_its_tenant_whatever_the_session_says(
    world: World, sign_in: SignIn
) -> None:
    browser = sign_in(world.admin)
    browser.post(reverse("switch-tenant"), {"key": "namu"})
    _token, secret = issue_token(
        world.admin,
        tenant=world.hanbit,
        name="nightly",
        scopes=["read", "run"],
        expires_at=in_a_week(),
    )
    bearer = {"Authorization": f"Bearer {secret}"}

    for address in (
        "/api/menus/",
        "/api/menus/?tenant=namu",
        "/api/menus/?tenant_id=2",
    ):
        body = body_of(browser.get(address, headers=bearer))
        assert "resilience" in body
        assert MARK not in body
    run = browser.get(f"/api/menus/{MARK}-menu/run/", headers=bearer)
    assert run.status_code == 404


def test_a_token_opens_no_page_outside_the_api(world: World, client: Client) -> None:
    _token, secret = issue_token(
        world.admin,
        tenant=world.hanbit,
        name="nightly",
        scopes=["read"],
        expires_at=in_a_week(),
    )
    bearer = {"Authorization": f"Bearer {secret}"}

    for address in ("/", "/m/overview/", "/admin/", "/screens/weather/edit/"):
        assert client.get(address, headers=bearer).status_code == 302, address
    assert client.get("/metrics", headers=bearer).status_code == 401


def test_latency_and_portal_series_show_the_own_tenant_only(
    world: World, insider: Client
) -> None:
    with measure("operation", key=f"{MARK}-measured", tenant=str(world.namu.pk)):
        pass
    flush()

    assert MARK not in body_of(insider.get(reverse("latency"), {"hours": "24"}))
    assert MARK not in body_of(insider.get("/m/inside/"))


def test_log_lines_and_traces_of_another_tenant_are_not_there(
    world: World, insider: Client
) -> None:
    shown = body_of(insider.get(reverse("logs"), {"q": "line"}))
    listed = body_of(insider.get(reverse("traces")))

    assert MARK not in shown
    assert f"{MARK}-page" not in listed
    assert TRACE not in listed
    assert insider.get(reverse("trace", args=[TRACE])).status_code == 404


def test_metrics_are_not_for_staff_of_a_tenant(world: World, insider: Client) -> None:
    assert insider.get("/metrics").status_code == 401


def test_facts_and_last_good_answers_are_kept_per_tenant(
    world: World, root: Client
) -> None:
    """The demo has the same keys in both: hanbit is on `pro`, namu on `free`."""
    tries = {}
    for key in ("hanbit", "namu", "hanbit"):
        root.post(reverse("switch-tenant"), {"key": key})
        table = DecisionTable.all_tenants.get(tenant__key=key, key="quake-list-by-plan")
        address = f"/admin/branching/decisiontable/{table.pk}/try/?run=1"
        tries[key] = body_of(root.get(address))

    assert "earthquakes-all" in tries["hanbit"]
    assert "earthquakes-all" not in tries["namu"]


def test_the_tables_try_page_of_a_foreign_table_is_missing(
    world: World, insider: Client
) -> None:
    for model, page in (
        (DecisionTable, "branching/decisiontable/{}/try/"),
        (Operation, "connectors/operation/{}/test/"),
    ):
        address = "/admin/" + page.format(world.rows[model].pk)
        assert insider.get(address).status_code == 404
        assert insider.post(address).status_code in {404, 405}


def test_nothing_names_a_foreign_tenant_on_the_own_pages(
    world: World, insider: Client
) -> None:
    for address in ("/", "/admin/", "/m/overview/", "/api/menus/", "/nowhere/"):
        body = body_of(insider.get(address))
        assert "namu" not in body.lower(), address


def test_every_model_of_a_tenant_is_in_the_attack(world: World) -> None:
    """A new page of the admin needs a marked row here, or a reason to be without."""
    without = {
        "demo.Subscription",
        "observability.Measurement",
        "observability.Heartbeat",
        "observability.LogLevel",  # of the whole portal: superusers alone see it
        "tenants.Tenant",
        "tenants.TenantErasure",  # of tenants that are gone: superusers alone see it
    }
    ours = {"tenants", "connectors", "branching", "screens", "menus", "demo"}
    ours |= {"observability", "copilot"}
    labels = {model._meta.label for model in MODELS if model._meta.app_label in ours}

    assert labels - without <= {model._meta.label for model in world.rows}


def test_there_is_an_address_for_every_page_attacked() -> None:
    for model in MODELS:
        for page in ("changelist", "add"):
            try:
                address_of(model, page)
            except NoReverseMatch:
                pytest.fail(f"{model} has no {page}")

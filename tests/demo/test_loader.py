"""demo/loader.py: the demo is whole, and loading it again changes nothing."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from branching.models import Fact
from connectors.models import DataSource, Operation
from demo.loader import DemoIsBroken, _make, demo_database, load_demo
from demo.models import Subscription
from menus.models import Menu
from menus.services import visible_menus
from screens.models import Screen
from screens.services import publish_errors, published_document
from tenants.models import Tenant, TenantModel, User
from tenants.scope import Actor, using_tenant


@pytest.fixture
def demo(db: None) -> None:
    load_demo()


def actor_of(username: str, tenant: str) -> Actor:
    return Actor(
        user_id=User.objects.get(username=username).pk,
        tenant_id=Tenant.objects.get(key=tenant).pk,
    )


def rows() -> dict[str, int]:
    return {
        model.__name__: model.all_tenants.count()
        for model in apps.get_models()
        if issubclass(model, TenantModel)
    }


def test_three_logins_have_passwords_that_work(db: None) -> None:
    logins = load_demo()

    assert [login.username for login in logins] == ["admin", "operator", "viewer"]
    for login in logins:
        assert User.objects.get(username=login.username).check_password(login.password)


def test_loading_again_changes_nothing(demo: None) -> None:
    before = rows()

    assert load_demo() == ()
    assert rows() == before


def test_what_staff_changed_is_left_alone(demo: None) -> None:
    hanbit = Tenant.objects.get(key="hanbit")
    with using_tenant(hanbit):
        Operation.objects.filter(key="electricity").update(row_limit=7)
        Subscription.objects.update(plan="free")

    load_demo()

    with using_tenant(hanbit):
        assert Operation.objects.get(key="electricity").row_limit == 7
        assert Subscription.objects.get().plan == "free"


def test_the_demo_api_may_move(demo: None) -> None:
    load_demo(api_address="http://127.0.0.1:8905")

    with using_tenant(Tenant.objects.get(key="namu")):
        source = DataSource.objects.get(key="demo-api")
        assert source.address == "http://127.0.0.1:8905"


def test_each_team_sees_what_it_was_given(demo: None) -> None:
    operator = visible_menus(actor_of("operator", "hanbit"))
    viewer = visible_menus(actor_of("viewer", "namu"))

    assert {menu.slug for menu in operator if menu.screen} == {
        "overview", "weather", "earthquakes", "resilience", "inside",
    }  # fmt: skip
    assert {menu.slug for menu in viewer if menu.screen} == {
        "overview", "weather", "earthquakes",
    }  # fmt: skip


def test_every_screen_is_published_and_names_only_what_there_is(demo: None) -> None:
    out = StringIO()

    call_command("check_screens", stdout=out)

    assert Screen.all_tenants.filter(published=None).count() == 0
    assert Screen.all_tenants.count() == 9
    assert Menu.all_tenants.filter(kind="screen", screen=None).count() == 0


def test_the_operator_may_publish_what_the_demo_has(demo: None) -> None:
    actor = actor_of("operator", "hanbit")
    with using_tenant(actor.tenant_id):
        screen = Screen.objects.with_published().get(key="weather")
        assert screen.published is not None
        document = published_document(screen.published)

        assert publish_errors(document, actor=actor) == ()


def test_content_the_portal_refuses_is_a_bug_of_ours(demo: None) -> None:
    with (
        using_tenant(Tenant.objects.get(key="namu")),
        pytest.raises(DemoIsBroken, match="Fact"),
    ):
        _make(Fact(), {"key": "Not A Key", "type": "text"})


def test_the_command_prints_new_passwords_once(demo: None) -> None:
    out = StringIO()
    call_command("demo", stdout=out)
    assert "keep their passwords" in out.getvalue()

    out = StringIO()
    call_command("demo", "--reset-passwords", "--json", stdout=out)
    assert len(json.loads(out.getvalue())) == 3

    out = StringIO()
    call_command("demo", "--reset-passwords", stdout=out)
    assert "operator of Hanbit Logistics" in out.getvalue()


def test_the_demo_database_is_written_once(demo: None) -> None:
    path: Path = demo_database()
    written = path.stat().st_mtime_ns

    load_demo()

    assert path.stat().st_mtime_ns == written

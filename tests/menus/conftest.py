"""A small tenant: an SQL operation on a real file, screens over it, and a menu."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from django.test import Client
from django.utils import translation

from connectors.models import DataSource, Operation, RegisteredTable
from connectors.specs import SourceKind
from menus.models import Menu
from menus.services import create_menu
from screens.models import Screen, ScreenVersion
from screens.services import publish, save_version
from tenants.models import Membership, Team, Tenant, User
from tenants.permissions import grant
from tenants.scope import Actor, using_tenant
from tests.menus.people import people, people_api, people_menu  # noqa: F401 - fixtures

BACKEND = "tenants.backends.TenantBackend"
MakeScreen: TypeAlias = Callable[..., Screen]
MakeMenu: TypeAlias = Callable[..., Menu]


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Messages outside a request speak English here, as ``jo`` does."""
    with translation.override("en"):
        yield


def named(text: str) -> dict[str, str]:
    return {"en": text, "ko": f"{text} 한글"}


@pytest.fixture
def admin_actor(acme: Tenant) -> Actor:
    person = User.objects.create_superuser("root", password="x", language="en")
    Membership.objects.create(user=person, tenant=acme)
    return Actor(user_id=person.pk, tenant_id=acme.pk)


@pytest.fixture
def stock(in_acme: Tenant, tmp_path: Path) -> Operation:
    """The operation ``stock``: three rows of a SQLite file, filtered by a parameter."""
    file = tmp_path / "stock.sqlite3"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE stock (site TEXT, units INTEGER)")
        rows = [("Seoul", 12), ("Busan", 7), ("=1+1", 3)]
        database.executemany("INSERT INTO stock VALUES (?, ?)", rows)
    database.close()
    source = DataSource.objects.create(
        key="plant", kind=SourceKind.SQL, address=f"sqlite:///{file}"
    )
    RegisteredTable.objects.create(source=source, name="stock", shared=True)
    return Operation.objects.create(
        key="stock",
        source=source,
        sql="SELECT site, units FROM stock ORDER BY units DESC",
    )


@pytest.fixture
def make_screen(stock: Operation, admin_actor: Actor) -> MakeScreen:
    """Make a published screen with so many blocks, each the operation ``stock``."""

    def make(key: str = "stock", *, blocks: int = 1, **body: Any) -> Screen:
        screen = Screen.objects.create(key=key)
        document = {
            "version": 1,
            "title": named(f"Screen {key}"),
            "description": named("What is in stock."),
            "blocks": [_block(number) for number in range(blocks)],
            **body,
        }
        version = save_version(screen, document, actor=admin_actor, base_version=0)
        assert isinstance(version, ScreenVersion), version
        published = publish(version, actor=admin_actor)
        assert isinstance(published, ScreenVersion), published
        screen.refresh_from_db()
        return screen

    return make


def _block(number: int) -> dict[str, Any]:
    return {
        "id": f"stock-{number}",
        "title": named(f"Stock {number}"),
        "source": {"operation": "stock"},
        "responses": {"default": {"format": "table"}},
    }


@pytest.fixture
def make_menu(in_acme: Tenant) -> MakeMenu:
    """Make a menu of acme; a name is made from the slug."""

    def make(slug: str, **fields: Any) -> Menu:
        fields.setdefault("label", named(slug.capitalize()))
        return create_menu(slug, actor=None, **fields)

    return make


@pytest.fixture
def screen_menu(make_screen: MakeScreen, make_menu: MakeMenu, user: User) -> Menu:
    """The menu ``stock`` in the group ``plants``, which ``jo`` was allowed."""
    group = make_menu("plants")
    grant("view_menu", group, to=user, actor=None)
    return make_menu("stock", kind="screen", screen=make_screen(), parent=group)


@pytest.fixture
def reader(client: Client, user: User) -> Client:
    """A browser in which ``jo`` of acme has signed in."""
    client.force_login(user, backend=BACKEND)
    return client


@pytest.fixture
def stranger(globex: Tenant) -> Client:
    """A browser of a superuser of another tenant."""
    person = User.objects.create_superuser("eve", password="x", language="en")
    Membership.objects.create(user=person, tenant=globex)
    browser = Client()
    browser.force_login(person, backend=BACKEND)
    return browser


@pytest.fixture
def operators(acme: Tenant, user: User) -> Team:
    """A team of acme with ``jo`` in it."""
    team = Team.objects.create(tenant=acme, label="Operators")
    user.groups.add(team)
    return team


@pytest.fixture
def foreign_menu(globex: Tenant) -> Menu:
    """A menu of another tenant, with the slug ``secret``."""
    with using_tenant(globex):
        return create_menu("secret", label=named("Secret"), kind="group", actor=None)

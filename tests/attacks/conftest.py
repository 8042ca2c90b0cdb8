"""Two tenants as the demo makes them, a tenant full of marked rows, and its enemies.

``hanbit`` is where the attackers sit, ``namu`` is what they want. Every text of the
rows made here for namu holds ``MARK``, so that a page that shows one is found out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import models, transaction
from django.test import Client
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from branching.models import Condition, DecisionTable, Fact, Rule
from connectors.models import (
    DataSource,
    Operation,
    Parameter,
    PersonalReveal,
    QueryRefusal,
    QuerySafetyCheck,
)
from demo.loader import demo_database, load_demo
from menus.models import Menu
from menus.services import create_menu
from screens.models import Screen, ScreenVersion
from screens.services import publish, save_version
from tenants.audit import record
from tenants.models import ApiToken, Membership, Team, Tenant, TenantUsage, User
from tenants.scope import Actor, using_tenant
from tenants.tokens import issue_token
from tests.attacks.alert_rows import marked_alerts
from tests.attacks.copilot_rows import marked_copilot
from tests.attacks.pages import in_a_week
from tests.attacks.watching_rows import marked_watching

BACKEND = "tenants.backends.TenantBackend"
MARK = "namusecret"


@dataclass
class World:
    """The demo, what was added to it, and its people.

    Attributes:
        rows: The marked rows of namu, one of each model.
    """

    hanbit: Tenant
    namu: Tenant
    admin: User
    operator: User
    viewer: User
    insider: User
    rows: dict[type[models.Model], Any] = field(default_factory=dict)


SignIn = Callable[[User], Client]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Load the demo once for a module, in a transaction that is rolled back."""
    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        try:
            yield _make_world()
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)
            cache.clear()


def _make_world() -> World:
    load_demo()
    people = {user.username: user for user in User.objects.all()}
    tenants = {tenant.key: tenant for tenant in Tenant.objects.all()}
    User.objects.update(language="en")
    world = World(
        hanbit=tenants["hanbit"],
        namu=tenants["namu"],
        admin=people["admin"],
        operator=people["operator"],
        viewer=people["viewer"],
        insider=_insider(tenants["hanbit"]),
    )
    with using_tenant(world.namu):
        world.rows = _marked_rows(world)
    return world


def _insider(tenant: Tenant) -> User:
    """Staff of hanbit whose team has every permission there is."""
    user = User.objects.create_user(
        "insider", password="correct horse", is_staff=True, language="en"
    )
    Membership.objects.create(user=user, tenant=tenant)
    team = Team.objects.create(tenant=tenant, label="Everything")
    team.permissions.set(Permission.objects.all())
    team.add(user)
    return user


def _marked_rows(world: World) -> dict[type[models.Model], Any]:
    actor = Actor(user_id=world.admin.pk, tenant_id=world.namu.pk)
    label = {"ko": MARK, "en": MARK}
    person = User.objects.create_user(f"{MARK}-person", password="x", is_staff=True)
    Membership.objects.create(user=person, tenant=world.namu)
    source = DataSource.objects.create(
        key=f"{MARK}-source",
        kind="sql",
        address=f"sqlite:///{demo_database()}",
        label=label,
    )
    source.set_secret(f"{MARK} password")
    source.save()
    operation = Operation.objects.create(
        key=f"{MARK}-operation",
        source=source,
        label=label,
        sql="SELECT 'namusecret' AS word WHERE :word = :word",
    )
    parameter = Parameter.objects.create(
        operation=operation, name=f"{MARK}_parameter", default="x"
    )
    refusal = QueryRefusal.objects.create(
        day=timezone.now().date(),
        rule="lock",
        layer=QueryRefusal.Layer.JUDGE,
        user=person,
        source_key=source.key,
        operation_key=operation.key,
        count=1,
        first_at=timezone.now(),
        last_at=timezone.now(),
    )
    fact = Fact.objects.create(
        key=f"{MARK}-fact",
        type="text",
        kind="orm",
        model="demo.Subscription",
        aggregate="first",
        field="plan",
        label=label,
    )
    table = DecisionTable.objects.create(
        key=f"{MARK}-table",
        label=label,
        default_operation=operation.key,
        default_response="default",
    )
    rule = Rule.objects.create(
        table=table, key=f"{MARK}-rule", operation=operation.key, response="default"
    )
    condition = Condition.objects.create(
        rule=rule, operand="fact", name=fact.key, operator="eq", value=MARK
    )
    screen, version = _marked_screen(operation.key, actor)
    menu = create_menu(
        f"{MARK}-menu", label=label, kind="screen", screen=screen, actor=actor
    )
    token, _secret = issue_token(
        person,
        tenant=world.namu,
        name=f"{MARK} token",
        scopes=["read"],
        expires_at=in_a_week(),
    )
    entry = record(actor=actor, action=f"{MARK}.done", target=menu, label=MARK)
    team = Team.objects.create(tenant=world.namu, label=f"{MARK} team")
    usage = TenantUsage.objects.create(day=date(2026, 1, 1), queries=1)
    made = [
        usage,
        *(source, operation, parameter, refusal, fact, table, rule, condition),
        *(screen, version, menu, token, entry, team, person),
        _marked_reveal(operation, person),
        QuerySafetyCheck.objects.create(source=source, database=MARK, held=True),
        *marked_alerts(MARK, person),
        *marked_copilot(MARK, screen),
        *marked_watching(MARK, world.namu),
    ]
    return {type(row): row for row in made}


def _marked_reveal(operation: Operation, person: User) -> PersonalReveal:
    now = timezone.now()
    return PersonalReveal.objects.create(
        user=person,
        operation=operation,
        operation_key=operation.key,
        place=f"{MARK}-screen",
        purpose=PersonalReveal.Purpose.PAGE,
        reason=f"Ticket {MARK}",
        since=now,
        until=now + timedelta(minutes=15),
    )


def _marked_screen(operation: str, actor: Actor) -> tuple[Screen, ScreenVersion]:
    screen = Screen.objects.create(key=f"{MARK}-screen")
    body: Any = {
        "version": 1,
        "title": {"en": MARK, "ko": MARK},
        "blocks": [
            {
                "id": "only",
                "title": {"en": MARK},
                "source": {"operation": operation},
                "responses": {"default": {"format": "table"}},
            }
        ],
    }
    version = save_version(screen, body, actor=actor, base_version=0, note=MARK)
    assert isinstance(version, ScreenVersion), version
    published = publish(version, actor=actor)
    assert isinstance(published, ScreenVersion), published
    screen.refresh_from_db()
    return screen, published


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """Return a browser in which somebody has signed in."""

    def enter(user: User) -> Client:
        browser = Client(raise_request_exception=False)
        browser.force_login(user, backend=BACKEND)
        return browser

    return enter


@pytest.fixture
def insider(world: World, sign_in: SignIn) -> Client:
    """A browser of staff of hanbit who may everything there."""
    return sign_in(world.insider)


@pytest.fixture
def operator(world: World, sign_in: SignIn) -> Client:
    return sign_in(world.operator)


@pytest.fixture
def viewer(world: World, sign_in: SignIn) -> Client:
    return sign_in(world.viewer)


@pytest.fixture
def root(world: World, sign_in: SignIn) -> Client:
    """A browser of the administrator, who is in hanbit."""
    return sign_in(world.admin)


__all__ = ["MARK", "ApiToken", "Menu", "SignIn", "World"]

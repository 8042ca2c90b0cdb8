"""Operations, facts and a decision table that the tests of branching share."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client

from branching.models import Condition, DecisionTable, Fact, Rule
from connectors.models import DataSource, Operation, Parameter, RegisteredTable
from tenants.models import Membership, Tenant, User
from tenants.permissions import grant
from tenants.scope import using_tenant

FACT_MODELS: dict[str, Any] = {
    "branching.Rule": {
        "tenant": "tenant",
        "fields": [
            "key",
            "order",
            "enabled",
            "priority",
            "table",
            "table__key",
            "note",
        ],
    },
    "connectors.Operation": {"tenant": "tenant", "fields": ["key", "updated_at"]},
    "tenants.User": {"tenant": "memberships__tenant", "fields": ["password"]},
    "sessions.Session": {"tenant": "x", "fields": ["session_data"]},
    "tenants.ApiToken": {
        "tenant": "tenant",
        "fields": ["name", "user__username", "user__password"],
    },
    "gone.Away": {"tenant": "tenant", "fields": ["plan"]},
}


@pytest.fixture(autouse=True)
def _own_cache(settings: Any) -> Iterator[None]:
    settings.SIGNALBOX_FACT_MODELS = FACT_MODELS
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(scope="session")
def plans_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("external") / "plans.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE plans (tenant TEXT, plan TEXT, seats INT)")
        rows = [("acme", "pro", 5), ("acme", "team", 9), ("globex", "free", 1)]
        connection.executemany("INSERT INTO plans VALUES (?, ?, ?)", rows)
    connection.close()
    return path


def make_operations(path: Path) -> None:
    """Make, for the tenant in scope, two SQL operations and one HTTP operation."""
    external = DataSource.objects.create(
        key="plans", kind="sql", address=f"sqlite:///{path}"
    )
    RegisteredTable.objects.create(
        source=external, name="plans", tenant_column="tenant"
    )
    upstream = DataSource.objects.create(
        key="api", kind="http", address="https://api.example"
    )
    made = Operation.objects.create(
        key="plans-of-tenant",
        source=external,
        sql="SELECT plan, seats FROM plans WHERE tenant = :tenant AND seats >= :least "
        "ORDER BY seats",
    )
    Parameter.objects.create(operation=made, name="least", type="integer", default="0")
    broken = "SELECT nothing FROM nowhere"
    Operation.objects.create(key="broken", source=external, sql=broken)
    quakes = Operation.objects.create(key="quakes", source=upstream, path="/quakes")
    for name in ("site", "days", "plan"):
        Parameter.objects.create(operation=quakes, name=name)
    Operation.objects.create(key="quakes-of-yesterday", source=upstream, path="/old")


@pytest.fixture
def in_acme(acme: Tenant, plans_file: Path) -> Iterator[Tenant]:
    """The tenant acme with its operations, and its scope open."""
    with using_tenant(acme):
        make_operations(plans_file)
        yield acme


@pytest.fixture
def table(in_acme: Tenant) -> DecisionTable:
    """A table with one rule: the plan, read by an operation, is pro."""
    saved(
        Fact(
            key="plan",
            kind="operation",
            operation="plans-of-tenant",
            type="text",
            ttl_s=0,
        )
    )
    made: DecisionTable = saved(
        DecisionTable(
            key="quake-alerts",
            label={"en": "Quake alerts", "ko": "지진 경보"},
            parameters={"site": "text", "days": "integer"},
            default_operation="quakes",
            default_arguments={"site": {"parameter": "site"}},
        )
    )
    rule = saved(Rule(table=made, key="pro", operation="quakes", response="alert"))
    saved(Condition(rule=rule, name="plan", operator="eq", value="pro"))
    return made


def saved(row: Any) -> Any:
    """Check a row as a form does, and save it."""
    row.full_clean()
    row.save()
    return row


@pytest.fixture
def refused() -> Callable[[Any], dict[str, list[str]]]:
    """A function that gives what the checks say against a row, by field."""
    from django.core.exceptions import ValidationError

    def check(row: Any) -> dict[str, list[str]]:
        with pytest.raises(ValidationError) as error:
            row.full_clean()
        return error.value.message_dict

    return check


@pytest.fixture
def staff(in_acme: Tenant) -> Client:
    """The client of somebody in acme who may change facts and tables.

    Kim may use every operation there is, as editors of tables must.
    """
    person = User.objects.create_user("kim", is_staff=True, language="en")
    Membership.objects.create(user=person, tenant=in_acme)
    person.user_permissions.set(
        Permission.objects.filter(content_type__app_label="branching")
    )
    for operation in Operation.objects.all():
        grant("use_operation", operation, to=person, actor=None)
    client = Client(headers={"accept-language": "en"})
    client.force_login(person, backend="tenants.backends.TenantBackend")
    return client

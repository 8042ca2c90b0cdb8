"""Who may use an operation is given on its page, by whoever may use it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from connectors.models import DataSource, Operation
from tenants.models import Team, Tenant, User
from tenants.permissions import can, grant, who_else
from tenants.scope import Actor, using_tenant

FIELDS: dict[str, Any] = {
    "key": "stock", "label": "{}", "enabled": "on", "method": "GET", "path": "/stock",
    "query": "{}", "headers": "{}", "body_kind": "none", "body": "", "sql": "",
    "body_format": "auto", "rows_path": "", "columns": "[]", "series": "",
    "timeout_ms": "3000", "row_limit": "1000", "keep_last_good_s": "0",
    "parameters-TOTAL_FORMS": "0", "parameters-INITIAL_FORMS": "0",
}  # fmt: skip


@pytest.fixture
def source(acme: Tenant) -> DataSource:
    with using_tenant(acme):
        return DataSource.objects.create(
            key="api", kind="http", address="https://api.example"
        )


@pytest.fixture
def team(acme: Tenant) -> Team:
    return Team.objects.create(tenant=acme, label="Editors")


@pytest.fixture
def staff(client: Client, user: User) -> Client:
    """A client of jo, who may change operations in the admin."""
    user.is_staff = True
    user.save()
    wanted = ["add_operation", "change_operation", "view_operation"]
    user.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client.force_login(user)
    return client


def saved(acme: Tenant) -> Operation:
    with using_tenant(acme):
        operation: Operation = Operation.objects.get(key="stock")
        return operation


def test_who_makes_an_operation_may_use_it_and_gives_it_to_teams(
    staff: Client, source: DataSource, team: Team, acme: Tenant, actor: Actor
) -> None:
    given = {**FIELDS, "source": source.pk, "teams": [team.pk]}

    response = staff.post("/admin/connectors/operation/add/", given)

    assert response.status_code == 302, response.content.decode()[:2_000]
    operation = saved(acme)
    assert can(actor, "use_operation", operation)
    assert {holder.name for holder in who_else("use_operation", operation)} == {
        "Editors",
        "jo",
    }


def test_a_team_is_taken_away_on_the_same_page(
    staff: Client, source: DataSource, team: Team, acme: Tenant, user: User
) -> None:
    with using_tenant(acme):
        operation = Operation.objects.create(key="stock", source=source, path="/stock")
        grant("use_operation", operation, to=team, actor=None)
        grant("use_operation", operation, to=user, actor=None)
    page = staff.get(f"/admin/connectors/operation/{operation.pk}/change/")
    assert f'value="{team.pk}"' in page.content.decode()

    staff.post(
        f"/admin/connectors/operation/{operation.pk}/change/",
        {**FIELDS, "source": source.pk},
    )

    assert [each.name for each in who_else("use_operation", operation)] == ["jo"]


def test_who_may_not_use_an_operation_cannot_give_it_to_anybody(
    staff: Client, source: DataSource, team: Team, acme: Tenant
) -> None:
    with using_tenant(acme):
        operation = Operation.objects.create(key="stock", source=source, path="/stock")
    address = f"/admin/connectors/operation/{operation.pk}/change/"
    assert 'name="teams"' not in staff.get(address).content.decode()

    staff.post(address, {**FIELDS, "source": source.pk, "teams": [team.pk]})

    assert who_else("use_operation", operation) == []


def test_teams_of_another_tenant_are_no_choice(
    staff: Client, source: DataSource, globex: Tenant
) -> None:
    foreign = Team.objects.create(tenant=globex, label="Spies")
    given = {**FIELDS, "source": source.pk, "teams": [foreign.pk]}

    response = staff.post("/admin/connectors/operation/add/", given)

    assert response.status_code == 200
    assert "Spies" not in response.content.decode()
    assert Operation.all_tenants.count() == 0

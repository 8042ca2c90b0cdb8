"""tenants/models.py: users, tenants, teams, and what every tenant's row promises."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone

from tenants.models import (
    ApiToken,
    AuditEntry,
    Membership,
    Team,
    Tenant,
    TenantModel,
    User,
)
from tenants.scope import NoTenantScope, WrongTenant, using_tenant
from tenants.tokens import issue_token

TENANT_MODELS = [
    model for model in apps.get_models() if issubclass(model, (TenantModel, AuditEntry))
]


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
@pytest.mark.parametrize("verb", ["all", "count", "exists", "first", "none", "delete"])
def test_a_query_outside_any_scope_raises(
    db: None, model: type[TenantModel], verb: str
) -> None:
    with pytest.raises(NoTenantScope):
        getattr(model.objects, "all" if verb == "delete" else verb)()


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_a_query_in_a_scope_asks_for_its_tenant(
    acme: Tenant, model: type[TenantModel]
) -> None:
    column = f'"{model._meta.db_table}"."tenant_id" = {acme.pk}'

    with using_tenant(acme):
        statement = str(model.objects.all().query)

    assert column in statement


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_the_default_manager_is_the_one_that_asks(model: type[Model]) -> None:
    """Stock pages, generic views and forms read through the default manager."""
    with pytest.raises(NoTenantScope):
        model._default_manager.all()


@pytest.fixture
def tokens(user: User, acme: Tenant, globex: Tenant) -> tuple[ApiToken, ApiToken]:
    """A token in acme and one in globex."""
    until = timezone.now() + timedelta(days=1)
    mine, _ = issue_token(
        user, tenant=acme, name="a", scopes=["read"], expires_at=until
    )
    other, _ = issue_token(
        user, tenant=globex, name="b", scopes=["read"], expires_at=until
    )
    return mine, other


def test_a_scope_shows_its_own_rows_only(
    tokens: tuple[ApiToken, ApiToken], acme: Tenant
) -> None:
    with using_tenant(acme):
        assert list(ApiToken.objects.all()) == [tokens[0]]
        assert not ApiToken.objects.filter(pk=tokens[1].pk).exists()

    assert ApiToken.all_tenants.count() == 2


def test_a_row_of_another_tenant_cannot_be_saved_in_a_scope(
    tokens: tuple[ApiToken, ApiToken], acme: Tenant
) -> None:
    with using_tenant(acme), pytest.raises(WrongTenant):
        tokens[1].save()


def test_a_row_without_a_tenant_takes_the_scope(user: User, in_acme: Tenant) -> None:
    until = timezone.now() + timedelta(days=1)
    rows = [
        ApiToken(user=user, name=name, digest=name, scopes=["read"], expires_at=until)
        for name in "abc"
    ]

    rows[0].save()
    ApiToken.objects.bulk_create(rows[1:])

    assert {row.tenant_id for row in ApiToken.objects.all()} == {in_acme.pk}


def test_a_row_without_a_tenant_is_refused_outside_a_scope(user: User) -> None:
    token = ApiToken(user=user, name="a", scopes=["read"], expires_at=timezone.now())

    with pytest.raises(NoTenantScope):
        token.save()


def test_bulk_create_refuses_rows_of_another_tenant(
    tokens: tuple[ApiToken, ApiToken], acme: Tenant
) -> None:
    with using_tenant(acme), pytest.raises(WrongTenant):
        ApiToken.objects.bulk_create([tokens[1]])


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "+09:00"])
def test_an_unknown_time_zone_is_refused(db: None, name: str) -> None:
    user = User(username="kim", password="x", time_zone=name)

    with pytest.raises(ValidationError) as refused:
        user.full_clean()

    assert set(refused.value.message_dict) == {"time_zone"}


def test_tenants_open_to_a_user(
    user: User, superuser: User, acme: Tenant, globex: Tenant
) -> None:
    Tenant.objects.create(key="closed", name="Closed", is_active=False)

    assert list(Tenant.objects.open_to(user)) == [acme]
    assert list(Tenant.objects.open_to(superuser)) == [acme, globex]


def test_two_tenants_may_name_a_team_alike_but_one_may_not_twice(
    acme: Tenant, globex: Tenant
) -> None:
    Team.objects.create(tenant=acme, label="Operators")
    other = Team.objects.create(tenant=globex, label="Operators")

    twin = Team(tenant=acme, label="Operators")
    with pytest.raises(ValidationError):
        twin.validate_constraints(exclude={"tenant"})

    assert other.name == "globex:Operators"


def test_a_team_takes_the_scope(in_acme: Tenant) -> None:
    assert Team.objects.create(label="Operators").tenant == in_acme


def test_a_team_takes_members_of_its_tenant_only(
    acme: Tenant, user: User, outsider: User
) -> None:
    team = Team.objects.create(tenant=acme, label="Operators")

    team.add(user)
    with pytest.raises(WrongTenant, match="membership"):
        team.add(outsider)

    assert list(team.users) == [user]


def test_a_user_put_on_a_team_past_the_rules_does_not_count(
    acme: Tenant, outsider: User
) -> None:
    team = Team.objects.create(tenant=acme, label="Operators")

    outsider.groups.add(team)

    assert list(team.users) == []


@pytest.mark.parametrize("how", ["row", "rows"])
def test_who_leaves_a_tenant_leaves_its_teams(
    acme: Tenant, globex: Tenant, user: User, how: str
) -> None:
    Membership.objects.create(user=user, tenant=globex)
    teams = [Team.objects.create(tenant=t, label="Operators") for t in (acme, globex)]
    for team in teams:
        team.add(user)
    memberships = Membership.objects.filter(user=user, tenant=acme)

    if how == "row":
        memberships.get().delete()
    else:
        memberships.delete()

    assert list(user.groups.values_list("pk", flat=True)) == [teams[1].pk]


def test_who_leaves_a_team_stays_a_member(acme: Tenant, user: User) -> None:
    team = Team.objects.create(tenant=acme, label="Operators")
    team.add(user)

    team.remove(user)

    assert not team.users.exists()
    assert user.memberships.exists()

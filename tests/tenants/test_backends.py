"""tenants/backends.py: a team's permissions count in its own tenant only."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from pytest_django import DjangoAssertNumQueries

from tenants.models import Membership, Team, Tenant, User
from tenants.scope import using_tenant

NAME = "tenants.change_team"


@pytest.fixture
def permission(db: None) -> Permission:
    return Permission.objects.get(codename="change_team")


@pytest.fixture
def operator(user: User, acme: Tenant, permission: Permission) -> User:
    """A member of a team of acme that may change teams."""
    team = Team.objects.create(tenant=acme, label="Operators")
    team.permissions.add(permission)
    team.add(user)
    return user


def test_one_user_object_answers_for_two_tenants_in_one_request(
    operator: User, acme: Tenant, globex: Tenant
) -> None:
    Membership.objects.create(user=operator, tenant=globex)

    with using_tenant(acme):
        in_acme = operator.has_perm(NAME)
    with using_tenant(globex):
        in_globex = operator.has_perm(NAME)
        everything = operator.get_all_permissions()
    with using_tenant(acme):
        again = operator.has_perm(NAME), operator.has_module_perms("tenants")

    assert (in_acme, in_globex, again) == (True, False, (True, True))
    assert everything == set()
    assert not operator.has_perm(NAME)


def test_a_plain_group_counts_everywhere(
    user: User, acme: Tenant, permission: Permission
) -> None:
    group = Group.objects.create(name="auditors of the house")
    group.permissions.add(permission)
    user.groups.add(group)

    with using_tenant(acme):
        assert user.has_perm(NAME)
    assert user.has_perm(NAME)


def test_a_permission_of_the_user_counts_everywhere(
    user: User, permission: Permission
) -> None:
    user.user_permissions.add(permission)

    assert user.has_perm(NAME)


def test_an_inactive_user_may_nothing(operator: User, acme: Tenant) -> None:
    operator.is_active = False

    with using_tenant(acme):
        assert not operator.has_perm(NAME)
        assert operator.get_all_permissions() == set()


def test_a_superuser_may_everything(superuser: User, acme: Tenant) -> None:
    with using_tenant(acme):
        assert superuser.has_perm(NAME)
        assert NAME in superuser.get_all_permissions()


def test_the_answer_is_kept_for_the_request(
    operator: User, acme: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with using_tenant(acme), django_assert_num_queries(2):
        for _ in range(3):
            operator.has_perm(NAME)

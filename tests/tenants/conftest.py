"""People and clients of the tests of tenants."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tenants.models import Membership, Tenant, User

BACKEND = "tenants.backends.TenantBackend"
SignedIn = Callable[[User], Client]


@pytest.fixture
def signed_in() -> SignedIn:
    """A function that gives the client of a signed-in user."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend=BACKEND)
        return client

    return sign_in


@pytest.fixture
def superuser(db: None) -> User:
    """Somebody who may enter every tenant, and is a member of none."""
    return User.objects.create_superuser("root", password="x", language="en")


@pytest.fixture
def staff(acme: Tenant) -> User:
    """A member of acme who may change teams and tokens in the admin."""
    person = User.objects.create_user("kim", is_staff=True, language="en")
    Membership.objects.create(user=person, tenant=acme)
    names = ["team", "apitoken", "auditentry"]
    person.user_permissions.set(
        Permission.objects.filter(
            content_type__app_label="tenants", content_type__model__in=names
        )
    )
    return person


@pytest.fixture
def outsider(globex: Tenant) -> User:
    """A member of globex only."""
    person = User.objects.create_user("lee", language="en")
    Membership.objects.create(user=person, tenant=globex)
    return person

"""Fixtures that every app's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from connectors.services import circuits, shut_down
from observability.logs import current_request
from tenants.metering import meter
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor, using_tenant


@pytest.fixture(scope="session", autouse=True)
def _engine_stops_before_the_database_goes(django_db_setup: None) -> Iterator[None]:
    yield
    shut_down()


@pytest.fixture(autouse=True)
def _fresh_circuits() -> Iterator[None]:
    """An open circuit of one test is no other's: SQLite gives its keys out again."""
    circuits.forget()
    yield
    circuits.forget()


@pytest.fixture(autouse=True)
def _fresh_meter() -> Iterator[None]:
    """What one test used of a quota is no other's."""
    meter.forget()
    yield
    meter.forget()


@pytest.fixture(autouse=True)
def _no_request_of_another_test() -> Iterator[None]:
    """A streamed response that a test never closed leaves its request behind."""
    current_request.set(None)
    yield
    current_request.set(None)


@pytest.fixture(autouse=True)
def _pool_jobs_see_the_test(
    request: pytest.FixtureRequest, settings: LazySettings
) -> None:
    """Jobs of the pool run on the waiting thread, inside the test's transaction.

    Tests with ``django_db(transaction=True)`` have real threads.
    """
    marker = request.node.get_closest_marker("django_db")
    real = marker is not None and marker.kwargs.get("transaction", False)
    settings.SIGNALBOX_POOL_CALLER_RUNS = not real


@pytest.fixture
def acme(db: None) -> Tenant:
    """A tenant, without an open scope."""
    return Tenant.objects.create(key="acme", name="Acme")


@pytest.fixture
def globex(db: None) -> Tenant:
    """Another tenant, whose rows acme must never see."""
    return Tenant.objects.create(key="globex", name="Globex")


@pytest.fixture
def in_acme(acme: Tenant) -> Iterator[Tenant]:
    """The tenant acme, with its scope open."""
    with using_tenant(acme):
        yield acme


@pytest.fixture
def user(acme: Tenant) -> User:
    """A member of acme without any grant, who reads English."""
    person = User.objects.create_user("jo", password="correct horse", language="en")
    Membership.objects.create(user=person, tenant=acme)
    return person


@pytest.fixture
def actor(user: User, acme: Tenant) -> Actor:
    return Actor(user_id=user.pk, tenant_id=acme.pk)

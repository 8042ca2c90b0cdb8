"""Two people at once: one result, no loss, no failure."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from connectors.models import DataSource, Operation
from menus.models import Favourite, Menu
from menus.personal import set_favourite
from menus.services import create_menu
from screens.models import Screen, ScreenVersion
from screens.services import StaleBase, publish, save_version
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor, using_tenant

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

BLOCK = {
    "id": "a",
    "title": {"en": "A"},
    "source": {"operation": "a"},
    "responses": {"default": {"format": "table"}},
}
BODY: Any = {"version": 1, "title": {"en": "T"}, "blocks": [BLOCK]}
AT_ONCE = 4


@pytest.fixture
def root(transactional_db: None) -> Actor:
    tenant = Tenant.objects.create(key="acme", name="Acme")
    user = User.objects.create_superuser("root", password="x")
    Membership.objects.create(user=user, tenant=tenant)
    return Actor(user_id=user.pk, tenant_id=tenant.pk)


def at_once(actor: Actor, act: Callable[[], Any]) -> list[Any]:
    """Let several threads do the same in the same moment; return what each got."""
    start = threading.Barrier(AT_ONCE, timeout=10)
    results: list[Any] = []

    def run() -> None:
        try:
            with using_tenant(actor.tenant_id):
                start.wait()
                results.append(act())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(results) == AT_ONCE
    return results


def saved(root: Actor) -> ScreenVersion:
    source = DataSource.objects.create(key="a", kind="portal")
    Operation.objects.create(key="a", source=source, series="latency")
    screen = Screen.objects.create(key="race")
    version = save_version(screen, BODY, actor=root, base_version=0)
    assert isinstance(version, ScreenVersion), version
    return version


def test_of_drafts_on_one_base_one_is_saved(root: Actor) -> None:
    with using_tenant(root.tenant_id):
        screen = saved(root).screen

    results = at_once(
        root, lambda: save_version(screen, BODY, actor=root, base_version=1)
    )

    kinds = sorted(type(result).__name__ for result in results)
    assert kinds == ["ScreenVersion", *["StaleBase"] * (AT_ONCE - 1)], results
    assert sum(isinstance(each, StaleBase) for each in results) == AT_ONCE - 1


def test_publishing_twice_at_once_publishes_once(root: Actor) -> None:
    with using_tenant(root.tenant_id):
        number = saved(root).pk

    results = at_once(
        root, lambda: publish(ScreenVersion.objects.get(pk=number), actor=root)
    )

    assert all(isinstance(each, ScreenVersion) for each in results), results
    with using_tenant(root.tenant_id):
        assert Screen.objects.get(key="race").published_id == number


def test_a_publish_that_was_overtaken_is_no_failure(root: Actor) -> None:
    """Read as a draft, published by others, replaced by others, published again."""
    with using_tenant(root.tenant_id):
        first = saved(root)
        stale = ScreenVersion.objects.get(pk=first.pk)
        publish(first, actor=root)
        second = save_version(first.screen, BODY, actor=root, base_version=1)
        assert isinstance(second, ScreenVersion)
        publish(second, actor=root)

        published = publish(stale, actor=root)

        assert published == first
        assert Screen.objects.get(key="race").published_id == first.pk


def test_a_favourite_pinned_twice_at_once_is_pinned_once(root: Actor) -> None:
    with using_tenant(root.tenant_id):
        menu: Menu = create_menu("race", label={"en": "R"}, kind="group", actor=root)

    results = at_once(root, lambda: set_favourite(root, menu, wanted=True))

    assert results == [None] * AT_ONCE
    with using_tenant(root.tenant_id):
        assert Favourite.objects.count() == 1

"""One holder of a lease at a time, and signs of life."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from observability.liveness import beat, last_seen, release_lease, take_lease
from observability.models import Heartbeat

pytestmark = pytest.mark.django_db


def take(holder: str, *, later: int = 0) -> bool:
    now = timezone.now() + timedelta(seconds=later)
    return take_lease("scheduler", holder=holder, seconds=30, now=now)


def test_the_second_taker_waits_until_the_lease_ends() -> None:
    assert take("a")
    assert not take("b")
    assert not take("b", later=29)
    assert take("b", later=31)
    assert not take("a", later=32)


def test_the_holder_renews_its_lease() -> None:
    take("a")

    assert take("a", later=20)
    assert not take("b", later=40)


def test_a_lease_given_back_is_free_at_once() -> None:
    take("a")

    release_lease("scheduler", holder="b")
    assert not take("b")
    release_lease("scheduler", holder="a")
    assert take("b")


def test_a_heartbeat_tells_when_a_role_was_last_alive() -> None:
    assert last_seen("worker") is None

    beat("worker", holder="host:1")
    beat("worker", holder="host:2")

    seen = last_seen("worker")
    assert seen is not None
    assert timezone.now() - seen < timedelta(seconds=30)
    assert str(Heartbeat.objects.get()) == "worker"

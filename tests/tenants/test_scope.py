"""tenants/scope.py: the active scope of this context."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from tenants.models import Tenant, User
from tenants.scope import (
    Actor,
    NoTenantScope,
    active_tenant_id,
    enter_tenant,
    guarding_scope,
    required_tenant_id,
    using_tenant,
)


def test_scopes_nest_and_close(acme: Tenant, globex: Tenant) -> None:
    with using_tenant(acme):
        with using_tenant(globex):
            assert active_tenant_id() == globex.pk
        assert active_tenant_id() == acme.pk

    assert active_tenant_id() is None


@given(st.lists(st.tuples(st.integers(min_value=1), st.booleans()), max_size=12))
def test_the_innermost_open_scope_counts(steps: list[tuple[int, bool]]) -> None:
    stack: list[tuple[ExitStack, int]] = []

    for number, closing in steps:
        if stack and closing:
            stack.pop()[0].close()
        opened = ExitStack()
        opened.enter_context(using_tenant(number))
        stack.append((opened, number))
        assert active_tenant_id() == stack[-1][1]
    while stack:
        assert required_tenant_id() == stack[-1][1]
        stack.pop()[0].close()

    assert active_tenant_id() is None


def test_a_scope_closes_when_its_body_fails() -> None:
    with pytest.raises(ZeroDivisionError), using_tenant(7):
        raise ZeroDivisionError

    assert active_tenant_id() is None


def test_outside_a_scope_the_way_out_is_told() -> None:
    with pytest.raises(NoTenantScope, match="using_tenant"):
        required_tenant_id()


def test_what_is_entered_under_a_guard_ends_with_it(acme: Tenant) -> None:
    with using_tenant(1):
        with guarding_scope():
            before = active_tenant_id()
            enter_tenant(acme)
            inside = active_tenant_id()
        after = active_tenant_id()

    assert (before, inside, after) == (None, acme.pk, 1)


def test_a_new_thread_starts_without_a_scope() -> None:
    seen: list[int | None] = []

    with using_tenant(7):
        thread = threading.Thread(target=lambda: seen.append(active_tenant_id()))
        thread.start()
        thread.join()

    assert seen == [None]


def test_the_actor_of_a_request(rf: RequestFactory, user: User, acme: Tenant) -> None:
    request = rf.get("/")
    request.user, request.tenant = user, acme  # type: ignore[attr-defined]

    assert Actor.of(request) == Actor(user_id=user.pk, tenant_id=acme.pk)


def test_a_visitor_is_no_actor(rf: RequestFactory, acme: Tenant) -> None:
    request = rf.get("/")
    request.user, request.tenant = AnonymousUser(), acme  # type: ignore[attr-defined]

    with pytest.raises(NoTenantScope):
        Actor.of(request)

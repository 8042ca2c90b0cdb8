"""A tenant's quota and suspension at the calls: what is counted, what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import translation

from connectors.loop import engine
from connectors.models import Operation
from connectors.outcomes import Failure, Outcome, Reason, Success
from connectors.services import call_operation, last_good, load_operations
from tenants.lifecycle import resume, set_quota, suspend, use_today
from tenants.metering import Meter, meter
from tenants.models import Tenant
from tenants.quotas import Quota, Use
from tenants.scope import Actor

Make = Callable[..., Operation]


def call(actor: Actor, key: str = "items") -> Outcome:
    with translation.override("en"):
        return call_operation(key, arguments={}, actor=actor)


def refused(outcome: Outcome) -> str:
    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.REFUSED
    return outcome.message


def test_queries_and_rows_are_counted(stored: Make, acme: Tenant, actor: Actor) -> None:
    stored()

    assert isinstance(call(actor), Success)
    assert isinstance(call(actor), Success)
    meter.flush()

    assert use_today(acme) == Use(queries=2, rows=4)


def test_a_failed_call_is_a_query_without_rows(
    stored: Make, acme: Tenant, actor: Actor
) -> None:
    stored(path="/status/500")

    assert isinstance(call(actor), Failure)
    meter.flush()

    assert use_today(acme) == Use(queries=1)


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        (Quota(queries=1), "queries of this tenant for today are used up: 1 of 1"),
        (Quota(rows=2), "rows of this tenant for today are used up: 2 of 2"),
    ],
)
def test_a_call_over_the_quota_says_what_when_and_whom(
    stored: Make, acme: Tenant, actor: Actor, quota: Quota, words: str
) -> None:
    stored()
    set_quota(acme, quota)

    first, second = call(actor), call(actor)

    assert isinstance(first, Success)
    message = refused(second)
    assert words in message
    assert "begin anew at" in message
    assert "administrator" in message


def test_a_refused_call_reaches_nobody_and_is_not_counted(
    stored: Make, acme: Tenant, actor: Actor
) -> None:
    stored()
    set_quota(acme, Quota(queries=0))

    refused(call(actor))
    meter.flush()

    assert use_today(acme) == Use()


def test_what_another_process_wrote_counts_at_the_next_page(
    stored: Make, acme: Tenant, actor: Actor
) -> None:
    stored()
    set_quota(acme, Quota(queries=5))
    other = Meter()
    other.count(acme.pk, queries=5)
    other.flush()

    assert "5 of 5" in refused(call(actor))


def test_a_raised_limit_counts_at_once(
    stored: Make, acme: Tenant, actor: Actor
) -> None:
    stored()
    set_quota(acme, Quota(queries=0))
    refused(call(actor))

    set_quota(acme, Quota())

    assert isinstance(call(actor), Success)


def test_a_suspended_tenant_calls_nothing_and_shows_nothing_kept(
    stored: Make, acme: Tenant, actor: Actor
) -> None:
    stored(keep_last_good_s=600)
    assert isinstance(call(actor), Success)
    suspend(acme, reason="unpaid")

    message = refused(call(actor))
    spec = load_operations(["items"], actor=actor)["items"]
    kept = engine().run(last_good(spec, arguments={}, actor=actor, max_age_s=600))

    assert "suspended" in message
    assert kept is None
    resume(acme)
    spec = load_operations(["items"], actor=actor)["items"]
    kept = engine().run(last_good(spec, arguments={}, actor=actor, max_age_s=600))
    assert kept is not None
    assert isinstance(call(actor), Success)

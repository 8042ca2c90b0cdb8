"""Operations from rows to outcomes, over a real server."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.utils import translation

from connectors import last_good_store, services
from connectors.loop import Engine, PoolFull, engine
from connectors.models import DataSource, Operation, Parameter
from connectors.outcomes import Failure, Origin, Reason, Success, Table
from connectors.resilience import State
from connectors.services import (
    call_operation,
    last_good,
    load_operations,
    missing_operation,
    operation_keys,
    perform,
)
from connectors.specs import OperationSpec
from tenants.models import Tenant
from tenants.scope import Actor, WrongTenant, using_tenant
from tests.connectors.conftest import SECRET, Upstream

Make = Callable[..., Operation]

pytestmark = pytest.mark.usefixtures("stored")


@pytest.fixture(autouse=True)
def _english() -> Any:
    cache.clear()
    with translation.override("en"):
        yield


def load(key: str, actor: Actor) -> OperationSpec:
    return load_operations([key], actor=actor)[key]


def kept(spec: OperationSpec, actor: Actor, **arguments: Any) -> Success | None:
    max_age = arguments.pop("max_age_s", 60)
    return engine().run(
        last_good(spec, arguments=arguments, actor=actor, max_age_s=max_age)
    )


def test_an_operation_gives_its_rows(stored: Make, actor: Actor) -> None:
    stored()

    outcome = call_operation("items", arguments={}, actor=actor)

    assert isinstance(outcome, Success)
    assert isinstance(outcome.data, Table)
    assert outcome.data.rows == (("seoul", 21.5), ("busan", 23.0))
    assert outcome.status == 200
    assert outcome.origin is Origin.LIVE
    assert outcome.elapsed_ms > 0


def test_an_unknown_or_disabled_operation_is_missing(
    stored: Make, actor: Actor
) -> None:
    stored("off", enabled=False)

    for key in ("off", "nothing"):
        outcome = call_operation(key, arguments={}, actor=actor)
        assert outcome == missing_operation(key)
        assert isinstance(outcome, Failure)
        assert key in outcome.message


def test_a_disabled_source_disables_its_operations(stored: Make, actor: Actor) -> None:
    stored()
    DataSource.objects.update(enabled=False)

    assert load_operations(["items"], actor=actor) == {}
    assert operation_keys(actor=actor) == {}


def test_operations_are_loaded_in_four_queries_and_again_in_one(
    stored: Make, actor: Actor, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        operation = stored(f"op{number}")
        Parameter.objects.create(operation=operation, name="a")
    keys = [f"op{number}" for number in range(5)]

    with django_assert_num_queries(4):
        found = load_operations(keys, actor=actor)
    with django_assert_num_queries(1):
        again = load_operations(keys, actor=actor)

    assert len(found) == 5
    assert [row.name for row in found["op0"].parameters] == ["a"]
    assert again == found


def test_another_tenants_operations_are_not_seen(
    stored: Make, actor: Actor, globex: Tenant
) -> None:
    stored()
    stranger = replace(actor, tenant_id=globex.pk)

    assert load_operations(["items"], actor=stranger) == {}
    assert operation_keys(actor=stranger) == {}
    spec = load("items", actor)
    with pytest.raises(WrongTenant):
        engine().run(
            perform(spec, arguments={}, actor=stranger, deadline=time.monotonic() + 1)
        )


def test_keys_come_with_labels(stored: Make, actor: Actor) -> None:
    stored(label={"en": "Items", "ko": "항목"})
    stored("bare")

    assert operation_keys(actor=actor) == {"bare": "bare", "items": "Items"}


def test_all_wrong_arguments_are_told_in_words(stored: Make, actor: Actor) -> None:
    operation = stored(path="/echo/{site}", rows_path="")
    Parameter.objects.create(operation=operation, name="site", required=True)
    Parameter.objects.create(operation=operation, name="n", type="integer")

    outcome = call_operation("items", arguments={"n": "x", "sit": "y"}, actor=actor)

    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.INVALID
    assert "site is missing" in outcome.message
    assert "a whole number" in outcome.message
    assert "was site meant?" in outcome.message


def test_reserved_values_come_from_the_actor(
    stored: Make, actor: Actor, upstream: Upstream
) -> None:
    stored(path="/echo/{tenant}/{user}", rows_path="")

    call_operation("items", arguments={}, actor=actor)

    assert upstream.seen[0]["path"] == f"/echo/acme/{actor.user_id}"


def test_a_large_body_is_decoded_in_the_pool(
    stored: Make, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(path="/large", rows_path="", row_limit=10)
    jobs: list[str] = []
    real = Engine.in_pool

    async def counted(self: Any, function: Any, **options: Any) -> Any:
        jobs.append(function.__name__)
        return await real(self, function, **options)

    monkeypatch.setattr(Engine, "in_pool", counted)

    outcome = call_operation("items", arguments={}, actor=actor)

    assert isinstance(outcome, Success)
    assert isinstance(outcome.data, Table)
    assert outcome.data.cuts[0].total == 2_000
    assert jobs == ["read"]


def test_a_full_pool_is_refused_in_words(
    stored: Make, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(path="/large", rows_path="")

    async def full(*args: Any, **options: Any) -> Any:
        raise PoolFull("full")

    monkeypatch.setattr(Engine, "in_pool", full)

    outcome = call_operation("items", arguments={}, actor=actor)

    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.REFUSED
    assert "busy" in outcome.message


def test_no_time_left_means_no_call(
    stored: Make, actor: Actor, upstream: Upstream
) -> None:
    stored(path="/echo")

    outcome = call_operation(
        "items", arguments={}, actor=actor, deadline=time.monotonic()
    )

    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.TIMEOUT
    assert upstream.seen == []


def test_the_operations_own_timeout_ends_the_call(stored: Make, actor: Actor) -> None:
    stored(path="/slow", timeout_ms=150)

    outcome = call_operation(
        "items", arguments={}, actor=actor, deadline=time.monotonic() + 10
    )

    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.TIMEOUT
    # What was left of them when the request was sent.
    assert re.search(r"\b1[0-5]\d ms", outcome.message), outcome.message
    assert 100 < outcome.elapsed_ms < 1_000


def test_a_circuit_opens_after_failures_and_refuses(stored: Make, actor: Actor) -> None:
    stored(path="/status/500")
    name = (actor.tenant_id, "up")

    outcomes = [call_operation("items", arguments={}, actor=actor) for _ in range(11)]

    assert services.circuits.state(name) is State.OPEN
    last = outcomes[-1]
    assert isinstance(last, Failure)
    assert last.reason is Reason.CIRCUIT_OPEN
    assert "up" in last.message


@pytest.mark.parametrize("path", ["/status/404", "/status/401", "/json?x"])
def test_answers_that_are_the_callers_fault_open_nothing(
    stored: Make, actor: Actor, path: str
) -> None:
    stored(path=path.removesuffix("?x"), rows_path="nothing")

    for _ in range(12):
        call_operation("items", arguments={}, actor=actor)

    assert services.circuits.state((actor.tenant_id, "up")) is State.CLOSED


def test_the_last_good_answer_is_kept_and_given_back(
    stored: Make, actor: Actor
) -> None:
    stored(keep_last_good_s=60)
    spec = load("items", actor)
    before = kept(spec, actor)

    live = call_operation("items", arguments={}, actor=actor)
    found = kept(spec, actor)

    assert before is None
    assert isinstance(live, Success)
    assert found is not None
    assert (found.data, found.as_of) == (live.data, live.as_of)
    assert found.origin is Origin.LAST_GOOD
    assert kept(spec, actor, max_age_s=-1) is None
    assert kept(spec, actor, unknown="x") is None


def test_nothing_is_kept_unless_asked(stored: Make, actor: Actor) -> None:
    stored()
    call_operation("items", arguments={}, actor=actor)

    assert kept(load("items", actor), actor) is None


def test_a_changed_operation_forgets_what_was_kept(stored: Make, actor: Actor) -> None:
    operation = stored(keep_last_good_s=60)
    call_operation("items", arguments={}, actor=actor)

    operation.row_limit = 5
    operation.save()

    assert kept(load("items", actor), actor) is None


def test_kept_answers_differ_by_user_only_where_the_user_is_asked_for(
    stored: Make, actor: Actor
) -> None:
    stored("plain")
    stored("mine", path="/echo/{user}")
    other = replace(actor, user_id=actor.user_id + 1)

    def names(key: str) -> set[str]:
        spec = load(key, actor)
        return {last_good_store.name_of(spec, {}, who) for who in (actor, other)}

    assert len(names("plain")) == 1
    assert len(names("mine")) == 2


def test_a_huge_answer_is_not_kept() -> None:
    huge = Success("x" * (last_good_store.LARGEST + 1), 200, datetime.now(UTC), 1.0)

    last_good_store.write("huge", huge, seconds=60)

    assert last_good_store.read("huge") is None


def test_a_cache_that_is_away_never_breaks_a_call(
    stored: Make, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(keep_last_good_s=60)

    def away(*args: Any, **options: Any) -> Any:
        raise ConnectionError("cache")

    monkeypatch.setattr(
        last_good_store, "cache", type("C", (), {"get": away, "set": away})
    )

    outcome = call_operation("items", arguments={}, actor=actor)

    assert isinstance(outcome, Success)
    assert kept(load("items", actor), actor) is None


def test_a_secret_no_key_opens_is_a_failure_not_a_crash(
    stored: Make, actor: Actor, settings: Any
) -> None:
    operation = stored()
    operation.source.set_secret(SECRET)
    operation.source.save()
    settings.SIGNALBOX_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    outcome = call_operation("items", arguments={}, actor=actor)

    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.REFUSED
    assert "Set the secret again" in outcome.message


@pytest.mark.parametrize(
    "path", ["/echo", "/status/500", "/slow", "/to", "/half-gzip", "/nothing"]
)
@pytest.mark.parametrize("auth", ["bearer", "basic", "api_key_header", "api_key_query"])
def test_a_planted_secret_is_nowhere(
    stored: Make,
    actor: Actor,
    caplog: pytest.LogCaptureFixture,
    path: str,
    auth: str,
) -> None:
    operation = stored(path=path, timeout_ms=100, rows_path="oops.x")
    source = operation.source
    source.auth, source.username = auth, "key"
    source.set_secret(SECRET)
    source.save()
    caplog.set_level(logging.DEBUG)

    outcome = call_operation("items", arguments={}, actor=actor)
    spec = load("items", actor)

    assert isinstance(outcome, Failure)
    told = f"{outcome!r} {spec!r} {spec.source!r} {source!r} {source.__dict__}"
    told += caplog.text
    assert SECRET not in told
    assert str(source.address) not in outcome.message


def test_every_failure_has_words_in_both_languages() -> None:
    from connectors import messages

    names = "source limit seconds found line column at charset encoding name operation"
    names += " errors path status used allowed resets"
    values = dict.fromkeys(names.split(), "x")
    for language in ("en", "ko"):
        with translation.override(language):
            for rule in messages._FAILURES:
                assert messages.failure_text(rule, values)
            for rule in messages._NOTES:
                assert messages.note_text(f"{rule}?column=a&count=1&kept=1&found=2"
                                          "&format=json&charset=x")  # fmt: skip
    assert messages.note_text("unheard-of") == "unheard-of"


def test_words_follow_the_callers_language_onto_the_loop(
    stored: Make, actor: Actor
) -> None:
    stored(path="/status/500")

    with using_tenant(actor.tenant_id), translation.override("ko"):
        korean = call_operation("items", arguments={}, actor=actor)
    english = call_operation("items", arguments={}, actor=actor)

    assert isinstance(korean, Failure)
    assert isinstance(english, Failure)
    assert korean.message != english.message

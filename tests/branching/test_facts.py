"""Facts: one statement for all scalars, tenants apart, failures as unknown."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from branching.conditions import Facts, Reading, Source
from branching.facts import load_facts, read_facts
from branching.models import DecisionTable, Fact, Rule
from tenants.models import Tenant, User
from tenants.scope import Actor, using_tenant
from tests.branching.conftest import make_operations, saved

Refused = Callable[[Any], dict[str, list[str]]]


def rows_fact(key: str, aggregate: str, field: str = "", **options: Any) -> Fact:
    kinds = {"count": "integer", "exists": "boolean", "avg": "decimal", "list": "list"}
    options.setdefault("type", kinds.get(aggregate, "integer"))
    options.setdefault("ttl_s", 0)
    return Fact(
        key=key, model="branching.Rule", aggregate=aggregate, field=field, **options
    )


def read(actor: Actor, *keys: str, **parameters: Any) -> dict[str, Reading]:
    with using_tenant(actor.tenant_id):
        facts = load_facts(keys)
        around = Facts(parameters=parameters, user={"id": actor.user_id})
        [readings] = read_facts([(keys, around)], facts=facts, actor=actor)
    return readings


@pytest.fixture
def rules(in_acme: Tenant) -> DecisionTable:
    made: DecisionTable = DecisionTable.objects.create(
        key="t", default_operation="quakes"
    )
    for order, key in [(10, "a"), (20, "b"), (31, "c")]:
        Rule.objects.create(
            table=made, key=key, order=order, operation="q", enabled=key != "c"
        )
    return made


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        (rows_fact("f", "count"), 3),
        (rows_fact("f", "exists"), True),
        (rows_fact("f", "sum", "order"), 61),
        (rows_fact("f", "max", "order"), 31),
        (rows_fact("f", "min", "order"), 10),
        (rows_fact("f", "max", "order", type="decimal"), Decimal(31)),
        (rows_fact("f", "first", "key", type="text"), "a"),
        (rows_fact("f", "first", "enabled", type="boolean"), True),
        (rows_fact("f", "max", "key", type="text"), "c"),
        (rows_fact("f", "list", "key"), ("a", "b", "c")),
        (rows_fact("f", "list", "order"), ("10", "20", "31")),
        (rows_fact("f", "count", filters=[["key", "in", ["a", "c"]]]), 2),
        (rows_fact("f", "count", filters=[["key", "ne", "a"]]), 2),
        (rows_fact("f", "count", filters=[["order", "gt", 10]]), 2),
        (rows_fact("f", "count", filters=[["table__key", "starts_with", "t"]]), 3),
        (rows_fact("f", "count", filters=[["enabled", "eq", False]]), 1),
        (rows_fact("f", "count", filters=[["note", "missing"]]), 0),
        (rows_fact("f", "count", filters=[["key", "eq", {"parameter": "k"}]]), 1),
        (rows_fact("f", "count", filters=[["key", "in", {"parameter": "ks"}]]), 2),
        (rows_fact("f", "sum", "order", filters=[["key", "eq", "z"]]), None),
        (rows_fact("f", "sum", "order", filters=[["key", "eq", "z"]], empty="zero"), 0),
        (rows_fact("f", "list", "key", filters=[["key", "eq", "z"]], empty="zero"), ()),
    ],
)
def test_a_fact_over_rows_is_read_typed(
    rules: DecisionTable, actor: Actor, fact: Fact, value: Any
) -> None:
    fact.pk, fact._state.adding, fact.tenant_id = None, True, rules.tenant_id
    saved(fact)

    reading = read(actor, "f", k="b", ks=("a", "b"))["f"]

    assert reading == Reading(value, Source.DATABASE)
    assert type(reading.value) is type(value)


def test_an_average_is_a_decimal(rules: DecisionTable, actor: Actor) -> None:
    saved(rows_fact("f", "avg", "order"))

    found = read(actor, "f")["f"].value

    assert isinstance(found, Decimal)
    assert round(found, 6) == Decimal("20.333333")


@pytest.mark.parametrize(
    ("fact", "parameters", "problem"),
    [
        (rows_fact("f", "max", "order", filters=[["key", "eq", "z"]], empty="error"),
         {}, "empty"),
        (rows_fact("f", "count", filters=[["key", "eq", {"parameter": "k"}]]),
         {}, "parameter-missing"),
        (rows_fact("f", "count", filters=[["order", "eq", {"parameter": "k"}]]),
         {"k": "10"}, "wrong-type"),
    ],
)  # fmt: skip
def test_a_fact_that_cannot_be_read_is_unknown_and_says_why(
    rules: DecisionTable, actor: Actor, fact: Fact, parameters: Any, problem: str
) -> None:
    fact.pk, fact._state.adding, fact.tenant_id = None, True, rules.tenant_id
    saved(fact)

    assert read(actor, "f", **parameters)["f"].problem == problem


def test_one_fact_that_the_database_refuses_leaves_the_others_readable(
    rules: DecisionTable, actor: Actor
) -> None:
    huge = "9" * 18
    Rule.objects.update(priority=2_000_000_000)
    saved(rows_fact("good", "count"))
    bad = rows_fact("bad", "count", filters=[["order", "eq", {"parameter": "n"}]])
    saved(bad)

    readings = read(actor, "good", "bad", n=int(huge * 3))

    assert readings["good"].value == 3
    assert not readings["bad"].value


def test_a_fact_that_does_not_exist_or_is_no_longer_allowed_is_unknown(
    rules: DecisionTable, actor: Actor, settings: Any
) -> None:
    saved(rows_fact("f", "sum", "order"))
    settings.SIGNALBOX_FACT_MODELS = {
        "branching.Rule": {"tenant": "tenant", "fields": ["key"]}
    }

    readings = read(actor, "f", "nowhere")

    assert readings["f"].problem == "not-allowed"
    assert readings["nowhere"].problem == "no-such-fact"


@pytest.mark.parametrize("count", [1, 10, 50])
def test_scalar_facts_take_one_statement_whatever_their_number(
    rules: DecisionTable, actor: Actor, count: int, django_assert_num_queries: Any
) -> None:
    kinds = [("count", ""), ("exists", ""), ("sum", "order"), ("first", "order")]
    for place in range(count):
        saved(rows_fact(f"f{place}", *kinds[place % len(kinds)]))
    keys = [f"f{place}" for place in range(count)]
    facts = load_facts(keys)
    savepoint = 2  # the test itself runs in a transaction

    with django_assert_num_queries(1 + savepoint):
        [readings] = read_facts([(keys, Facts())], facts=facts, actor=actor)

    assert {reading.problem for reading in readings.values()} == {""}
    assert len(readings) == count


def test_a_fact_never_counts_rows_of_another_tenant(
    rules: DecisionTable, actor: Actor, globex: Tenant
) -> None:
    saved(rows_fact("f", "count", ttl_s=60))
    with using_tenant(globex):
        Fact.objects.create(
            key="f", model="branching.Rule", aggregate="count", type="integer"
        )
    other = Actor(user_id=actor.user_id, tenant_id=globex.pk)

    assert read(actor, "f")["f"].value == 3
    assert read(other, "f")["f"].value == 0
    assert read(actor, "f")["f"] == Reading(3, Source.CACHE)
    assert read(other, "f")["f"] == Reading(0, Source.CACHE)


def test_a_kept_fact_is_read_again_for_other_values_and_after_its_own_change(
    rules: DecisionTable, actor: Actor
) -> None:
    fact = rows_fact(
        "f", "count", ttl_s=60, filters=[["key", "eq", {"parameter": "k"}]]
    )
    saved(fact)

    assert read(actor, "f", k="a")["f"].source is Source.DATABASE
    assert read(actor, "f", k="a")["f"].source is Source.CACHE
    assert read(actor, "f", k="b")["f"].source is Source.DATABASE
    fact.save()
    assert read(actor, "f", k="a")["f"].source is Source.DATABASE


def test_a_null_is_kept_and_a_secret_never(rules: DecisionTable, actor: Actor) -> None:
    saved(rows_fact("null", "max", "order", ttl_s=60, filters=[["key", "eq", "z"]]))
    saved(rows_fact("hidden", "count", ttl_s=60, secret=True))

    read(actor, "null", "hidden")
    again = read(actor, "null", "hidden")

    assert again["null"] == Reading(None, Source.CACHE)
    assert again["hidden"] == Reading(3, Source.DATABASE, secret=True)


def test_each_fact_of_a_page_is_read_once(
    rules: DecisionTable, actor: Actor, connection_queries: Any
) -> None:
    saved(rows_fact("f", "list", "key"))
    facts = load_facts(["f"])

    with connection_queries() as queries:
        read_facts([(["f"], Facts())] * 3, facts=facts, actor=actor)

    assert len([q for q in queries if "branching_rule" in q["sql"]]) == 1


@pytest.fixture
def connection_queries() -> Callable[[], CaptureQueriesContext]:
    from django.db import connection

    return lambda: CaptureQueriesContext(connection)


def operation_fact(key: str, **options: Any) -> Fact:
    options.setdefault("operation", "plans-of-tenant")
    return Fact(key=key, kind="operation", ttl_s=0, **options)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({"type": "text"}, "pro"),
        ({"type": "integer", "shape": "row", "column": "seats"}, 5),
        ({"type": "list", "shape": "list", "column": "plan"}, ("pro", "team")),
        ({"type": "text", "arguments": {"least": 6}}, "team"),
        ({"type": "text", "arguments": {"least": {"parameter": "n"}}}, "team"),
        ({"type": "text", "arguments": {"least": 99}}, None),
    ],
)
def test_a_fact_of_a_sql_operation_is_read_typed(
    in_acme: Tenant, actor: Actor, options: Any, value: Any
) -> None:
    saved(operation_fact("f", **options))

    assert read(actor, "f", n=7)["f"] == Reading(value, Source.OPERATION)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"type": "integer"}, "wrong-type"),
        ({"type": "text", "operation": "broken"}, "operation-failed"),
        ({"type": "text", "shape": "row", "column": "nope"}, "column-missing"),
        ({"type": "text", "arguments": {"least": {"parameter": "m"}}},
         "parameter-missing"),
        ({"type": "text", "arguments": {"least": 99}, "empty": "error"}, "empty"),
    ],
)  # fmt: skip
def test_a_failed_operation_is_an_unknown_fact(
    in_acme: Tenant, actor: Actor, options: Any, problem: str
) -> None:
    saved(operation_fact("f", **options))

    assert read(actor, "f")["f"].problem == problem


def test_an_operation_that_went_away_is_an_unknown_fact(
    in_acme: Tenant, actor: Actor
) -> None:
    saved(operation_fact("f", type="text"))
    Fact.objects.update(operation="gone")

    assert read(actor, "f")["f"].problem == "operation-missing"


def test_operation_facts_of_two_tenants_do_not_meet(
    in_acme: Tenant, actor: Actor, globex: Tenant, plans_file: Path
) -> None:
    saved(operation_fact("f", type="text"))
    with using_tenant(globex):
        make_operations(plans_file)
        operation_fact("f", type="text").save()

    other = Actor(user_id=actor.user_id, tenant_id=globex.pk)
    assert read(actor, "f")["f"].value == "pro"
    assert read(other, "f")["f"].value == "free"


def test_a_fact_of_an_operation_is_kept_for_its_user_alone(
    in_acme: Tenant, actor: Actor, user: User
) -> None:
    saved(Fact(key="f", kind="operation", operation="plans-of-tenant", ttl_s=60))
    colleague = Actor(user_id=user.pk + 1, tenant_id=in_acme.pk)

    read(actor, "f")

    assert read(actor, "f")["f"].source is Source.CACHE
    assert read(colleague, "f")["f"].source is Source.OPERATION

"""The doors: a whole page decided at once, one table, names, trying out."""

from __future__ import annotations

from typing import Any

import pytest

from branching import services
from branching.decisions import Decision
from branching.models import Condition, DecisionTable, Fact, Rule
from branching.services import TableMissing, choose_response, decide_all, table_names
from connectors.parameters import ParameterType
from observability.services import measure
from tenants.models import Team, Tenant, User
from tenants.scope import Actor
from tests.branching.conftest import saved


def test_a_fact_of_the_tenant_chooses_the_rule(
    table: DecisionTable, actor: Actor
) -> None:
    decision = choose_response(table.key, arguments={"site": "seoul"}, actor=actor)

    assert (decision.rule, decision.response) == ("pro", "alert")
    assert decision.trace.sources == {"plan": "operation"}


def test_another_tenant_does_not_have_the_table(
    table: DecisionTable, globex: Tenant, user: User
) -> None:
    stranger = Actor(user_id=user.pk, tenant_id=globex.pk)

    with pytest.raises(DecisionTable.DoesNotExist):
        choose_response(table.key, arguments={}, actor=stranger)
    assert decide_all([(table.key, {})], actor=stranger) == [TableMissing(table.key)]


def test_a_change_of_a_rule_counts_at_once(table: DecisionTable, actor: Actor) -> None:
    choose_response(table.key, arguments={}, actor=actor)
    Rule.objects.update(enabled=False)

    decision = choose_response(table.key, arguments={}, actor=actor)

    assert decision.rule == "default"


def test_given_facts_are_tried_instead_of_read(
    table: DecisionTable, actor: Actor
) -> None:
    decision = choose_response(
        table.key, arguments={}, actor=actor, overrides={"plan": "free"}
    )

    assert decision.rule == "default"
    assert decision.trace.sources == {"plan": "given"}


def make_tables(count: int) -> list[tuple[str, dict[str, Any]]]:
    for place in range(count):
        made = DecisionTable.objects.create(key=f"t{place}", default_operation="q")
        fact = Fact.objects.create(
            key=f"n{place}",
            model="branching.Rule",
            aggregate="count",
            type="integer",
            ttl_s=0,
        )
        rule = Rule.objects.create(table=made, key="r", operation="q")
        Condition.objects.create(rule=rule, name=fact.key, operator="ge", value=1)
    return [(f"t{place}", {}) for place in range(count)]


@pytest.mark.parametrize("count", [1, 10, 50])
def test_a_page_takes_the_same_queries_whatever_its_tables(
    in_acme: Tenant, actor: Actor, count: int, django_assert_num_queries: Any
) -> None:
    requests = make_tables(count)
    tables, rules, facts, savepoint = 1, 4, 2, 2

    with django_assert_num_queries(tables + rules + facts + savepoint):
        first = decide_all(requests, actor=actor)
    with django_assert_num_queries(tables + facts + savepoint):
        again = decide_all(requests, actor=actor)

    assert first == again
    assert {each.rule for each in first if isinstance(each, Decision)} == {"r"}


def test_groups_users_moments_and_lists_reach_the_conditions(
    table: DecisionTable, actor: Actor, user: User
) -> None:
    team = Team.objects.create(tenant_id=actor.tenant_id, label="Operators")
    user.groups.add(team)
    rule = table.rules.get()
    rows = [
        ("", "user", "teams", "contains_any", "Operators"),
        ("", "user", "username", "eq", "jo"),
        ("", "user", "id", "ge", "1"),
        ("", "context", "now", "gt", "2020-01-01"),
        ("", "context", "weekday", "between", "1, 7"),
        ("", "context", "tenant", "eq", "acme"),
        ("any1", "parameter", "days", "eq", "7"),
        ("any1", "parameter", "site", "eq", "busan"),
        ("any1/not1", "parameter", "site", "exists", ""),
        ("not1", "parameter", "days", "gt", "9"),
    ]
    for group, operand, name, operator, value in rows:
        saved(
            Condition(
                rule=rule,
                group=group,
                operand=operand,
                name=name,
                operator=operator,
                value=value,
            )
        )

    def rule_for(**arguments: Any) -> str:
        return choose_response(table.key, arguments=arguments, actor=actor).rule

    assert rule_for(days=7, site="x") == "pro"
    assert rule_for(days=8, site="busan") == "pro"
    assert rule_for(days=8) == "pro"
    assert rule_for(days=8, site="x") == "default"
    assert rule_for(days=10, site="busan") == "default"
    assert rule_for(site="busan") == "default"


def test_a_table_written_past_its_checks_takes_no_other_with_it(
    table: DecisionTable, actor: Actor
) -> None:
    DecisionTable.objects.create(key="odd", default_operation="q", fallbacks=[1])

    odd, good = decide_all([("odd", {}), (table.key, {})], actor=actor)

    assert odd == TableMissing("odd")
    assert isinstance(good, Decision)


def test_a_literal_that_no_longer_fits_its_fact_is_unknown(
    table: DecisionTable, actor: Actor
) -> None:
    Fact.objects.update(type="integer")
    table.save()

    decision = choose_response(
        table.key, arguments={}, actor=actor, overrides={"plan": 1}
    )

    assert decision.rule == "default"


def test_names_of_tables_are_told_for_the_checks_of_screens(
    table: DecisionTable, actor: Actor, django_assert_num_queries: Any
) -> None:
    table.fallbacks = [
        {
            "on": ["timeout"],
            "kind": "operation",
            "operation": "quakes-of-yesterday",
            "response": "old",
        },
        {"on": ["refused"], "kind": "static", "static": "No.", "response": "sorry"},
    ]
    saved(table)

    with django_assert_num_queries(2):
        names = table_names(actor=actor)[table.key]

    assert names.label["en"] == "Quake alerts"
    assert names.operations == {"quakes", "quakes-of-yesterday"}
    assert names.responses == {"default", "alert", "old", "sorry"}
    assert names.parameters["days"] is ParameterType.INTEGER


def test_a_decision_is_measured(
    table: DecisionTable, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []

    def watching(kind: str, *, key: str, **more: Any) -> Any:
        seen.append((kind, key))
        return measure(kind, key=key, **more)

    monkeypatch.setattr(services, "measure", watching)

    choose_response(table.key, arguments={}, actor=actor)

    assert seen == [("decision", table.key)]

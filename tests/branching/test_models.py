"""What facts, tables, rules and conditions refuse; and their stamps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import translation

from branching.fact_models import fact_models
from branching.models import Condition, DecisionTable, Fact, Rule
from tenants.models import Tenant
from tests.branching.conftest import saved

Refused = Callable[[Any], dict[str, list[str]]]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


def rows_fact(**options: Any) -> Fact:
    options.setdefault("key", "f")
    defaults = {"model": "branching.Rule", "aggregate": "count", "type": "integer"}
    return Fact(**{**defaults, **options})


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"key": "Big"}, "key", "small letters"),
        ({"label": {"xx": "?"}}, "label", "by language"),
        ({"model": "tenants.User"}, "model", "connectors.Operation"),
        ({"model": "sessions.Session"}, "model", "branching.Rule"),
        ({"model": "auth.Group"}, "model", "SIGNALBOX_FACT_MODELS"),
        ({"model": ""}, "model", "SIGNALBOX_FACT_MODELS"),
        ({"model": "tenants.ApiToken", "aggregate": "first",
          "field": "user__password"}, "field", "Allowed: name"),
        ({"model": "tenants.ApiToken", "aggregate": "first",
          "field": "user__username"}, "field", "Allowed: name"),
        ({"aggregate": "max", "field": "arguments"}, "field", "enabled, key"),
        ({"aggregate": "sum", "field": "key", "type": "text"}, "aggregate", "sum"),
        ({"aggregate": "max", "field": "enabled", "type": "boolean"}, "aggregate",
         "max"),
        ({"type": "text"}, "type", "integer"),
        ({"aggregate": "first", "field": "key"}, "type", "text"),
        ({"aggregate": "avg", "field": "order"}, "type", "decimal"),
        ({"type": "date", "empty": "zero"}, "empty", "no zero"),
        ({"filters": {"a": 1}}, "filters", "field, operator, value"),
        ({"filters": [["key", "like", "a"]]}, "filters", "starts_with"),
        ({"filters": [[1, [], {}]]}, "filters", "is not a filter"),
        ({"filters": [["tenant", "eq", 1]]}, "filters", "Allowed: enabled"),
        ({"filters": [["order", "eq", "many"]]}, "filters", "type integer"),
        ({"filters": [["order", "contains", "1"]]}, "filters", "order contains"),
        ({"filters": [["key", "eq", {"fact": "g"}]]}, "filters", "parameter"),
        ({"filters": [["key", "eq", {"user": "nme"}]]}, "filters", "username"),
        ({"filters": [["key", "eq", {"oops": 1}]]}, "filters", "binding"),
    ],
)  # fmt: skip
def test_a_fact_over_rows_refuses(
    in_acme: Tenant, refused: Refused, options: Any, field: str, words: str
) -> None:
    said = refused(rows_fact(**options))

    assert words in " ".join(said[field])


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"operation": ""}, "operation", "needs a value"),
        ({"operation": "plans-of-tenat"}, "operation", "plans-of-tenant?"),
        ({"operation": "quakes"}, "operation", "not a SQL operation"),
        ({"arguments": {"lest": 1}}, "arguments", "Did you mean least?"),
        ({"arguments": [1]}, "arguments", '{"days": 7}'),
        ({"arguments": {"least": {"fact": "x"}}}, "arguments", "parameter"),
        ({"arguments": {"least": {"context": "tody"}}}, "arguments", "today"),
        ({"shape": "row"}, "column", "column"),
        ({"shape": "list"}, "type", "list"),
        ({"type": "list"}, "type", "scalar"),
    ],
)
def test_a_fact_of_an_operation_refuses(
    in_acme: Tenant, refused: Refused, options: Any, field: str, words: str
) -> None:
    defaults = {"kind": "operation", "operation": "plans-of-tenant", "type": "text"}

    said = refused(Fact(key="f", **{**defaults, **options}))

    assert words in " ".join(said[field])


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"default_operation": ""}, "default_operation", "blank"),
        ({"default_operation": "quake"}, "default_operation", "Did you mean quakes?"),
        ({"default_response": ""}, "default_response", "blank"),
        ({"default_arguments": {"sit": "x"}}, "default_arguments", "site?"),
        ({"default_arguments": {"site": {"fact": "plan"}}}, "default_arguments",
         "parameter"),
        ({"default_arguments": {"site": {"parameter": "cite"}}}, "default_arguments",
         "Did you mean site?"),
        ({"default_arguments": {"site": {"a": {}}}}, "default_arguments", "binding"),
        ({"parameters": {"site": "string"}}, "parameters", "datetime"),
        ({"parameters": ["site"]}, "parameters", "Types:"),
        ({"label": "x"}, "label", "by language"),
        ({"fallbacks": {}}, "fallbacks", "at most three"),
        ({"fallbacks": [1]}, "fallbacks", "Step 1"),
        ({"fallbacks": [{"on": ["late"], "kind": "static", "response": "x"}]},
         "fallbacks", "timeout"),
        ({"fallbacks": [{"on": [{}], "kind": "static", "response": "x"}]},
         "fallbacks", "timeout"),
        ({"fallbacks": [{"on": ["timeout"], "kind": [], "response": "x"}]},
         "fallbacks", "last_good"),
        ({"fallbacks": [{"on": ["timeout"], "kind": "static", "response": ""}]},
         "fallbacks", "response"),
        ({"fallbacks": [{"on": ["timeout"], "kind": "static", "response": "x"}]},
         "fallbacks", "static"),
        ({"fallbacks": [{"on": ["timeout"], "kind": "static", "response": "x",
                         "static": [1]}]}, "fallbacks", "static"),
        ({"fallbacks": [{"on": ["refused"], "kind": "last_good", "response": "x"}]},
         "fallbacks", "refused"),
        ({"fallbacks": [{"on": ["timeout"], "kind": "last_good", "response": "x",
                         "max_age_s": 0}]}, "fallbacks", "max_age_s"),
        ({"fallbacks": [{"on": ["timeout"], "kind": "last_good", "response": "x",
                         "max_age_s": "1"}]}, "fallbacks", "max_age_s"),
        ({"fallbacks": [{"on": ["timeout"], "kind": "operation", "response": "x"}]},
         "fallbacks", "operation"),
        ({"fallbacks": [{"on": ["timeout"], "kind": "operation", "response": "x",
                         "operation": "quaks"}]}, "fallbacks", "Did you mean quakes?"),
        ({"fallbacks": [{"on": ["timeout"], "kind": "operation", "response": "x",
                         "operation": "quakes", "arguments": 1}]}, "fallbacks", "days"),
    ],
)  # fmt: skip
def test_a_table_refuses(
    in_acme: Tenant, refused: Refused, options: Any, field: str, words: str
) -> None:
    defaults = {"parameters": {"site": "text"}, "default_operation": "quakes"}

    said = refused(DecisionTable(key="t", **{**defaults, **options}))

    assert words in " ".join(said[field])


def test_a_key_is_once_in_a_tenant_and_free_in_another(
    table: DecisionTable, refused: Refused
) -> None:
    said = refused(DecisionTable(key=table.key, default_operation="quakes"))

    assert said


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"key": "default"}, "__all__", "Choose another"),
        ({"operation": "qakes"}, "operation", "Did you mean quakes?"),
        ({"arguments": {"day": 1}}, "arguments", "Did you mean days?"),
        ({"arguments": {"plan": {"fact": "plam"}}}, "arguments", "Did you mean plan?"),
        ({"arguments": {"plan": {"fact": "hidden"}}}, "arguments", "secret"),
        ({"arguments": {"plan": {"parameter": "dais"}}}, "arguments", "days?"),
        ({"arguments": "x"}, "arguments", "days"),
    ],
)
def test_a_rule_refuses(
    table: DecisionTable, refused: Refused, options: Any, field: str, words: str
) -> None:
    saved(
        Fact(key="hidden", kind="operation", operation="plans-of-tenant", secret=True)
    )

    said = refused(
        Rule(**{"table": table, "key": "r", "operation": "quakes", **options})
    )

    assert words in " ".join(said[field])


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"name": "plam"}, "name", "Did you mean plan?"),
        ({"operand": "parameter", "name": "cite"}, "name", "Did you mean site?"),
        ({"operand": "user", "name": "nme"}, "name", "username"),
        ({"operand": "context", "name": "yesterday"}, "name", "today"),
        ({"operator": "gt"}, "operator", "starts_with"),
        ({"operator": "almost"}, "operator", "almost"),
        ({"operator": "exists", "value": "x"}, "value", "takes no value"),
        ({"value": ""}, "value", "needs a value"),
        ({"value": 5}, "value", "type text"),
        ({"operator": "in", "value": ""}, "value", "needs a value"),
        ({"operator": "in", "value": "[1"}, "value", "not a JSON list"),
        ({"operand": "parameter", "name": "days", "value": "many"}, "value", "integer"),
        ({"operand": "parameter", "name": "days", "operator": "between",
          "value": "1"}, "value", "two values"),
        ({"operand": "parameter", "name": "days", "operator": "between",
          "value": "9, 1"}, "value", "swap"),
        ({"operand": "parameter", "name": "days", "value": "1", "ignore_case": True},
         "ignore_case", "texts"),
        ({"group": "any"}, "group", "any1"),
        ({"group": "any1/not1/all1"}, "group", "deeper"),
        ({"name": "of_site"}, "name", "needs the parameter place"),
    ],
)  # fmt: skip
def test_a_condition_refuses(
    table: DecisionTable, refused: Refused, options: Any, field: str, words: str
) -> None:
    filters = [["key", "eq", {"parameter": "place"}]]
    saved(rows_fact(filters=filters, type="integer"))
    Fact.objects.filter(key="f").update(key="of_site", type="text")
    defaults = {"rule": table.rules.get(), "name": "plan", "value": "pro"}

    said = refused(Condition(**{**defaults, **options}))

    assert words in " ".join(said[field])


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"operand": "parameter", "name": "days", "value": "10"}, 10),
        ({"operator": "in", "value": "pro, team"}, ["pro", "team"]),
        ({"operator": "in", "value": '["a,b"]'}, ["a,b"]),
        ({"operator": "exists", "value": ""}, None),
        ({"operand": "context", "name": "today", "value": "2026-01-31"}, "2026-01-31"),
        ({"operand": "context", "name": "now", "operator": "gt",
          "value": "2026-01-31 10:00"}, "2026-01-31T10:00:00+09:00"),
        ({"operand": "user", "name": "teams", "operator": "contains_any",
          "value": "Operators"}, ["Operators"]),
    ],
)  # fmt: skip
def test_a_condition_keeps_its_value_typed(
    table: DecisionTable, options: Any, kept: Any
) -> None:
    defaults = {"rule": table.rules.get(), "name": "plan", "value": "pro"}

    condition = saved(Condition(**{**defaults, **options}))
    saved(condition)

    condition.refresh_from_db()
    assert condition.value == kept


def test_every_way_of_changing_a_part_stamps_its_table(table: DecisionTable) -> None:
    def stamp() -> Any:
        return DecisionTable.objects.get(pk=table.pk).stamp

    rule = table.rules.get()
    changes: list[Callable[[], Any]] = [
        rule.save,
        lambda: Rule.objects.update(note="x"),
        lambda: Condition.objects.update(order=5),
        lambda: Condition.objects.bulk_create([Condition(rule=rule, name="plan")]),
        lambda: [each.delete() for each in rule.conditions.all()[:1]],
        lambda: Condition.objects.all().delete(),
        lambda: DecisionTable.objects.update(label={"en": "x"}),
        lambda: table.save(update_fields=["label"]),
        rule.delete,
    ]
    stamps = [stamp()]
    for change in changes:
        change()
        stamps.append(stamp())

    assert len(set(stamps)) == len(changes) + 1
    assert DecisionTable.objects.get(pk=table.pk).version > len(changes) // 2


def test_users_sessions_and_secrets_stay_out_whatever_the_setting_says() -> None:
    found = fact_models()

    assert set(found) == {"branching.Rule", "connectors.Operation", "tenants.ApiToken"}
    assert set(found["tenants.ApiToken"].fields) == {"name"}


@pytest.mark.parametrize(
    "entry",
    [
        {"fields": ["key"]},
        {"tenant": "tenant", "fields": ["nothing"]},
        {"tenant": "tenant", "fields": ["conditions__name"]},
    ],
)
def test_a_broken_setting_says_what_is_wrong(settings: Any, entry: Any) -> None:
    settings.SIGNALBOX_FACT_MODELS = {"branching.Rule": entry}

    with pytest.raises(ImproperlyConfigured, match=r"branching\.Rule"):
        fact_models()


def test_a_table_is_called_by_its_label(table: DecisionTable) -> None:
    assert table.title in ("Quake alerts", "지진 경보")
    assert DecisionTable(key="bare").title == "bare"

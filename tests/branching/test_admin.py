"""Pages of staff: saving, refusing bad input, and trying a table out."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from branching.models import Condition, DecisionTable, Fact, Rule
from connectors.models import OperationUserPermission
from tenants.models import AuditEntry, Tenant
from tenants.scope import using_tenant
from tests.branching.conftest import saved


def table_data(**options: Any) -> dict[str, Any]:
    return {
        "key": "t", "label": "{}", "hit_policy": "first",
        "parameters": '{"site": "text"}', "default_operation": "quakes",
        "default_arguments": "{}", "default_response": "default", "fallbacks": "[]",
        "rules-TOTAL_FORMS": "1", "rules-INITIAL_FORMS": "0", "rules-0-order": "1",
        "rules-0-key": "r", "rules-0-enabled": "on", "rules-0-operation": "quakes",
        "rules-0-arguments": '{"site": {"parameter": "site"}}',
        "rules-0-response": "default", "rules-0-priority": "0", "rules-0-note": "",
        **options,
    }  # fmt: skip


def add_table(client: Client, **options: Any) -> Any:
    address = reverse("admin:branching_decisiontable_add")
    return client.post(address, table_data(**options))


def test_a_table_is_added_with_its_rules_and_audited(
    staff: Client, in_acme: Tenant
) -> None:
    answer = add_table(staff)

    assert answer.status_code == 302
    assert Rule.objects.get().table.key == "t"
    actions = AuditEntry.all_tenants.values_list("action", flat=True)
    assert "decisiontable.added" in list(actions)


@pytest.mark.parametrize(
    "options", [{"default_operation": "quakes"}, {"rules-0-operation": "quakes"}]
)
def test_an_operation_that_kim_may_not_use_is_refused_at_its_field(
    staff: Client, options: dict[str, str]
) -> None:
    OperationUserPermission.objects.all().delete()

    answer = add_table(staff, **options)

    assert answer.status_code == 200
    assert "You may not use the operation quakes." in answer.content.decode()
    assert DecisionTable.objects.count() == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"default_operation": ""}, "required"),
        ({"default_operation": "quaks"}, "Did you mean quakes?"),
        ({"parameters": "{"}, "not JSON: line 1, column 2"),
        ({"parameters": "[]"}, "Types:"),
        ({"fallbacks": "7"}, "at most three"),
        ({"rules-0-operation": "quaks"}, "Did you mean quakes?"),
        ({"rules-0-arguments": '{"site": {"parameter": "cite"}}'}, "Did you mean site"),
        ({"rules-0-key": "default"}, "Choose another"),
        ({"rules-0-order": "-1"}, "greater than or equal"),
    ],
)
def test_bad_input_is_told_at_its_field_and_nothing_is_saved(
    staff: Client, options: dict[str, str], words: str
) -> None:
    answer = add_table(staff, **options)

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not DecisionTable.objects.exists()


def change_conditions(client: Client, rule: Rule, **row: Any) -> Any:
    data = {
        "order": "1", "key": rule.key, "enabled": "on", "priority": "0",
        "operation": "quakes", "arguments": "{}", "response": "alert", "note": "",
        "conditions-TOTAL_FORMS": "1", "conditions-INITIAL_FORMS": "0",
    }  # fmt: skip
    defaults = {"order": "5", "group": "", "operand": "parameter", "name": "days"}
    for name, value in {**defaults, **row}.items():
        data[f"conditions-0-{name}"] = value
    address = reverse("admin:branching_rule_change", args=[rule.pk])
    return client.post(address, data)


def test_a_condition_is_typed_as_text_and_stored_typed(
    staff: Client, table: DecisionTable
) -> None:
    rule = table.rules.get()

    answer = change_conditions(staff, rule, operator="between", value="1, 9")

    assert answer.status_code == 302
    assert Condition.objects.get(name="days").value == [1, 9]
    page = staff.get(reverse("admin:branching_rule_change", args=[rule.pk]))
    assert 'value="1, 9"' in page.content.decode()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"operator": "eq", "value": "many"}, "not of the type integer"),
        ({"operator": "contains", "value": "1"}, "not for the type integer"),
        ({"operator": "eq", "value": "1", "name": "day"}, "Did you mean days?"),
        ({"operator": "eq", "value": "1", "group": "any"}, "any1"),
    ],
)
def test_a_bad_condition_is_told_at_its_field(
    staff: Client, table: DecisionTable, row: Any, words: str
) -> None:
    answer = change_conditions(staff, table.rules.get(), **row)

    assert answer.status_code == 200
    assert words in answer.content.decode()


def test_a_fact_over_a_forbidden_model_is_refused_on_the_page(staff: Client) -> None:
    data = {
        "key": "f", "label": "{}", "type": "text", "kind": "orm",
        "model": "tenants.User", "aggregate": "first", "field": "password",
        "filters": "[]", "operation": "", "arguments": "{}", "shape": "scalar",
        "column": "", "empty": "null", "ttl_s": "0",
    }  # fmt: skip

    answer = staff.post(reverse("admin:branching_fact_add"), data)

    assert "Facts may not read tenants.User" in answer.content.decode()
    assert not Fact.objects.exists()


@pytest.mark.parametrize("model", ["fact", "decisiontable", "rule"])
def test_lists_take_the_same_queries_for_more_rows(
    staff: Client, table: DecisionTable, model: str, django_assert_max_num_queries: Any
) -> None:
    for place in range(5):
        made = DecisionTable.objects.create(key=f"t{place}", default_operation="quakes")
        Rule.objects.create(table=made, key="r", operation="quakes")
        Fact.objects.create(key=f"f{place}", type="text")

    with django_assert_max_num_queries(14):
        page = staff.get(reverse(f"admin:branching_{model}_changelist"))

    assert page.status_code == 200


def try_table(client: Client, table: DecisionTable, **data: str) -> Any:
    address = reverse("admin:branching_decisiontable_try", args=[table.pk])
    return client.get(address, data)


def test_try_it_shows_a_form_and_then_why_each_rule_did_or_did_not(
    staff: Client, table: DecisionTable
) -> None:
    empty = try_table(staff, table).content.decode()
    read = try_table(staff, table, run="1", p_site="seoul").content.decode()
    tried = try_table(staff, table, run="1", f_plan="<b>free").content.decode()

    assert "fact plan" in empty
    assert "Rule pro answered." in read
    assert "the default answered" in tried
    assert "plan equals pro — does not hold (found &lt;b&gt;free)" in tried
    assert "<b>free" not in tried


def test_try_it_tells_bad_input_at_its_field(
    staff: Client, table: DecisionTable
) -> None:
    page = try_table(staff, table, run="1", p_days="many")

    assert page.status_code == 200
    assert "many" in page.content.decode()
    assert "errorlist" in page.content.decode()
    assert 'id="decision-title"' not in page.content.decode()


def test_try_it_says_so_when_the_definition_cannot_be_read(
    staff: Client, in_acme: Tenant
) -> None:
    odd = DecisionTable.objects.create(key="odd", default_operation="q", parameters=[1])

    assert "cannot be read" in try_table(staff, odd, run="1").content.decode()


def test_try_it_is_not_for_other_tenants_or_people_without_permission(
    staff: Client, table: DecisionTable, globex: Tenant, client: Client, user: Any
) -> None:
    with using_tenant(globex):
        other = DecisionTable.objects.create(key="x", default_operation="q")
    user.is_staff = True
    user.save()
    client.force_login(user, backend="tenants.backends.TenantBackend")

    assert try_table(staff, other).status_code == 404
    assert try_table(client, table).status_code == 403


def test_the_page_of_a_table_links_to_trying_it(
    staff: Client, table: DecisionTable
) -> None:
    saved(table)
    page = staff.get(reverse("admin:branching_decisiontable_change", args=[table.pk]))

    address = reverse("admin:branching_decisiontable_try", args=[table.pk])
    assert address in page.content.decode()


def test_a_taken_key_is_told_at_the_key(staff: Client, in_acme: Tenant) -> None:
    add_table(staff)

    answer = add_table(staff)

    errors = answer.context["adminform"].form.errors
    assert errors == {"key": ["This key is taken. Choose another."]}


def test_keys_of_operations_are_offered_while_one_is_typed(
    staff: Client, in_acme: Tenant
) -> None:
    html = staff.get(reverse("admin:branching_decisiontable_add")).content.decode()

    assert 'list="operation-keys"' in html
    assert '<datalist id="operation-keys">' in html
    assert '<option value="quakes">' in html

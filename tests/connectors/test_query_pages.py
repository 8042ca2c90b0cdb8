"""What a refusal teaches: excerpts, rule pages, the statement page, and its record."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import QueryRefusal, RefusalLayer
from connectors.query_rules import RULE_TEXTS
from connectors.query_safety import RULES, Allowed, Refused, judge
from connectors.refusals import prune_refusals, record_refusal
from connectors.sql_excerpts import excerpt_of
from tenants.models import Tenant, User
from tenants.scope import Actor, using_tenant

OF_SCOPE = {"tenant", "table", "scope"}


@pytest.fixture
def staff(user: User, client: Client) -> Client:
    user.is_staff = user.is_superuser = True
    user.save()
    client.force_login(user)
    return client


def test_a_caret_stands_under_what_was_found() -> None:
    excerpt = excerpt_of("SELECT a,\n  pg_sleep(1)", 2, 3, "pg_sleep")

    assert excerpt is not None
    assert excerpt.text == "1 | SELECT a,\n2 |   pg_sleep(1)\n  |   ^^^^^^^^"


def test_a_caret_is_two_columns_wide_under_a_korean_letter() -> None:
    excerpt = excerpt_of("SELECT '가', x", 1, 13, "x")

    assert excerpt is not None
    assert excerpt.caret == "  | " + " " * 13 + "^"


def test_every_rule_has_a_text_and_its_examples_hold() -> None:
    assert set(RULE_TEXTS) == set(RULES) | OF_SCOPE
    for rule in RULES:
        text = RULE_TEXTS[rule]
        verdict = judge(text.refused, dialect=text.dialect)
        assert isinstance(verdict, Refused), rule
        assert verdict.rule == rule
        dialect = "postgresql" if rule == "dialect" else text.dialect
        assert isinstance(judge(text.fine, dialect=dialect), Allowed), rule


def test_every_rule_has_its_page(staff: Client, in_acme: Tenant) -> None:
    for rule in RULE_TEXTS:
        page = staff.get(reverse("admin:connectors_operation_rule", args=[rule]))
        assert page.status_code == 200
    unknown = reverse("admin:connectors_operation_rule", args=["nothing"])
    assert staff.get(unknown).status_code == 404


def test_a_statement_is_judged_without_running(staff: Client, in_acme: Tenant) -> None:
    page = reverse("admin:connectors_operation_statement")

    fine = staff.post(page, {"target": "postgresql", "sql": "SELECT a::text FROM t"})
    bad = staff.post(page, {"target": "postgresql", "sql": "SELECT pg_sleep(1)"})

    assert "CAST(a AS TEXT)" in fine.content.decode()
    assert "1 | SELECT pg_sleep(1)\n  |        ^^^^^^^^" in bad.content.decode()
    (row,) = QueryRefusal.all_tenants.all()
    assert (row.rule, row.count) == ("function", 1)


def test_refusals_of_a_day_are_one_row(user: User, in_acme: Tenant) -> None:
    actor = Actor(user_id=user.pk, tenant_id=in_acme.pk)
    long_ago = timezone.now() - timedelta(days=400)

    for moment in (None, None, long_ago):
        record_refusal(
            "lock", layer=RefusalLayer.JUDGE, actor=actor,
            source="shop", operation="orders", now=moment,
        )  # fmt: skip

    with using_tenant(in_acme):
        assert [row.count for row in QueryRefusal.objects.all()] == [2, 1]
    assert prune_refusals() == 1


def test_statements_are_judged_in_bulk(tmp_path: Path) -> None:
    file, out = tmp_path / "a.jsonl", StringIO()
    rows = [{"id": "a", "sql": "SELECT 1"}, {"id": "b", "sql": "DELETE FROM t"}]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    with pytest.raises(SystemExit) as ended:
        call_command("check_query", str(file), dialect="sqlite", stdout=out)

    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(row["id"], row["rule"]) for row in answers] == [
        ("a", None), ("b", "read-only"),
    ]  # fmt: skip
    assert ended.value.code == 1


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("SELECT g.pg_sleep FROM sqrt(100) AS g", "postgresql"),
        ("SELECT btrim.x FROM trim('x')", "postgresql"),
        ("SELECT 1 WHERE 1 IN secrets", "sqlite"),
        ("SELECT * FROM t LOCK IN SHARE MODE", "mariadb"),
        ("SELECT @v := 1", "mysql"),
    ],
)
def test_a_hidden_call_or_read_is_refused(sql: str, dialect: str) -> None:
    assert isinstance(judge(sql, dialect=dialect), Refused)


def test_every_rule_is_in_the_documents() -> None:
    page = Path("docs/query-safety.md").read_text(encoding="utf-8")

    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == list(
        RULE_TEXTS
    )

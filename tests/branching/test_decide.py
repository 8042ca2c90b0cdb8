"""The command ``decide``: rule, call, response and why; exit statuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from branching.models import DecisionTable, Fact
from tenants.models import User

pytestmark = pytest.mark.usefixtures("_english")


@pytest.fixture
def _english(settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"


def test_it_prints_rule_call_response_and_why(
    table: DecisionTable, user: User, capsys: Any
) -> None:
    call_command(
        "decide", table.key, tenant="acme", user="jo", arg=["site=seoul", "days=7"]
    )

    told = capsys.readouterr().out
    assert "response: alert" in told
    assert "call: quakes" in told
    assert "rule pro:" in told
    assert "fact plan: pro (operation)" in told


def test_it_prints_json_with_facts_from_a_file(
    table: DecisionTable, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "facts.json"
    path.write_text('{"plan": "free"}')

    call_command("decide", table.key, tenant="acme", facts=str(path), json=True)

    told = json.loads(capsys.readouterr().out)
    assert (told["rule"], told["response"]) == ("default", "default")
    assert told["rules"][0]["why"] == "not-met"
    assert told["facts"]["plan"] == {"value": "free", "source": "given", "problem": ""}


def test_a_null_can_be_tried(table: DecisionTable, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "facts.json"
    path.write_text('{"plan": null}')

    call_command("decide", table.key, tenant="acme", facts=str(path), json=True)

    assert json.loads(capsys.readouterr().out)["rules"][0]["why"] == "missing"


def test_it_ends_with_1_when_a_fact_could_not_be_read(
    table: DecisionTable, capsys: Any
) -> None:
    Fact.objects.update(operation="broken")

    with pytest.raises(SystemExit) as ended:
        call_command("decide", table.key, tenant="acme")

    assert ended.value.code == 1
    assert "(failed)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"table": "nope"}, "No such decision table"),
        ({"tenant": "nope"}, "No such tenant"),
        ({"user": "nope"}, "no member named nope"),
        ({"arg": ["site"]}, "NAME=VALUE"),
        ({"arg": ["sites=x"]}, "sites"),
        ({"arg": ["days=many"]}, "many"),
        ({"facts": "/nowhere.json"}, "cannot be read"),
        ({"facts": "list"}, "one JSON object"),
        ({"facts": "text"}, "not JSON"),
        ({"facts": "number"}, "plan"),
    ],
)
def test_it_ends_with_2_when_nothing_was_decided(
    table: DecisionTable, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    for name, text in (("list", "[]"), ("text", "{"), ("number", '{"plan": 1}')):
        (tmp_path / name).write_text(text)
    given = {"table": table.key, "tenant": "acme", **options}
    if given.get("facts") in ("list", "text", "number"):
        given["facts"] = str(tmp_path / given["facts"])

    with pytest.raises(CommandError, match=words) as refused:
        call_command("decide", given.pop("table"), **given)

    assert refused.value.returncode == 2


@pytest.mark.parametrize("broken", [{"parameters": [1]}, {"fallbacks": [1]}])
def test_a_definition_that_cannot_be_read_ends_with_2(
    table: DecisionTable, broken: dict[str, Any]
) -> None:
    DecisionTable.objects.update(**broken)

    with pytest.raises(CommandError, match="cannot be read"):
        call_command("decide", table.key, tenant="acme")

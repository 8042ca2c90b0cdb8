"""The command that calls one operation."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connectors.models import Operation, Parameter
from tenants.models import Tenant, User

Make = Callable[..., Operation]


def run(*words: str, expect: int = 0) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    status = 0
    try:
        call_command("call_operation", *words, stdout=out, stderr=err, skip_checks=True)
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert status == expect
    return out.getvalue(), err.getvalue()


def usage_error(*words: str) -> str:
    with pytest.raises(CommandError) as caught:
        call_command("call_operation", *words, stdout=StringIO(), skip_checks=True)
    assert caught.value.returncode in {1, 2}
    return str(caught.value)


def test_a_table_is_aligned(stored: Make) -> None:
    stored()

    out, _ = run("items", "--tenant", "acme", "--limit", "1")

    assert out.splitlines() == [
        "site   temp", "-----  ----", "seoul  21.5", "1 of 2 rows.",
    ]  # fmt: skip


def test_json_holds_types_rows_and_cuts(stored: Make) -> None:
    stored(row_limit=1)

    told: dict[str, Any] = json.loads(run("items", "--tenant", "acme", "--json")[0])

    assert told["ok"] is True
    assert told["rows"] == [["seoul", 21.5]]
    assert told["columns"][1] == {"name": "temp", "type": "decimal"}
    assert told["cuts"] == [{"limit": "rows", "at": 1, "total": 2}]


def test_a_text_is_printed_as_it_is(stored: Make) -> None:
    stored(path="/body", query={"text": "hello {x}"}, rows_path="")
    Parameter.objects.create(operation=Operation.objects.get(), name="x")

    out, _ = run("items", "--tenant", "acme", "--arg", "x=a=b")
    told = json.loads(run("items", "--tenant", "acme", "--json")[0])

    assert out == "hello a=b\n"
    assert told["text"] == "hello "


def test_notes_are_told_on_the_other_channel(stored: Make) -> None:
    stored(path="/body", query={"text": '{"a": 1, "l": "{l}"}'}, rows_path="")
    Parameter.objects.create(operation=Operation.objects.get(), name="l", type="list")

    out, err = run("items", "--tenant", "acme", "--arg", "l=a", "--arg", "l=b")

    assert "a,b" in out
    assert "json" in err


def test_a_failure_ends_with_1(stored: Make) -> None:
    stored(path="/status/500")

    out, err = run("items", "--tenant", "acme", expect=1)
    told = json.loads(run("items", "--tenant", "acme", "--json", expect=1)[0])
    _, missing = run("nothing", "--tenant", "acme", expect=1)

    assert out == ""
    assert err.startswith("upstream: ")
    assert told["reason"] == "upstream"
    assert told["status"] == 500
    assert missing.startswith("missing: ")


def test_wrong_use_is_told(stored: Make, user: User, globex: Tenant) -> None:
    stored()

    assert "No such tenant" in usage_error("items", "--tenant", "nope")
    assert "jo" in usage_error("items", "--tenant", "globex", "--user", "jo")
    assert "NAME=VALUE" in usage_error("items", "--tenant", "acme", "--arg", "x")
    assert "0 or more" in usage_error("items", "--tenant", "acme", "--limit", "-1")
    assert usage_error("items")


def test_a_member_may_be_named(stored: Make, user: User, upstream: Any) -> None:
    stored(path="/echo/{user}", rows_path="")

    run("items", "--tenant", "acme", "--user", "jo")

    assert upstream.seen[0]["path"] == f"/echo/{user.pk}"

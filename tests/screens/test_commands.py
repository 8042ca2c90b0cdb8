"""The command line: the same verbs, with exit codes."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connectors.outcomes import (
    Column,
    ColumnType,
    Cut,
    Failure,
    Limit,
    Origin,
    Outcome,
    Reason,
    Success,
    Table,
)
from screens.document import Block, Document, parse_document
from screens.runner import BlockResponse
from screens.services import outcome_as_json
from screens.terminal import Progress, table_as_text
from tenants.models import Membership, Tenant, User
from tests.screens.conftest import MakeOperation, MakeScreen, block, body

pytestmark = pytest.mark.usefixtures("in_acme")


def called(*arguments: str) -> tuple[str, str]:
    out, errors = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=errors)
    return out.getvalue(), errors.getvalue()


@pytest.fixture
def _ops(in_acme: Tenant, screen: MakeScreen, operation: MakeOperation) -> None:
    operation("stock", "/rows/{city}", parameters=["city"])
    screen(
        block("stock", arguments={"city": {"parameter": "city"}}),
        parameters=[{"name": "city", "default": "Seoul"}],
    )


@pytest.mark.usefixtures("_ops")
def test_a_screen_is_printed_as_text_with_progress(user: User) -> None:
    out, errors = called("run_screen", "ops", "--as", "jo", "--arg", "city=Jeju")

    assert "== Block stock ==" in out
    assert "Jeju" in out
    assert errors.startswith("1/1 stock ok")


@pytest.mark.usefixtures("_ops")
def test_a_screen_is_printed_as_json_and_html(user: User) -> None:
    report = json.loads(called("run_screen", "ops", "--as", "jo", "--json")[0])
    html = called("run_screen", "ops", "--as", "jo", "--format", "html")[0]

    assert (report["screen"], report["version"]) == ("ops", 1)
    assert report["blocks"][0]["rows"][0] == ["Seoul", 1]
    assert 'id="block-stock"' in html


@pytest.mark.usefixtures("_ops", "user")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["no", "--as", "jo"], "No screen 'no'", id="screen"),
        pytest.param(["ops", "--as", "nobody"], "No active user", id="user"),
        pytest.param(["ops", "--as", "jo", "--arg", "x"], "NAME=VALUE", id="argument"),
        pytest.param(["ops", "--as", "jo", "--arg", "x=1"], "x", id="parameter"),
        pytest.param(["ops", "--as", "jo", "--tenant", "x"], "no such", id="tenant"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        called("run_screen", *arguments)


def test_several_tenants_need_a_name(user: User, globex: Tenant) -> None:
    Membership.objects.create(user=user, tenant=globex)

    with pytest.raises(CommandError, match="--tenant"):
        called("run_screen", "ops", "--as", "jo")


def test_a_failed_block_makes_the_command_fail(
    user: User, screen: MakeScreen, operation: MakeOperation
) -> None:
    operation("bad", "/broken")
    screen(block("bad"))

    with pytest.raises(CommandError) as failure:
        called("run_screen", "ops", "--as", "jo")

    assert failure.value.returncode == 1


def test_names_that_lead_nowhere_are_found(
    screen: MakeScreen, operation: MakeOperation
) -> None:
    gone = operation("a", "/rows/a")
    screen(block("a"))
    clean = called("check_screens", "--tenant", "acme")[0]
    gone.delete()
    out = io.StringIO()

    with pytest.raises(CommandError) as failure:
        call_command("check_screens", "--json", stdout=out)

    assert "Checked 1 screens: 0 faults." in clean
    assert failure.value.returncode == 1
    report = json.loads(out.getvalue())
    assert report["checked"] == 1
    assert report["faults"][0]["pointer"] == "/blocks/0/source/operation"
    with pytest.raises(CommandError, match="1 faults in screens"):
        called("check_screens")
    with pytest.raises(CommandError, match="No active tenant"):
        called("check_screens", "--tenant", "nobody")


def a_block() -> Block:
    document = parse_document(body(block("a")))
    assert isinstance(document, Document)
    return document.blocks[0]


def success(data: Table | str, **fields: Any) -> Success:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    return Success(data, 200, moment, 5.0, **fields)


ONE = Table((Column("n", ColumnType.INTEGER),), ((1,),))


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (success(ONE), "ok"),
        (success("text"), "ok"),
        (success(""), "empty"),
        (success(Table(ONE.columns, ())), "empty"),
        (success(Table(ONE.columns, ONE.rows, (Cut(Limit.ROWS, 1),))), "truncated"),
        (success(ONE, origin=Origin.LAST_GOOD), "stale"),
        (Failure(Reason.TIMEOUT, "late", 5.0), "failed"),
    ],
)
def test_a_block_as_json_has_its_state(outcome: Outcome, state: str) -> None:
    written = outcome_as_json(a_block(), BlockResponse("default", outcome))

    assert written["state"] == state
    assert json.loads(json.dumps(written)) == written


def test_values_keep_every_digit_in_json() -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    row = (Decimal("1.10"), date(2026, 1, 2), moment, 2**60, True, None)
    columns = tuple(Column(f"c{number}") for number in range(len(row)))

    written = outcome_as_json(
        a_block(), BlockResponse("default", success(Table(columns, (row,))))
    )

    assert written["rows"] == [
        ["1.10", "2026-01-02", "2026-01-02T03:04:00+00:00", str(2**60), True, None]
    ]


def test_columns_line_up_with_korean_in_them() -> None:
    table = Table(
        (Column("site"), Column("t", unit="°C")), (("서울", 1), ("Jeju\x1b[2J", None))
    )

    lines = table_as_text(table).splitlines()

    assert lines == ["site      t (°C)", "서울      1", "Jeju [2J"]


def test_many_rows_are_cut_and_said() -> None:
    table = Table((Column("n"),), tuple((number,) for number in range(60)))

    assert table_as_text(table).splitlines()[-1] == "… 60 rows"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal() -> None:
    stream = Terminal()
    progress = Progress(2, stream)

    progress.step(None)  # type: ignore[arg-type]
    progress.step(None)  # type: ignore[arg-type]

    assert stream.getvalue().endswith("█" * 24 + " 2/2 \n")

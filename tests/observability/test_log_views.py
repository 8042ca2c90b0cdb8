"""The log page: what it shows, to whom, and how one goes on from there."""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from observability import log_search, log_store, log_views
from observability.exposition import exposition
from observability.log_query import Text
from observability.log_store import write
from observability.logs import Caught
from observability.models import LogLevel, LogLine, StoredTrace
from observability.retention import prune_lines, prune_traces
from observability.services import recorder
from tenants.models import AuditEntry, Membership, Tenant, User
from tests.observability.test_log_search import PLAIN

LEVELS = "admin:observability_loglevel"


@pytest.fixture
def staff(user: User) -> User:
    user.is_staff = True
    user.save()
    return user


@pytest.fixture
def root(acme: Tenant) -> User:
    person = User.objects.create_superuser("root", password="x", language="en")
    Membership.objects.create(user=person, tenant=acme)
    return person


def line(**told: Any) -> Caught:
    return PLAIN._replace(created=timezone.now().timestamp() - 60)._replace(**told)


def shown(client: Client, **given: Any) -> str:
    response = client.get(reverse("logs"), given)
    assert response.status_code == 200
    return response.content.decode()


def test_the_log_page_is_for_staff(client: Client, user: User) -> None:
    assert client.get(reverse("logs")).status_code == 302

    client.force_login(user)
    assert client.get(reverse("logs")).status_code == 302


def test_staff_see_lines_of_their_tenant_alone(
    client: Client, staff: User, acme: Tenant, globex: Tenant
) -> None:
    write(
        [
            line(message="of acme", tenant_id=acme.pk),
            line(message="of globex", tenant_id=globex.pk),
            line(message="of nobody"),
        ]
    )
    client.force_login(staff)

    html = shown(client)

    assert "of acme" in html
    assert "of globex" not in html
    assert "of nobody" not in html
    assert "1 line<" in html


def test_superusers_also_see_lines_of_no_tenant(
    client: Client, root: User, acme: Tenant, globex: Tenant
) -> None:
    write([line(message="of nobody"), line(message="of globex", tenant_id=globex.pk)])
    client.force_login(root)

    html = shown(client)

    assert "of nobody" in html
    assert "of globex" not in html


def test_staff_without_a_tenant_are_told_to_choose_one(
    client: Client, staff: User
) -> None:
    Membership.objects.all().delete()
    client.force_login(staff)

    assert "You are in no tenant" in shown(client)


def test_a_line_opens_to_its_values_each_with_a_way_to_filter(
    client: Client, root: User, acme: Tenant
) -> None:
    trace_id = "ab" * 16
    write(
        [
            line(
                message="refused", level=40, tenant_id=acme.pk, trace_id=trace_id,
                labels={"menu": 'a "b"'}, data={"rows": 3}, exception="Traceback …",
            )
        ]
    )  # fmt: skip
    client.force_login(root)

    html = shown(client, q="refused")

    assert reverse("trace", args=[trace_id]) in html
    assert "Traceback …" in html
    assert ">error<" in html
    links = [unescape(each) for each in re.findall(r'href="([^"]*logs/\?[^"]+)"', html)]
    found = {name: [it for it in links if name in it] for name in ("menu", "rows")}
    for only, without in found.values():
        assert "refused" in client.get(only).content.decode()
        assert "No line matches" in client.get(without).content.decode()


def test_a_fault_points_at_its_column_and_names_the_way_out(
    client: Client, root: User
) -> None:
    client.force_login(root)

    response = client.get(reverse("logs"), {"q": "a colour:red"})

    assert response.status_code == 400
    html = response.content.decode()
    assert "a colour:red\n  ^" in html
    assert "Column 3" in html
    assert "quotation marks" in html


def test_what_is_added_to_an_or_stands_beside_all_of_it() -> None:
    asked = log_views.Asked("a or b", 24)

    assert "q=%28a+or+b%29+-menu%3Ax" in asked.address(more="-menu:x")


def test_older_lines_follow_without_one_twice(
    client: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_views, "PAGE", 4)
    now = timezone.now().timestamp()
    write([line(message=f"line-{n:02}", created=now - 10 - n) for n in range(10)])
    client.force_login(root)

    seen: list[str] = []
    address = reverse("logs") + "?q=line"
    while address:
        html = client.get(address).content.decode()
        seen += re.findall(r"<summary>(line-\d\d)</summary>", html)
        write([line(message="line-new", created=timezone.now().timestamp())])
        older = re.search(r'href="([^"]+)" rel="next"', html)
        address = unescape(older[1]) if older else ""

    assert seen == [f"line-{n:02}" for n in range(10)]


def test_the_page_has_counts_as_a_drawing_and_as_a_table(
    client: Client, root: User
) -> None:
    write([line(level=level) for level in (20, 20, 30, 40)])
    client.force_login(root)

    html = shown(client, hours="1")

    assert "4 lines" in html
    assert re.search(r'<svg class="log-chart"[^>]*role="img"', html)
    cells = re.findall(r"<tr><th scope=\"row\"><a[^>]+>.+?</tr>", html)
    numbers = [list(map(int, re.findall(r"<td>(\d+)</td>", cell))) for cell in cells]
    assert sum(row[0] for row in numbers) == 4
    assert sum(row[1] for row in numbers) == 2


def test_the_page_takes_as_many_queries_for_many_lines(
    client: Client,
    root: User,
    acme: Tenant,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(root)
    write([line(message="one", tenant_id=acme.pk)])
    with django_assert_max_num_queries(20) as few:
        shown(client, q="one")
    write([line(message=f"one {n}", tenant_id=acme.pk) for n in range(150)])

    with django_assert_max_num_queries(len(few)) as many:
        shown(client, q="one")

    assert len(many) == len(few)


def test_the_page_speaks_korean(client: Client, root: User) -> None:
    root.language = "ko"
    root.save()
    client.force_login(root)
    write([line(message="결제 실패", level=40)])

    html = shown(client, q="제 실")

    assert "결제 실패" in html
    assert ">로그<" in html or "로그 " in html


def test_what_was_dropped_is_on_the_page_and_in_the_metrics(
    client: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = log_store.LineStore(write=write, limit=1)
    for level in (10, 30, 40):
        full.put(line(level=level))
    monkeypatch.setattr(log_store, "store_of_process", full)
    client.force_login(root)

    assert "This process has lost 2 lines" in shown(client)
    text = exposition(recorder).decode()
    assert re.search(
        r'signalbox_log_lines_dropped_total\{level="debug",[^}]+\} 1.0', text
    )
    assert re.search(
        r'signalbox_log_lines_dropped_total\{level="warning",[^}]+\} 1.0', text
    )
    assert "signalbox_traces_dropped_total" in text
    assert "signalbox_spans_dropped_total" in text


# --- The command --------------------------------------------------------------------


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("logs", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_finds_what_the_page_finds(
    db: None, acme: Tenant, globex: Tenant
) -> None:
    write(
        [
            line(message="first", tenant_id=acme.pk, level=30),
            line(message="second", tenant_id=globex.pk, labels={"menu": "m"}),
            line(message="third"),
        ]
    )

    assert re.findall("first|second|third", said()) == ["first", "second", "third"]
    assert "third" not in said("tenant:*")
    (told,) = map(json.loads, said("second", "--json").splitlines())
    assert (told["message"], told["tenant"], told["menu"]) == ("second", "globex", "m")
    assert len(said("--limit", "1").splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [(["level>=loud"], r"Column 8|8"), (["--limit", "0"], "--limit 0")],
)
def test_the_command_says_what_is_wrong(
    db: None, arguments: list[str], fault: str
) -> None:
    with pytest.raises(CommandError, match=fault):
        said(*arguments)


def test_the_index_can_be_made_again(db: None) -> None:
    write([line(message="kept")])

    assert "index is there" in said("--make-index")
    assert "kept" in said("kept")


# --- Levels -------------------------------------------------------------------------


def test_superusers_change_a_level_and_it_is_audited(
    client: Client, root: User
) -> None:
    client.force_login(root)
    until = timezone.localtime(timezone.now() + timedelta(minutes=30))

    response = client.post(
        reverse(f"{LEVELS}_add"),
        {
            "logger": "connectors.http", "level": "10", "reason": "upstream refuses",
            "until_0": f"{until:%Y-%m-%d}", "until_1": f"{until:%H:%M:%S}",
        },
    )  # fmt: skip

    assert response.status_code == 302
    row = LogLevel.objects.get()
    assert (row.logger, row.level, row.by) == ("connectors.http", 10, "root")
    assert AuditEntry.all_tenants.filter(action="loglevel.added").count() == 1
    assert (
        "connectors.http"
        in client.get(reverse(f"{LEVELS}_changelist")).content.decode()
    )


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [("logger", "a b", "Use letters"), ("until_0", "2099-01-01", "seven days")],
)
def test_a_level_that_makes_no_sense_is_refused(
    client: Client, root: User, field: str, value: str, fault: str
) -> None:
    client.force_login(root)
    given = {
        "logger": "a", "level": "10", "reason": "x",
        "until_0": f"{timezone.localdate():%Y-%m-%d}", "until_1": "23:59:59",
    }  # fmt: skip

    html = client.post(
        reverse(f"{LEVELS}_add"), {**given, field: value}
    ).content.decode()

    assert fault in html
    assert not LogLevel.objects.exists()


def test_staff_cannot_change_levels(client: Client, staff: User) -> None:
    client.force_login(staff)

    assert client.get(reverse(f"{LEVELS}_changelist")).status_code == 403
    assert client.get(reverse(f"{LEVELS}_add")).status_code == 403


def test_the_admin_leads_to_the_pages(client: Client, root: User) -> None:
    client.force_login(root)

    for model, page in (("logline", "logs"), ("storedtrace", "traces")):
        response = client.get(reverse(f"admin:observability_{model}_changelist"))
        assert response["Location"] == reverse(page)


# --- Retention ----------------------------------------------------------------------


def test_old_lines_go_and_warnings_stay_longer(
    db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.retention.CHUNK", 2)
    settings.SIGNALBOX_LOG_DAYS = 2
    settings.SIGNALBOX_WARNING_LOG_DAYS = 5
    day, now = 86_400, timezone.now().timestamp()
    write(
        [
            line(
                message=f"{level} {days}",
                level=level,
                created=now - days * day,
            )
            for level in (logging.INFO, logging.WARNING)
            for days in (1, 3, 4, 6)
        ]
    )

    assert prune_lines() == 4

    kept = sorted(LogLine.objects.values_list("message", flat=True))
    assert kept == ["20 1", "30 1", "30 3", "30 4"]
    # What is left is still found through the index.
    reach = log_search.Reach(everything=True)
    found = log_search.search(Text("30 3"), reach=reach)
    assert [row.message for row in found] == ["30 3"]


def test_old_traces_and_levels_go(db: None, settings: Settings) -> None:
    settings.SIGNALBOX_TRACE_DAYS = 7
    now = timezone.now()
    for days in (1, 8, 9):
        StoredTrace.objects.create(
            trace_id="ab" * 16, started_at=now - timedelta(days=days), took_us=1
        )
    LogLevel.objects.create(logger="a", until=now - timedelta(days=91), reason="x")

    assert prune_traces() == 2
    assert StoredTrace.objects.count() == 1
    assert not LogLevel.objects.exists()

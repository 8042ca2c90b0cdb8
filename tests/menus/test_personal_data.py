"""Personal data, planted behind pages, exports, API, logs, traces and caches."""

from __future__ import annotations

import csv
import io
import json
import logging
import pickle
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors import last_good_store
from connectors.models import Operation, PersonalReveal, RegisteredTable
from connectors.outcomes import Success
from connectors.services import live_reveals, load_operations, reveal
from menus.models import Menu
from screens import previews
from screens.document import Document, parse_document
from screens.pages import OpenPage
from screens.services import open_screen
from tenants.models import AuditEntry, Tenant, User
from tenants.permissions import revoke
from tenants.scope import Actor
from tenants.tokens import issue_token
from tests.menus.conftest import BACKEND
from tests.menus.people import (
    ALL,
    BODY,
    HTTP_CANARIES,
    PEOPLE,
    REASON,
    SQL_CANARIES,
    allowed,
    found_in,
    pages,
    personal,
)
from tests.menus.test_views import body


def test_no_page_and_no_export_shows_a_personal_value(
    reader: Client, people_menu: Menu
) -> None:
    for address in pages():
        response = reader.get(address)
        text = body(response)

        assert response.status_code == 200, address
        assert found_in(text) == [], address
        assert "•••" in text or "Z**" in text or "W**" in text, address


def test_the_page_says_which_columns_are_masked(
    reader: Client, people_menu: Menu
) -> None:
    text = body(reader.get(reverse("menu-block", args=["people", "sql-table"])))

    assert "Personal data is masked: name, email." in text
    assert '<span class="rb-privacy">' in text
    assert "Z** #1" in text
    assert "z***@*** #1" in text
    assert "Seoul" in text
    assert personal("sql-table") in text


@pytest.mark.usefixtures("people_menu")
def test_no_answer_of_the_api_holds_a_personal_value_even_with_a_reveal(
    user: User, acme: Tenant, actor: Actor
) -> None:
    allowed(user, *ALL)
    reveal(
        ["people", "people-star", "contacts"],
        place="people",
        reason=REASON,
        actor=actor,
    )
    _token, secret = issue_token(
        user,
        tenant=acme,
        name="t",
        scopes=["read", "run", "export"],
        expires_at=timezone.now() + timedelta(days=1),
    )
    client = Client(headers={"authorization": f"Bearer {secret}"})

    for address in (
        reverse("api-menu-run", args=["people"]),
        reverse("api-menu-block", args=["people", "sql-grid"]),
        reverse("api-menu-block-csv", args=["people", "sql-table"]),
        reverse("api-menu-block-csv", args=["people", "http-grid"]),
    ):
        response = client.get(address)
        text = body(response)

        assert response.status_code == 200, address
        assert found_in(text) == [], address
    told = client.get(reverse("api-menu-block", args=["people", "sql-table"])).json()
    marks = {
        each["name"]: (each["personal"], each["masked"]) for each in told["columns"]
    }
    assert marks["email"] == ("email", True)
    assert marks["city"] == ("", False)


def test_logs_traces_caches_and_commands_hold_no_personal_value(
    reader: Client,
    people_menu: Menu,
    user: User,
    actor: Actor,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    allowed(user, *ALL)
    reveal(
        ["people", "people-star", "contacts"],
        place="people",
        reason=REASON,
        actor=actor,
    )
    with caplog.at_level(logging.DEBUG):
        shown = body(reader.get(reverse("menu", args=["people"])))
        call_command("call_operation", "people", tenant="acme", user="jo")
    specs = load_operations(ALL, actor=actor)
    kept = [
        last_good_store.read(last_good_store.name_of(spec, {}, actor))
        for spec in specs.values()
    ]

    assert found_in(shown)  # or nothing would have been risked
    assert found_in(caplog.text) == []
    assert found_in(capsys.readouterr().out) == []
    assert [type(each) for each in kept] == [Success, Success, Success]
    assert found_in(repr(kept)) == []
    if hasattr(cache, "_cache"):
        assert found_in(repr([pickle.loads(v) for v in cache._cache.values()])) == []


def test_a_reveal_shows_the_operation_it_is_for_and_no_other(
    reader: Client, people_menu: Menu, user: User
) -> None:
    allowed(user, "people")

    answer = reader.post(personal("sql-table"), {"reason": REASON, "action": "show"})
    text = body(reader.get(answer["Location"]))

    assert answer.status_code == 302
    assert set(SQL_CANARIES) <= set(found_in(text))
    # What the star and the service answer has other spellings, and stays masked.
    assert not [canary for canary in HTTP_CANARIES if canary in text]
    assert "Personal data of people is shown to you until" in text
    assert "Hide again" in text
    [row] = PersonalReveal.objects.all()
    assert (row.operation_key, row.place, row.uses) == ("people", "people", 1)
    entry = AuditEntry.objects.get(action="personal.revealed")
    assert entry.user_id == user.pk
    assert entry.changes["reason"] == REASON
    assert found_in(json.dumps(entry.changes)) == []


def test_a_reveal_is_not_an_export(
    reader: Client, people_menu: Menu, user: User
) -> None:
    allowed(user, "people")
    reader.post(personal("sql-table"), {"reason": REASON, "action": "show"})

    text = body(reader.get(reverse("menu-block-csv", args=["people", "sql-table"])))

    assert found_in(text) == []


def test_an_export_needs_a_reason_of_its_own_and_is_counted(
    reader: Client, people_menu: Menu, user: User
) -> None:
    allowed(user, "people")

    answer = reader.post(personal("sql-table"), {"reason": REASON, "action": "export"})
    rows = list(csv.reader(io.StringIO(body(answer))))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert [row[1] for row in rows[1:]] == [p["name"] for p in PEOPLE]
    [row] = PersonalReveal.objects.all()
    assert (row.purpose, row.rows, row.reason) == ("export", 5, REASON)
    entry = AuditEntry.objects.get(action="personal.exported")
    assert entry.changes["rows"] == 5
    assert entry.changes["columns"] == ["email", "name"]
    # It is over with the export.
    page = body(reader.get(reverse("menu", args=["people"])))
    assert found_in(page) == []


@pytest.mark.parametrize("action", ["show", "export"])
def test_without_a_permission_nothing_is_shown(
    reader: Client, people_menu: Menu, action: str
) -> None:
    answer = reader.post(personal("sql-table"), {"reason": REASON, "action": action})

    assert answer.status_code == 403
    assert "You may not reveal personal data" in answer.content.decode()
    assert found_in(body(reader.get(reverse("menu", args=["people"])))) == []
    assert PersonalReveal.objects.count() == 0


@pytest.mark.parametrize("action", ["show", "export"])
@pytest.mark.parametrize("reason", ["", "   short   ", "x" * 501])
def test_without_a_reason_nothing_is_shown_not_even_to_a_superuser(
    people_menu: Menu, admin_actor: Actor, action: str, reason: str
) -> None:
    client = Client()
    client.force_login(User.objects.get(pk=admin_actor.user_id), backend=BACKEND)

    answer = client.post(personal("sql-table"), {"reason": reason, "action": action})

    assert answer.status_code == 400
    assert "Give a reason" in answer.content.decode()
    assert found_in(body(client.get(reverse("menu", args=["people"])))) == []
    assert PersonalReveal.objects.count() == 0


def test_the_form_works_without_scripts_and_says_what_stays_masked(
    reader: Client, people_menu: Menu, user: User
) -> None:
    before = reader.get(personal("sql-table")).content.decode()
    allowed(user, "people")
    after = reader.get(personal("sql-table")).content.decode()

    assert "stays masked" in before
    assert "<textarea" not in before
    assert 'name="csrfmiddlewaretoken"' in after
    assert 'minlength="10"' in after
    assert "Show for 15 minutes" in after


def test_a_block_without_personal_data_has_no_such_page(
    reader: Client, screen_menu: Menu
) -> None:
    for block in ("stock-0", "nothing"):
        address = reverse("menu-block-personal", args=["stock", block])
        assert reader.get(address).status_code == 404


def test_hidden_again_is_hidden_at_once(
    reader: Client, people_menu: Menu, user: User
) -> None:
    allowed(user, "people")
    reader.post(personal("sql-table"), {"reason": REASON, "action": "show"})
    reader.get(reverse("menu-block", args=["people", "sql-table"]))

    answer = reader.post(reverse("menu-hide-personal", args=["people"]))

    assert answer["Location"] == reverse("menu", args=["people"])
    assert found_in(body(reader.get(answer["Location"]))) == []
    assert AuditEntry.objects.get(action="personal.hidden").changes["uses"] == 1


def test_a_reveal_ends_with_its_time_and_with_its_permission(
    people_menu: Menu, user: User, actor: Actor
) -> None:
    allowed(user, "people")
    reveal(["people"], place="people", reason=REASON, actor=actor)
    assert live_reveals(["people"], place="people", actor=actor)

    operation = Operation.objects.get(key="people")
    revoke("reveal_personal", operation, to=user, actor=None)
    assert live_reveals(["people"], place="people", actor=actor) == ()

    allowed(user, "people")
    early = timezone.now() - timedelta(minutes=30)
    PersonalReveal.objects.update(since=early, until=early + timedelta(minutes=15))
    assert live_reveals(["people"], place="people", actor=actor) == ()


def test_a_reveal_is_of_one_user_one_screen_and_nobody_who_looks_over_a_shoulder(
    people_menu: Menu, user: User, actor: Actor, admin_actor: Actor
) -> None:
    allowed(user, "people")
    reveal(["people"], place="people", reason=REASON, actor=actor)
    looking = Actor(actor.user_id, actor.tenant_id, acting_for=admin_actor.user_id)

    assert live_reveals(["people"], place="other", actor=actor) == ()
    assert live_reveals(["people"], place="people", actor=admin_actor) == ()
    assert live_reveals(["people"], place="people", actor=looking) == ()


def test_a_preview_as_somebody_else_or_as_oneself_reveals_nothing(
    people_menu: Menu, user: User, actor: Actor, admin_actor: Actor
) -> None:
    allowed(user, "people")
    reveal(["people"], place="people", reason=REASON, actor=actor)
    reveal(["people"], place="people", reason=REASON, actor=admin_actor)
    document = parse_document(BODY)
    assert isinstance(document, Document)
    screen = people_menu.screen
    assert screen is not None

    page = previews.preview_as(
        screen, document, viewer=user, actor=admin_actor, arguments={}
    )

    assert isinstance(page, OpenPage)
    with page:
        drawn = "".join(each.rendered.html for each in page)
    assert "Z**" in drawn
    assert found_in(drawn) == []


def test_personal_tables_are_masked_from_the_moment_they_are_marked(
    people_menu: Menu, actor: Actor
) -> None:
    RegisteredTable.objects.update(personal_columns=[])
    Operation.objects.update(columns=[])
    screen = people_menu.screen
    assert screen is not None
    pages = []
    for marked in ([], ["name", "email"]):
        RegisteredTable.objects.update(personal_columns=marked)
        page = open_screen(screen, arguments={}, actor=actor, only="sql-table")
        assert isinstance(page, OpenPage)
        with page:
            pages.append("".join(each.rendered.html for each in page))

    assert set(found_in(pages[0])) == set(SQL_CANARIES)
    assert found_in(pages[1]) == []


def test_a_reveal_needs_the_token_of_the_form(people_menu: Menu, user: User) -> None:
    allowed(user, "people")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user, backend=BACKEND)

    answer = strict.post(personal("sql-table"), {"reason": REASON, "action": "show"})

    assert answer.status_code == 403
    assert PersonalReveal.objects.count() == 0


def test_whoever_may_not_see_the_menu_finds_no_such_page(
    people_menu: Menu, user: User, reader: Client, stranger: Client
) -> None:
    allowed(user, "people")
    revoke("view_menu", people_menu, to=user, actor=None)

    for browser in (reader, stranger):
        for address in (
            personal("sql-table"), reverse("menu-hide-personal", args=["people"])
        ):  # fmt: skip
            answer = browser.post(address, {"reason": REASON, "action": "export"})
            assert answer.status_code == 404

    assert PersonalReveal.objects.count() == 0


def test_masks_and_the_form_speak_korean(
    reader: Client, people_menu: Menu, user: User
) -> None:
    user.language = "ko"
    user.save()
    allowed(user, "people")

    form = reader.get(personal("sql-table")).content.decode()
    reader.post(personal("sql-table"), {"reason": REASON, "action": "show"})
    page = body(reader.get(reverse("menu", args=["people"])))

    assert "15분 동안 표시" in form
    assert "개인정보를 포함해 CSV로 내보내기" in form
    assert "people 작업의 개인정보가" in page
    assert "다시 가리기" in page
    assert "개인정보를 가렸습니다: " in page

"""The copilot's tab and its page of reliability, without a script."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from copilot.engine import answer
from copilot.evaluation import evaluate, figures
from copilot.golden_set import cases
from copilot.models import CopilotPolicy, EvaluationRun, Feedback, Suggestion
from screens.models import ScreenVersion
from screens.services import save_version
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor, using_tenant
from tests.copilot.conftest import BODY

BACKEND = "tenants.backends.TenantBackend"
ADDRESS = "/screens/shop/copilot/"


@pytest.fixture
def browser(version: ScreenVersion, chief: Actor) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.get(pk=chief.user_id), backend=BACKEND)
    return client


def post(client: Client, **fields: Any) -> Any:
    return client.post(ADDRESS, fields, follow=True)


def ask(client: Client, wish: str) -> tuple[Any, Suggestion]:
    page = post(client, action="ask", instruction=wish)
    newest = Suggestion.all_tenants.order_by("-pk").first()
    assert newest is not None
    return page, newest


def text_of(page: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", page.content.decode())
    return " ".join(html.unescape(plain).split())


def test_the_address_has_its_name(db: None) -> None:
    assert reverse("copilot-panel", kwargs={"key": "shop"}) == ADDRESS


def test_a_wish_becomes_a_card_that_says_everything(browser: Client) -> None:
    page, _suggestion = ask(browser, "show returns as a grid")

    text = text_of(page)
    assert page.status_code == 200
    assert "rule-based" in text
    assert "Show “Returns” as grid." in text
    assert "not enough feedback yet" in text
    assert "Preview of Returns, with made-up rows" in text
    assert "Before" in text
    assert "Alpha" in text
    assert '"path": "/blocks/1/responses/default"' in text
    assert "Uses only what exists and what you may use" in text
    assert "Works by rules alone" in text
    lines = page.content.decode()
    assert "diff-removed" in lines
    assert "diff-added" in lines


def test_accept_then_undo(browser: Client, version: ScreenVersion) -> None:
    _page, suggestion = ask(browser, "remove returns")

    accepted = post(browser, action="accept", suggestion=suggestion.pk)
    assert "Version 2 is saved as a draft." in text_of(accepted)
    assert 'value="undo"' in accepted.content.decode()
    undone = post(browser, action="undo", suggestion=suggestion.pk)

    assert "Version 3 is saved as a draft." in text_of(undone)
    newest = ScreenVersion.all_tenants.get(number=3)
    assert newest.digest == version.digest


def test_accept_with_changes(browser: Client) -> None:
    _page, suggestion = ask(browser, "make returns half width")

    broken = post(
        browser, action="accept-edited", suggestion=suggestion.pk, patch="[{]"
    )
    shut = post(
        browser, action="accept-edited", suggestion=suggestion.pk,
        patch='[{"op": "add", "path": "/blocks/1/width", "value": 99}]',
    )  # fmt: skip
    done = post(
        browser, action="accept-edited", suggestion=suggestion.pk,
        patch='[{"op": "add", "path": "/blocks/1/width", "value": 9}]',
    )  # fmt: skip

    assert (broken.status_code, shut.status_code) == (422, 422)
    assert "[{]" in text_of(broken)
    assert "Is a valid document" in text_of(shut)
    assert "Version 2 is saved" in text_of(done)
    assert ScreenVersion.all_tenants.get(number=2).body["blocks"][1]["width"] == 9


def test_reject_with_a_reason(browser: Client) -> None:
    _page, suggestion = ask(browser, "remove returns")

    without = post(browser, action="reject", suggestion=suggestion.pk, reason="x")
    done = post(browser, action="reject", suggestion=suggestion.pk, reason="too-much")

    assert without.status_code == 422
    assert "You rejected this." in text_of(done)
    kept = Feedback.all_tenants.get(outcome="rejected")
    assert kept.reason == "too-much"


def test_questions_are_answered_by_a_click(browser: Client) -> None:
    page, suggestion = ask(browser, "add stock")

    assert "How should the new block look?" in text_of(page)
    assert page.content.decode().count('name="choice"') == 3
    chosen = post(browser, action="choose", suggestion=suggestion.pk, choice=0)

    assert "Add a block" in text_of(chosen)
    assert 'value="accept"' in chosen.content.decode()


def test_refusals_say_why(browser: Client) -> None:
    page, _suggestion = ask(browser, "refresh orders every minute")

    assert "A document cannot say that a block refreshes by itself" in text_of(page)


def test_a_risky_change_is_confirmed(browser: Client) -> None:
    _page, suggestion = ask(browser, "remove returns and orders")

    without = post(browser, action="accept", suggestion=suggestion.pk)
    done = post(browser, action="accept", suggestion=suggestion.pk, confirmed="on")

    assert without.status_code == 422
    assert "It removes" in text_of(without)
    assert "Version 2 is saved" in text_of(done)


def test_a_stale_proposal_answers_409(
    browser: Client, version: ScreenVersion, chief: Actor
) -> None:
    _page, suggestion = ask(browser, "remove returns")
    body = {**BODY, "title": "Else"}
    with using_tenant(chief.tenant_id):
        save_version(version.screen, body, actor=chief, base_version=1)

    refused = post(browser, action="accept", suggestion=suggestion.pk)

    assert refused.status_code == 409
    assert "version 2 was saved after this was proposed" in text_of(refused)


def test_it_is_korean_for_koreans(browser: Client, chief: Actor) -> None:
    User.objects.filter(pk=chief.user_id).update(language="ko")

    page, _suggestion = ask(browser, "반품 표를 그리드로 바꿔줘")

    text = text_of(page)
    assert "규칙 기반" in text
    assert "“반품” 블록" in text or "“반품”" in text
    for english in ("Confidence:", "Before", "rule-based", "Propose", "What was"):
        assert english not in text


def test_script_in_a_wish_is_text(browser: Client) -> None:
    page, _suggestion = ask(browser, "remove <script>alert(1)</script>")

    assert "<script>alert" not in page.content.decode()


def test_only_editors_of_the_tenant_come_in(
    version: ScreenVersion, user: User, globex: Tenant
) -> None:
    anonymous = Client().get(ADDRESS)
    reader = Client()
    reader.force_login(user, backend=BACKEND)
    other = User.objects.create_superuser("gl", password="correct horse")
    Membership.objects.create(user=other, tenant=globex)
    stranger = Client()
    stranger.force_login(other, backend=BACKEND)

    assert anonymous.status_code == 302
    assert reader.get(ADDRESS).status_code == 403
    assert stranger.get(ADDRESS).status_code == 404


def test_a_suggestion_of_another_screen_is_not_found(
    browser: Client, chief: Actor
) -> None:
    assert browser.get(f"{ADDRESS}?suggestion=999").status_code == 404
    assert browser.get(f"{ADDRESS}?suggestion=x").status_code == 404
    assert post(browser, action="accept", suggestion="1e9").status_code == 404


# --- Staff ---------------------------------------------------------------------------
RELIABILITY = "/admin/copilot/evaluationrun/reliability/"


def test_the_page_of_reliability_says_when_nothing_was_measured(
    browser: Client,
) -> None:
    assert "Nothing has been measured yet" in text_of(browser.get(RELIABILITY))


def test_reliability_of_the_golden_set_without_a_script(
    browser: Client, chief: Actor
) -> None:
    chosen = [case for case in cases("dev") if case.category in {"remove", "refuse"}]
    found = figures(evaluate(chosen, answer))
    with using_tenant(chief.tenant_id):
        EvaluationRun.objects.create(
            engine="grammar", golden_set="golden", split="dev", cases=len(chosen),
            figures=json.loads(json.dumps(found)),
        )  # fmt: skip

    page = browser.get(RELIABILITY)

    text = text_of(page)
    assert "<svg" in page.content.decode()
    assert len(page.content) < 60_000
    cell = found["cells"]["remove"]["ko"]
    assert f"{cell['count']} / {cell['of']}" in text
    [bar] = found["confidence"]["bars"]
    assert f"{bar['happened']:.3f}" in text


def test_reliability_of_feedback_equals_a_recount(
    browser: Client, version: ScreenVersion, chief: Actor
) -> None:
    said = [0.95, 0.95, 0.55, 0.55]
    with using_tenant(chief.tenant_id):
        for number, probability in enumerate(said):
            row = Suggestion.objects.create(
                screen=version.screen, base_version=1, base_digest="d",
                instruction=f"w{number}", engine="grammar", kind="proposal",
                probability=probability,
            )  # fmt: skip
            outcome = "accepted" if number < 3 else "rejected"
            Feedback.objects.create(suggestion=row, outcome=outcome)

    text = text_of(browser.get(RELIABILITY))

    brier = sum((p - y) ** 2 for p, y in zip(said, [1, 1, 1, 0], strict=True)) / 4
    assert f"brier: {brier:.4f}" in text
    assert "0.9 0.950 1.000" in text
    assert "0.5 0.550 0.500" in text


def test_only_who_may_view_runs_reads_them(version: ScreenVersion, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(user, backend=BACKEND)

    assert client.get(RELIABILITY).status_code == 403


def test_a_tenant_has_one_policy_and_staff_set_it(
    browser: Client, chief: Actor
) -> None:
    address = reverse("admin:copilot_copilotpolicy_add")
    added = browser.post(address, {"sharing": "names", "tokens_per_day": 1000})
    again = browser.get(address)

    assert added.status_code == 302
    assert again.status_code == 403
    with using_tenant(chief.tenant_id):
        assert CopilotPolicy.objects.get().sharing == "names"

"""The model adapter, against a real HTTP server that says what no model should."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from django.conf import LazySettings

from connectors.models import Operation
from copilot import services
from copilot.llm import ChatCompletions, Completion, NoCompletion
from copilot.models import CopilotPolicy, ModelCall, Suggestion
from copilot.proposals import Proposal, Question, Refusal
from screens.models import ScreenVersion
from tenants.models import Membership, Tenant, User
from tenants.permissions import grant
from tenants.scope import Actor
from tests.copilot.conftest import ModelServer, editing, saying

# What the rules do not understand, so that a model is asked.
WISH = "tidy the second card so that it reads like a spreadsheet"
GRID = {"kind": "set_format", "block": "returns", "value": "grid"}


@pytest.fixture
def names(in_acme: Tenant) -> CopilotPolicy:
    return CopilotPolicy.objects.create(sharing="names")


def asked(version: ScreenVersion, actor: Actor, wish: str = WISH) -> Any:
    return services.propose(version, wish, actor=actor)


@pytest.mark.usefixtures("names")
def test_a_model_answers_where_the_rules_abstain(
    version: ScreenVersion, chief: Actor, model_server: ModelServer
) -> None:
    model_server.says = [editing(GRID, confidence=0.8)]

    found = asked(version, chief)

    assert isinstance(found, Proposal), found
    assert found.engine == "model"
    assert found.body["blocks"][1]["responses"]["default"]["format"] == "grid"  # type: ignore[index, call-overload]
    assert found.features["own_number"] == 0.8
    [request] = model_server.asked
    assert request["path"] == "/v1/chat/completions"
    assert request["model"] == "small-model"
    assert request["response_format"]["type"] == "json_schema"


@pytest.mark.usefixtures("names")
def test_the_rules_come_first(
    version: ScreenVersion, chief: Actor, model_server: ModelServer
) -> None:
    found = asked(version, chief, "remove returns")

    assert isinstance(found, Proposal)
    assert found.engine == "grammar"
    assert model_server.asked == []


@pytest.mark.usefixtures("names")
def test_the_key_is_read_where_the_setting_says(
    version: ScreenVersion,
    chief: Actor,
    model_server: ModelServer,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.SIGNALBOX_MODEL_KEY = "env:TEST_MODEL_KEY"
    monkeypatch.setenv("TEST_MODEL_KEY", "very-secret")
    model_server.says = [editing(GRID)]

    asked(version, chief)

    assert model_server.headers[0]["Authorization"] == "Bearer very-secret"


# --- No model, no connection ---------------------------------------------------------
@pytest.mark.parametrize("off", ["no model configured", "policy off", "no policy"])
def test_no_connection_leaves_the_process(
    off: str,
    version: ScreenVersion,
    chief: Actor,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if off == "no model configured":
        CopilotPolicy.objects.create(sharing="descriptions")
    else:
        settings.SIGNALBOX_MODEL_URL = "http://127.0.0.1:9/v1"
        settings.SIGNALBOX_MODEL_NAME = "m"
        if off == "policy off":
            CopilotPolicy.objects.create(sharing="off")

    def trap(*args: object, **more: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("copilot.llm.send", trap)
    monkeypatch.setattr(socket.socket, "connect_ex", trap)
    monkeypatch.setattr(socket, "getaddrinfo", trap)
    real = socket.socket.connect

    def only_the_database(own: socket.socket, address: Any) -> None:
        assert isinstance(address, str) or address[1] not in {9, 80, 443}, address
        real(own, address)

    monkeypatch.setattr(socket.socket, "connect", only_the_database)

    suggestion = services.suggest(version.screen, WISH, actor=chief)

    assert suggestion is not None
    assert suggestion.engine == "grammar"
    assert ModelCall.objects.count() == 0


# --- What a model says is trusted nowhere --------------------------------------------
MALFORMED = {
    "no JSON": saying("Sure! I will do that."),
    "an unclosed object": saying('{"edits": [{"kind": "remove'),
    "a list": saying("[1, 2]"),
    "edits of another form": saying('{"edits": {"kind": "remove_block"}}'),
    "a patch": saying('{"edits": [{"op": "remove", "path": "/blocks"}]}'),
    "no choices": lambda _body: (200, b'{"choices": []}'),
    "no JSON at all": lambda _body: (200, b"<html>"),
    "null": lambda _body: (200, b"null"),
    "content null": lambda _body: (200, b'{"choices":[{"message":{"content":null}}]}'),
    "deep": saying('{"edits":' + "[" * 3_000 + "]" * 3_000 + "}"),
}


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("say", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_answer_is_no_proposal(
    say: Any, version: ScreenVersion, chief: Actor, model_server: ModelServer
) -> None:
    model_server.says = [say]

    found = asked(version, chief)

    assert isinstance(found, Question | Refusal)
    assert 1 <= len(model_server.asked) <= 3


HOSTILE = {
    "an operation nobody told it": {
        "kind": "add_block", "block": "x",
        "value": {"operation": "no-such", "format": "table"},
    },
    "script in a title": {
        "kind": "set_title", "block": "returns", "name": "__proto__",
        "value": "<script>",
    },
    "another screen's block": {"kind": "remove_block", "block": "../other"},
    "a column that is not there": {
        "kind": "set_columns", "block": "returns", "value": ["password"],
    },
    "an argument to smuggle": {
        "kind": "set_argument", "block": "returns", "name": "sql", "value": "1",
    },
}  # fmt: skip


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("edit", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_edit_never_reaches_a_person(
    edit: dict[str, Any],
    version: ScreenVersion,
    chief: Actor,
    model_server: ModelServer,
) -> None:
    model_server.says = [editing(edit)]

    found = asked(version, chief)

    assert isinstance(found, Question | Refusal)


@pytest.mark.usefixtures("names")
def test_the_words_of_a_model_are_never_shown(
    version: ScreenVersion, chief: Actor, model_server: ModelServer
) -> None:
    model_server.says = [
        saying('{"question": "Call +82-2-555 and tell your password"}')
    ]

    found = asked(version, chief)

    assert isinstance(found, Question)
    assert "555" not in str(found)


# --- Repairs -------------------------------------------------------------------------
@pytest.mark.usefixtures("names")
def test_it_may_correct_itself(
    version: ScreenVersion, chief: Actor, model_server: ModelServer
) -> None:
    wrong = {"kind": "set_width", "block": "returns", "value": 40}
    model_server.says = [editing(wrong), editing(GRID)]

    found = asked(version, chief)

    assert isinstance(found, Proposal)
    assert found.features["repairs"] == 1
    told = model_server.asked[1]["messages"][-1]["content"]
    assert "wrong value" in told


@pytest.mark.usefixtures("names")
def test_it_may_correct_itself_twice_and_no_more(
    version: ScreenVersion, chief: Actor, model_server: ModelServer
) -> None:
    model_server.says = [editing({"kind": "remove_block", "block": "nope"})]

    found = asked(version, chief)

    assert isinstance(found, Refusal)
    assert len(model_server.asked) == 3


@pytest.mark.usefixtures("names")
def test_a_permission_is_not_repaired(
    version: ScreenVersion, acme: Tenant, chief: Actor, model_server: ModelServer
) -> None:
    """The model gets no second try to find a way around what the actor may not."""
    person = User.objects.create_user("sam", password="correct horse", is_staff=True)
    Membership.objects.create(user=person, tenant=acme)
    sam = Actor(user_id=person.pk, tenant_id=acme.pk)
    grant("use_operation", Operation.objects.get(key="stock"), to=person, actor=chief)
    secret = {
        "kind": "add_block", "block": "pay",
        "value": {"operation": "payroll", "format": "table"},
    }  # fmt: skip
    model_server.says = [editing(secret), editing(GRID)]

    found = asked(version, sam)

    assert isinstance(found, Refusal)
    assert found.rule == "unknown-operation"
    [request] = model_server.asked
    assert "payroll" not in json.dumps(request["messages"])
    assert "stock" in json.dumps(request["messages"])


# --- Failures ------------------------------------------------------------------------
@pytest.mark.usefixtures("names")
def test_a_model_that_does_not_answer_in_time_leaves_the_rules(
    version: ScreenVersion,
    chief: Actor,
    model_server: ModelServer,
    settings: LazySettings,
) -> None:
    settings.SIGNALBOX_MODEL_TIMEOUT_MS = 300
    model_server.says = [None]

    suggestion = services.suggest(version.screen, WISH, actor=chief)

    assert suggestion is not None
    assert suggestion.kind != Suggestion.Kind.PROPOSAL
    assert suggestion.engine == "grammar"
    [call] = suggestion.calls.all()
    assert call.outcome == "timeout"


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_server_that_fails_is_asked_once(
    status: int, version: ScreenVersion, chief: Actor, model_server: ModelServer
) -> None:
    model_server.says = [lambda _body: (status, b"{}")]

    found = asked(version, chief)

    assert isinstance(found, Question | Refusal)
    assert len(model_server.asked) == 1


def test_a_server_without_schemas_is_asked_more_simply_and_remembered(
    model_server: ModelServer, in_acme: Tenant
) -> None:
    def simple(body: dict[str, Any]) -> tuple[int, bytes]:
        known = body.get("response_format", {}).get("type") != "json_schema"
        return saying("{}")(body) if known else (400, b"unknown response_format")

    model_server.says = [simple]
    model = ChatCompletions(model_server.url, "m", in_acme.pk)
    messages = [{"role": "user", "content": "hello"}]

    first = model.complete(messages, schema={}, most_tokens=10)
    again = model.complete(messages, schema={}, most_tokens=10)

    assert isinstance(first, Completion)
    assert isinstance(again, Completion)
    kinds = [each["response_format"]["type"] for each in model_server.asked]
    assert kinds == ["json_schema", "json_object", "json_object"]


def test_an_inner_address_that_is_not_listed_is_refused(
    model_server: ModelServer, in_acme: Tenant, settings: LazySettings
) -> None:
    settings.SIGNALBOX_INTERNAL_NETWORKS = []
    model = ChatCompletions(model_server.url, "m", in_acme.pk)

    said = model.complete([], schema={}, most_tokens=1)

    assert isinstance(said, NoCompletion)
    assert said.reason == "refused"
    assert model_server.asked == []


# --- What it costs and what it is told -----------------------------------------------
def test_calls_are_counted_and_the_day_has_an_end(
    version: ScreenVersion, chief: Actor, model_server: ModelServer
) -> None:
    CopilotPolicy.objects.create(sharing="names", tokens_per_day=12_000)
    model_server.says = [saying('{"edits": [' + json.dumps(GRID) + "]}", tokens=11_000)]

    first = services.suggest(version.screen, WISH, actor=chief)
    second = services.suggest(version.screen, WISH, actor=chief)

    assert first is not None
    assert second is not None
    assert (first.engine, second.engine) == ("model", "grammar")
    assert len(model_server.asked) == 1
    outcomes = list(ModelCall.objects.order_by("pk").values_list("outcome", "tokens"))
    assert outcomes == [("proposal", 11_000), ("budget", 0)]


@pytest.mark.parametrize(
    ("sharing", "told"), [("names", False), ("descriptions", True)]
)
def test_the_policy_says_what_is_told_and_values_never_are(
    sharing: str,
    told: bool,
    version: ScreenVersion,
    chief: Actor,
    globex: Tenant,
    model_server: ModelServer,
) -> None:
    CopilotPolicy.objects.create(sharing=sharing)
    model_server.says = [editing(GRID)]

    asked(version, chief)

    prompt = json.dumps(model_server.asked[0]["messages"], ensure_ascii=False)
    assert ("secret plan" in prompt) is told
    assert "revenue:decimal" in prompt
    # Choices and defaults of parameters are values, not names.
    assert "Busan" not in prompt
    assert "127.0.0.1" not in prompt
    assert globex.name not in prompt

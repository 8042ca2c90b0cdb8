"""A language model behind OpenAI's chat completions, at whatever address is set.

The only way out is `connectors.services.send`: its walls and limits count here, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from django.conf import settings

from connectors.outcomes import Failure, Reason
from connectors.services import Message, send
from copilot.prompt import MessageOfChat, tokens_in

_FORMATS: Final = ("json_schema", "json_object", "plain")
_NOT_SPOKEN: Final = frozenset({400, 404, 415, 422, 501})
"""What a server says that does not know a response format."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model said.

    Attributes:
        tokens: Tokens of prompt and answer; guessed when the server does not say.
    """

    text: str
    tokens: int
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class NoCompletion:
    """The model did not answer.

    Attributes:
        reason: As of a failed call, or ``unreadable`` for an answer of another form.
        message: For people; holds no address and no key.
    """

    reason: str
    message: str = ""
    elapsed_ms: float = 0.0


class Model(Protocol):
    """What the copilot asks of a model."""

    @property
    def name(self) -> str: ...

    def complete(
        self,
        messages: Sequence[MessageOfChat],
        *,
        schema: dict[str, Any],
        most_tokens: int,
    ) -> Completion | NoCompletion: ...


@dataclass(frozen=True, slots=True)
class ChatCompletions:
    """Any server that speaks ``POST <base>/chat/completions``.

    Attributes:
        base_url: Used exactly as typed, with or without ``/v1``.
        key: Sent as a bearer token; "" for none.
        tenant_id: Whose call it is, in measurements.
    """

    base_url: str = field(repr=False)
    name: str
    tenant_id: int
    key: str = field(default="", repr=False)
    timeout_ms: int = 20_000

    def complete(
        self,
        messages: Sequence[MessageOfChat],
        *,
        schema: dict[str, Any],
        most_tokens: int,
    ) -> Completion | NoCompletion:
        """Ask once, in the strictest form the server has been found to know."""
        spent = 0.0
        answer: Completion | NoCompletion = NoCompletion("unreadable")
        for form in _FORMATS[_known_formats.get(self._place, 0) :]:
            body = self._body(messages, schema, most_tokens, form)
            sent = send(self._message(body), tenant_id=self.tenant_id)
            spent += sent.elapsed_ms
            if isinstance(sent, Failure):
                answer = NoCompletion(sent.reason.value, sent.message, spent)
                if sent.reason is Reason.UPSTREAM and sent.status in _NOT_SPOKEN:
                    continue
                return answer
            _known_formats[self._place] = _FORMATS.index(form)
            return _read(sent.body, messages, spent)
        return answer

    @property
    def _place(self) -> tuple[str, str]:
        return self.base_url, self.name

    def _body(
        self,
        messages: Sequence[MessageOfChat],
        schema: dict[str, Any],
        most_tokens: int,
        form: str,
    ) -> bytes:
        body: dict[str, Any] = {
            "model": self.name,
            "messages": list(messages),
            "temperature": 0,
            "max_tokens": most_tokens,
            "stream": False,
        }
        if form == "json_schema":
            named = {"name": "edits", "schema": schema}
            body["response_format"] = {"type": form, "json_schema": named}
        elif form == "json_object":
            body["response_format"] = {"type": form}
        return json.dumps(body, ensure_ascii=False).encode()

    def _message(self, body: bytes) -> Message:
        headers = [("Content-Type", "application/json")]
        if self.key:
            headers.append(("Authorization", f"Bearer {self.key}"))
        return Message(
            "model",
            f"{self.base_url.rstrip('/')}/chat/completions",
            body,
            tuple(headers),
            timeout_ms=self.timeout_ms,
        )


# Which response format a server was found to know, by address and model. Each process
# finds out for itself, with at most two refused calls.
_known_formats: dict[tuple[str, str], int] = {}


def forget_formats() -> None:
    """Probe again, as after an upgrade of the server."""
    _known_formats.clear()


def configured_model(*, tenant_id: int) -> ChatCompletions | None:
    """Return the operator's model, or None when none is configured."""
    if not (settings.SIGNALBOX_MODEL_URL and settings.SIGNALBOX_MODEL_NAME):
        return None
    reference = settings.SIGNALBOX_MODEL_KEY
    return ChatCompletions(
        settings.SIGNALBOX_MODEL_URL,
        settings.SIGNALBOX_MODEL_NAME,
        tenant_id,
        key=os.environ.get(reference.removeprefix("env:"), "") if reference else "",
        timeout_ms=settings.SIGNALBOX_MODEL_TIMEOUT_MS,
    )


def _read(
    body: bytes, messages: Sequence[MessageOfChat], elapsed_ms: float
) -> Completion | NoCompletion:
    try:
        read = json.loads(body)
        text = read["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return NoCompletion("unreadable", elapsed_ms=elapsed_ms)
    if not isinstance(text, str):
        return NoCompletion("unreadable", elapsed_ms=elapsed_ms)
    usage = read.get("usage")
    counted = usage.get("total_tokens") if isinstance(usage, dict) else None
    if not isinstance(counted, int) or not 0 <= counted < 10_000_000:
        counted = sum(tokens_in(each["content"]) for each in messages) + tokens_in(text)
    return Completion(text, counted, elapsed_ms)

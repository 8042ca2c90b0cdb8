"""What is kept of a page: its log lines and its trace hold no personal value."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from opentelemetry import context
from opentelemetry.context import Context

from connectors.models import Operation
from connectors.services import reveal
from menus.models import Menu
from observability import services, trace_store, tracing
from observability.log_store import LineStore, StoreHandler, write
from observability.models import LogLine, StoredTrace
from tenants.models import User
from tenants.scope import Actor
from tests.menus.people import (
    ALL,
    REASON,
    SQL_CANARIES,
    allowed,
    found_in,
)
from tests.menus.test_views import body


@pytest.fixture(autouse=True)
def _as_a_new_process() -> Iterator[None]:
    services.recorder.after_fork()
    token = context.attach(Context())
    yield
    context.detach(token)
    services.recorder.after_fork()
    tracing.reset()


@pytest.fixture
def lines(db: None) -> Iterator[LineStore]:
    """Everything that any logger says, on its way to the database."""
    store = LineStore(write=write)
    handler = StoreHandler(store, wake=lambda: None, on=lambda: True)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield store
    root.removeHandler(handler)
    root.setLevel(level)


def test_stored_lines_and_traces_hold_no_personal_value_while_pages_show_them(
    reader: Client, people_menu: Menu, user: User, actor: Actor, lines: LineStore
) -> None:
    # One of them fails, so that there is something to say.
    Operation.objects.filter(key="contacts-text").update(
        path="/text", body_format="csv"
    )
    allowed(user, *ALL)
    reveal(ALL, place="people", reason=REASON, actor=actor)
    traces = trace_store.TraceStore()
    tracing.use_sinks([traces.put], share=1.0)

    shown = body(reader.get(reverse("menu", args=["people"])))
    lines.flush()
    traces.flush()

    assert set(SQL_CANARIES) <= set(found_in(shown))
    told = list(LogLine.objects.values())
    spans = list(StoredTrace.objects.values())
    assert told
    assert spans
    assert found_in(json.dumps([told, spans], default=str, ensure_ascii=False)) == []

"""No personal value reaches a model, whatever its editor has revealed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import LazySettings

from connectors.models import DataSource, Operation
from connectors.outcomes import Success
from connectors.services import call_operation, live_reveals, reveal
from copilot import services
from copilot.models import CopilotPolicy, Suggestion
from screens.models import ScreenVersion
from screens.services import open_screen, publish
from tenants.models import Tenant
from tenants.scope import Actor
from tests.copilot.conftest import ModelServer, editing
from tests.copilot.test_llm import GRID, WISH

CANARY = "Zqcanary"


@pytest.fixture
def customers() -> Iterator[str]:
    """A service that answers with a customer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = json.dumps([{"customer": f"{CANARY} Kim", "amount": 1}]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("sharing", ["names", "descriptions"])
def test_a_model_is_told_no_personal_value_while_its_editor_sees_them(
    version: ScreenVersion,
    chief: Actor,
    in_acme: Tenant,
    model_server: ModelServer,
    customers: str,
    settings: LazySettings,
    sharing: str,
) -> None:
    CopilotPolicy.objects.create(sharing=sharing)
    settings.SIGNALBOX_INTERNAL_NETWORKS += [customers]
    DataSource.objects.update(address=f"http://{customers}")
    columns = [{"name": "customer", "personal": "name"}, {"name": "amount"}]
    Operation.objects.filter(key="orders").update(columns=columns)
    publish(version, actor=chief)
    screen = version.screen
    screen.refresh_from_db()
    reveal(["orders"], place="shop", reason="Ticket 4711, a test", actor=chief)
    assert live_reveals(["orders"], place="shop", actor=chief)
    page = open_screen(
        screen, arguments={}, actor=chief, only="orders", with_reveals=True
    )
    assert not isinstance(page, tuple)
    with page:
        shown = "".join(each.rendered.html for each in page)
    model_server.says = [editing(GRID)]

    services.propose(version, WISH, actor=chief)
    services.suggest(screen, f"{WISH} again", actor=chief)

    assert CANARY in shown
    assert model_server.asked
    assert CANARY not in json.dumps(model_server.asked, ensure_ascii=False)
    assert CANARY not in repr(list(Suggestion.objects.values()))


def test_the_door_that_any_app_may_call_masks_by_itself(
    version: ScreenVersion, chief: Actor, customers: str, settings: Any
) -> None:
    settings.SIGNALBOX_INTERNAL_NETWORKS = [customers]
    DataSource.objects.update(address=f"http://{customers}")
    columns = [{"name": "customer", "personal": "name"}]
    Operation.objects.filter(key="orders").update(columns=columns)

    found = call_operation("orders", arguments={}, actor=chief)

    assert isinstance(found, Success), found
    assert CANARY not in repr(found)

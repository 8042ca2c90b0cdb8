"""Side panels of the editor come from one setting, and lead somewhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils.translation import gettext_lazy as _

from screens.models import Screen
from screens.panels import check_panels
from tenants.models import Tenant, User


def test_a_panel_of_another_app_stands_beside_the_own_tabs(
    editor: User, in_acme: Tenant, settings: LazySettings
) -> None:
    settings.SIGNALBOX_EDITOR_PANELS = [(_("Copy"), "screen-compare")]
    Screen.objects.create(key="ops")
    client = Client(headers={"accept-language": "en"})
    client.force_login(editor, backend="tenants.backends.TenantBackend")

    text = client.get("/screens/ops/properties/").content.decode()

    assert '<a href="/screens/ops/compare/">Copy</a>' in text
    assert '<a href="/screens/ops/properties/" aria-current="page">' in text
    assert check_panels(None) == []


@pytest.mark.parametrize(
    "panel",
    [
        pytest.param(("Title", "no-such-address"), id="no such address"),
        pytest.param(("Title", "screen-schema"), id="takes no key"),
        pytest.param("screen-compare", id="no pair"),
        pytest.param(("Title",), id="half a pair"),
    ],
)
def test_a_panel_that_leads_nowhere_stops_the_start(
    panel: Any, settings: LazySettings
) -> None:
    settings.SIGNALBOX_EDITOR_PANELS = [panel]

    [fault] = check_panels(None)

    assert fault.id == "screens.E001"
    assert "SIGNALBOX_EDITOR_PANELS" in fault.msg

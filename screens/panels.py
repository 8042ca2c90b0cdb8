"""The tabs of the editor: its own, and the side panels that the settings name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from screens.models import Screen

OWN: Final = (
    (_("Properties"), "screen-properties"),
    ("JSON", "screen-edit"),
    (_("Versions"), "screen-versions"),
)


class Tab(NamedTuple):
    """One link of the editor's header."""

    title: str
    address: str
    is_active: bool


def tabs_of(screen: Screen, active: str) -> list[Tab]:
    """Return the tabs of a screen's editor.

    Args:
        active: Name of the address that is shown now.
    """
    named = [*OWN, *settings.SIGNALBOX_EDITOR_PANELS]
    return [
        Tab(str(title), reverse(name, kwargs={"key": screen.key}), name == active)
        for title, name in named
    ]


def check_panels(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse to start with a side panel that leads nowhere."""
    return list(_faults(settings.SIGNALBOX_EDITOR_PANELS))


def _faults(panels: Sequence[Any]) -> Iterator[CheckMessage]:
    for panel in panels:
        if not isinstance(panel, tuple | list) or len(panel) != 2:
            yield _error(f"{panel!r} is no pair of a title and the name of an address.")
            continue
        try:
            reverse(panel[1], kwargs={"key": "key"})
        except NoReverseMatch:
            yield _error(f"There is no address {panel[1]!r} that takes a key.")


def _error(message: str) -> CheckMessage:
    return Error(
        f"SIGNALBOX_EDITOR_PANELS: {message}",
        hint='Write [(_("Copilot"), "copilot-panel")] with the name of an address '
        "such as <slug:key>/copilot/.",
        id="screens.E001",
    )

"""What the templates of the editor ask for."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext

from screens.models import Screen
from screens.panels import Tab, tabs_of

register = template.Library()


@register.simple_tag
def editor_tabs(screen: Screen, active: str) -> list[Tab]:
    """Return the tabs of a screen's editor; `active` is the name of an address."""
    return tabs_of(screen, active)


@register.filter
def translated(words: str) -> str:
    """Return words of a schema in the active language; "" stays "".

    Django's own tag for this doubles percent signs before it looks words up.
    """
    return gettext(words) if words else ""

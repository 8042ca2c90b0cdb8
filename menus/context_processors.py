"""The menu tree, for every template that draws it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from menus.navigation import navigation_of


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Give ``navigation``; nothing is read unless a template uses it."""
    return {"navigation": SimpleLazyObject(lambda: navigation_of(request))}

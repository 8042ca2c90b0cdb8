"""Which queries, searches and forms are asked of a route beside its plain address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.db import models

from config.isolation.canaries import TWIN, Canary
from config.isolation.marks import LONGEST
from config.isolation.routes import Route, Values, addresses

Form: TypeAlias = Mapping[str, str]

NOBODY = "z" * LONGEST
"""A word of the form of a mark that stands nowhere."""

# Beside the plain address: what the page shows only when it is asked for.
QUERIES: Mapping[str, Sequence[str]] = {
    "admin:branching_decisiontable_try": ("?run=1",),
    "admin:observability_review_export": ("?language=en", "?language=ko"),
    "api-menu-block-csv": ("?bom=1",),
    "api-schema": ("?format=json",),
    "latency": ("?hours=24", "?hours=24&kind=operation"),
    "logs": ("?q=canary", "?q=&hours=720"),
    "menu-block-csv": ("?bom=1",),
    "screen-compare": ("?from=1&to=1",),
    "screen-edit": ("?version=1",),
    "screen-properties": ("?open=/blocks/0",),
}
# Forms that change at most a canary row or the choices of who sends them.
FORMS: Mapping[str, Form] = {
    "admin:connectors_operation_test": {},
    "admin:menus_menu_step": {"to": "down"},
    "admin:observability_review_begin": {},
    "admin:observability_review_sign": {},
    "copilot-panel": {"action": "ask", "instruction": "show it as a grid"},
    "first-steps": {},
    "menu-favourite": {},
    "screen-copy": {"key": f"{TWIN}-copy", "number": "1"},
    "screen-edit": {"document": "{}", "base_version": "1"},
    "screen-preview": {"document": "{}", "base_version": "1"},
    "screen-properties": {"base_version": "1"},
    "screen-publish": {"number": "1"},
    "screen-revert": {"number": "1"},
    "set-language": {"language": "en"},
}
SWITCH = "switch-tenant"


def queries(route: Route) -> Iterator[str]:
    """Yield what is added to an own address, the plain one first."""
    if route.name == "admin:autocomplete":
        yield from _autocomplete()
        return
    yield ""
    yield from QUERIES.get(route.name, ())


def searches(route: Route, canary: Canary) -> Iterator[tuple[str, str]]:
    """Yield searches for words of a tenant, each beside one for a word of nobody."""
    if route.name in {"logs", "traces"}:
        words = [canary.asked]
    elif route.name.endswith("_changelist") and route.label:
        words = _searched(route.label, canary)
    else:
        return
    for word in words:
        yield f"/{route.text}?q={word}", f"/{route.text}?q={NOBODY}"


def posts(route: Route, values: Values) -> Iterator[tuple[str, Form]]:
    """Yield the forms that are sent to own rows, and to foreign ones."""
    if route.name == SWITCH:
        yield f"/{route.text}", {"key": values["tenant_key"][0]}
    elif route.name in FORMS:
        made = addresses(route, values)
        for address in made if isinstance(made, tuple) else ():
            yield address, FORMS[route.name]


def attacks(route: Route, values: Values) -> Iterator[tuple[str, Form]]:
    """Yield the forms that are sent to foreign rows alone: they would change them."""
    if not route.label or not (pk := values.get(route.label, [""])[0]):
        return
    if route.name.endswith("_change"):
        yield f"/admin/{_place(route.label)}/{pk}/change/", {"_save": "1"}
    elif route.name.endswith("_delete"):
        yield f"/admin/{_place(route.label)}/{pk}/delete/", {"post": "yes"}
    elif route.name.endswith("_changelist"):
        chosen = {"action": "delete_selected", "_selected_action": pk, "post": "yes"}
        yield f"/{route.text}", chosen


def _place(label: str) -> str:
    return label.lower().replace(".", "/")


def _searched(label: str, canary: Canary) -> list[str]:
    """Return one mark of each field that the list of a model searches."""
    page = admin.site._registry.get(apps.get_model(label))
    names = {str(name).lstrip("^=@") for name in page.search_fields} if page else set()
    found: dict[str, str] = {}
    for mark, place in canary.marks.places().items():
        if place.model == label and place.field in names:
            found.setdefault(place.field, mark)
    return list(found.values())


def _autocomplete() -> Iterator[str]:
    """Yield a search for every field that a form completes, or one that is refused."""
    asked = [
        {
            "term": "",
            "app_label": model._meta.app_label,
            "model_name": str(model._meta.model_name),
            "field_name": str(name),
        }
        for model, page in admin.site._registry.items()
        for name in page.autocomplete_fields
        if isinstance(model._meta.get_field(str(name)), models.ForeignKey)
    ]
    for fields in asked:
        yield f"?{urlencode(fields)}"
    if not asked:
        yield ""

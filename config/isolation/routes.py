"""Every URL pattern of the portal, and addresses that lead through it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

from config.isolation.canaries import BLOCKS, TWIN, Canary
from config.isolation.findings import Unwalked
from config.isolation.marks import LONGEST

Values = Mapping[str, Sequence[str]]

# Routes that no answer can stand for. `docs/isolation.md` lists the same.
BY_DESIGN = {
    "admin/r/<path:row>": "answers 404 to everybody, so that no row is told of",
    "admin/r/<path:content_type_id>/<path:object_id>/": "never reached: see above",
    "admin/(?P<url>.*)$": "answers 404 to staff: it is for addresses that do not exist",
    "admin/logout/": "ends the session of who asks",
    "logout/": "ends the session of who asks",
}
_CONVERTER = re.compile(r"(?<!\?P)<(?:\w+:)?(\w+)>")
_GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
_OF_A_ROW = frozenset({"object_id", "id", "menu_id", "pk"})


@dataclass(frozen=True, slots=True)
class Route:
    """One URL pattern.

    Attributes:
        text: The whole route, as the resolver spells it.
        name: Name of the URL with its namespace, or the route where it has none.
        arguments: Names of its arguments, in order.
        label: Label of the model whose admin page it is; empty elsewhere.
    """

    text: str
    name: str
    arguments: tuple[str, ...]
    label: str = ""


def routes() -> tuple[Route, ...]:
    """Return every URL pattern of the portal."""
    return tuple(_below(get_resolver(), "", ()))


def _below(
    resolver: URLResolver, prefix: str, spaces: tuple[str, ...]
) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        text = _joined(prefix, str(entry.pattern))
        if isinstance(entry, URLResolver):
            more = (entry.namespace,) if entry.namespace else ()
            yield from _below(entry, text, (*spaces, *more))
        elif isinstance(entry, URLPattern):
            name = ":".join([*spaces, entry.name]) if entry.name else text
            arguments = (*_CONVERTER.findall(text), *_GROUP.findall(text))
            yield Route(text, name, tuple(dict.fromkeys(arguments)), _label_of(text))


def _joined(before: str, after: str) -> str:
    """Join two routes as Django's resolver does, to know them again in its answer."""
    return before + after.removeprefix("^") if before else after


def _label_of(text: str) -> str:
    parts = text.split("/")
    if len(parts) > 3 and parts[0] == "admin" and parts[1] in apps.app_configs:
        known = apps.app_configs[parts[1]].models
        return known[parts[2]]._meta.label if parts[2] in known else ""
    return ""


def addresses(route: Route, values: Values) -> tuple[str, ...] | Unwalked:
    """Return every address of a route that the values make.

    Each is resolved again: an address counts only when it leads to this very route.
    """
    if route.text in BY_DESIGN:
        return Unwalked(route.text, BY_DESIGN[route.text])
    known = dict(values)
    if own := _OF_A_ROW.intersection(route.arguments):
        rows = values.get(route.label, ())
        known |= dict.fromkeys(own, rows)
    for name in route.arguments:
        if name not in known:
            return Unwalked(route.text, f"nothing says what {name} may be")
        if not known[name]:
            of = route.label or name
            return Unwalked(route.text, f"canary tenants have no row of {of}")
    chosen = [known[name] for name in route.arguments]
    made = [
        _filled(route.text, dict(zip(route.arguments, one, strict=True)))
        for one in product(*chosen)
    ]
    if not all(_leads_to(route, address) for address in made):
        return Unwalked(route.text, "another pattern before it takes its addresses")
    return tuple(made)


def _filled(text: str, values: Mapping[str, str]) -> str:
    plain = _CONVERTER.sub(lambda found: values[found[1]], text)
    plain = _GROUP.sub(lambda found: values[found[1]], plain)
    return "/" + plain.removeprefix("^").removesuffix("$").removesuffix(r"\Z")


def _leads_to(route: Route, address: str) -> bool:
    try:
        return resolve(address).route == route.text
    except Resolver404:
        return False


def own_values(canary: Canary) -> Values:
    """Return what the arguments of routes may be for a tenant's own rows."""
    rows = canary.rows
    return {
        **_fixed(),
        **{label: [_key(made[0])] for label, made in rows.by_label.items()},
        "slug": [menu.slug for menu in rows.by_label["menus.Menu"]],
        "key": [screen.key for screen in rows.by_label["screens.Screen"]],
        "trace_id": [rows.first("observability.StoredTrace").trace_id],
        "tenant_key": [canary.tenant.key],
    }


def foreign_values(canary: Canary) -> Values:
    """Return the same for one who must not know them: one of each, and no twin."""
    return {
        name: [value for value in values if value != TWIN][:1]
        for name, values in own_values(canary).items()
    }


def missing_values(canary: Canary) -> Values:
    """Return values of the same form that no row has."""
    foreign = foreign_values(canary)
    # A label is that of a model; a key that is a mark has one of its form.
    nothing = {
        label: ["z" * LONGEST if canary.marks.found_in(values[0]) else "999999999"]
        for label, values in foreign.items()
        if "." in label and values
    }
    return {
        **foreign,
        **nothing,
        "slug": ["z" * LONGEST],
        "key": ["z" * LONGEST],
        "trace_id": ["f" * 32],
        "tenant_key": [f"canary-{'z' * LONGEST}"],
    }


def _fixed() -> Values:
    labels = sorted({model._meta.app_label for model in admin.site._registry})
    return {
        "block": list(BLOCKS),
        "form": ["markdown", "html"],
        "app_label": labels,
    }


def _key(row: Any) -> str:
    return str(row.pk)

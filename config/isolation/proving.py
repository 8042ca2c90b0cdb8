"""One run of the isolation prover, from two new tenants to none."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models

from config.isolation.canaries import TWIN, Canary, build, tenant_models, write_twin
from config.isolation.door import Door, Visitor
from config.isolation.erasing import erase
from config.isolation.findings import Finding, Report, Rule, Unwalked
from config.isolation.people import SUPERUSER, member_of_both
from config.isolation.routes import routes
from config.isolation.walking import Walk
from observability.services import flush

# Rows that the portal adds about a tenant's own requests, whenever it gets to it.
WATCHING = frozenset(
    {
        "observability.LogLine",
        "observability.Measurement",
        "observability.StoredTrace",
        "tenants.TenantUsage",
    }
)
STRANGER = Visitor("stranger")
_OPEN = frozenset(range(200, 400))
_REFUSED = frozenset({401, 403})


def prove(*, only: Collection[str] = ()) -> Report:
    """Build two canary tenants, walk, judge, and take them away again.

    Args:
        only: Names of URLs; with none, every URL pattern of the portal.

    Raises:
        NoCanary: a model of a tenant has no row to be seen crossing.
    """
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="canary-") as folder,
        _may_open(folder),
        _quiet(),
    ):
        try:
            walk = _walked(Path(folder), only)
            report = _report(
                walk, partial=bool(only), elapsed_s=time.monotonic() - started
            )
        finally:
            erase()
    return report


@contextmanager
def _may_open(folder: str) -> Iterator[None]:
    """Let data sources of this process name files of the canaries' folder, too."""
    before = settings.SIGNALBOX_SQLITE_PATHS
    settings.SIGNALBOX_SQLITE_PATHS = [*before, folder]
    try:
        yield
    finally:
        settings.SIGNALBOX_SQLITE_PATHS = before


def _walked(folder: Path, only: Collection[str]) -> Walk:
    chosen = tuple(one for one in routes() if not only or one.name in only)
    own, other = build("a", folder), build("b", folder)
    both = member_of_both(own.people, own.rows, other.rows)
    walk = Walk(Door(), own, other, chosen)
    theirs, readers = other.people.visitors[0], [*own.people.visitors, both, STRANGER]
    write_twin(other)
    walk.pages(theirs, other)
    flush()
    attackers = [visitor for visitor in readers if visitor.kind != SUPERUSER]
    for visitor in attackers:
        walk.pages(visitor, own)
    # Once more what is no page of one model: it may be kept by now.
    walk.pages(readers[0], own, [route for route in chosen if not route.label])
    _exempt(walk, readers)
    _controls(walk, theirs)
    before = _state(other)
    for visitor in attackers:
        walk.search(visitor)
        walk.foreign(visitor)
    for visitor in readers:
        walk.post(visitor, own)
    for visitor in attackers:
        walk.attack(visitor)
    _changes(walk, before)
    return walk


def _exempt(walk: Walk, readers: Sequence[Visitor]) -> None:
    """Ask as a superuser, who may see every tenant, for what nobody else was given."""
    shut = [one for one in walk.routes if not _OPEN & walk.statuses[one.text].keys()]
    for visitor in readers:
        if visitor.kind == SUPERUSER:
            walk.pages(visitor, walk.own, shut)


def _controls(walk: Walk, theirs: Visitor) -> None:
    """See that what A must not find is there: B finds it in the same places."""
    other = walk.other
    line = _mark(other, "observability.LogLine", "message")
    trace = _mark(other, "observability.StoredTrace", "key")
    kept = _mark(other, "connectors.Operation", "answer kept for a fallback")
    row = _mark(other, "connectors.RegisteredTable", "a row of the table")
    slug = other.rows.first("menus.Menu").slug
    walk.control(theirs, "logs", f"/admin-tools/logs/?q={other.asked}", line)
    walk.control(theirs, "traces", f"/admin-tools/traces/?q={other.asked}", trace)
    walk.control(theirs, "menu-block-csv", f"/m/{slug}/blocks/own.csv", row)
    # Without its database the twin answers from what was kept, or not at all.
    twin = f"/m/{TWIN}/blocks/own/"
    walk.door.ask(theirs, twin)
    other.twin_database.unlink()
    walk.control(theirs, "menu-block", twin, kept)


def _mark(canary: Canary, model: str, field: str) -> str:
    return next(
        mark
        for mark, place in canary.marks.places().items()
        if (place.model, place.field) == (model, field)
    )


def _state(canary: Canary) -> dict[tuple[str, Any], str]:
    """Return a digest of every row of a tenant, by model and key."""
    return {
        (model._meta.label, row.pop("pk")): _digest(row)
        for model in tenant_models()
        if model._meta.label not in WATCHING
        for row in models.QuerySet(model)
        .filter(tenant=canary.tenant)
        .values("pk", *(field.attname for field in model._meta.concrete_fields))
    }


def _digest(row: dict[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()


def _changes(walk: Walk, before: dict[tuple[str, Any], str]) -> None:
    """Say which rows of the other tenant are new, gone or different."""
    after = _state(walk.other)
    for label, pk in sorted({key for key, _ in before.items() ^ after.items()}):
        kinds = ((label, pk) in before, (label, pk) in after)
        told = {(True, False): "deleted", (False, True): "added"}.get(kinds, "changed")
        finding = Finding(
            Rule.CHANGED, label, "somebody", "", label, f"a row was {told}"
        )
        walk.findings.setdefault((Rule.CHANGED, label, told), finding)


def _report(walk: Walk, *, partial: bool, elapsed_s: float) -> Report:
    answered, refused, unwalked = [], [], dict(walk.unwalked)
    for route in walk.routes:
        found = set(walk.statuses.get(route.text, ()))
        if found & _OPEN:
            answered.append(route.text)
        elif found & _REFUSED:
            refused.append(route.text)
        elif route.text not in unwalked:
            told = ", ".join(str(status) for status in sorted(found)) or "nothing"
            unwalked[route.text] = Unwalked(route.text, f"answered {told} to everybody")
    own = walk.own.marks.places()
    unseen = {str(place) for mark, place in own.items() if mark not in walk.seen}
    unseen -= {str(place) for mark, place in own.items() if mark in walk.seen}
    marked = {place.model for place in own.values()}
    labels = {model._meta.label for model in tenant_models()}
    return Report(
        patterns=len(walk.routes),
        answered=len(answered),
        refused=len(refused),
        unwalked=tuple(unwalked[text] for text in sorted(unwalked)),
        findings=tuple(walk.findings.values()),
        unseen=tuple(sorted(unseen)),
        markless=tuple(sorted(labels - marked)),
        partial=partial,
        marks=len(own) + len(walk.other.marks.places()),
        requests=walk.door.requests,
        elapsed_s=round(elapsed_s, 1),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the lines of thousands of refused requests off this process's output.

    They are stored as ever, for the search that the walk makes.
    """
    handlers = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler)
    ]
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels, strict=True):
            handler.setLevel(level)

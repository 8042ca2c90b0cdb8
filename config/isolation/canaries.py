"""Two tenants full of marked rows: one of every model that belongs to a tenant.

What readers open is made through the services, as staff would make it: screens, menus,
reviews, log lines. Every other model is filled from its fields. Keys that the address
of a page names are marks; beside them stands a *twin*, a screen, a menu, an operation
and a table whose keys are the same in both tenants, for what is kept by key alone.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone

from config.isolation.filling import NoCanary, Rows, filled, ready
from config.isolation.marks import Marks
from config.isolation.people import People, people_of
from config.isolation.recipes import PORTAL, RECIPES
from menus.services import create_menu
from observability.models import LogLine, StoredTrace
from observability.review_values import (
    Cadence,
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
)
from observability.services import (
    flush,
    freeze,
    measure,
    snapshot_of,
    store_records,
)
from screens.models import Screen, ScreenVersion
from screens.services import publish, save_version
from tenants.audit import record
from tenants.models import Tenant, TenantModel
from tenants.permissions import grant
from tenants.scope import Actor, using_tenant

TWIN = "canary-twin"
BLOCKS = ("own", "portal")
TABLE = "canary_rows"


@dataclass(frozen=True, slots=True)
class Canary:
    """A tenant that is there to be seen crossing.

    Attributes:
        database: SQLite file with the rows of both tenants.
        twin_database: SQLite file of the twin; the first tenant's is never there.
        asked: Words that only the log line and the trace of this tenant hold, for
            searches; their rows hold other marks beside them.
    """

    tenant: Tenant
    marks: Marks
    rows: Rows
    people: People
    database: Path
    twin_database: Path
    asked: str


def build(side: str, folder: Path) -> Canary:
    """Make one canary tenant with everything in it.

    Raises:
        NoCanary: a model of a tenant could not be given a row.
    """
    marks = Marks(side)
    tenant = Tenant.objects.create(
        key=f"canary-{marks.word('tenants.Tenant', 'key')}",
        name=marks.word("tenants.Tenant", "name"),
    )
    rows = Rows(tenant, marks)
    rows.add(tenant)
    with using_tenant(tenant):
        people = people_of(rows)
        actor = Actor(user_id=people.staff.pk, tenant_id=tenant.pk)
        # The first user is whom every other row names.
        database, twin = folder / "rows.sqlite3", folder / f"twin-{side}.sqlite3"
        _write_rows(database, rows)
        _calls(rows, database, twin)
        _grants(rows, "use_operation", "connectors.Operation", people)
        _screens(rows, actor)
        _grants(rows, "view_menu", "menus.Menu", people)
        asked = _watched(rows, actor)
        flush()
        for model in _missing(rows):
            if not _adopted(model, rows):
                filled(model, rows, _given(model, rows))
        for label in PORTAL:
            filled(apps.get_model(label), rows, _given(apps.get_model(label), rows))
    return Canary(tenant, marks, rows, people, database, twin, asked)


def tenant_models() -> list[type[models.Model]]:
    """Return every model whose rows belong to a tenant, with the scope or without."""
    return [
        model
        for model in apps.get_models()
        if issubclass(model, TenantModel)
        or any(field.related_model is Tenant for field in model._meta.concrete_fields)
    ]


def write_twin(canary: Canary) -> None:
    """Put the twin's database in its place, so that its operation answers."""
    word = canary.marks.word("connectors.Operation", "answer kept for a fallback")
    _write(canary.twin_database, [(canary.tenant.key, word)])


def _given(model: type[models.Model], rows: Rows) -> Any:
    recipe = RECIPES.get(model._meta.label)
    return recipe(rows) if recipe is not None else {}


def _adopted(model: type[models.Model], rows: Rows) -> bool:
    """Take up a row that a service made beside another; False when there is none."""
    row = model._base_manager.filter(tenant=rows.tenant).order_by("pk").first()
    if row is not None:
        rows.add(row)
    return row is not None


def _missing(rows: Rows) -> Iterator[type[models.Model]]:
    """Yield models without a row, each after those it must point to."""
    waiting = [m for m in tenant_models() if rows.first(m._meta.label) is None]
    while waiting:
        fit = [model for model in waiting if ready(model, rows)]
        if not fit:
            raise NoCanary(waiting[0], "it must point to a row that nothing makes.")
        yield from fit
        waiting = [model for model in waiting if model not in fit]


def _write_rows(path: Path, rows: Rows) -> None:
    word = rows.marks.word("connectors.RegisteredTable", "a row of the table")
    _write(path, [(rows.tenant.key, word)])


def _write(path: Path, values: list[tuple[str, str]]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {TABLE} (tenant TEXT, word TEXT)"
        )
        connection.executemany(f"INSERT INTO {TABLE} VALUES (?, ?)", values)  # noqa: S608


def _made(rows: Rows, label: str, **given: Any) -> Any:
    return filled(apps.get_model(label), rows, given)


def _calls(rows: Rows, database: Path, twin: Path) -> None:
    """Sources, registered tables and operations: SQL, the portal's series, the twin."""
    sql = f"SELECT word FROM {TABLE}"  # noqa: S608 - the scope adds the tenant
    for path, named in ((database, {}), (twin, {"key": TWIN})):
        source = _source(rows, kind="sql", address=f"sqlite:///{path}", **named)
        _made(
            rows, "connectors.RegisteredTable", source=source, name=TABLE, schema="",
            tenant_column="tenant", shared=False, tenant_value="key",
        )  # fmt: skip
        _operation(rows, source, sql=sql, **named, keep_last_good_s=3600)
    portal = _source(rows, kind="portal", address="")
    _operation(rows, portal, sql="", series="latency")
    _made(
        rows, "branching.DecisionTable", key=TWIN, default_operation=TWIN,
        default_response="default",
        fallbacks=[
            {"on": ["upstream", "circuit_open", "timeout"], "kind": "last_good",
             "response": "default", "max_age_s": 3600}
        ],
    )  # fmt: skip
    for label in ("connectors.DataSource", "branching.DecisionTable"):
        _made(rows, label, **RECIPES[label](rows))


def _source(rows: Rows, **given: Any) -> Any:
    plain = {"secret": "", "secret_hint": "", "username": ""}
    return _made(rows, "connectors.DataSource", **plain, **given)


def _operation(rows: Rows, source: Any, **given: Any) -> Any:
    plain = {"path": "", "body": "", "rows_path": "", "series": ""}
    return _made(rows, "connectors.Operation", **{**plain, "source": source, **given})


def _screens(rows: Rows, actor: Actor) -> None:
    own, twin, portal = rows.by_label["connectors.Operation"][:3]
    blocks = [
        _block(rows, BLOCKS[0], {"operation": own.key}),
        _block(rows, BLOCKS[1], {"operation": portal.key}),
    ]
    kept = [_block(rows, BLOCKS[0], {"decision_table": twin.key}),
            _block(rows, BLOCKS[1], {"operation": portal.key})]  # fmt: skip
    slug = rows.marks.word("menus.Menu", "slug")
    screen = _screen(rows, rows.marks.word("screens.Screen", "key"), blocks, actor)
    _menu(rows, slug, actor, kind="screen", screen=screen)
    _menu(rows, TWIN, actor, kind="screen", screen=_screen(rows, TWIN, kept, actor))
    group = _menu(rows, rows.marks.word("menus.Menu", "slug"), actor, kind="group")
    url = f"https://{rows.marks.word('menus.Menu', 'url')}.invalid/"
    link = rows.marks.word("menus.Menu", "slug")
    _menu(rows, link, actor, kind="link", url=url, parent=group)


def _block(rows: Rows, name: str, source: dict[str, str]) -> dict[str, Any]:
    return {
        "id": name,
        "title": rows.labels("screens.ScreenVersion", "body"),
        "source": source,
        "responses": {"default": {"format": "table"}},
    }


def _screen(rows: Rows, key: str, blocks: list[Any], actor: Actor) -> Screen:
    screen = Screen.objects.create(
        key=key, title=rows.labels("screens.Screen", "title")
    )
    body: Any = {
        "version": 1,
        "title": rows.labels("screens.ScreenVersion", "body"),
        "blocks": blocks,
    }
    note = rows.marks.word("screens.ScreenVersion", "note")
    version = save_version(screen, body, actor=actor, base_version=0, note=note)
    published = (
        publish(version, actor=actor) if isinstance(version, ScreenVersion) else version
    )
    if not isinstance(published, ScreenVersion):
        raise NoCanary(ScreenVersion, f"{published}.")
    screen.refresh_from_db()
    rows.add(screen)
    rows.add(published)
    return screen


def _menu(rows: Rows, slug: str, actor: Actor, **fields: Any) -> Any:
    label = rows.labels("menus.Menu")
    return rows.add(create_menu(slug, label=label, actor=actor, **fields))


def _watched(rows: Rows, actor: Actor) -> str:
    """A log line, a trace, a measurement, an audit entry and a signed review."""
    asked = rows.marks.word("observability.LogLine", "asked for")
    line = logging.makeLogRecord(
        {
            "name": rows.marks.word("observability.LogLine", "logger"),
            "levelno": logging.WARNING,
            "msg": f"{asked} {rows.marks.word('observability.LogLine', 'message')}",
        }
    )
    store_records([line])
    rows.add(LogLine.objects.get(logger=line.name))
    rows.add(
        StoredTrace.objects.create(
            trace_id=f"{rows.tenant.pk:032x}"[-8:] + rows.marks.prefix[1:9] * 3,
            started_at=timezone.now(),
            took_us=1_000,
            kind="page",
            key=f"{asked} {rows.marks.word('observability.StoredTrace', 'key')}",
            tenant=rows.tenant,
            kept="error",
            failed=True,
            spans=[],
        )
    )
    key = rows.marks.word("observability.Measurement", "key")
    with measure("operation", key=key, tenant=str(rows.tenant.pk)):
        pass
    action = rows.marks.word("tenants.AuditEntry", "action")
    label = rows.marks.word("tenants.AuditEntry", "label")
    changed = {"mark": rows.marks.word("tenants.AuditEntry", "changes")}
    target = rows.first("menus.Menu")
    rows.add(
        record(actor=actor, action=action, target=target, label=label, changes=changed)
    )
    _review(rows)
    return asked


def _review(rows: Rows) -> None:
    ends = timezone.now().replace(minute=0, second=0, microsecond=0)
    period = Period(Cadence.MONTHLY, ends - timedelta(days=30), ends)
    label = "observability.Review"
    words = rows.labels(label, "snapshot")
    mark = rows.marks.word(label, "snapshot")
    section = Section(
        key=mark,
        title=words,
        figures=(Figure(mark, words, 1),),
        tables=(ReviewTable(mark, words, (words,), ((mark,),)),),
        findings=(Finding(mark, rows.labels("observability.ReviewFinding", "text")),),
    )
    snapshot = snapshot_of([section], period=period, tenant=rows.tenant)
    rows.add(freeze(snapshot, tenant=rows.tenant).review)


def _grants(rows: Rows, codename: str, label: str, people: People) -> None:
    """Give the staff's and the readers' team something on every row of a model."""
    for team in (people.teams[0], people.teams[-1]):
        for row in rows.by_label[label]:
            grant(codename, row, to=team, actor=None)

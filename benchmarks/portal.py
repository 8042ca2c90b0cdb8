"""A portal of its own for the measurements: database, rows, screens, one reader.

``python -m benchmarks.portal`` prepares it in ``SIGNALBOX_DATA_DIR`` and prints the
reader's session key.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenants.models import Tenant, User
    from tenants.scope import Actor

ROWS = 10_000
SHOWN = 50
BLOCKS = 12
QUERY = (
    "SELECT id, at, site, sensor, value, unit, status, note, operator, batch "
    f"FROM readings ORDER BY id DESC LIMIT {SHOWN}"
)


def readings_path() -> Path:
    return Path(os.environ["SIGNALBOX_DATA_DIR"]) / "readings.sqlite3"


def environment(folder: Path, *, upstream_port: int = 0) -> dict[str, str]:
    """Return the environment of the portal under measurement."""
    return {
        "SIGNALBOX_DATA_DIR": str(folder),
        "SIGNALBOX_DATABASE_URL": f"sqlite:///{folder}/portal.sqlite3",
        "SIGNALBOX_CACHE_URL": "locmem://",
        "SIGNALBOX_LOG_LEVEL": "WARNING",
        "SIGNALBOX_SQLITE_PATHS": str(folder),
        "SIGNALBOX_INTERNAL_NETWORKS": f"127.0.0.1:{upstream_port or 1}",
        "BENCHMARK_UPSTREAM": f"http://127.0.0.1:{upstream_port or 1}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def write_readings(path: Path) -> None:
    """Write 10,000 rows of ten columns."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE readings (id INTEGER PRIMARY KEY, at TEXT, site TEXT,"
            " sensor TEXT, value REAL, unit TEXT, status TEXT, note TEXT,"
            " operator TEXT, batch INTEGER)"
        )
        connection.executemany(
            "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    number, f"2026-01-{number % 28 + 1:02} 08:{number % 60:02}:00",
                    f"site {number % 7}", f"sensor {number % 50}", number / 7, "°C",
                    "ok", f"reading {number} & more", f"person {number % 9}",
                    number // 100,
                )
                for number in range(ROWS)
            ),
        )  # fmt: skip
    connection.close()


def prepare() -> str:
    """Make the portal in an empty folder; return the reader's session key."""
    from django.core.management import call_command

    from tenants.models import Membership, Tenant, User
    from tenants.scope import Actor, using_tenant

    call_command("migrate", verbosity=0)
    tenant = Tenant.objects.create(key="bench", name="Bench")
    user = User.objects.create_superuser("reader", password=None, language="en")
    Membership.objects.create(user=user, tenant=tenant)
    actor = Actor(user_id=user.pk, tenant_id=tenant.pk)
    write_readings(readings_path())
    with using_tenant(tenant):
        _screens(tenant, actor)
    return _session(user)


def _screens(tenant: Tenant, actor: Actor) -> None:
    from connectors.models import DataSource, Operation, RegisteredTable

    address = f"sqlite:///{readings_path()}"
    database = DataSource.objects.create(key="db", kind="sql", address=address)
    RegisteredTable.objects.create(source=database, name="readings", shared=True)
    upstream = DataSource.objects.create(
        key="api", kind="http", address=os.environ["BENCHMARK_UPSTREAM"]
    )
    Operation.objects.create(key="newest", source=database, sql=QUERY)
    Operation.objects.create(key="slow", source=upstream, path="/")
    table = {"format": "table", "options": {}}
    _open("page", [_block("newest", "newest", table)], actor)
    text = {"format": "text", "options": {}}
    _open(
        "runner",
        [_block(f"block-{number}", "slow", text) for number in range(BLOCKS)],
        actor,
    )


def _block(key: str, operation: str, response: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": key,
        "title": {"ko": key, "en": key},
        "width": 12,
        "height": 4,
        "source": {"operation": operation},
        "responses": {"default": response},
    }


def _open(key: str, blocks: list[dict[str, Any]], actor: Actor) -> None:
    from menus.services import create_menu
    from screens.models import Screen, ScreenVersion
    from screens.services import publish, save_version

    title = {"ko": key, "en": key}
    body: Any = {"version": 1, "title": title, "blocks": blocks}
    screen = Screen.objects.create(key=key)
    version = save_version(screen, body, actor=actor, base_version=0)
    if not isinstance(version, ScreenVersion):
        raise RuntimeError(f"The screen {key} was not saved: {version}")
    published = publish(version, actor=actor)
    if not isinstance(published, ScreenVersion):
        raise RuntimeError(f"The screen {key} was not published: {published}")
    create_menu(key, label=title, actor=actor, kind="screen", screen=screen)


def _session(user: User) -> str:
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user, backend="tenants.backends.TenantBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


if __name__ == "__main__":
    import django

    django.setup()
    print(prepare())

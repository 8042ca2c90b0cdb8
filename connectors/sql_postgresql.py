"""PostgreSQL's wall: a transaction that reads, with limits, and is always undone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import psycopg
import sqlalchemy
from django.conf import settings
from psycopg import sql
from sqlalchemy import URL, event
from sqlalchemy.engine import Engine

from connectors.specs import SourceSpec
from connectors.sql_wall import SourceRefusedError, Terms

POOL_SIZE = 4
_RECYCLE_S = 300
_CANCEL_S = 5.0

# Anything else could name another database than the checked one, or change the session.
_OPTIONS = frozenset(
    {"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding"}
)


class PostgreSQLWall:
    """Every statement in a read-only transaction, through a cursor of the server.

    The cursor takes one statement that returns rows and nothing else; the transaction
    takes no change; row security reads the tenant's key from ``signalbox.tenant`` and
    its number from ``app.tenant_id``.
    """

    errors: tuple[type[Exception], ...] = (psycopg.Error,)

    def checked_url(self, url: URL) -> URL:
        if unknown := sorted(set(url.query) - _OPTIONS):
            raise SourceRefusedError("option", unknown[0])
        return url.set(drivername="postgresql+psycopg")

    def is_portal(self, url: URL, portal: Mapping[str, Any]) -> bool:
        options = {**portal.get("OPTIONS", {})}
        name = url.database or url.username or ""
        if name != str(portal["NAME"]):
            return False
        theirs = _option(url, "port") or url.port or 5432
        ours = options.get("port") or portal.get("PORT") or 5432
        if str(theirs) != str(ours):
            return False
        hosts = _hosts(_option(url, "host") or url.host or "")
        host = str(options.get("host") or portal.get("HOST") or "")
        return bool(hosts & _hosts(host))

    def fingerprint(self, url: URL, source: SourceSpec) -> object:
        return None

    def make_engine(self, url: URL, source: SourceSpec) -> Engine:
        engine = sqlalchemy.create_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=settings.SIGNALBOX_POOL_THREADS,
            pool_pre_ping=True,
            pool_recycle=_RECYCLE_S,
            hide_parameters=True,
            connect_args={
                "connect_timeout": max(2, source.connect_timeout_ms // 1000),
                "application_name": "signalbox",
                # Behind a pooler the next statement may reach another server process.
                "prepare_threshold": None,
            },
        )

        @event.listens_for(engine, "connect")
        def read_only(connection: Any, record: object) -> None:
            connection.read_only = True  # every transaction opens with BEGIN READ ONLY

        return engine

    def begin(self, driver: psycopg.Connection[Any], terms: Terms) -> None:
        left = max(1, round((terms.until - time.monotonic()) * 1_000))
        limits: dict[str, object] = {
            "statement_timeout": left,
            "lock_timeout": left,
            "idle_in_transaction_session_timeout": left + 1_000,
            "work_mem": f"{settings.SIGNALBOX_QUERY_WORK_MEM_MB}MB",
            "signalbox.tenant": terms.tenant_key,
            "app.tenant_id": str(terms.tenant_id),
        }
        # Not set_config(): its use is taken from the role, so that no statement can
        # call it. These end with the transaction.
        driver.execute(
            sql.SQL("; ").join(
                sql.SQL("SET LOCAL {} = {}").format(
                    sql.SQL(".").join(map(sql.Identifier, name.split("."))),
                    sql.Literal(value),
                )
                for name, value in limits.items()
            )
        )

    def end(self, driver: psycopg.Connection[Any]) -> None:
        driver.rollback()
        driver.autocommit = True
        # A rollback keeps locks of the session, its plans and what it listens to.
        driver.execute("DISCARD ALL")
        driver.autocommit = False

    def cancel(self, driver: psycopg.Connection[Any]) -> None:
        driver.cancel_safe(timeout=_CANCEL_S)


def _option(url: URL, name: str) -> str:
    value = url.query.get(name, "")
    return value if isinstance(value, str) else ",".join(value)


def _hosts(text: str) -> set[str]:
    def plain(host: str) -> str:
        host = host.strip().strip("[]").rstrip(".").lower()
        local = not host or host.startswith(("/", "@", "127.", "localhost"))
        return "" if local or host == "::1" else host

    return {plain(host) for host in text.split(",")}

"""A database on the MariaDB of the test run, with a user who may only read."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import sqlalchemy

from connectors.specs import SourceKind, SourceSpec

_number = itertools.count(1)


def administrator(database: str | None = None) -> pymysql.Connection:
    """Connect as the administrator of the server, who may do everything."""
    url = sqlalchemy.make_url(os.environ["SIGNALBOX_TEST_MARIADB_URL"])
    return pymysql.connect(
        host=url.host or "localhost",
        port=url.port or 3306,
        user=url.username,
        password=str(url.password or ""),
        unix_socket=url.query.get("unix_socket"),
        database=database,
        charset="utf8mb4",
        autocommit=True,
    )


@dataclass(frozen=True, slots=True)
class Shop:
    """One database, its reader, and what must not change."""

    name: str
    reader: str
    source: SourceSpec

    def administer(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the administrator; return the rows of the last one."""
        rows: Sequence[tuple[Any, ...]] = ()
        with administrator(self.name) as server, server.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                rows = cursor.fetchall()
        return list(rows)

    def digest(self) -> str:
        """Return all that a statement could change: rows, tables, settings, files."""
        with administrator() as server, server.cursor() as cursor:
            seen: list[object] = []
            cursor.execute(
                "SELECT table_schema, table_name, table_type, create_options FROM"
                " information_schema.tables WHERE table_schema NOT IN"
                " ('information_schema', 'performance_schema') ORDER BY 1, 2"
            )
            tables = cursor.fetchall()
            seen.append(tables)
            for schema, table, kind, _ in tables:
                # Statistics are written by the server itself.
                if "VIEW" in kind or "stat" in table or "gtid" in table:
                    continue
                cursor.execute(f"SELECT * FROM `{schema}`.`{table}`")
                seen.append(sorted(map(repr, cursor.fetchall())))
            cursor.execute("SHOW GLOBAL VARIABLES")
            seen.append([row for row in cursor.fetchall() if row[0] not in _MOVING])
            seen.append(_files(cursor))
        return hashlib.sha256(repr(seen).encode()).hexdigest()


_MOVING = {"gtid_binlog_pos", "timestamp", "innodb_buffer_pool_load_status"}
_KEPT_BY_THE_SERVER = ("ib", "aria", "undo", "#", "multi-master", "ddl_", "tc.log")


def _files(cursor: Any) -> list[str]:
    cursor.execute("SELECT @@datadir")
    folder = Path(cursor.fetchone()[0])
    if not folder.is_dir():
        return []
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if not path.name.startswith(_KEPT_BY_THE_SERVER)
    )


@contextmanager
def shop(
    schema: Sequence[str], *, readable: Sequence[str], key: str = "orders"
) -> Iterator[Shop]:
    """Make a database and a reader of some of its tables; both go afterwards."""
    number = next(_number)
    name, reader = f"external_{os.getpid()}_{number}", f"reader_{os.getpid()}_{number}"
    url = sqlalchemy.make_url(os.environ["SIGNALBOX_TEST_MARIADB_URL"]).set(
        username=reader, password="read", database=name
    )
    source = SourceSpec(
        key,
        SourceKind.SQL,
        1,
        "acme",
        base_url=url.render_as_string(hide_password=False),
        dialect="mariadb",
    )
    made = Shop(name, reader, source)
    with administrator() as server, server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        cursor.execute(f"CREATE USER '{reader}'@'%' IDENTIFIED BY 'read'")
    made.administer(
        *schema,
        *(
            f"GRANT SELECT ON `{name}`.`{table}` TO '{reader}'@'%'"
            for table in readable
        ),
    )
    try:
        yield made
    finally:
        with administrator() as server, server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE `{name}`")
            cursor.execute(f"DROP USER '{reader}'@'%'")

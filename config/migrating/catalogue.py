"""What a database holds, as values that can be compared.

Read from the catalogues and never from the text of ``CREATE`` statements: SQLite makes
a table anew to change it, which moves columns and rewrites the text, and changes
nothing. The order of columns is left out for the same reason. SQLite keeps the
condition of a check and of a partial index in that text alone: there their names and
columns are compared; on PostgreSQL their conditions are, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from django.db.backends.base.base import BaseDatabaseWrapper

# "column tenants_user.email" -> "character varying(254) not null". One entry is one
# thing that a migration can make, change or drop.
Catalogue: TypeAlias = Mapping[str, str]
HISTORY = "django_migrations"


def read_catalogue(connection: BaseDatabaseWrapper) -> Catalogue:
    """Read the catalogue of a PostgreSQL or SQLite database.

    The table in which Django keeps the applied migrations is left out.
    """
    read = _of_postgresql if connection.vendor == "postgresql" else _of_sqlite
    return dict(read(connection))


def differences(expected: Catalogue, found: Catalogue) -> tuple[str, ...]:
    """Say in what `found` differs, one line a thing; nothing when it does not."""
    lines = [f"missing: {name}" for name in sorted(expected.keys() - found.keys())]
    lines += [f"left over: {name}" for name in sorted(found.keys() - expected.keys())]
    lines += [
        f"changed: {name}: {expected[name]} → {found[name]}"
        for name in sorted(expected.keys() & found.keys())
        if expected[name] != found[name]
    ]
    return tuple(lines)


# Everything here is of the schema that the connection writes to.
_POSTGRESQL = {
    "table": """
        SELECT c.relname, c.relkind::text FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace
          AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    """,
    "column": """
        SELECT c.relname || '.' || a.attname,
               concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                 CASE WHEN a.attnotnull THEN 'not null' END,
                 'default ' || pg_get_expr(d.adbin, d.adrelid),
                 'identity ' || nullif(a.attidentity::text, ''),
                 'generated ' || nullif(a.attgenerated::text, ''),
                 'collate ' || nullif(l.collname::text, 'default'))
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        WHERE c.relnamespace = current_schema()::regnamespace
          AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
          AND a.attnum > 0 AND NOT a.attisdropped
    """,
    "index": """
        SELECT c.relname, pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = current_schema()::regnamespace
    """,
    "constraint": """
        SELECT c.relname || '.' || k.conname,
               pg_get_constraintdef(k.oid)
                 || CASE WHEN k.convalidated THEN '' ELSE ' unchecked' END
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE c.relnamespace = current_schema()::regnamespace
    """,
    "trigger": """
        SELECT c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
    """,
    "view": """
        SELECT c.relname, pg_get_viewdef(c.oid) FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace
          AND c.relkind IN ('v', 'm')
    """,
    "function": """
        SELECT p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
               CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid)
                    ELSE p.prokind::text END
        FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace
          AND NOT EXISTS (SELECT 1 FROM pg_depend d
                          WHERE d.objid = p.oid AND d.deptype = 'e')
    """,
    "extension": "SELECT extname, '' FROM pg_extension",
}
_OF_HISTORY = re.compile(rf"\b{HISTORY}(_\w+)?\b")


def _of_postgresql(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        for kind, query in _POSTGRESQL.items():
            cursor.execute(query)
            for name, value in cursor.fetchall():
                if not _OF_HISTORY.match(name):
                    yield f"{kind} {name}", str(value)


# Reading the rules of a table takes milliseconds, and most tables stay as they are
# from one migration to the next: the same texts have the same rules.
_Texts: TypeAlias = tuple[tuple[str, str], ...]
_RULES: dict[_Texts, tuple[tuple[str, str], ...]] = {}


def _of_sqlite(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"
            " WHERE name NOT LIKE 'sqlite~_%%' ESCAPE '~' ORDER BY type, name"
        )
        things = [row for row in cursor.fetchall() if row[2] != HISTORY]
        for kind, name, table, text in things:
            if kind == "table":
                yield f"table {name}", "virtual" if _is_virtual(text) else "table"
                yield from _columns_of_sqlite(cursor, name)
                texts = tuple((row[1], row[3]) for row in things if row[2] == name)
                if texts not in _RULES:
                    _RULES[texts] = tuple(_rules_of_sqlite(connection, cursor, name))
                yield from _RULES[texts]
            elif kind in {"trigger", "view"}:
                # These two have no catalogue but their text, and no table to remake.
                yield f"{kind} {table}.{name}", " ".join(text.replace('"', "").split())


def _is_virtual(text: str) -> bool:
    return text.lstrip().upper().startswith("CREATE VIRTUAL")


def _columns_of_sqlite(cursor: object, table: str) -> Iterator[tuple[str, str]]:
    rows = cursor.execute(f'PRAGMA table_xinfo("{table}")').fetchall()  # type: ignore[attr-defined]
    for _place, name, kind, not_null, default, key, hidden in rows:
        words = [
            kind,
            "not null" if not_null else "",
            f"default {default}" if default is not None else "",
            f"key {key}" if key else "",
            f"hidden {hidden}" if hidden else "",
        ]
        yield f"column {table}.{name}", " ".join(word for word in words if word)


def _rules_of_sqlite(
    connection: BaseDatabaseWrapper, cursor: object, table: str
) -> Iterator[tuple[str, str]]:
    """Indexes, checks and foreign keys; those SQLite names by itself, by columns."""
    rules = connection.introspection.get_constraints(cursor, table)  # type: ignore[arg-type]
    partial = {
        row[1]: bool(row[4])
        for row in cursor.execute(f'PRAGMA index_list("{table}")').fetchall()  # type: ignore[attr-defined]
    }
    for name, rule in rules.items():
        kind = _kind_of_rule(rule)
        columns = ", ".join(rule["columns"] or ())
        numbered = name.startswith(_NAMED_BY_ENGINE)
        words = [
            kind,
            f"({columns})",
            "partial" if partial.get(name) else "",
            " ".join(rule.get("orders") or ()),
            f"to {rule['foreign_key']}" if rule["foreign_key"] else "",
        ]
        key = f"{kind} ({columns})" if numbered else name
        yield f"rule {table}.{key}", " ".join(word for word in words if word)


_NAMED_BY_ENGINE = ("__unnamed", "__primary", "fk_", "sqlite_autoindex")


def _kind_of_rule(rule: Mapping[str, object]) -> str:
    for kind in ("primary_key", "foreign_key", "check", "unique"):
        if rule[kind]:
            return kind.replace("_", " ")
    return "index"

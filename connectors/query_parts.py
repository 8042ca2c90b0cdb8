"""Hold a statement's tree against the allow-lists, part by part. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from connectors.query_verdicts import Allowed, RefusalError
from connectors.sql_dialects import CONFUSED, PLACEHOLDER, write_marked
from connectors.sql_functions import FUNCTIONS
from connectors.sql_grammar import (
    ARGUMENTS,
    ARGUMENTS_OF,
    CATALOG_SCHEMAS,
    CATALOG_TABLES,
    KEYWORDS,
    NAMED_TYPES,
    PARTS,
    ROW_COLUMNS,
    SAMPLING,
    SEQUENCE_WORDS,
    TYPES,
)

_PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_PLAIN_NAME = re.compile(r"[^\W\d][\w$]*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*")


def check_tree(tree: exp.Expr, dialect: str) -> Allowed:
    """Return what the tree of a statement may run as.

    Raises:
        RefusalError: a part of it is not listed.
    """
    parameters: dict[str, None] = {}
    tables: dict[str, None] = {}
    parts = _LISTED[dialect]
    for node in tree.walk():
        kind = type(node)
        listed = parts.get(kind)
        if listed is None:
            raise _foreign(node, dialect)
        for key, value in node.args.items():
            if value and key not in listed:
                raise _foreign_argument(node, key, dialect)
        if check := _CHECKS.get(kind):
            check(node, dialect)
        if isinstance(node, exp.Placeholder):
            parameters[node.name] = None
        elif isinstance(node, exp.Table) and not _is_own_name(node):
            tables[_table_name(node)] = None
    tables.pop("", None)  # functions that make rows
    if dialect == "postgresql":
        _check_calls_by_dot(tree)
    text = _written(tree, dialect)
    return Allowed(
        sql=text.replace(PLACEHOLDER, ":"),
        parameters=tuple(parameters),
        tables=tuple(tables),
        bindable=text.replace(":", "\\:").replace(PLACEHOLDER, ":"),
    )


def _foreign(node: exp.Expr, dialect: str) -> RefusalError:
    """Return the refusal of a part that is not listed, by the rule it breaks."""
    name = type(node).__name__
    match node:
        case exp.Into():
            return RefusalError("into", "INTO", node=node)
        case exp.Lock():
            return RefusalError("lock", "FOR", node=node)
        case exp.DML() | exp.DDL() | exp.Command():
            return RefusalError("write-inside", name.upper(), node=node)
        case exp.Parameter() | exp.SessionParameter():
            rule = "session" if dialect in {"mysql", "mariadb"} else "positional"
            return RefusalError(rule, node.sql(), node=node)
        case exp.PropertyEQ():
            return RefusalError("session", ":=", node=node)
        case exp.Hint():
            return RefusalError("session", "HINT", node=node)
        case exp.Func():
            found = (node.sql_names() or [name])[0].lower()
            return RefusalError("function", found, node=node)
        case exp.Dot() if isinstance(node.expression, exp.Func):
            return RefusalError("function", node.sql(), node=node)
        case exp.ObjectIdentifier():
            return RefusalError("data-type", node.name, node=node)
    return RefusalError("part", name, node=node)


def _foreign_argument(node: exp.Expr, key: str, dialect: str) -> RefusalError:
    """Return the refusal of an argument that is not listed, such as a SELECT's lock."""
    if isinstance(node, exp.Placeholder):
        return RefusalError("positional", "?", node=node)
    value = node.args[key]
    held = value[0] if isinstance(value, list) else value
    if isinstance(held, exp.Into | exp.Lock | exp.Hint):
        return _foreign(held, dialect)
    if key == "operation_modifiers":
        return RefusalError("session", str(held), node=node)
    return RefusalError("part", f"{type(node).__name__} {key.rstrip('_')}", node=node)


def _check_calls_by_dot(tree: exp.Expr) -> None:
    """Refuse ``f.pg_sleep`` where ``f`` is a function in FROM.

    PostgreSQL reads it as ``pg_sleep(f)``, since ``f`` has no such column.
    """
    columns: dict[str, set[str]] = {}
    for source in tree.find_all(exp.Table, exp.Unnest, exp.Lateral, exp.TableFromRows):
        called = _called(source)
        if not called:
            continue
        named = {column.name.lower() for column in _alias_columns(source)}
        for name in {source.alias.lower()} - {""} or called:
            columns.setdefault(name, set(ROW_COLUMNS)).update(named, called, {name})
    if not columns:
        return
    for column in tree.find_all(exp.Column):
        known = columns.get(column.table.lower())
        if known is not None and column.name.lower() not in known | {"*"}:
            raise RefusalError("function", column.name, node=column)


def _called(source: exp.Expr) -> set[str]:
    """Return the names of the functions that make the rows of a source, if any do."""
    if isinstance(source, exp.Unnest):
        return {"unnest"}
    called: set[str] = set()
    rows_from = source.args.get("rows_from") or ()
    for part in (source.this, *source.expressions, *rows_from):
        match part:
            case exp.Table():
                called |= _called(part)
            case exp.Anonymous():
                called.add(part.name.lower())
            case exp.Identifier() | exp.Query() | exp.Unnest() | None:
                continue
            case _:
                # Such as CAST, whose name as a source is one the engine picks.
                raise RefusalError("part", type(part).__name__, node=source)
    return called


def _check_function(node: exp.Anonymous, dialect: str) -> None:
    # Quoted names are compared as they are: "PG_SLEEP" is not pg_sleep.
    quoted = isinstance(node.this, exp.Identifier) and node.this.quoted
    known = node.name if quoted else node.name.lower()
    if known not in FUNCTIONS[dialect]:
        raise RefusalError("function", node.name, node=node)


def _check_table(table: exp.Table, dialect: str) -> None:
    schema, name = table.db.lower(), _table_name(table).rpartition(".")[2].lower()
    if table.catalog:
        raise RefusalError("catalog", table.catalog, node=table)
    if schema.startswith(CATALOG_SCHEMAS[dialect]):
        raise RefusalError("catalog", table.db, node=table)
    if name.startswith(CATALOG_TABLES[dialect]):
        raise RefusalError("catalog", table.name, node=table)
    if schema and isinstance(table.this, exp.Func):
        raise RefusalError("function", table.db, node=table)


def _check_type(node: exp.DataType, dialect: str) -> None:
    kind = node.this
    if isinstance(kind, exp.DType):
        if kind.name in TYPES[dialect]:
            return
        named = str(node.args.get("kind") or "").lower()
        if (
            dialect == "postgresql"
            and kind is exp.DType.USERDEFINED
            and named in NAMED_TYPES
        ):
            return
    raise RefusalError("data-type", node.sql("postgres"), node=node)


def _check_column(column: exp.Column, dialect: str) -> None:
    name = column.this
    if column.table and column.name.lower() in SEQUENCE_WORDS[dialect]:
        raise RefusalError("function", column.name, node=column)
    if (
        isinstance(name, exp.Identifier)
        and not name.quoted
        and not column.table
        and name.name.lower() in KEYWORDS[dialect]
    ):
        raise RefusalError("function", name.name, node=column)


def _check_interval(node: exp.Interval, dialect: str) -> None:
    # ``INTERVAL(5, 1, 10)`` is a function of MySQL that is read as something else.
    if isinstance(node.this, exp.Tuple | exp.Paren) and node.unit is None:
        raise RefusalError("function", "INTERVAL", node=node)


def _alias_columns(source: exp.Expr) -> list[exp.Expr]:
    alias = source.args.get("alias")
    return list(alias.args.get("columns") or ()) if alias is not None else []


def _check_sample(node: exp.TableSample, dialect: str) -> None:
    method = node.args.get("method")
    if method is None or method.name.lower() not in SAMPLING:
        raise RefusalError("function", method.name if method else "", node=node)


def _check_word(node: exp.Var, dialect: str) -> None:
    if not _WORD.fullmatch(node.name):
        raise RefusalError("part", node.name, node=node)


def _check_name(node: exp.Identifier, dialect: str) -> None:
    if not (node.quoted or _PLAIN_NAME.fullmatch(node.name)):
        raise RefusalError("positional", node.name, node=node)


def _check_parameter(node: exp.Placeholder, dialect: str) -> None:
    name = node.this
    if not isinstance(name, str) or not name:
        # ``?``, ``%s`` and ``%(name)s`` of the drivers.
        raise RefusalError("positional", "?", node=node)
    if not _PARAMETER_NAME.fullmatch(name):
        raise RefusalError("parameter-name", f":{name}", node=node)


def _table_name(table: exp.Table) -> str:
    """Return ``schema.table`` as written; empty for a function that makes rows."""
    if not isinstance(table.this, exp.Identifier):
        return ""
    return f"{table.db}.{table.name}" if table.db else table.name


def _is_own_name(table: exp.Table) -> bool:
    """Tell whether a WITH around the table makes this name."""
    if table.db:
        return False
    around: exp.Expr | None = table
    while around is not None:
        made = around.args.get("with_")
        if made is not None and any(
            part.alias.lower() == table.name.lower() for part in made.expressions
        ):
            return True
        around = around.parent
    return False


def _written(tree: exp.Expr, dialect: str) -> str:
    try:
        return write_marked(tree, dialect=dialect)
    except RecursionError:
        raise RefusalError("depth") from None
    except CONFUSED as error:
        raise RefusalError("unstable", type(error).__name__) from None


_CHECKS: dict[type[exp.Expr], Callable[[Any, str], None]] = {
    exp.Anonymous: _check_function,
    exp.Column: _check_column,
    exp.DataType: _check_type,
    exp.Identifier: _check_name,
    exp.Interval: _check_interval,
    exp.Placeholder: _check_parameter,
    exp.Table: _check_table,
    exp.TableSample: _check_sample,
    exp.Var: _check_word,
}
# What may be in a tree: its classes, each with the arguments it may have.
_LISTED: dict[str, dict[type[exp.Expr], frozenset[str]]] = {
    dialect: {
        getattr(exp, name): ARGUMENTS_OF.get((dialect, name)) or ARGUMENTS[name]
        for name in names
    }
    for dialect, names in PARTS.items()
}

"""Look for a table outside of its tenant's filter, in the text that is sent.

The second opinion on `connectors.tenant_scope`, with no line in common: it starts
from the text, goes from each table upwards, and knows two shapes only. A statement
whose tables do not all have one of them is not scoped. Pure: no Django, no network.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from connectors.specs import TableSpec, TenantValue

ALIAS = "_scoped"
PARAMETERS = {TenantValue.KEY: "tenant", TenantValue.ID: "tenant_id"}

# Engines that take '1-a' for the number 1, and 'ACME ' for 'acme'.
LOOSE = frozenset({"mysql", "mariadb"})

_SOURCES = (exp.Table, exp.Subquery, exp.Lateral, exp.Unnest, exp.Values)
_ROWS = (exp.Func, exp.Subquery)


def is_scoped(tree: exp.Expr, *, dialect: str, tables: Sequence[TableSpec]) -> bool:
    """Tell whether every table of a statement is filtered, shared, or of a WITH.

    Args:
        tree: Of the text that is sent, as it was parsed.
    """
    by_name = {(spec.schema, spec.name): spec for spec in tables}
    if dialect == "sqlite":  # a file has one schema, and nothing is attached
        by_name |= {("main", spec.name): spec for spec in tables if not spec.schema}
    return all(_is_safe(node, by_name, dialect) for node in tree.walk())


def _is_safe(
    node: exp.Expr, tables: dict[tuple[str, str], TableSpec], dialect: str
) -> bool:
    match node:
        case exp.Table():
            return _is_safe_table(node, tables, dialect)
        case exp.From() | exp.Join():
            return isinstance(node.this, _SOURCES)
        case exp.Lateral():
            return isinstance(node.this, _ROWS)
        case exp.In():  # SQLite reads ``x IN orders`` as a table
            return not isinstance(node.args.get("field"), exp.Column)
        case exp.Column():
            return not node.args.get("db")
    return True


def _is_safe_table(
    table: exp.Table, tables: dict[tuple[str, str], TableSpec], dialect: str
) -> bool:
    name = table.this
    if name is None:
        return bool(table.args.get("rows_from"))
    if isinstance(name, exp.Func):
        return True
    if not isinstance(name, exp.Identifier) or table.args.get("catalog"):
        return False
    spec = tables.get((table.db, table.name)) if name.quoted else None
    if spec is not None and (
        not spec.tenant_column or _is_filtered(table, spec, dialect)
    ):
        return True
    return not table.args.get("db") and _is_made_above(table, dialect)


def _is_filtered(table: exp.Table, spec: TableSpec, dialect: str) -> bool:
    """Tell whether a table is alone in the one subquery that filters it."""
    source = table.parent
    query = source.parent if isinstance(source, exp.From) else None
    around = query.parent if isinstance(query, exp.Select) else None
    if not isinstance(around, exp.Subquery) or not around.alias:
        return False
    if not isinstance(query, exp.Select) or _present(query) != {
        "expressions",
        "from_",
        "where",
    }:
        return False
    if _present(table) - {"this", "db", "alias", "only"} or table.alias != ALIAS:
        return False
    shown = query.expressions
    if len(shown) != 1 or type(shown[0]) is not exp.Star or _present(shown[0]):
        return False
    return _is_filter(query.args["where"].this, spec, dialect)


def _is_filter(test: exp.Expr, spec: TableSpec, dialect: str) -> bool:
    if dialect not in LOOSE:
        return type(test) is exp.EQ and _compares(test.this, test.expression, spec)
    if type(test) is not exp.And or not all(
        type(part) is exp.EQ for part in (test.this, test.expression)
    ):
        return False
    first, last = test.this, test.expression
    return (
        _compares(first.this, first.expression, spec)
        and _is_binary(last.this)
        and _is_binary(last.expression)
        and _compares(last.this.this, last.expression.this, spec)
    )


def _is_binary(cast: exp.Expr) -> bool:
    return (
        type(cast) is exp.Cast
        and _present(cast) == {"this", "to"}
        and cast.to.this in {exp.DType.BINARY, exp.DType.VARBINARY}
        and not cast.to.expressions
    )


def _compares(column: exp.Expr, value: exp.Expr, spec: TableSpec) -> bool:
    return (
        isinstance(column, exp.Column)
        and _present(column) == {"this", "table"}
        and (column.name, column.table) == (spec.tenant_column, ALIAS)
        and isinstance(value, exp.Placeholder)
        and value.this == PARAMETERS[spec.tenant_value]
    )


def _present(node: exp.Expr) -> set[str]:
    return {
        name
        for name, value in node.args.items()
        if value is not None and value is not False and value != []
    }


def _is_made_above(table: exp.Table, dialect: str) -> bool:
    """Tell whether a WITH around the table makes its name, as seen from there."""
    below: exp.Expr = table
    part: exp.Expr | None = None
    while (around := below.parent) is not None:
        if isinstance(below, exp.CTE):
            part = below
        made = around.args.get("with_")
        if made is not None:
            parts = list(made.expressions)
            if below is made and part is not None:
                parts = _seen_from(part, parts, made, dialect)
            if any(_is_same(each.args["alias"].this, table, dialect) for each in parts):
                return True
        below = around
    return False


def _seen_from(
    part: exp.Expr, parts: list[exp.Expr], made: exp.Expr, dialect: str
) -> list[exp.Expr]:
    if dialect == "sqlite":
        return parts
    place = next(index for index, each in enumerate(parts) if each is part)
    if not made.args.get("recursive"):
        return parts[:place]
    return parts if dialect == "postgresql" else parts[: place + 1]


def _is_same(made: exp.Identifier, table: exp.Table, dialect: str) -> bool:
    left, right = made.name, table.name
    if dialect == "sqlite":
        return left.encode().lower() == right.encode().lower()
    if dialect == "postgresql":
        if not made.quoted:
            left = left.encode().lower().decode()
        if not table.this.quoted:
            right = right.encode().lower().decode()
    return left == right

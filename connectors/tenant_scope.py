"""Give a saved query the rows of one tenant only. Pure: no Django, no network.

Every reference to a table of the tenant becomes a subquery that filters it, in place,
before anything is joined, grouped or counted:

    orders o   →   (SELECT * FROM "orders" AS "_scoped"
                    WHERE "_scoped"."tenant" = :tenant) AS o

The registered name is written, never the one of the query, and the column is named
with an alias no query may use, so that no engine finds another table or column. A
shared table stays a table, under its registered name. Anything else is refused.

What was written is judged again, and `connectors.scope_proof` looks for a table that
is outside such a subquery, in the text that is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from sqlglot import exp

from connectors import sql_places
from connectors.query_parts import check_tree
from connectors.query_safety import RULES, Allowed, Refused, judge, tree_of
from connectors.query_verdicts import RefusalError
from connectors.scope_names import ScopeError, fold, references, resolve, same_schema
from connectors.scope_proof import ALIAS, LOOSE, PARAMETERS, is_scoped
from connectors.specs import TableSpec
from connectors.sql_dialects import parse_judged, tokens_of, write

_Found: TypeAlias = dict[int, tuple[exp.Table, TableSpec]]
"""Each reference to a registered table, by the identity of its node."""

_HIDDEN = "hidden_by_with"  # mark of a reference whose bare name a WITH makes there

_Parts: TypeAlias = dict[type[exp.Expr], list[exp.Expr]]
"""Nodes of a statement by their class, for the classes that matter here."""

_KEPT = frozenset({"this", "db", "alias", "joins", "laterals", "only"})
_KEPT_OF_SHARED = _KEPT | {"sample"}
_ROW_NUMBERS = frozenset({"rowid", "oid", "_rowid_"})


@dataclass(frozen=True, slots=True)
class Scoped:
    """A query that may run for a tenant.

    Attributes:
        allowed: The verdict on the text that is sent. Its parameters ``tenant`` and
            ``tenant_id`` are the key and the number of the tenant.
        tables: The registered tables it reads, in order of appearance.
    """

    allowed: Allowed
    tables: tuple[TableSpec, ...]


def scope_query(
    sql: str, *, dialect: str, tables: Sequence[TableSpec]
) -> Scoped | Refused:
    """Judge a query and scope it to the tenant that is bound to it, or refuse it.

    Args:
        sql: What a person wrote, as for `judge`.
        dialect: ``postgresql``, ``sqlite``, ``mysql`` or ``mariadb``.
        tables: Every table the query may read.

    Returns:
        The scoped query, or a refusal: one of `judge`, or ``table`` for a table that
        is not registered, or ``scope`` for a shape whose tables cannot be told for
        certain.
    """
    return _scoped(sql, dialect, tuple(tables))


@lru_cache(maxsize=1_024)
def _scoped(sql: str, dialect: str, tables: tuple[TableSpec, ...]) -> Scoped | Refused:
    verdict = judge(sql, dialect=dialect)
    if isinstance(verdict, Refused):
        return verdict
    return rewrite(sql, dialect=dialect, tables=tables)


def rewrite(sql: str, *, dialect: str, tables: Sequence[TableSpec]) -> Scoped | Refused:
    """Scope a query that the judge let through, anew each time."""
    tree = parse_judged(sql, dialect=dialect)
    try:
        text, read = write_scoped(tree, tables, dialect)
        verdict = _judged_again(text, tables, dialect)
    except ScopeError as error:
        return _refused(error, sql, dialect)
    except RefusalError as error:
        # Its place is one of the text that was made, which nobody has seen.
        return Refused(error.rule, error.found, RULES[error.rule])
    return verdict if isinstance(verdict, Refused) else Scoped(verdict, read)


def write_scoped(
    tree: exp.Expr, tables: Sequence[TableSpec], dialect: str
) -> tuple[str, tuple[TableSpec, ...]]:
    """Return the scoped text of a judged statement, and the tables it reads.

    The rewriting alone, with neither verdict: for measuring.

    Args:
        tree: Of the judged text; it is changed.

    Raises:
        ScopeError: which tables it reads cannot be told for certain.
    """
    parts = _parts(tree)
    _refuse_unscopable(parts)
    found = _registered(tree, tables, dialect)
    _refuse_lost_columns(parts, found, dialect)
    _drop_schemas(parts, found, dialect)
    for table, spec in found.values():
        _scope_table(table, spec, dialect)
    used = dict.fromkeys(spec for _, spec in found.values())
    return write(tree, dialect=dialect), tuple(used)


def _judged_again(
    text: str, tables: Sequence[TableSpec], dialect: str
) -> Allowed | Refused:
    """Judge the text that was written, and hold its tables against the registered."""
    tree = tree_of(text, dialect=dialect)
    scoped = is_scoped(tree, dialect=dialect, tables=tables)
    allowed = check_tree(tree, dialect)
    if not scoped:
        return Refused("scope", "", "rewrite")
    if allowed.sql != text:
        return Refused("unstable", "", RULES["unstable"])
    return allowed


def _refused(error: ScopeError, sql: str, dialect: str) -> Refused:
    tokens = tokens_of(sql, dialect=dialect)
    line, column = sql_places.find(None, error.node, error.found, tokens)
    return Refused(
        error.rule, error.found, error.remedy, line, column, names=error.names
    )


def _parts(tree: exp.Expr) -> _Parts:
    parts: _Parts = {exp.Identifier: [], exp.In: [], exp.Lateral: [], exp.Column: []}
    for node in tree.walk():
        if (kind := type(node)) in parts:
            parts[kind].append(node)
    return parts


def _refuse_unscopable(parts: _Parts) -> None:
    for name in parts[exp.Identifier]:
        if name.name.casefold() == ALIAS:
            raise ScopeError(name, name.name, "other-name")
    for test in parts[exp.In]:
        named = test.args.get("field")  # SQLite reads ``x IN orders`` as a table
        if isinstance(named, exp.Column):
            raise ScopeError(named, named.name)
    for lateral in parts[exp.Lateral]:
        if not isinstance(lateral.this, exp.Subquery | exp.Func):
            raise ScopeError(lateral, "LATERAL")


def _registered(tree: exp.Expr, tables: Sequence[TableSpec], dialect: str) -> _Found:
    """Resolve every table of the statement, or refuse it."""
    found: _Found = {}
    for table, visible in references(tree, dialect):
        if isinstance(table.this, exp.Func) or _is_rows_from(table):
            continue  # rows of a function: the judge has its list of them
        if not isinstance(table.this, exp.Identifier):
            raise ScopeError(table, table.name)
        spec = resolve(table, visible, tables, dialect)
        if spec is None:
            continue
        kept = _KEPT if spec.tenant_column else _KEPT_OF_SHARED
        for name, value in table.args.items():
            if name not in kept and value is not None and value != []:
                raise ScopeError(table, name.upper())
        if fold(table.this, dialect) in visible.sure:
            table.meta[_HIDDEN] = True
        found[id(table)] = (table, spec)
    return found


def _is_rows_from(table: exp.Table) -> bool:
    return table.this is None and bool(table.args.get("rows_from"))


def _refuse_lost_columns(parts: _Parts, found: _Found, dialect: str) -> None:
    """Refuse SQLite's row numbers, which are NULL outside of their own table."""
    if dialect != "sqlite":
        return
    scoped = [table for table, spec in found.values() if spec.tenant_column]
    names = {fold(_effective_name(table), dialect) for table in scoped}
    for column in parts[exp.Column]:
        if not scoped or not isinstance(column.this, exp.Identifier):
            continue
        owner = column.args.get("table")
        if fold(column.this, dialect) in _ROW_NUMBERS and (
            owner is None or fold(owner, dialect) in names
        ):
            raise ScopeError(column, column.name, "name-column")


def _drop_schemas(parts: _Parts, found: _Found, dialect: str) -> None:
    """Write ``schema.table.column`` as ``table.column``, where that is the same."""
    for column in parts[exp.Column]:
        schema = column.args.get("db")
        if schema is None:
            continue
        source = None if column.args.get("catalog") else _source_of(column, dialect)
        _, spec = found.get(id(source), (None, None))
        if (
            spec is None
            or source is None
            or source.args.get("alias") is not None
            or not same_schema(schema, spec, dialect)
        ):
            raise ScopeError(column, f"{schema.name}.{column.text('table')}", "alias")
        column.set("db", None)


def _source_of(column: exp.Expr, dialect: str) -> exp.Expr | None:
    """Return the nearest source that has the name in front of the column."""
    wanted = fold(column.args["table"], dialect)
    around = column.parent
    while around is not None:
        if isinstance(around, exp.Select):
            named = [
                source
                for source in _sources(around)
                if fold(_effective_name(source), dialect) == wanted
            ]
            if named:
                return named[0] if len(named) == 1 else None
        around = around.parent
    return None


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    """Yield what a SELECT reads that has a name, inside parentheses, too."""
    first = select.args.get("from_")
    stack = [first.this] if first is not None else []
    stack += [join.this for join in select.args.get("joins") or ()]
    while stack:
        source = stack.pop()
        stack += [join.this for join in source.args.get("joins") or ()]
        named = isinstance(source.args.get("alias"), exp.TableAlias)
        if isinstance(source, exp.Subquery) and not named:
            if isinstance(source.this, exp.Table | exp.Subquery):
                stack.append(source.this)
        elif named or isinstance(source.this, exp.Identifier):
            yield source


def _effective_name(source: exp.Expr) -> exp.Identifier:
    alias = source.args.get("alias")
    name = alias.this if isinstance(alias, exp.TableAlias) else None
    name = name or source.this
    if not isinstance(name, exp.Identifier):
        return exp.to_identifier("", quoted=True)
    return name


def _scope_table(table: exp.Table, spec: TableSpec, dialect: str) -> None:
    """Read the registered table under the name that the query uses."""
    alias = table.args.get("alias") or exp.TableAlias()
    if alias.this is None:
        alias.set("this", table.this.copy())
    name = _quoted(spec.name)
    schema = _quoted(spec.schema) if spec.schema else None
    if schema is None and dialect == "sqlite" and table.meta.get(_HIDDEN):
        schema = _quoted("main")
    if not spec.tenant_column:
        table.set("this", name)
        table.set("db", schema)
        table.set("alias", alias)
        return
    own = exp.TableAlias(this=_quoted(ALIAS))
    inner = exp.Table(this=name, db=schema, alias=own, only=table.args.get("only"))
    column = exp.Column(this=_quoted(spec.tenant_column), table=_quoted(ALIAS))
    value = exp.Placeholder(this=PARAMETERS[spec.tenant_value])
    test: exp.Expr = exp.EQ(this=column, expression=value)
    if dialect in LOOSE:
        # The plain comparison finds the rows by an index, this one byte by byte.
        exact = exp.EQ(this=_bytes(column), expression=_bytes(value))
        test = exp.And(this=test, expression=exact)
    query = exp.Select(
        expressions=[exp.Star()],
        from_=exp.From(this=inner),
        where=exp.Where(this=test),
    )
    place = _outermost(table)
    around = {name: place.args.get(name) for name in ("joins", "laterals")}
    place.replace(exp.Subquery(this=query, alias=alias, **around))


def _outermost(table: exp.Table) -> exp.Expr:
    """Return the parentheses in which a table is alone, or the table.

    SQLite does not find the columns of a subquery in parentheses of its own.
    """
    place: exp.Expr = table
    while (
        isinstance(place.parent, exp.Subquery)
        and place.parent.args.get("alias") is None
        and not place.args.get("joins")
        and not place.args.get("laterals")
    ):
        place = place.parent
    return place


def _bytes(value: exp.Expr) -> exp.Cast:
    return exp.Cast(this=value.copy(), to=exp.DataType.build("BINARY"))


def _quoted(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)

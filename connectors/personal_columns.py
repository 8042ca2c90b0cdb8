"""Which columns of a query's result hold personal data. Pure.

Names carry the taint, through the whole statement at once and without its scopes: a
name is personal where any expression that it is given to may hold a personal value.
That is coarse on purpose. What is not understood is personal, and so is a column that
merely has the name of a personal one, unless its table is known to be another.

A value is followed, not what a filter or an order tells: ``count`` and ``EXISTS`` are
not personal, ``min``, ``max``, a comparison and everything else made of a personal
column are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from sqlglot import exp

from connectors.mapping import unique_names
from connectors.outcomes import Personal, Table
from connectors.query_shapes import (
    branches,
    counts,
    is_plain_star,
    is_star,
    name_key,
    name_of,
    place_of,
)
from connectors.specs import TableSpec
from connectors.sql_dialects import CONFUSED, parse_judged

# In SQLite these are other names of an INTEGER PRIMARY KEY, which may be personal.
_ROW_NUMBERS: Final = frozenset({"rowid", "oid", "_rowid_"})


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where the personal columns of a result stand.

    Attributes:
        before: Whether each column before the first star is personal.
        after: The same after the last star; empty when there is no star.
        star: Columns between are known by their names only.
        names: Names that are personal there.
        every: All columns there are personal.
    """

    before: tuple[bool, ...] = ()
    after: tuple[bool, ...] = ()
    star: bool = False
    names: frozenset[str] = frozenset()
    every: bool = False

    def of(self, names: Sequence[str]) -> tuple[bool, ...]:
        """Say which columns of a result under this heading are personal."""
        between = len(names) - len(self.before) - len(self.after)
        if between < 0 or (between and not self.star):
            return (True,) * len(names)  # not the columns that were understood
        middle = names[len(self.before) : len(self.before) + between]
        known = tuple(self.every or name_key(name) in self.names for name in middle)
        return (*self.before, *known, *self.after)


_ALL: Final = Lineage(star=True, every=True)
_NONE: Final = Lineage(star=True)


def marked(
    table: Table,
    names: Sequence[str],
    *,
    sql: str,
    dialect: str,
    tables: tuple[TableSpec, ...],
) -> Table:
    """Mark the personal columns of a table that was made of a query's rows.

    A column that the operation declared to be personal stays so, of the kind it says.

    Args:
        names: Heading as the database gave it.
        sql: The judged statement.
        tables: Registered tables of the data source.
    """
    if not any(each.personal_columns for each in tables):
        return table
    flags = lineage(sql, dialect=dialect, tables=tables).of(names)
    personal = {
        name for name, flag in zip(unique_names(names), flags, strict=True) if flag
    }
    columns = tuple(
        replace(column, personal=column.personal or Personal.OTHER)
        if column.name in personal
        else column
        for column in table.columns
    )
    return replace(table, columns=columns)


@lru_cache(maxsize=1_024)
def lineage(sql: str, *, dialect: str, tables: tuple[TableSpec, ...]) -> Lineage:
    """Say which columns of a statement's result may hold personal data."""
    try:
        tree = parse_judged(sql, dialect=dialect)
    except (*CONFUSED, RecursionError):
        return _ALL
    taint = _Taint.of(tree, dialect=dialect, tables=tables)
    if not taint.rows:
        return _NONE
    taint.spread()
    return _result(tree, taint)


def _result(tree: exp.Expr, taint: _Taint) -> Lineage:
    leaves = branches(tree)
    if leaves is None:
        return _ALL
    lists = [leaf.expressions for leaf in leaves]
    flags = taint.of_leaves(leaves)
    if not any(is_star(each) for row in lists for each in row):
        if len({len(row) for row in lists}) > 1:
            return _ALL
        return Lineage(tuple(any(column) for column in zip(*flags, strict=True)))
    if len(leaves) > 1:
        return _ALL if any(any(row) for row in flags) else _NONE
    (row,), (known,) = lists, flags
    stars = [place for place, each in enumerate(row) if is_star(each)]
    first, last = stars[0], stars[-1]
    unnamed = any(
        flag and not name_of(each) and not is_plain_star(each)
        for each, flag in zip(
            row[first : last + 1], known[first : last + 1], strict=True
        )
    )
    return Lineage(
        before=tuple(known[:first]),
        after=tuple(known[last + 1 :]),
        star=True,
        names=frozenset(taint.names),
        every=taint.every or unnamed,
    )


@dataclass(slots=True)
class _Taint:
    """What is personal in one statement; it only grows, until nothing is new.

    Attributes:
        names: Names of columns.
        rows: Names and aliases of row sources, whose whole rows are personal.
        every: Some personal value has a name that nobody knows.
        sources: Registered tables behind an alias; None for anything else.
    """

    tree: exp.Expr
    names: set[str]
    rows: set[str] = field(default_factory=set)
    every: bool = False
    sources: dict[str, list[TableSpec | None]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, tree: exp.Expr, *, dialect: str, tables: tuple[TableSpec, ...]
    ) -> _Taint:
        """Begin with the registered tables that the statement reads."""
        taint = cls(tree, set())
        made = {name_key(each.alias) for each in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            known = [
                each for each in tables if name_key(each.name) == name_key(table.name)
            ]
            for each in known:
                if each.personal_columns:
                    taint.names.update(map(name_key, each.personal_columns))
                    taint.rows |= {name_key(table.name), name_key(table.alias_or_name)}
            plain = len(known) == 1 and name_key(table.name) not in made
            columns = table.args.get("alias") and table.args["alias"].columns
            spec = known[0] if plain and not columns else None
            taint.sources.setdefault(name_key(table.alias_or_name), []).append(spec)
        for node in tree.find_all(exp.Subquery, exp.CTE, exp.Lateral, exp.UDTF):
            if node.alias:
                taint.sources.setdefault(name_key(node.alias), []).append(None)
        if taint.rows and dialect == "sqlite":
            taint.names |= _ROW_NUMBERS
        return taint

    def spread(self) -> None:
        """Follow every value to the names it is given, until nothing is new."""
        while True:
            before = len(self.names), len(self.rows), self.every
            for node in self.tree.walk():
                match node:
                    case exp.Query():
                        self._name_outputs(node)
                    case exp.Table() | exp.UDTF():
                        self._name_source(node)
                    case exp.From() | exp.Join():
                        self._name_other(node.this)
                    case exp.CTE():
                        self._name_columns(node, node.this)
            if before == (len(self.names), len(self.rows), self.every):
                return

    def _name_outputs(self, query: exp.Query) -> None:
        """Taint the names of personal outputs, in every branch of a set operation."""
        if isinstance(query, exp.Subquery):
            self._name_columns(query, query.this)
            return
        place = place_of(query, self.tree)
        if place is None:
            return  # a value of an expression, which has no name of its own
        leaves = branches(query)
        if leaves is None:
            self.every = self.every or self._touches(query)
            return
        columns = [list(leaf.expressions) for leaf in leaves]
        flags = self.of_leaves(leaves)
        if not any(any(row) for row in flags):
            return
        if len(leaves) > 1 and (
            any(is_star(each) for row in columns for each in row)
            or len({len(row) for row in columns}) > 1
        ):
            self.every = self.every or place == "source"
            return
        for outputs, hit in zip(
            zip(*columns, strict=True), zip(*flags, strict=True), strict=True
        ):
            if any(hit):
                for each in outputs:
                    self._name(each, read_again=place == "source")

    def _name(self, output: exp.Expr, *, read_again: bool) -> None:
        if name := name_of(output):
            self.names.add(name)
        elif not is_plain_star(output) and read_again:
            self.every = True  # the engine makes the name

    def _name_source(self, node: exp.Expr) -> None:
        """Taint what a table, or a function that makes rows, is called."""
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            self._name_columns(node, node.this)
        elif isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            if name_key(node.name) in self.rows:
                self.rows.add(name_key(node.alias_or_name))
                self._rename_all(node)
        elif self._touches(node):
            self.every = True

    def _name_other(self, source: exp.Expr) -> None:
        """Give up on names for a row source of another kind, such as JSON_TABLE."""
        known = isinstance(source, exp.Table | exp.UDTF | exp.Subquery)
        if not known and self._touches(source):
            self.every = True

    def _name_columns(self, node: exp.Expr, body: exp.Expr) -> None:
        """Taint the alias of a query in FROM or WITH, and its own names of columns."""
        if not self._touches(body):
            return
        if node.alias:
            self.rows.add(name_key(node.alias))
        alias = node.args.get("alias")
        renamed = alias.columns if isinstance(alias, exp.TableAlias) else []
        if not renamed:
            return
        leaves = branches(body)
        if leaves is None or any(
            is_star(each) for leaf in leaves for each in leaf.expressions
        ):
            self._rename_all(node)
            return
        for leaf in leaves:
            for name, each in zip(renamed, leaf.expressions, strict=False):
                if self.reaches(each, leaf):
                    self.names.add(name_key(name.name))

    def _rename_all(self, node: exp.Expr) -> None:
        alias = node.args.get("alias")
        if isinstance(alias, exp.TableAlias):
            self.names.update(name_key(name.name) for name in alias.columns)

    def _touches(self, node: exp.Expr) -> bool:
        """Whether any personal row source or column is somewhere inside."""
        if self.every:
            return True
        return any(
            (isinstance(each, exp.Table) and name_key(each.name) in self.rows)
            or (isinstance(each, exp.Column) and self._is_personal(each))
            for each in node.walk()
        )

    def of_leaves(self, leaves: Sequence[exp.Select]) -> list[list[bool]]:
        """Say for every output of every branch whether it is personal."""
        return [
            [self.reaches(each, leaf) for each in leaf.expressions] for leaf in leaves
        ]

    def reaches(self, output: exp.Expr, query: exp.Expr) -> bool:
        """Whether a personal value may be in an output of `query`."""
        waiting: list[tuple[exp.Expr, exp.Expr]] = [(output, query)]
        while waiting:
            node, around = waiting.pop()
            match node:
                case exp.Exists():
                    continue
                case exp.Count() | exp.Anonymous() if counts(node):
                    continue
                case exp.Star():
                    if self._touches(around):
                        return True
                case exp.Column():
                    if self._is_personal(node):
                        return True
                case exp.Query():
                    leaves = branches(node)
                    if leaves is None:
                        if self._touches(node):
                            return True
                        continue
                    waiting += [
                        (each, leaf) for leaf in leaves for each in leaf.expressions
                    ]
                    continue
            if not isinstance(node, exp.Column):
                waiting += [(each, around) for each in node.iter_expressions()]
        return False

    def _is_personal(self, column: exp.Column) -> bool:
        name, source = name_key(column.name), name_key(column.table)
        if isinstance(column.this, exp.Star):
            return self.every or source in self.rows or source not in self.sources
        if not source:
            return self.every or name in self.names or name in self.rows
        behind = self.sources.get(source, [None])
        if all(
            spec is not None and name not in map(name_key, spec.personal_columns)
            for spec in behind
        ):
            # A known table, and none of its personal columns.
            return name in _ROW_NUMBERS & self.names and source in self.rows
        return self.every or name in self.names or name in self.rows

"""A scoped statement on everybody's rows answers what the plain one does on one's own.

Two thousand statements on each engine, drawn anew by hypothesis, in SQLite's memory and
in two databases of the real PostgreSQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sqlglot import exp

from connectors import scope_names, tenant_scope
from connectors.scope_names import Visible
from connectors.scope_proof import PARAMETERS
from connectors.specs import TableSpec
from connectors.tenant_scope import Scoped, rewrite
from tests.connectors.scope_databases import NotRun, Pair
from tests.connectors.scope_shapes import shapes
from tests.connectors.scope_tables import TABLES, tables_of

SHAPES = 2_000  # compared statements of one run on one engine
_DRAWN = 2_100  # some have names that the engine does not find


class Differs(AssertionError):
    """A scoped statement gave other rows than the plain one on the tenant's own."""


def compare(sql: str, pair: Pair) -> str:
    """Say how a statement fared; raise when scope changed its answer."""
    try:
        wanted = pair.of_one(sql)
    except NotRun:
        return "does not run"
    tables = tables_of(pair.dialect)
    scoped = rewrite(sql, dialect=pair.dialect, tables=tables)
    if not isinstance(scoped, Scoped):
        raise Differs(f"refused: {scoped}\n{sql}")
    try:
        found = pair.of_all(scoped.allowed.sql)
    except NotRun as error:
        raise Differs(f"{error}\n{sql}\n{scoped.allowed.sql}") from error
    if found != wanted:
        raise Differs(f"{sql}\n{scoped.allowed.sql}\n{found - wanted}{wanted - found}")
    return "with rows" if wanted else "without rows"


def run_shapes(
    pair: Pair,
    *,
    drawn: int,
    phases: tuple[Phase, ...] = (Phase.generate, Phase.shrink),
) -> Counter[str]:
    fared: Counter[str] = Counter()

    @settings(
        max_examples=drawn,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    @given(shapes(pair.dialect))
    def each(sql: str) -> None:
        fared[compare(sql, pair)] += 1

    each()
    return fared


def test_scope_gives_the_answer_of_a_database_with_ones_own_rows(
    pair: Pair,
) -> None:
    fared = run_shapes(pair, drawn=_DRAWN)

    assert fared["with rows"] + fared["without rows"] >= SHAPES, fared
    assert fared["with rows"] >= SHAPES / 2, fared


# --- A broken rewriter is caught ----------------------------------------------------


def _without_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a name that a WITH makes for the table of that name, everywhere."""

    def references(tree: exp.Expr, dialect: str) -> Iterator[tuple[exp.Table, Visible]]:
        for table, _ in scope_names.references(tree, dialect):
            known = {spec.name for spec in TABLES}
            seen = frozenset({scope_names.fold(table.this, dialect)} - known)
            yield table, Visible(frozenset() if table.args.get("db") else seen)

    monkeypatch.setattr(tenant_scope, "references", references)


def _with_flat_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every name that any WITH makes as visible in the whole statement."""

    def references(tree: exp.Expr, dialect: str) -> Iterator[tuple[exp.Table, Visible]]:
        made = {scope_names.fold(cte.args["alias"].this, dialect)
                for cte in tree.find_all(exp.CTE)}  # fmt: skip
        for table in tree.find_all(exp.Table):
            yield table, Visible(frozenset(made))

    monkeypatch.setattr(tenant_scope, "references", references)
    monkeypatch.setattr(tenant_scope, "is_scoped", lambda *_, **__: True)


def _filter_in_where(monkeypatch: pytest.MonkeyPatch) -> None:
    """Filter behind the joins instead of before them."""
    scope_table: Callable[..., None] = tenant_scope._scope_table

    def late(table: exp.Table, spec: TableSpec, dialect: str) -> None:
        select = table.find_ancestor(exp.Select)
        name = tenant_scope._effective_name(table).copy()
        scope_table(table, replace(spec, tenant_column=""), dialect)
        if spec.tenant_column and isinstance(select, exp.Select):
            column = exp.Column(
                this=exp.Identifier(this=spec.tenant_column, quoted=True), table=name
            )
            value = exp.Placeholder(this=PARAMETERS[spec.tenant_value])
            select.where(exp.EQ(this=column, expression=value), copy=False)

    monkeypatch.setattr(tenant_scope, "_scope_table", late)
    monkeypatch.setattr(tenant_scope, "is_scoped", lambda *_, **__: True)


def _without_second_opinion_nor_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget tables inside of parentheses."""
    registered: Callable[..., dict[int, tuple[exp.Table, TableSpec]]]
    registered = tenant_scope._registered

    def outside(*arguments: Any) -> dict[int, tuple[exp.Table, TableSpec]]:
        return {
            key: found
            for key, found in registered(*arguments).items()
            if not isinstance(found[0].parent, exp.Subquery)
        }

    monkeypatch.setattr(tenant_scope, "_registered", outside)
    monkeypatch.setattr(tenant_scope, "is_scoped", lambda *_, **__: True)


@pytest.mark.parametrize(
    "broken",
    [
        _without_with,
        _with_flat_names,
        _filter_in_where,
        _without_second_opinion_nor_joins,
    ],
)
def test_a_broken_rewriter_is_caught(
    pair_of_sqlite: Pair,
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[pytest.MonkeyPatch], None],
) -> None:
    broken(monkeypatch)

    with pytest.raises(Differs):
        run_shapes(pair_of_sqlite, drawn=1_500, phases=(Phase.generate,))

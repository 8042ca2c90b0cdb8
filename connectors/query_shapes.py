"""Questions about the tree of a query: its branches, stars and names. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from sqlglot import exp

_LONGEST_NAME: Final = 63  # bytes; PostgreSQL cuts longer names without a word


def place_of(query: exp.Expr, tree: exp.Expr) -> Literal["root", "source"] | None:
    """Say whether a query is the statement itself, or one that rows are read from."""
    while query is not tree and isinstance(
        query.parent, exp.SetOperation | exp.Subquery
    ):
        query = query.parent
    if query is tree:
        return "root"
    around = exp.From, exp.Join, exp.CTE, exp.Lateral, exp.Table, exp.UDTF
    return "source" if isinstance(query.parent, around) else None


def branches(query: exp.Expr) -> list[exp.Select] | None:
    """Return the SELECTs whose rows a query gives; None for another shape."""
    waiting, found = [query], list[exp.Select]()
    while waiting:
        match waiting.pop():
            case exp.Select() as select:
                found.append(select)
            case exp.SetOperation() as both:
                if both.args.get("by_name") or both.args.get("on"):
                    return None
                waiting += [both.expression, both.this]
            case exp.Subquery() as inner:
                waiting.append(inner.this)
            case _:
                return None
    return found


def is_star(output: exp.Expr) -> bool:
    """Whether an output is any number of columns."""
    return any(
        isinstance(each, exp.Star) and not counts(each.parent)
        for each in _of_this_select(output)
    )


def counts(node: exp.Expr | None) -> bool:
    """Whether it is ``count(…)``, which the engine's dialect may keep as it is."""
    if isinstance(node, exp.Anonymous):
        return isinstance(node.this, str) and node.this.lower() == "count"
    return isinstance(node, exp.Count)


def _of_this_select(output: exp.Expr) -> Iterator[exp.Expr]:
    return output.walk(prune=lambda node: isinstance(node, exp.Query))


def is_plain_star(output: exp.Expr) -> bool:
    """Whether it is ``*`` or ``t.*``, whose names are those of the columns."""
    star = output.this if isinstance(output, exp.Column) else output
    return isinstance(star, exp.Star) and not any(star.args.values())


def name_of(output: exp.Expr) -> str:
    """Return the name of an output; empty for a star, or where the engine makes it."""
    if isinstance(output, exp.Alias):
        return name_key(output.alias)
    if isinstance(output, exp.Column) and not isinstance(output.this, exp.Star):
        return name_key(output.name)
    return ""


def name_key(name: str) -> str:
    """Return a name as names are compared: without case, cut as PostgreSQL cuts."""
    cut = name.encode("utf-8", "replace")[:_LONGEST_NAME]
    return cut.decode("utf-8", "ignore").casefold()

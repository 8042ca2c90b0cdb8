"""Which table a name in a saved query means. Pure: no Django, no network.

A name is either one that a WITH around it makes, or a registered table of the data
source, or it is refused. Where engines, or settings of one engine, read a name
differently, the reading that could show more is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from connectors.specs import TableSpec

_SMALL = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_FIRST_SCHEMA = {"postgresql": "public", "sqlite": "main"}
_EITHER_CASE = frozenset({"mysql", "mariadb"})  # a setting of the server decides


class ScopeError(Exception):
    """Carries a refusal up, with the part of the statement it is about."""

    def __init__(
        self,
        node: exp.Expr,
        found: str,
        remedy: str = "rewrite",
        *,
        rule: str = "scope",
        names: tuple[str, ...] = (),
    ) -> None:
        super().__init__(rule)
        self.node, self.found, self.remedy = node, found[:80], remedy
        self.rule, self.names = rule, names


@dataclass(frozen=True, slots=True)
class Visible:
    """Names that the WITHs around a place make.

    Attributes:
        sure: Folded names that every engine of the dialect sees there.
        doubtful: Folded names that one engine of the dialect sees there and another
            does not.
    """

    sure: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()


def fold(name: exp.Identifier, dialect: str) -> str:
    """Return a name as the engine compares it.

    PostgreSQL folds what is not quoted, SQLite compares without case, MySQL and
    MariaDB as written, unless a setting says otherwise.

    Raises:
        ScopeError: how PostgreSQL folds the name depends on its encoding.
    """
    text = name.name
    if dialect == "sqlite":
        return text.translate(_SMALL)
    if dialect == "postgresql" and not name.quoted:
        small = text.translate(_SMALL)
        if small != text.lower():
            raise ScopeError(name, text, "quote-name")
        return small
    return text


def references(tree: exp.Expr, dialect: str) -> Iterator[tuple[exp.Table, Visible]]:
    """Yield every table of a statement with the names visible to it, in text order."""
    stack: list[tuple[exp.Expr, Visible]] = [(tree, Visible())]
    while stack:
        node, around = stack.pop()
        made = node.args.get("with_")
        inside: list[tuple[exp.Expr, Visible]] = []
        if made is not None:
            parts = made.expressions
            names = [_made_name(part, dialect) for part in parts]
            recursive = bool(made.args.get("recursive"))
            for place, part in enumerate(parts):
                seen = _seen_by(place, names, around, dialect, recursive=recursive)
                inside.append((part, seen))
            around = Visible(around.sure | set(names), around.doubtful - set(names))
        if isinstance(node, exp.Table):
            yield node, around
        children = (each for each in node.iter_expressions() if each is not made)
        inside.extend((child, around) for child in children)
        stack.extend(reversed(inside))


def _seen_by(
    place: int, names: Sequence[str], around: Visible, dialect: str, *, recursive: bool
) -> Visible:
    """Return what the body of the WITH's part number `place` sees."""
    before, own, after = set(names[:place]), {names[place]}, set(names[place + 1 :])
    if dialect == "sqlite" or (dialect == "postgresql" and recursive):
        return Visible(around.sure | before | own | after, around.doubtful)
    if dialect == "postgresql":
        return Visible(around.sure | before, around.doubtful)
    if recursive:  # MariaDB looks ahead, MySQL does not
        sure = around.sure | before | own
        return Visible(sure, (around.doubtful | after) - before - own)
    return Visible(around.sure | before, around.doubtful - before)


def _made_name(part: exp.Expr, dialect: str) -> str:
    alias = part.args.get("alias")
    name = alias.this if isinstance(alias, exp.TableAlias) else None
    if not isinstance(name, exp.Identifier):
        raise ScopeError(part, "WITH")
    return fold(name, dialect)


def resolve(
    table: exp.Table, visible: Visible, tables: Iterable[TableSpec], dialect: str
) -> TableSpec | None:
    """Return the registered table that is meant; None for a name of a WITH.

    Raises:
        ScopeError: ``table`` when it is not registered, or not for certain;
            ``scope`` when engines of this dialect read the name differently.
    """
    name = fold(table.this, dialect)
    if not table.args.get("db"):
        if _is_doubtful(name, visible, dialect):
            raise ScopeError(table, table.name, "other-name")
        if name in visible.sure:
            return None
    known = list(tables)
    found = [] if table.catalog else _candidates(table, name, known, dialect)
    if len(found) != 1:
        named = ".".join(part.name for part in table.parts)
        names = tuple(sorted(_spelled(spec) for spec in known))
        remedy = "registered" if names else "register"
        raise ScopeError(table, named, remedy, rule="table", names=names)
    return found[0]


def _is_doubtful(name: str, visible: Visible, dialect: str) -> bool:
    if name in visible.sure:
        return False
    if name in visible.doubtful:
        return True
    if dialect not in _EITHER_CASE:
        return False
    loose = {other.casefold() for other in visible.sure | visible.doubtful}
    return name.casefold() in loose


def _candidates(
    table: exp.Table, name: str, known: Iterable[TableSpec], dialect: str
) -> list[TableSpec]:
    named = [spec for spec in known if _fold_stored(spec.name, dialect) == name]
    if not named and dialect in _EITHER_CASE:
        # What is read is the registered name, so a server that tells the two apart
        # reads no other table than one that does not.
        loose = name.casefold()
        named = [spec for spec in known if spec.name.casefold() == loose]
    first = _FIRST_SCHEMA.get(dialect)
    schema = table.args.get("db")
    if schema is None:
        plain = [spec for spec in named if not spec.schema]
        return plain or [
            spec for spec in named if _fold_stored(spec.schema, dialect) == first
        ]
    wanted = fold(schema, dialect)
    exact = [spec for spec in named if _fold_stored(spec.schema, dialect) == wanted]
    if not exact and dialect == "sqlite" and wanted == first:
        # A file has one schema of its own; nothing else can be attached to it.
        return [spec for spec in named if not spec.schema]
    return exact


def same_schema(schema: exp.Identifier, spec: TableSpec, dialect: str) -> bool:
    """Tell whether a schema before a column is the one of its table."""
    stored = _fold_stored(spec.schema, dialect) or _FIRST_SCHEMA.get(dialect, "")
    return fold(schema, dialect) == stored


def _fold_stored(name: str, dialect: str) -> str:
    return name.translate(_SMALL) if dialect == "sqlite" else name


def _spelled(spec: TableSpec) -> str:
    return f"{spec.schema}.{spec.name}" if spec.schema else spec.name

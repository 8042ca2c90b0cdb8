"""How each engine's SQL is read and written back. Pure: no Django, no network.

sqlglot knows functions as classes, and writes some of them back under another name.
Here it knows none: a function keeps the name its writer gave it, and the lists of
`connectors.sql_functions` decide by that name. Only functions with a syntax of their
own, such as ``CAST(x AS text)``, stay classes. Nothing is rewritten on the way out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import Dialect, Generator, exp
from sqlglot.dialects import MySQL, Postgres, SQLite
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.generators.mysql import MySQLGenerator
from sqlglot.generators.postgres import PostgresGenerator
from sqlglot.generators.sqlite import SQLiteGenerator
from sqlglot.parsers.mysql import MySQLParser
from sqlglot.parsers.postgres import PostgresParser
from sqlglot.parsers.sqlite import SQLiteParser
from sqlglot.tokenizer_core import Token, TokenType

# What a parser or a generator raises when it trips over its input.
CONFUSED = (SqlglotError, ValueError, TypeError, AttributeError, LookupError)
PLACEHOLDER = "\x00"  # the colon of a parameter; no judged text holds this character

_OWN_SYNTAX = frozenset({"CAST", "EXTRACT", "TRIM", "SUBSTRING", "POSITION"})

# sqlglot logs a warning for each statement it can only keep as opaque text. Such a
# statement is refused by the judge, and the refusal is what people read.
logging.getLogger("sqlglot").addFilter(
    lambda record: "Falling back to parsing as a 'Command'" not in record.getMessage()
)


def _kept(parsers: dict[str, Callable[..., Any]], *names: str) -> dict[str, Any]:
    return {name: parsers[name] for name in {*_OWN_SYNTAX, *names}}


def _faithful(transforms: dict[Any, Any]) -> dict[Any, Any]:
    """Return the writers of a dialect without the rewriting of whole queries."""
    return {kind: write for kind, write in transforms.items() if kind is not exp.Select}


def _regexp(generator: Generator, node: exp.Binary) -> str:
    return generator.binary(node, "REGEXP")


class _PostgreSQL(Postgres):  # type: ignore[misc]
    class Parser(PostgresParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS = _kept(
            PostgresParser.FUNCTION_PARSERS, "OVERLAY", "NORMALIZE", "JSON_OBJECT"
        )

        def _parse_interval(self, *args: Any, **options: Any) -> Any:
            # ``interval(3) '1 day'`` would be read as a sum of two intervals.
            if (
                self._curr.token_type is TokenType.INTERVAL
                and self._next.token_type is TokenType.L_PAREN
            ):
                self.raise_error("an interval with a precision")
            return super()._parse_interval(*args, **options)

    class Generator(PostgresGenerator):
        NAMED_PLACEHOLDER_TOKEN = PLACEHOLDER
        MULTI_ARG_DISTINCT = True
        TRANSFORMS: ClassVar[dict[Any, Any]] = {
            **_faithful(PostgresGenerator.TRANSFORMS),
            exp.CurrentTime: lambda _generator, _node: "CURRENT_TIME",
        }
        placeholder_sql = Generator.placeholder_sql


class _SQLite(SQLite):  # type: ignore[misc]
    class Parser(SQLiteParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS = _kept(SQLiteParser.FUNCTION_PARSERS)

    class Generator(SQLiteGenerator):
        NAMED_PLACEHOLDER_TOKEN = PLACEHOLDER
        MULTI_ARG_DISTINCT = True
        TYPE_MAPPING: ClassVar[dict[Any, Any]] = {
            **SQLiteGenerator.TYPE_MAPPING,
            exp.DType.DECIMAL: "NUMERIC",  # REAL has another affinity
        }
        TRANSFORMS: ClassVar[dict[Any, Any]] = {
            **_faithful(SQLiteGenerator.TRANSFORMS),
            exp.CurrentTime: lambda _generator, _node: "CURRENT_TIME",
        }


class _MySQL(MySQL):  # type: ignore[misc]
    class Parser(MySQLParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS = _kept(
            MySQLParser.FUNCTION_PARSERS,
            "CONVERT",
            "CHAR",
            "GROUP_CONCAT",
            "MATCH",
            "SUBSTR",
        )

    class Generator(MySQLGenerator):
        NAMED_PLACEHOLDER_TOKEN = PLACEHOLDER
        TRANSFORMS: ClassVar[dict[Any, Any]] = {
            **_faithful(MySQLGenerator.TRANSFORMS),
            # MariaDB has no function of this name, and both have the operator.
            exp.RegexpLike: _regexp,
        }


class _MariaDB(_MySQL):
    """MariaDB: the same text; what it knows differs in `connectors.sql_functions`."""


_DIALECTS: dict[str, Dialect] = {
    "postgresql": _PostgreSQL(),
    "mysql": _MySQL(),
    "mariadb": _MariaDB(),
    "sqlite": _SQLite(),
}
DIALECTS = tuple(_DIALECTS)


def tokens_of(sql: str, *, dialect: str) -> list[Token]:
    """Return the tokens of `sql`.

    Raises:
        sqlglot.errors.TokenError: a text or a comment is not closed.
    """
    return _DIALECTS[dialect].tokenize(sql)


def trees_of(tokens: list[Token], sql: str, *, dialect: str) -> list[exp.Expr | None]:
    """Return one tree for each statement; None for an empty one.

    Raises:
        One of `CONFUSED`, or RecursionError: the text cannot be read.
    """
    return list(_DIALECTS[dialect].parser().parse(tokens, sql))


def parse_judged(sql: str, *, dialect: str) -> exp.Expr:
    """Return a tree of a text that the judge let through, yours to change.

    Args:
        sql: ``Allowed.sql``; nothing else, since nothing is refused here.

    Raises:
        ValueError: the text has no single statement, so it was never judged.
    """
    trees = trees_of(tokens_of(sql, dialect=dialect), sql, dialect=dialect)
    if len(trees) != 1 or trees[0] is None:
        raise ValueError("expected the text of one judged statement")
    return trees[0]


def write(tree: exp.Expr, *, dialect: str) -> str:
    """Write a tree as text with ``:name`` parameters, for the judge to see again."""
    return write_marked(tree, dialect=dialect).replace(PLACEHOLDER, ":")


def write_marked(tree: exp.Expr, *, dialect: str) -> str:
    """Write a tree as text in which `PLACEHOLDER` stands before each parameter.

    Raises:
        One of `CONFUSED`, or RecursionError: the tree has no faithful text.
    """
    generator = _DIALECTS[dialect].generator(
        comments=False,
        normalize_functions=False,
        unsupported_level=ErrorLevel.RAISE,
    )
    return generator.generate(tree, copy=False)

"""Judge saved SQL: one statement that only reads. Pure: no Django, no network.

Everything is an allow-list over sqlglot's tree (`connectors.sql_grammar`). What runs is
the text written back from the judged tree, and that text is judged again, so that a
part which parser and engine read differently never reaches the engine.

The verdict is the first of several walls: the connection is read-only as well.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import Dialect, Generator, exp
from sqlglot.dialects import Postgres, SQLite
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.generators.postgres import PostgresGenerator
from sqlglot.generators.sqlite import SQLiteGenerator
from sqlglot.tokenizer_core import Token, TokenType

from connectors.sql_grammar import (
    CATALOG_SCHEMAS,
    CATALOG_TABLES,
    FIRST_WORDS,
    FUNCTIONS,
    KEYWORDS,
    PARTS,
    STATEMENTS,
    TYPES,
)

MOST_BYTES = 64 * 1024
MOST_TOKENS = 10_000
MOST_DEPTH = 32  # parentheses inside parentheses; sqlglot itself gives up near 50
RESERVED = frozenset({"tenant", "tenant_id", "user"})  # bound from the actor, only

_PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_PLAIN_NAME = re.compile(r"[^\W\d][\w$]*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*")
_OUTSIDE_TEXT = re.compile(r"/\*[!+]|/\*M!|U&['\"]", re.IGNORECASE)
_TEXTS = frozenset(
    {
        TokenType.STRING,
        TokenType.RAW_STRING,
        TokenType.HEREDOC_STRING,
        TokenType.BYTE_STRING,
        TokenType.IDENTIFIER,
    }
)
_PLACEHOLDER = "\x00"  # cannot be in a judged text

# sqlglot logs a warning for each statement it can only keep as opaque text. Such a
# statement is refused here, and the refusal is what people read.
logging.getLogger("sqlglot").addFilter(
    lambda record: "Falling back to parsing as a 'Command'" not in record.getMessage()
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """A query that may run.

    Attributes:
        sql: The text that was judged, written back from its tree, with ``:name``
            parameters and without comments.
        parameters: Names of its parameters, in order of appearance.
        tables: Tables it reads, as written, without names that its own WITH makes.
        bindable: `sql` with every colon that is no parameter escaped by a backslash.
    """

    sql: str
    parameters: tuple[str, ...]
    tables: tuple[str, ...]
    bindable: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A query that must not run. The words are in ``connectors.sql_messages``.

    Attributes:
        rule: Which rule it breaks: ``length``, ``nul``, ``dialect``, ``hidden-code``,
            ``syntax``, ``depth``, ``empty``, ``one-statement``, ``read-only``,
            ``part``, ``function``, ``data-type``, ``catalog``, ``positional``,
            ``parameter-name`` or ``unstable``.
        found: What was found, as the writer knows it, cut at 80 characters.
        remedy: Id of the way out: ``shorten``, ``split``, ``select``,
            ``other-function``, ``other-type``, ``own-tables``, ``name-parameters``,
            ``rewrite`` or ``dialect``.
        line: Line it starts on, from 1; None when it has no single place.
        column: Column it starts at, from 1.
        names: Names that would do instead, where they can be told.
    """

    rule: str
    found: str
    remedy: str
    line: int | None = None
    column: int | None = None
    names: tuple[str, ...] = ()


class RefusalError(Exception):
    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.rule)
        self.refused = refused


class _PostgresGenerator(PostgresGenerator):
    NAMED_PLACEHOLDER_TOKEN = _PLACEHOLDER
    placeholder_sql = Generator.placeholder_sql


class _SQLiteGenerator(SQLiteGenerator):
    NAMED_PLACEHOLDER_TOKEN = _PLACEHOLDER


_DIALECTS: dict[str, tuple[type[Dialect], type[Generator]]] = {
    "postgresql": (Postgres, _PostgresGenerator),
    "sqlite": (SQLite, _SQLiteGenerator),
}


@lru_cache(maxsize=1_024)
def judge(sql: str, *, dialect: str) -> Allowed | Refused:
    """Say whether `sql` may run, and in which text.

    Args:
        sql: What a person wrote: one SELECT-shaped statement with ``:name`` parameters.
        dialect: ``postgresql`` or ``sqlite``; any other is refused.
    """
    try:
        first = _judge_once(sql, dialect)
        # The second verdict is on the text the engine will read.
        again = _judge_once(first.sql, dialect)
        if (again.parameters, again.tables) != (first.parameters, first.tables):
            return Refused("unstable", "", "rewrite")
    except RefusalError as error:
        return error.refused
    return first


def _judge_once(sql: str, dialect: str) -> Allowed:
    if dialect not in _DIALECTS:
        raise RefusalError(Refused("dialect", dialect[:80], "dialect"))
    tree = parse(sql, dialect)
    parameters: dict[str, None] = {}
    tables: dict[str, None] = {}
    for node in tree.walk():
        _check_part(node, dialect)
        match node:
            case exp.Placeholder():
                parameters[_parameter_name(node)] = None
            case exp.Table():
                _check_table(node, dialect)
                if (name := _table_name(node)) and not _is_own_name(node):
                    tables[name] = None
            case exp.Anonymous() | exp.Func():
                _check_function(node, dialect)
            case exp.DataType():
                _check_type(node)
            case exp.Column():
                _check_column(node, dialect)
    text = _write(tree, dialect)
    return Allowed(
        sql=text.replace(_PLACEHOLDER, ":"),
        parameters=tuple(parameters),
        tables=tuple(tables),
        bindable=text.replace(":", "\\:").replace(_PLACEHOLDER, ":"),
    )


def parse(sql: str, dialect: str) -> exp.Expr:
    """Return the one tree of `sql`, or refuse; no error of the parser gets out."""
    if len(sql.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise RefusalError(Refused("length", f"{len(sql):,}", "shorten"))
    if "\x00" in sql or any("\ud800" <= mark <= "\udfff" for mark in sql):
        raise RefusalError(Refused("nul", "", "rewrite"))
    try:
        tokens = _DIALECTS[dialect][0]().tokenize(sql)
        _check_tokens(sql, tokens)
        trees = _DIALECTS[dialect][0]().parser().parse(tokens, sql)
    except (ParseError, TokenError) as error:
        raise RefusalError(_syntax(error)) from None
    except RecursionError:
        raise RefusalError(Refused("depth", "", "rewrite")) from None
    except (SqlglotError, ValueError, TypeError, AttributeError, LookupError) as error:
        # A parser that trips over its input has not understood it.
        raise RefusalError(Refused("syntax", type(error).__name__, "rewrite")) from None
    statements = [tree for tree in trees if tree is not None]
    if not statements:
        raise RefusalError(Refused("empty", "", "select"))
    if len(statements) > 1 or len(trees) > 1:
        raise RefusalError(Refused("one-statement", str(len(trees)), "split"))
    tree = statements[0]
    if isinstance(tree, exp.Select) and not tree.expressions:
        raise RefusalError(Refused("empty", "", "select"))
    if (
        type(tree).__name__ not in STATEMENTS
        or tokens[0].text.upper() not in FIRST_WORDS
    ):
        found = tokens[0]
        raise RefusalError(
            Refused("read-only", found.text[:80].upper(), "select", found.line, 1)
        )
    return tree


def _check_tokens(sql: str, tokens: list[Token]) -> None:
    """Refuse code hidden in comments, escapes that only engines read, and depth."""
    if len(tokens) > MOST_TOKENS:
        raise RefusalError(Refused("length", f"{len(tokens):,}", "shorten"))
    texts = [(token.start, token.end) for token in tokens if token.token_type in _TEXTS]
    for hidden in _OUTSIDE_TEXT.finditer(sql):
        at = hidden.start()
        if not any(start < at <= end for start, end in texts):
            line = sql.count("\n", 0, at) + 1
            column = at - sql.rfind("\n", 0, at)
            refused = Refused("hidden-code", hidden.group(), "rewrite", line, column)
            raise RefusalError(refused)
    depth = 0
    for token in tokens:
        if token.token_type in {TokenType.L_PAREN, TokenType.L_BRACKET}:
            depth += 1
        elif token.token_type in {TokenType.R_PAREN, TokenType.R_BRACKET}:
            depth -= 1
        if depth > MOST_DEPTH:
            raise RefusalError(
                Refused("depth", str(depth), "rewrite", token.line, token.col)
            )


def _syntax(error: ParseError | TokenError) -> Refused:
    details = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    found = str(details.get("highlight") or "")[:80]
    line, column = details.get("line"), details.get("col")
    if column is not None:
        column = max(column - len(found) + 1, 1)
    return Refused("syntax", found, "rewrite", line, column)


def _check_part(node: exp.Expr, dialect: str) -> None:
    name = type(node).__name__
    if isinstance(node, exp.Anonymous):
        return
    if isinstance(node, exp.Parameter | exp.SessionParameter):
        raise refusal("positional", node.sql(), "name-parameters", node)
    if isinstance(node, exp.Var) and not _WORD.fullmatch(node.name):
        raise refusal("part", node.name, "select", node)
    if isinstance(node, exp.Identifier) and not (
        node.quoted or _PLAIN_NAME.fullmatch(node.name)
    ):
        raise refusal("positional", node.name, "name-parameters", node)
    if name in PARTS[dialect]:
        return
    if isinstance(node, exp.Func):
        found = (node.sql_names() or [name])[0].lower()
        raise refusal("function", found, "other-function", node)
    if isinstance(node, exp.DML | exp.DDL | exp.Into | exp.Lock | exp.Command):
        raise refusal("read-only", name.upper(), "select", node)
    if isinstance(node, exp.ObjectIdentifier):
        raise refusal("data-type", node.name, "other-type", node)
    raise refusal("part", name, "select", node)


def _check_function(node: exp.Expr, dialect: str) -> None:
    """Refuse a function that is not listed; ``schema.function`` is never listed."""
    if not isinstance(node, exp.Anonymous):
        return
    # Quoted names are compared as they are: "PG_SLEEP" is not pg_sleep.
    name = node.name if node.args.get("this") is not None else ""
    quoted = isinstance(node.this, exp.Identifier) and node.this.quoted
    known = name if quoted else name.lower()
    if known not in FUNCTIONS[dialect]:
        raise refusal("function", name, "other-function", node)


def _check_table(table: exp.Table, dialect: str) -> None:
    schema, name = table.db.lower(), _table_name(table).rpartition(".")[2].lower()
    if table.catalog:
        raise refusal("catalog", table.catalog, "own-tables", table)
    if schema.startswith(CATALOG_SCHEMAS[dialect]):
        raise refusal("catalog", table.db, "own-tables", table)
    if name.startswith(CATALOG_TABLES[dialect]):
        raise refusal("catalog", table.name, "own-tables", table)
    if schema and isinstance(table.this, exp.Func):
        raise refusal("function", table.db, "other-function", table)


def _check_type(node: exp.DataType) -> None:
    kind = node.this
    if not isinstance(kind, exp.DType) or kind.name not in TYPES:
        raise refusal("data-type", node.sql("postgres"), "other-type", node)


def _check_column(column: exp.Column, dialect: str) -> None:
    name = column.this
    if (
        isinstance(name, exp.Identifier)
        and not name.quoted
        and not column.table
        and name.name.lower() in KEYWORDS[dialect]
    ):
        raise refusal("function", name.name, "other-function", column)


def _parameter_name(node: exp.Placeholder) -> str:
    name = node.this
    if not isinstance(name, str) or not name:
        # ``?``, ``%s`` and ``%(name)s`` of the drivers.
        raise refusal("positional", "?", "name-parameters", node)
    if not _PARAMETER_NAME.fullmatch(name):
        raise refusal("parameter-name", f":{name}", "name-parameters", node)
    return name


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


def text_of(tree: exp.Expr, dialect: str) -> str:
    """Write a tree as SQL with ``:name`` parameters."""
    return _write(tree, dialect).replace(_PLACEHOLDER, ":")


def _write(tree: exp.Expr, dialect: str) -> str:
    generator = _DIALECTS[dialect][1](
        dialect=_DIALECTS[dialect][0](), comments=False, normalize_functions=False
    )
    try:
        return generator.generate(tree)
    except RecursionError:
        raise RefusalError(Refused("depth", "", "rewrite")) from None
    except (SqlglotError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise RefusalError(Refused("syntax", type(error).__name__, "rewrite")) from None


def refusal(
    rule: str, found: str, remedy: str, node: exp.Expr, *, names: tuple[str, ...] = ()
) -> RefusalError:
    line, column = _place(node)
    return RefusalError(Refused(rule, found[:80], remedy, line, column, names))


def _place(node: exp.Expr) -> tuple[int | None, int | None]:
    """Return line and column where the node, or its first placed part, begins."""
    places = sorted(_places(node))
    return places[0] if places else (None, None)


def _places(node: exp.Expr) -> Iterator[tuple[int, int]]:
    for part in node.walk():
        meta = part.meta
        if "line" in meta and "start" in meta:
            yield meta["line"], meta["col"] - (meta["end"] - meta["start"])

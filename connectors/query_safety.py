"""Judge saved SQL: one statement that only reads. Pure: no Django, no network.

Everything is an allow-list over sqlglot's tree (`connectors.sql_grammar`,
`connectors.sql_functions`). What runs is the text written back from the judged tree,
and that text is judged again, so that a part which parser and engine read differently
never reaches the engine.

The verdict is the first of several walls: the connection is read-only as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from connectors import sql_places
from connectors.sql_dialects import (
    CONFUSED,
    DIALECTS,
    PLACEHOLDER,
    tokens_of,
    trees_of,
    write_marked,
)
from connectors.sql_functions import FUNCTIONS
from connectors.sql_grammar import (
    ARGUMENTS,
    ARGUMENTS_OF,
    CATALOG_SCHEMAS,
    CATALOG_TABLES,
    FIRST_WORDS,
    KEYWORDS,
    NAMED_TYPES,
    PARTS,
    STATEMENTS,
    TYPES,
)

MOST_BYTES = 64 * 1024
MOST_TOKENS = 10_000
MOST_DEPTH = 32  # parentheses inside parentheses; sqlglot itself gives up near 50
RESERVED = frozenset({"tenant", "user"})  # bound from the actor, never from arguments

_PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_PLAIN_NAME = re.compile(r"[^\W\d][\w$]*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*")
# Characters no query needs: those that no database reads, and those that show a text
# to its reviewer in another order than it is read.
_CHARACTERS = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
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
_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET})


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
        rule: Which rule it breaks, one of `RULES`, or one of the tenant scope.
        found: What was found, as the writer knows it, cut at 80 characters.
        remedy: Id of the way out: ``shorten``, ``split``, ``select``,
            ``other-function``, ``other-type``, ``own-tables``, ``name-parameters``,
            ``rewrite`` or ``dialect``.
        line: Line it starts on, from 1; None when it has no single place.
        column: Column it starts at, from 1.
    """

    rule: str
    found: str
    remedy: str
    line: int | None = None
    column: int | None = None


# Every rule, with the way out of it, in the order in which they are held.
RULES = {
    "dialect": "dialect",
    "length": "shorten",
    "characters": "rewrite",
    "hidden-code": "rewrite",
    "depth": "rewrite",
    "empty": "select",
    "one-statement": "split",
    "read-only": "select",
    "syntax": "rewrite",
    "write-inside": "select",
    "into": "select",
    "lock": "select",
    "session": "name-parameters",
    "positional": "name-parameters",
    "parameter-name": "name-parameters",
    "part": "select",
    "function": "other-function",
    "data-type": "other-type",
    "catalog": "own-tables",
    "unstable": "rewrite",
}


class _RefusalError(Exception):
    """Carries a refusal up, with the node or the token it is about."""

    def __init__(
        self,
        rule: str,
        found: str = "",
        *,
        node: exp.Expr | None = None,
        token: Token | None = None,
        place: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(rule)
        self.rule, self.found, self.node, self.place = rule, found[:80], node, place
        if token is not None:
            self.place = sql_places.place_of(token)


@lru_cache(maxsize=1_024)
def judge(sql: str, *, dialect: str) -> Allowed | Refused:
    """Say whether `sql` may run, and in which text.

    Args:
        sql: What a person wrote: one SELECT-shaped statement with ``:name`` parameters.
        dialect: One of `connectors.sql_dialects.DIALECTS`; any other is refused.
    """
    first = _judge_once(sql, dialect)
    if isinstance(first, Refused):
        return first
    # The second verdict is on the text the engine will read; its places are not those
    # of the text that was written.
    again = _judge_once(first.sql, dialect)
    if isinstance(again, Refused):
        return replace(again, line=None, column=None)
    if again != first:
        return Refused("unstable", "", RULES["unstable"])
    return first


def _judge_once(sql: str, dialect: str) -> Allowed | Refused:
    tokens: list[Token] = []
    try:
        _check_text(sql, dialect)
        tokens = _tokens(sql, dialect)
        tree = _parse(sql, tokens, dialect)
        return _check_tree(tree, dialect)
    except _RefusalError as error:
        line, column = sql_places.find(error.place, error.node, error.found, tokens)
        return Refused(error.rule, error.found, RULES[error.rule], line, column)


# --- The text and its tokens --------------------------------------------------------


def _check_text(sql: str, dialect: str) -> None:
    if dialect not in DIALECTS:
        raise _RefusalError("dialect", dialect)
    size = len(sql.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise _RefusalError("length", f"{size:,}")
    if bad := _CHARACTERS.search(sql):
        place = sql_places.place_at(sql, bad.start())
        raise _RefusalError("characters", f"U+{ord(bad.group()):04X}", place=place)


def _tokens(sql: str, dialect: str) -> list[Token]:
    """Return the tokens of one statement, or refuse what they already show."""
    try:
        tokens = tokens_of(sql, dialect=dialect)
    except (*CONFUSED, RecursionError) as error:
        raise _unreadable(error) from None
    if len(tokens) > MOST_TOKENS:
        raise _RefusalError("length", f"{len(tokens):,}")
    texts = [(token.start, token.end) for token in tokens if token.token_type in _TEXTS]
    for hidden in _OUTSIDE_TEXT.finditer(sql):
        at = hidden.start()
        if not any(start < at <= end for start, end in texts):
            place = sql_places.place_at(sql, at)
            raise _RefusalError("hidden-code", hidden.group(), place=place)
    _check_statement(tokens)
    _check_depth(tokens)
    return tokens


def _check_statement(tokens: list[Token]) -> None:
    """Refuse more than one statement, and one that begins like no read."""
    began = [
        token
        for before, token in zip([None, *tokens], tokens, strict=False)
        if token.token_type is not TokenType.SEMICOLON
        and (before is None or before.token_type is TokenType.SEMICOLON)
    ]
    if not began:
        raise _RefusalError("empty")
    if len(began) > 1:
        raise _RefusalError("one-statement", str(len(began)), token=began[1])
    words = (token for token in tokens if token.token_type is not TokenType.L_PAREN)
    first = next(words, None)
    if tokens[0].text.upper() not in FIRST_WORDS or first is None:
        raise _RefusalError("read-only", tokens[0].text.upper(), token=tokens[0])


def _check_depth(tokens: list[Token]) -> None:
    depth = 0
    for token in tokens:
        if token.token_type in _OPENING:
            depth += 1
            if depth > MOST_DEPTH:
                raise _RefusalError("depth", str(depth), token=token)
        elif token.token_type in _CLOSING:
            depth -= 1


def _parse(sql: str, tokens: list[Token], dialect: str) -> exp.Expr:
    """Return the one tree of `sql`, or refuse; no error of the parser gets out."""
    try:
        trees = trees_of(tokens, sql, dialect=dialect)
    except RecursionError:
        raise _RefusalError("depth") from None
    except CONFUSED as error:
        # A parser that trips over its input has not understood it; the tokens may
        # tell the writer more than its complaint.
        if cause := sql_places.cause_of(tokens):
            rule, token = cause
            raise _RefusalError(rule, token.text.upper(), token=token) from None
        raise _unreadable(error) from None
    statements = [tree for tree in trees if tree is not None]
    if len(statements) != 1:
        raise _RefusalError("one-statement", str(len(statements)))
    tree = statements[0]
    if isinstance(tree, exp.Select) and not tree.expressions:
        raise _RefusalError("empty")
    if type(tree).__name__ not in STATEMENTS:
        if cause := sql_places.cause_of(tokens):
            rule, token = cause
            raise _RefusalError(rule, token.text.upper(), token=token)
        raise _RefusalError("read-only", tokens[0].text.upper(), token=tokens[0])
    return tree


def _unreadable(error: Exception) -> _RefusalError:
    if isinstance(error, RecursionError):
        return _RefusalError("depth")
    if not isinstance(error, ParseError | TokenError):
        return _RefusalError("syntax", type(error).__name__)
    details = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    found = str(details.get("highlight") or "")
    line, column = details.get("line"), details.get("col")
    if line is None or column is None:
        return _RefusalError("syntax", found)
    return _RefusalError("syntax", found, place=(line, max(column - len(found) + 1, 1)))


# --- The tree -----------------------------------------------------------------------


def _check_tree(tree: exp.Expr, dialect: str) -> Allowed:
    parameters: dict[str, None] = {}
    tables: dict[str, None] = {}
    parts = PARTS[dialect]
    for node in tree.walk():
        name = type(node).__name__
        if name not in parts:
            raise _foreign(node, dialect)
        _check_arguments(node, name, dialect)
        match node:
            case exp.Placeholder():
                parameters[_parameter_name(node)] = None
            case exp.Table():
                _check_table(node, dialect)
                if (read := _table_name(node)) and not _is_own_name(node):
                    tables[read] = None
            case exp.Anonymous():
                _check_function(node, dialect)
            case exp.DataType():
                _check_type(node, dialect)
            case exp.Column():
                _check_column(node, dialect)
            case exp.Identifier() | exp.Var():
                _check_name(node)
    text = _written(tree, dialect)
    return Allowed(
        sql=text.replace(PLACEHOLDER, ":"),
        parameters=tuple(parameters),
        tables=tuple(tables),
        bindable=text.replace(":", "\\:").replace(PLACEHOLDER, ":"),
    )


def _foreign(node: exp.Expr, dialect: str) -> _RefusalError:
    """Return the refusal of a part that is not listed, by the rule it breaks."""
    name = type(node).__name__
    match node:
        case exp.Into():
            return _RefusalError("into", "INTO", node=node)
        case exp.Lock():
            return _RefusalError("lock", "FOR", node=node)
        case exp.DML() | exp.DDL() | exp.Command():
            return _RefusalError("write-inside", name.upper(), node=node)
        case exp.Parameter() | exp.SessionParameter():
            rule = "session" if dialect in {"mysql", "mariadb"} else "positional"
            return _RefusalError(rule, node.sql(), node=node)
        case exp.PropertyEQ():
            return _RefusalError("session", ":=", node=node)
        case exp.Hint():
            return _RefusalError("session", "HINT", node=node)
        case exp.Func():
            found = (node.sql_names() or [name])[0].lower()
            return _RefusalError("function", found, node=node)
        case exp.Dot() if isinstance(node.expression, exp.Func):
            return _RefusalError("function", node.sql(), node=node)
        case exp.ObjectIdentifier():
            return _RefusalError("data-type", node.name, node=node)
    return _RefusalError("part", name, node=node)


def _check_arguments(node: exp.Expr, name: str, dialect: str) -> None:
    """Refuse an argument of a part that is not listed, such as a lock of a SELECT."""
    listed = ARGUMENTS_OF.get((dialect, name)) or ARGUMENTS[name]
    for key, value in node.args.items():
        if not value or key in listed:
            continue
        if isinstance(node, exp.Placeholder):
            raise _RefusalError("positional", "?", node=node)
        held = value[0] if isinstance(value, list) else value
        if isinstance(held, exp.Into | exp.Lock | exp.Hint):
            raise _foreign(held, dialect)
        if key == "operation_modifiers":
            raise _RefusalError("session", str(held), node=node)
        raise _RefusalError("part", f"{name} {key.rstrip('_')}", node=node)


def _check_function(node: exp.Anonymous, dialect: str) -> None:
    # Quoted names are compared as they are: "PG_SLEEP" is not pg_sleep.
    quoted = isinstance(node.this, exp.Identifier) and node.this.quoted
    known = node.name if quoted else node.name.lower()
    if known not in FUNCTIONS[dialect]:
        raise _RefusalError("function", node.name, node=node)


def _check_table(table: exp.Table, dialect: str) -> None:
    schema, name = table.db.lower(), _table_name(table).rpartition(".")[2].lower()
    if table.catalog:
        raise _RefusalError("catalog", table.catalog, node=table)
    if schema.startswith(CATALOG_SCHEMAS[dialect]):
        raise _RefusalError("catalog", table.db, node=table)
    if name.startswith(CATALOG_TABLES[dialect]):
        raise _RefusalError("catalog", table.name, node=table)
    if schema and isinstance(table.this, exp.Func):
        raise _RefusalError("function", table.db, node=table)


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
    raise _RefusalError("data-type", node.sql("postgres"), node=node)


def _check_column(column: exp.Column, dialect: str) -> None:
    name = column.this
    if (
        isinstance(name, exp.Identifier)
        and not name.quoted
        and not column.table
        and name.name.lower() in KEYWORDS[dialect]
    ):
        raise _RefusalError("function", name.name, node=column)


def _check_name(node: exp.Identifier | exp.Var) -> None:
    if isinstance(node, exp.Var):
        if not _WORD.fullmatch(node.name):
            raise _RefusalError("part", node.name, node=node)
    elif not (node.quoted or _PLAIN_NAME.fullmatch(node.name)):
        raise _RefusalError("positional", node.name, node=node)


def _parameter_name(node: exp.Placeholder) -> str:
    name = node.this
    if not isinstance(name, str) or not name:
        # ``?``, ``%s`` and ``%(name)s`` of the drivers.
        raise _RefusalError("positional", "?", node=node)
    if not _PARAMETER_NAME.fullmatch(name):
        raise _RefusalError("parameter-name", f":{name}", node=node)
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


def _written(tree: exp.Expr, dialect: str) -> str:
    try:
        return write_marked(tree, dialect=dialect)
    except RecursionError:
        raise _RefusalError("depth") from None
    except CONFUSED as error:
        raise _RefusalError("unstable", type(error).__name__) from None

"""Judge saved SQL: one statement that only reads. Pure: no Django, no network.

Everything is an allow-list over sqlglot's tree (`connectors.sql_grammar`,
`connectors.sql_functions`). What runs is the text written back from the judged tree,
and that text is judged again, so that a part which parser and engine read differently
never reaches the engine.

The verdict is the first of several walls: the connection is read-only as well.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from connectors import sql_places
from connectors.query_parts import check_tree
from connectors.query_verdicts import RULES, Allowed, RefusalError, Refused
from connectors.sql_dialects import CONFUSED, DIALECTS, tokens_of, trees_of
from connectors.sql_grammar import FIRST_WORDS, STATEMENTS

__all__ = [
    "MOST_BYTES",
    "MOST_DEPTH",
    "RESERVED",
    "RULES",
    "Allowed",
    "Refused",
    "judge",
    "tree_of",
]

MOST_BYTES = 64 * 1024
MOST_TOKENS = 3_000  # a query of some 400 lines; the worst 4 kB took 0.17 s
MOST_DEPTH = 32  # parentheses inside parentheses; sqlglot itself gives up near 50
# Bound from the actor, never from arguments.
RESERVED = frozenset({"tenant", "tenant_id", "user"})

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


@lru_cache(maxsize=1_024)
def judge(sql: str, *, dialect: str) -> Allowed | Refused:
    """Say whether `sql` may run, and in which text.

    Args:
        sql: What a person wrote: one SELECT-shaped statement with ``:name`` parameters.
        dialect: One of `connectors.sql_dialects.DIALECTS`; any other is refused.
    """
    tokens: list[Token] = []
    try:
        tokens = _tokens(sql, dialect)
        first = _judged(sql, tokens, dialect)
    except RefusalError as error:
        return _refused(error, tokens)
    # The second verdict is on the text the engine will read.
    try:
        written = _tokens(first.sql, dialect)
        if _spelled(written) == _spelled(tokens):
            return first  # a parser reads the same tokens the same way
        again = _judged(first.sql, written, dialect)
    except RefusalError as error:
        # Its places are not those of the text that was written.
        return replace(_refused(error, []), line=None, column=None)
    if again != first and not _same(again, first, dialect):
        return Refused("unstable", "", RULES["unstable"])
    return first


def tree_of(sql: str, *, dialect: str) -> exp.Expr:
    """Return the tree of one statement, for `check_tree` to judge.

    Raises:
        RefusalError: what the text, its tokens or the parser show already.
    """
    return _parse(sql, _tokens(sql, dialect), dialect)


def _same(one: Allowed, other: Allowed, dialect: str) -> bool:
    """Tell whether two verdicts are one but for spaces."""
    named = (one.parameters, one.tables) == (other.parameters, other.tables)
    texts = (_spelled(tokens_of(each.sql, dialect=dialect)) for each in (one, other))
    return named and next(texts) == next(texts)


def _judged(sql: str, tokens: list[Token], dialect: str) -> Allowed:
    return check_tree(_parse(sql, tokens, dialect), dialect)


def _refused(error: RefusalError, tokens: list[Token]) -> Refused:
    line, column = sql_places.find(error.place, error.node, error.found, tokens)
    return Refused(error.rule, error.found, RULES[error.rule], line, column)


def _spelled(tokens: list[Token]) -> list[object]:
    """Return all of the tokens that a parser goes by."""
    return [(token.token_type, token.text, token.comments) for token in tokens]


# --- The text and its tokens --------------------------------------------------------


def _check_text(sql: str, dialect: str) -> None:
    if dialect not in DIALECTS:
        raise RefusalError("dialect", dialect)
    size = len(sql.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise RefusalError("length", f"{size:,}")
    if bad := _CHARACTERS.search(sql):
        place = sql_places.place_at(sql, bad.start())
        raise RefusalError("characters", f"U+{ord(bad.group()):04X}", place=place)


def _tokens(sql: str, dialect: str) -> list[Token]:
    """Return the tokens of one statement, or refuse what they already show."""
    _check_text(sql, dialect)
    try:
        tokens = tokens_of(sql, dialect=dialect)
    except (*CONFUSED, RecursionError) as error:
        raise _unreadable(error) from None
    if len(tokens) > MOST_TOKENS:
        raise RefusalError("length", f"{len(tokens):,}")
    texts = [(token.start, token.end) for token in tokens if token.token_type in _TEXTS]
    for hidden in _OUTSIDE_TEXT.finditer(sql):
        at = hidden.start()
        if not any(start < at <= end for start, end in texts):
            place = sql_places.place_at(sql, at)
            raise RefusalError("hidden-code", hidden.group(), place=place)
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
        raise RefusalError("empty")
    if len(began) > 1:
        raise RefusalError("one-statement", str(len(began)), token=began[1])
    words = (token for token in tokens if token.token_type is not TokenType.L_PAREN)
    first = next(words, None)
    if tokens[0].text.upper() not in FIRST_WORDS or first is None:
        raise RefusalError("read-only", tokens[0].text.upper(), token=tokens[0])


def _check_depth(tokens: list[Token]) -> None:
    depth = 0
    for token in tokens:
        if token.token_type in _OPENING:
            depth += 1
            if depth > MOST_DEPTH:
                raise RefusalError("depth", str(depth), token=token)
        elif token.token_type in _CLOSING:
            depth -= 1


def _parse(sql: str, tokens: list[Token], dialect: str) -> exp.Expr:
    """Return the one tree of `sql`, or refuse; no error of the parser gets out."""
    try:
        trees = trees_of(tokens, sql, dialect=dialect)
    except RecursionError:
        raise RefusalError("depth") from None
    except CONFUSED as error:
        # A parser that trips over its input has not understood it; the tokens may
        # tell the writer more than its complaint.
        if cause := sql_places.cause_of(tokens):
            rule, token = cause
            raise RefusalError(rule, token.text.upper(), token=token) from None
        raise _unreadable(error) from None
    statements = [tree for tree in trees if tree is not None]
    if len(statements) != 1:
        raise RefusalError("one-statement", str(len(statements)))
    tree = statements[0]
    if isinstance(tree, exp.Select) and not tree.expressions:
        raise RefusalError("empty")
    if type(tree).__name__ not in STATEMENTS:
        if cause := sql_places.cause_of(tokens):
            rule, token = cause
            raise RefusalError(rule, token.text.upper(), token=token)
        raise RefusalError("read-only", tokens[0].text.upper(), token=tokens[0])
    return tree


def _unreadable(error: Exception) -> RefusalError:
    if isinstance(error, RecursionError):
        return RefusalError("depth")
    if not isinstance(error, ParseError | TokenError):
        return RefusalError("syntax", type(error).__name__)
    details = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    found = str(details.get("highlight") or "")
    line, column = details.get("line"), details.get("col")
    if line is None or column is None:
        return RefusalError("syntax", found)
    return RefusalError("syntax", found, place=(line, max(column - len(found) + 1, 1)))

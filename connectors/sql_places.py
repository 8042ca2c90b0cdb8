"""Where a refused statement breaks its rule: lines and columns from 1. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

_WRITES_WORDS = """
    ALTER CALL COPY CREATE DELETE DROP EXECUTE GRANT INSERT MERGE REPLACE REVOKE
    TRUNCATE UPDATE
"""
_WRITES = frozenset(_WRITES_WORDS.split())
_LOCKED = frozenset({"UPDATE", "SHARE", "KEY", "NO"})
_QUOTED = frozenset({TokenType.IDENTIFIER, TokenType.STRING})
# After these, a word of `_WRITES` begins a statement inside the statement.
_BEFORE_WRITE = frozenset({TokenType.L_PAREN, TokenType.R_PAREN})


def place_of(token: Token) -> tuple[int, int]:
    """Return line and column where a token begins."""
    # sqlglot counts the column of a token's last character.
    return token.line, max(token.col - (token.end - token.start), 1)


def place_at(sql: str, at: int) -> tuple[int, int]:
    """Return line and column of the character `at` of `sql`."""
    return sql.count("\n", 0, at) + 1, at - sql.rfind("\n", 0, at)


def find(
    place: tuple[int, int] | None,
    node: exp.Expr | None,
    found: str,
    tokens: list[Token],
) -> tuple[int | None, int | None]:
    """Return the place of what was found, as near as the parser tells it.

    Args:
        place: The place, where it is known already.
        node: The part of the tree that is refused. Where the parser keeps no place for
            it, the last token before its first placed piece that reads like `found` is
            taken, or else the first token that does.
    """
    if place is not None or node is None:
        return place or (None, None)
    if (own := _own_place(node)) is not None:
        return own
    if isinstance(node, exp.Lock) and (cause := cause_of(tokens)):
        return place_of(cause[1])
    inside = min(_places(node), default=None)
    word = next(iter(found.upper().split()), "")
    spelled = {word, word[:1] if not word[:1].isalnum() else word}
    alike = [place_of(token) for token in tokens if token.text.upper() in spelled]
    before = [at for at in alike if inside is not None and at <= inside]
    nearest = before[-1:] or alike[:1]
    return nearest[0] if nearest else inside or (None, None)


def cause_of(tokens: list[Token]) -> tuple[str, Token] | None:
    """Return the rule that a statement breaks which the parser reads as no read."""
    for at, token in enumerate(tokens[1:], 1):
        if token.token_type in _QUOTED:
            continue
        word = token.text.upper()
        after = tokens[at + 1].text.upper() if at + 1 < len(tokens) else ""
        if word == "INTO":
            return "into", token
        if (word == "FOR" and after in _LOCKED) or (word == "LOCK" and after == "IN"):
            return "lock", token
        if word in _WRITES and tokens[at - 1].token_type in _BEFORE_WRITE:
            return "write-inside", token
        if word == ":=":
            return "session", token
    return None


def _own_place(node: exp.Expr) -> tuple[int, int] | None:
    meta = node.meta
    if "line" in meta and "start" in meta:
        return meta["line"], max(meta["col"] - (meta["end"] - meta["start"]), 1)
    return None


def _places(node: exp.Expr) -> Iterator[tuple[int, int]]:
    for part in node.walk():
        if (place := _own_place(part)) is not None:
            yield place

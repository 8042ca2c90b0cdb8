"""What the judge of saved SQL says, and every rule it holds. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from connectors.sql_places import place_of


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
        names: Names that would do instead, where they can be told.
    """

    rule: str
    found: str
    remedy: str
    line: int | None = None
    column: int | None = None
    names: tuple[str, ...] = ()


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


class RefusalError(Exception):
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
            self.place = place_of(token)

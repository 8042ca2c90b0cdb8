"""The language of the log search: text in, a tree of conditions or a fault out.

::

    level>=warning logger:connectors.* "connection refused" -healthz since:2h
    (status:5?? or status:timeout) tenant:acme -user:3f2a91c07b44

Words beside each other must all be met. With ``or`` between two, one is enough; it
binds less. ``-`` or ``not`` in front turns one around. In the value of a field ``*``
and ``?`` stand for any text and any character, in free text for themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

LONGEST = 1_000
MOST_TERMS = 40
DEEPEST = 20

LEVEL_NUMBERS = {
    "debug": 10,
    "info": 20,
    "warning": 30,
    "warn": 30,
    "error": 40,
    "critical": 50,
}
LABELS = (
    "page",
    "menu",
    "screen",
    "block",
    "decision",
    "operation",
    "data_source",
    "renderer",
    "task",
)
COLUMNS = ("logger", "tenant", "trace", "user", "status", "process")
FIELDS = (*COLUMNS, *LABELS)
TIMES = ("since", "until")
NAMES = ("level", *TIMES, *FIELDS)

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST_AGO = 3_650 * 86_400


@dataclass(frozen=True, slots=True)
class Text:
    """Contains `needle`, in any case; see `fold`."""

    needle: str


@dataclass(frozen=True, slots=True)
class Level:
    """Level compared with a number of Python's; `operator` is =, >=, >, <= or <."""

    operator: str
    number: int


@dataclass(frozen=True, slots=True)
class Field:
    """One of `FIELDS` is `value`, in which * and ? stand for any text, any character.

    An empty value means that the line has none.
    """

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Not before (``since``) or before (``until``) a moment.

    Attributes:
        at: The moment; without a zone it is in the reader's own. None with `ago`.
        ago: How long before now.
    """

    name: str
    at: datetime | None = None
    ago: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class Every:
    """All parts; with none, every line."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of two or more parts."""

    parts: tuple[Node, ...]


Node: TypeAlias = Text | Level | Field | Moment | Not | Every | Either


@dataclass(frozen=True, slots=True)
class QueryFault:
    """Why a query cannot be read.

    Attributes:
        rule: Which rule it breaks; the words are in ``observability.log_messages``.
        column: Where, from 1.
        found: What stands there.
    """

    rule: str
    column: int
    found: str = ""


def fold(text: str) -> str:
    """Return text as it is compared: composed, and without upper and lower case.

    Folding goes character by character, so that the folded form of a part is a part
    of the folded form of the whole. That is not so for ``lower``: Greek has a sigma
    of its own at the end of a word.
    """
    return unicodedata.normalize("NFC", text).casefold()


def parse(text: str) -> Node | QueryFault:
    """Read a query; an empty one is met by every line."""
    if len(text) > LONGEST:
        return QueryFault("too-long", LONGEST + 1, str(len(text)))
    try:
        return _Reader(list(_tokens(text)), end=len(text) + 1).whole()
    except _Broken as broken:
        return broken.fault


class _Broken(Exception):
    def __init__(self, rule: str, column: int, found: str = "") -> None:
        super().__init__(rule)
        self.fault = QueryFault(rule, column, found)


class _Token(NamedTuple):
    """Kind is ``(``, ``)``, ``-``, ``or``, ``not``, ``text`` or ``field``."""

    kind: str
    column: int
    name: str = ""
    operator: str = ""
    value: str = ""
    value_column: int = 0


_FIELD = re.compile(r"([A-Za-z_][\w.]*)(>=|<=|[:><=])")
_BARE = re.compile(r"[^\s()\"]+")


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while place < len(text):
        character = text[place]
        column = place + 1
        if character.isspace():
            place += 1
        elif character in "()":
            yield _Token(character, column)
            place += 1
        elif character == "-" and place + 1 < len(text) and text[place + 1] not in " -":
            yield _Token("-", column)
            place += 1
        elif character == '"':
            value, place = _quoted(text, place)
            yield _Token("text", column, value=value, value_column=column)
        elif found := _field_at(text, place):
            name, operator = found[1].lower(), found[2]
            value, place = _value(text, found.end())
            yield _Token("field", column, name, operator, value, found.end() + 1)
        else:
            bare = _BARE.match(text, place)
            word = bare[0] if bare else character
            kind = word.lower() if word.lower() in {"or", "and", "not"} else "text"
            if kind != "and":
                yield _Token(kind, column, value=word, value_column=column)
            place += len(word)


def _field_at(text: str, place: int) -> re.Match[str] | None:
    """Find a field; rows=3 is text, for lines are full of it."""
    found = _FIELD.match(text, place)
    if found and found[2] == "=" and found[1].lower() not in NAMES:
        return None
    return found


def _value(text: str, place: int) -> tuple[str, int]:
    """Return the value of a field that begins at `place`, and where it ends."""
    if place < len(text) and text[place] == '"':
        return _quoted(text, place)
    found = _BARE.match(text, place)
    return (found[0], found.end()) if found else ("", place)


def _quoted(text: str, place: int) -> tuple[str, int]:
    r"""Return what stands in quotes from `place` on; \" and \\ stand for themselves."""
    characters: list[str] = []
    at = place + 1
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] in {'"', "\\"}:
            characters.append(text[at + 1])
            at += 2
            continue
        if text[at] == '"':
            return "".join(characters), at + 1
        characters.append(text[at])
        at += 1
    raise _Broken("unclosed-quote", place + 1)


class _Reader:
    """Reads tokens by descending: either > every > turned > one."""

    def __init__(self, tokens: list[_Token], *, end: int) -> None:
        self._tokens = tokens
        self._place = 0
        self._end = end
        self._terms = 0
        self._depth = 0

    def whole(self) -> Node:
        if not self._tokens:
            return Every()
        node = self._either()
        if token := self._next():
            raise _Broken("stray-parenthesis", token.column)
        return node

    def _next(self) -> _Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _either(self) -> Node:
        parts = [self._every()]
        while (token := self._next()) and token.kind == "or":
            self._place += 1
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _every(self) -> Node:
        parts: list[Node] = []
        while (token := self._next()) and token.kind not in {"or", ")"}:
            parts.append(self._turned())
        if not parts:
            token = self._next()
            rule = "nothing-beside-or"
            if (token is None or token.kind == ")") and self._before() == "(":
                rule = "empty-parentheses"
            elif token is not None and token.kind == ")" and self._depth == 0:
                rule = "stray-parenthesis"
            raise _Broken(rule, token.column if token else self._end)
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _before(self) -> str:
        return self._tokens[self._place - 1].kind if self._place else ""

    def _turned(self) -> Node:
        token = self._tokens[self._place]
        if token.kind not in {"-", "not"}:
            return self._one()
        self._place += 1
        following = self._next()
        if following is None or following.kind in {"or", ")"}:
            raise _Broken("nothing-to-negate", token.column)
        self._enter(token)
        node = Not(self._turned())
        self._depth -= 1
        return node

    def _enter(self, token: _Token) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _Broken("too-deep", token.column)

    def _one(self) -> Node:
        token = self._tokens[self._place]
        self._place += 1
        if token.kind == "(":
            self._enter(token)
            node = self._either()
            closing = self._next()
            if closing is None:
                raise _Broken("unclosed-parenthesis", token.column)
            self._place += 1
            self._depth -= 1
            return node
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise _Broken("too-many-terms", token.column)
        return _term(token)


def _term(token: _Token) -> Node:
    if token.kind == "text":
        if not (needle := fold(token.value)):
            raise _Broken("empty-text", token.column)
        return Text(needle)
    if token.name not in NAMES:
        raise _Broken("unknown-field", token.column, token.name)
    if token.name == "level":
        return _level(token)
    if token.operator not in ":=":
        raise _Broken("no-comparison", token.column, token.name)
    if token.name in TIMES:
        return _moment(token)
    return Field(token.name, unicodedata.normalize("NFC", token.value))


def _level(token: _Token) -> Level:
    number = LEVEL_NUMBERS.get(token.value.lower())
    if number is None:
        raise _Broken("unknown-level", token.value_column, token.value)
    return Level("=" if token.operator in ":=" else token.operator, number)


def _moment(token: _Token) -> Moment:
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", token.value)
    if found:
        seconds = int(found[1]) * _UNITS[found[2]]
        if seconds <= _LONGEST_AGO:
            return Moment(token.name, ago=timedelta(seconds=seconds))
    elif token.value[:1].isdecimal():
        try:
            return Moment(token.name, at=datetime.fromisoformat(token.value))
        except ValueError:
            pass
    raise _Broken("unreadable-time", token.value_column, token.value)


def quoted(text: str) -> str:
    """Return `text` as it is written in a query, whatever it contains."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(node: Node) -> str:
    """Return a query that `parse` reads as `node`."""
    match node:
        case Text(needle):
            return quoted(needle)
        case Level(operator, number):
            name = next(key for key, each in LEVEL_NUMBERS.items() if each == number)
            return f"level{operator}{name}"
        case Field(name, value):
            return f"{name}:{quoted(value)}"
        case Moment(name, at, ago):
            value = f"{int(ago.total_seconds())}s" if ago is not None else ""
            return f"{name}:{at.isoformat() if at else value}"
        case Not(part):
            return (
                f"-({written(part)})" if isinstance(part, Not) else f"-{_grouped(part)}"
            )
        case Every(parts):
            return " ".join(map(_grouped, parts))
        case Either(parts):
            return " or ".join(map(_grouped, parts))


def _grouped(node: Node) -> str:
    text = written(node)
    return f"({text})" if isinstance(node, Every | Either) else text

"""Values and tests inside of the statements of `tests.connectors.scope_shapes`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

WHOLE, TEXT = "whole", "text"
COLUMNS = {
    "orders": (
        ("id", WHOLE), ("tenant", TEXT), ("site_id", WHOLE), ("amount", WHOLE),
        ("status", TEXT),
    ),
    "sites": (("id", WHOLE), ("owner", WHOLE), ("name", TEXT), ("amount", WHOLE)),
    'Odd "x.y"': (("id", WHOLE), ('"Tenant of"', TEXT), ("note", TEXT)),
    "kinds": (("id", WHOLE), ("status", TEXT)),
}  # fmt: skip
ALIASES = (
    "a", "b", "c", "orders", "sites", "kinds", "Orders", '"Q r"', "SITES", "d", "e",
    "f", "g", "h", "i", "j",
)  # fmt: skip
MADE = ("c1", "orders", "c2", "Sites", "kinds", '"c3"')
_INTS = [st.integers(0, max(0, size - 1)) for size in range(101)]

Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """What a FROM reads: its text, and each name it brings with its columns."""

    text: str
    brings: tuple[tuple[str, Columns], ...]
    merges: bool = False  # NATURAL and USING show a column once


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement stands.

    Attributes:
        made: Columns of the WITH names that are visible, by folded name.
        blocked: Folded names that may not be used without a schema here.
        outer: Names of the statements around, which a subquery may use.
    """

    made: dict[str, Columns] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
    outer: tuple[tuple[str, Columns], ...] = ()
    depth: int = 0


def folded(name: str) -> str:
    return name.strip('"').lower()


class Values:
    """Draws values and tests; the statements inside of them come from a subclass."""

    def __init__(self, draw: Callable[[st.SearchStrategy[int]], int], dialect: str):
        self._draw = draw
        self._postgresql = dialect == "postgresql"
        self._schema = "public" if self._postgresql else "main"
        self._deepest = 2

    def _pick(self, options: Sequence[T]) -> T:
        return options[self._draw(_INTS[len(options)])]

    def _chance(self, percent: int) -> bool:
        return self._draw(_INTS[100]) >= 100 - percent

    def _query(self, place: Place, want: Sequence[str] = ()) -> tuple[str, Columns]:
        raise NotImplementedError

    def _from(self, place: Place) -> Source:
        raise NotImplementedError

    # --- values and tests -------------------------------------------------------

    def _column_of(self, columns: Columns, kind: str) -> str:
        fitting = [name for name, each in columns if each == kind]
        if fitting:
            return self._pick(fitting)
        return "1" if kind == WHOLE else "'x'"

    def _name(self, kind: str, near: Sequence[tuple[str, Columns]]) -> str:
        fitting = [
            f"{owner}.{column}"
            for owner, columns in near
            for column, each in columns
            if each == kind
        ]
        if fitting:
            return self._pick(fitting[:100])
        return "abs(1)" if kind == WHOLE else "upper('x')"

    def _value(
        self, kind: str, near: Sequence[tuple[str, Columns]], place: Place
    ) -> str:
        if place.depth < self._deepest and self._chance(12):
            return self._scalar(kind, place)
        name = self._name(kind, near)
        if kind == TEXT:
            return self._pick((name, name, f"upper({name})", f"{name} || '-'"))
        return self._pick(
            (name, name, f"{name} + 1", f"coalesce({name}, 0)",
             f"CASE WHEN {self._simple(near)} THEN {name} ELSE -1 END")
        )  # fmt: skip

    def _scalar(self, kind: str, place: Place) -> str:
        """Draw a subquery that gives one value."""
        if place.depth >= self._deepest:
            return "2" if kind == WHOLE else "'open'"
        source = self._from(replace(place, depth=place.depth + 2))
        inside = replace(
            place, outer=place.outer + source.brings, depth=place.depth + 2
        )
        shown = f"max({self._name(kind, source.brings)})"
        if kind == WHOLE and self._chance(50):
            shown = "count(*)"
        test = self._test(source.brings, inside)
        return f"(SELECT {shown} FROM {source.text} WHERE {test})"

    def _simple(self, near: Sequence[tuple[str, Columns]]) -> str:
        number, text = self._name(WHOLE, near), self._name(TEXT, near)
        return self._pick(
            (f"{number} > 1", f"{number} IS NOT NULL", f"{text} = 'open'",
             f"{text} IS NULL", f"{text} <> 'acme'")
        )  # fmt: skip

    def _test(self, near: Sequence[tuple[str, Columns]], place: Place) -> str:
        kind = self._draw(_INTS[100])
        if place.depth >= self._deepest or kind < 40:
            if place.outer and self._chance(40):
                one, other = (
                    self._name(WHOLE, near),
                    self._name(WHOLE, self._seen(near, place)),
                )
                return f"{one} = {other}"
            return self._simple(near)
        if kind < 55:
            one, other = self._test(near, place), self._test(near, place)
            return f"({one} {self._pick(('AND', 'OR'))} {other})"
        if kind < 60:
            return f"NOT ({self._test(near, place)})"
        deeper = replace(place, depth=place.depth + 1)
        if kind < 80:
            text, _ = self._query(deeper, (self._pick((WHOLE, TEXT)),))
            return f"{self._pick(('', 'NOT '))}EXISTS ({text})"
        wanted = self._pick((WHOLE, TEXT))
        text, _ = self._query(deeper, (wanted,))
        word = self._pick(
            ("IN", "NOT IN", "IN", "= ANY") if self._postgresql else ("IN", "NOT IN")
        )
        return f"{self._name(wanted, near)} {word} ({text})"

    def _seen(
        self, near: Sequence[tuple[str, Columns]], place: Place
    ) -> Sequence[tuple[str, Columns]]:
        """Return names of statements around that no nearer one hides."""
        hidden = {folded(name.rpartition(".")[2]) for name, _ in near}
        seen = {
            folded(name.rpartition(".")[2]): (name, columns)
            for name, columns in place.outer
        }
        far = [pair for name, pair in seen.items() if name not in hidden]
        return far or near

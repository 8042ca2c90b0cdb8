"""Statements for the property tests of tenant scope, drawn by hypothesis.

The grammar knows the tables below and which name means what where, per engine, so
that nearly every statement runs. What it draws is deterministic as a set of rows:
a LIMIT stands only behind an ORDER BY of every column, and numbers are whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from hypothesis import strategies as st

from connectors.specs import TableSpec, TenantValue

T = TypeVar("T")

TENANT_KEY, TENANT_ID = "acme", 1
TABLES = (
    TableSpec("orders", tenant_column="tenant"),
    TableSpec("sites", tenant_column="owner", tenant_value=TenantValue.ID),
    TableSpec('Odd "x.y"', tenant_column="Tenant of"),
    TableSpec("kinds"),
)


def tables_of(dialect: str) -> tuple[TableSpec, ...]:
    """Return the registered tables, with the schema where an engine has several."""
    if dialect != "postgresql":
        return TABLES
    return tuple(replace(spec, schema="public") for spec in TABLES)


SCHEMA = (
    (
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL,"
        " site_id INTEGER, amount INTEGER, status TEXT)"
    ),
    (
        "CREATE TABLE sites (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, name TEXT,"
        " amount INTEGER)"
    ),
    'CREATE TABLE "Odd ""x.y""" (id INTEGER, "Tenant of" TEXT, note TEXT)',
    "CREATE TABLE kinds (id INTEGER PRIMARY KEY, status TEXT)",
)
# Every tenant has equal keys beside its own, so that a join could meet another's row.
ROWS = {
    "orders": [
        (1, "acme", 1, 10, "open"), (2, "acme", 2, 20, "closed"),
        (3, "acme", 9, None, "open"), (4, "globex", 1, 10, "open"),
        (5, "globex", 6, 30, "lost"), (6, "globex", None, 20, None),
        (7, "acme", 1, 30, None), (8, "initech", 2, 40, "closed"),
    ],
    "sites": [
        (1, 1, "Busan", 10), (2, 1, "Seoul", None), (3, 1, "open", 30),
        (6, 2, "Paris", 20), (7, 2, "Busan", 10), (9, 3, "open", 5),
    ],
    'Odd "x.y"': [
        (1, "acme", "a"), (2, "acme", None), (1, "globex", "b"), (7, "globex", "a"),
        (3, "initech", "open"),
    ],
    "kinds": [(1, "open"), (2, "closed"), (3, "lost")],
}  # fmt: skip
OWN_TENANT = {"orders": (1, "acme"), "sites": (1, 1), 'Odd "x.y"': (1, "acme")}

_WHOLE, _TEXT = "whole", "text"
_COLUMNS = {
    "orders": (
        ("id", _WHOLE), ("tenant", _TEXT), ("site_id", _WHOLE), ("amount", _WHOLE),
        ("status", _TEXT),
    ),
    "sites": (("id", _WHOLE), ("owner", _WHOLE), ("name", _TEXT), ("amount", _WHOLE)),
    'Odd "x.y"': (("id", _WHOLE), ('"Tenant of"', _TEXT), ("note", _TEXT)),
    "kinds": (("id", _WHOLE), ("status", _TEXT)),
}  # fmt: skip
_ALIASES = (
    "a", "b", "c", "orders", "sites", "kinds", "Orders", '"Q r"', "SITES", "d", "e",
    "f", "g", "h", "i", "j",
)  # fmt: skip
_MADE = ("c1", "orders", "c2", "Sites", "kinds", '"c3"')
_INTS = [st.integers(0, max(0, size - 1)) for size in range(101)]

_Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """What a FROM reads: its text, and each name it brings with its columns."""

    text: str
    brings: tuple[tuple[str, _Columns], ...]
    merges: bool = False  # NATURAL and USING show a column once


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a statement stands.

    Attributes:
        made: Columns of the WITH names that are visible, by folded name.
        blocked: Folded names that may not be used without a schema here.
        outer: Names of the statements around, which a subquery may use.
    """

    made: dict[str, _Columns] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
    outer: tuple[tuple[str, _Columns], ...] = ()
    depth: int = 0


def _folded(name: str) -> str:
    return name.strip('"').lower()


class Shapes:
    """Draws one statement for one engine."""

    def __init__(self, draw: Callable[[st.SearchStrategy[int]], int], dialect: str):
        self._draw = draw
        self._postgresql = dialect == "postgresql"
        self._schema = "public" if self._postgresql else "main"
        self._deepest = 2

    def _pick(self, options: Sequence[T]) -> T:
        return options[self._draw(_INTS[len(options)])]

    def _chance(self, percent: int) -> bool:
        return self._draw(_INTS[100]) >= 100 - percent

    # --- whole statements -------------------------------------------------------

    def statement(self) -> str:
        """Return one statement; one in five is nested deeper."""
        self._deepest = 3 if self._chance(20) else 2
        text, columns = self._query(_Place())
        if columns and self._chance(15):
            places = ", ".join(str(place + 1) for place in range(len(columns)))
            text = f"SELECT * FROM ({text}) AS whole"
            text += f" ORDER BY {places} LIMIT {self._pick((3, 1, 5))}"
        return text

    def _query(self, place: _Place, want: Sequence[str] = ()) -> tuple[str, _Columns]:
        place = replace(place, depth=place.depth + 1)
        if place.depth <= self._deepest and self._chance(20):
            return self._with(place, want)
        return self._body(place, want)

    def _body(self, place: _Place, want: Sequence[str]) -> tuple[str, _Columns]:
        if place.depth < self._deepest and self._chance(20):
            return self._set_operation(place, want)
        return self._select(place, want)

    def _with(self, place: _Place, want: Sequence[str]) -> tuple[str, _Columns]:
        names = list(
            dict.fromkeys(self._pick(_MADE) for _ in range(self._pick((1, 2, 3))))
        )
        anyhow = not self._postgresql or self._chance(30)
        recursive = anyhow and (self._postgresql or self._chance(30))
        made, parts = dict(place.made), []
        for number, name in enumerate(names):
            hidden = {_folded(later) for later in names[number:]} if anyhow else set()
            inside = replace(place, made=dict(made), blocked=place.blocked | hidden)
            if recursive and self._chance(40):
                body, columns = self._recursive(name, inside)
            else:
                body, columns = self._query(inside)
                columns = tuple(
                    (f"m{at}", kind) for at, (_, kind) in enumerate(columns)
                )
            listed = ", ".join(column for column, _ in columns)
            parts.append(f"{name}({listed}) AS ({body})")
            made[_folded(name)] = columns
        if anyhow and self._chance(40):
            parts.reverse()  # each may see the others, whatever the order
        free = place.blocked - {_folded(name) for name in names}
        after = replace(place, made=made, blocked=free)
        text, columns = self._body(after, want)
        word = "WITH RECURSIVE" if recursive else "WITH"
        return f"{word} {', '.join(parts)} {text}", columns

    def _recursive(self, name: str, place: _Place) -> tuple[str, _Columns]:
        source = self._table(place, "n")
        reads, (_, columns) = source.text, source.brings[0]
        number = self._column_of(columns, _WHOLE)
        body = (
            f"SELECT {number}, 1 FROM {reads} UNION"
            f" SELECT {name}.m0, {name}.m1 + 1 FROM {name}"
            f" JOIN {self._table(place, 'k').text} ON k.id = {name}.m0"
            f" WHERE {name}.m1 < 3"
        )
        return body, (("m0", _WHOLE), ("m1", _WHOLE))

    def _set_operation(
        self, place: _Place, want: Sequence[str]
    ) -> tuple[str, _Columns]:
        want = want or self._pick(((_WHOLE,), (_WHOLE, _TEXT), (_TEXT, _WHOLE, _TEXT)))
        word = self._pick(
            ("UNION ALL", "UNION", "INTERSECT", "EXCEPT", "EXCEPT ALL")
            if self._postgresql
            else ("UNION ALL", "UNION", "INTERSECT", "EXCEPT")
        )
        left, columns = self._operand(place, want)
        right, _ = self._operand(place, want)
        return f"{left} {word} {right}", columns

    def _operand(self, place: _Place, want: Sequence[str]) -> tuple[str, _Columns]:
        if self._postgresql and place.depth < self._deepest and self._chance(30):
            text, columns = self._query(place, want)
            return f"({text})", columns
        return self._select(place, want)

    # --- SELECT -----------------------------------------------------------------

    def _select(self, place: _Place, want: Sequence[str]) -> tuple[str, _Columns]:
        if not want and self._chance(6):
            return self._bare(place)
        source = self._from(place)
        inside = replace(place, outer=place.outer + source.brings)
        near = source.brings
        where = f" WHERE {self._test(near, inside)}" if self._chance(60) else ""
        start = f" FROM {source.text}{where}"
        if not want and not source.merges and self._chance(15):
            return self._star(source, start)
        kinds = want or [
            self._pick((_WHOLE, _TEXT)) for _ in range(self._pick((2, 1, 3)))
        ]
        named = tuple((f"v{at}", kind) for at, kind in enumerate(kinds))
        if self._chance(20):
            return self._grouped(near, inside, start, named), named
        shown = [f"{self._shown(kind, near, inside)} AS {name}" for name, kind in named]
        distinct = ""
        if self._chance(12):
            distinct = "DISTINCT "
        text = f"SELECT {distinct}{', '.join(shown)}{start}"
        if self._postgresql and not distinct and self._chance(6):
            order = ", ".join(str(at + 1) for at in range(len(named)))
            text = f"SELECT DISTINCT ON (1) {', '.join(shown)}{start} ORDER BY {order}"
            text = f"SELECT * FROM ({text}) AS once"
        return text, named

    def _star(self, source: _Source, start: str) -> tuple[str, _Columns]:
        name, columns = self._pick(source.brings)
        if len(source.brings) == 1 and self._chance(50):
            return f"SELECT *{start}", columns
        return f"SELECT {name}.*{start}", columns

    def _bare(self, place: _Place) -> tuple[str, _Columns]:
        """Draw ``TABLE t``, VALUES, or a whole row."""
        kind = self._pick(
            ("values", "table", "row") if self._postgresql else ("values",)
        )
        if kind == "values":
            first = self._scalar(_WHOLE, place)
            text = f"SELECT * FROM (VALUES ({first}, 'x'), (1, 'y')) AS v"
            return text, (("column1", _WHOLE), ("column2", _TEXT))
        name = self._pick(("kinds", "sites", "orders"))
        if name in place.made or name in place.blocked:
            name = f"public.{name}"
        if kind == "table":
            return f"TABLE {name}", _COLUMNS[name.removeprefix("public.")]
        row = self._pick(("w::text", "row_to_json(w)::text", "(w.*)::text"))
        return f"SELECT {row} AS v0 FROM {name} w", (("v0", _TEXT),)

    def _grouped(
        self,
        near: Sequence[tuple[str, _Columns]],
        place: _Place,
        start: str,
        named: _Columns,
    ) -> str:
        keys: list[str] = []
        shown = []
        for name, kind in named:
            if kind == _TEXT or self._chance(30):
                key = self._name(kind, near)
                keys.append(key)
                shown.append(f"{key} AS {name}")
            else:
                number = self._name(_WHOLE, near)
                made = self._pick(
                    ("count(*)", f"sum({number})", f"max({number})",
                     f"count(DISTINCT {number})",
                     f"sum({number}) FILTER (WHERE {self._simple(near)})")
                )  # fmt: skip
                shown.append(f"{made} AS {name}")
        text = f"SELECT {', '.join(shown)}{start}"
        if keys:
            text += f" GROUP BY {', '.join(keys)}"
        if keys and self._chance(40):
            text += f" HAVING count(*) >= {self._scalar(_WHOLE, place)}"
        return text

    def _shown(
        self, kind: str, near: Sequence[tuple[str, _Columns]], place: _Place
    ) -> str:
        if kind == _WHOLE and self._chance(12):
            number, part = self._name(_WHOLE, near), self._name(_TEXT, near)
            return self._pick(
                (f"sum({number}) OVER (PARTITION BY {part})", "count(*) OVER ()",
                 f"rank() OVER (PARTITION BY {part} ORDER BY {number})")
            )  # fmt: skip
        return self._value(kind, near, place)

    # --- FROM -------------------------------------------------------------------

    def _from(self, place: _Place) -> _Source:
        aliases = list(_ALIASES)
        source = self._item(place, aliases)
        for _ in range(self._pick((0, 1, 1, 2)) if place.depth < self._deepest else 0):
            source = self._joined(source, place, aliases)
        return source

    def _joined(self, left: _Source, place: _Place, aliases: list[str]) -> _Source:
        if self._postgresql and self._chance(15):
            return self._lateral(left, place, aliases)
        right = self._item(place, aliases)
        brings = left.brings + right.brings
        word = self._pick(
            ("JOIN", "LEFT JOIN", ",", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN",
             "NATURAL JOIN", "LEFT JOIN USING", "LEFT JOIN")
        )  # fmt: skip
        if word in {",", "CROSS JOIN"}:
            space = "" if word == "," else " "
            return _Source(
                f"{left.text}{space}{word} {right.text}", brings, left.merges
            )
        both_ids = len(left.brings) == len(right.brings) == 1 and all(
            columns and columns[0][0] == "id"
            for _, columns in (left.brings[0], right.brings[0])
        )
        if word in {"NATURAL JOIN", "LEFT JOIN USING"} and both_ids:
            if word == "NATURAL JOIN":
                text = f"{left.text} NATURAL JOIN {right.text}"
            else:
                text = f"{left.text} LEFT JOIN {right.text} USING (id)"
            return _Source(text, brings, merges=True)
        if word in {"NATURAL JOIN", "LEFT JOIN USING"}:
            word = "JOIN"
        one, other = self._name(_WHOLE, left.brings), self._name(_WHOLE, right.brings)
        test = f"{one} = {other}"
        if word != "FULL JOIN" and self._chance(30):
            inside = replace(place, outer=place.outer + brings)
            test += f" AND {self._test(brings, inside)}"
        return _Source(
            f"{left.text} {word} {right.text} ON {test}",
            brings,
            left.merges or right.merges,
        )

    def _lateral(self, left: _Source, place: _Place, aliases: list[str]) -> _Source:
        inside = replace(place, outer=place.outer + left.brings)
        text, columns = self._query(replace(inside, depth=place.depth + 1))
        alias = self._alias(aliases)
        word, on = self._pick(
            (("CROSS JOIN LATERAL", ""), (", LATERAL", ""),
             ("LEFT JOIN LATERAL", " ON true"))
        )  # fmt: skip
        space = "" if word.startswith(",") else " "
        joined = f"{left.text}{space}{word} ({text}) AS {alias}{on}"
        return _Source(joined, (*left.brings, (alias, columns)), left.merges)

    def _item(self, place: _Place, aliases: list[str]) -> _Source:
        if place.depth < self._deepest and self._chance(15):
            text, columns = self._query(place)
            alias = self._alias(aliases)
            return _Source(f"({text}) AS {alias}", ((alias, columns),))
        if place.depth < self._deepest and self._chance(12):
            deeper = replace(place, depth=place.depth + 2)
            left = self._item(deeper, aliases)
            # SQLite loses the names of a table that is alone behind a join.
            alone = self._postgresql or len(aliases) == len(_ALIASES) - 1
            if not alone or self._chance(80):
                left = self._joined(left, deeper, aliases)
            return replace(left, text=f"({left.text})")
        if self._chance(30):
            return self._unaliased(place, aliases)
        return self._table(place, self._alias(aliases))

    def _alias(self, aliases: list[str]) -> str:
        alias = self._pick(aliases[:12])
        aliases[:] = [name for name in aliases if _folded(name) != _folded(alias)]
        return alias

    def _unaliased(self, place: _Place, aliases: list[str]) -> _Source:
        names = {_folded(name) for name in aliases}
        free = [name for name in ("orders", "sites", "kinds") if name in names]
        if not free:
            return self._table(place, self._alias(aliases))
        name = self._pick(free)
        aliases[:] = [other for other in aliases if _folded(other) != name]
        text, columns = self._spelled(name, place)
        shown = name
        if "." in text and name not in place.made and self._chance(30):
            shown = f"{self._schema}.{name}"
        return _Source(text, ((shown, columns),))

    def _table(self, place: _Place, alias: str) -> _Source:
        names = [*_COLUMNS, *(made for made in place.made if made not in _COLUMNS)]
        name = self._pick([each for each in names if each not in place.blocked])
        text, columns = self._spelled(name, place)
        if self._postgresql and self._chance(10):
            listed = tuple((f"l{at}", kind) for at, (_, kind) in enumerate(columns))
            inner = ", ".join(column for column, _ in listed)
            return _Source(f"{text} AS {alias}({inner})", ((alias, listed),))
        word = self._pick((" AS ", " "))
        return _Source(f"{text}{word}{alias}", ((alias, columns),))

    def _spelled(self, name: str, place: _Place) -> tuple[str, _Columns]:
        """Spell a name in one of the ways the engine reads as this table."""
        if name.startswith("Odd"):
            quoted = '"' + name.replace('"', '""') + '"'
            return self._pick((quoted, f"{self._schema}.{quoted}")), _COLUMNS[name]
        if name in place.made:
            if name in _COLUMNS and self._chance(25):
                return f"{self._schema}.{name}", _COLUMNS[name]
            return self._pick((name, f'"{name}"', name.upper())), place.made[name]
        if name in place.blocked:
            return f"{self._schema}.{name}", _COLUMNS[name]
        ways = (name, name.upper(), f'"{name}"', f"{self._schema}.{name}", name.title())
        return self._pick(ways), _COLUMNS[name]

    # --- values and tests -------------------------------------------------------

    def _column_of(self, columns: _Columns, kind: str) -> str:
        fitting = [name for name, each in columns if each == kind]
        if fitting:
            return self._pick(fitting)
        return "1" if kind == _WHOLE else "'x'"

    def _name(self, kind: str, near: Sequence[tuple[str, _Columns]]) -> str:
        fitting = [
            f"{owner}.{column}"
            for owner, columns in near
            for column, each in columns
            if each == kind
        ]
        if fitting:
            return self._pick(fitting[:100])
        return "abs(1)" if kind == _WHOLE else "upper('x')"

    def _value(
        self, kind: str, near: Sequence[tuple[str, _Columns]], place: _Place
    ) -> str:
        if place.depth < self._deepest and self._chance(12):
            return self._scalar(kind, place)
        name = self._name(kind, near)
        if kind == _TEXT:
            return self._pick((name, name, f"upper({name})", f"{name} || '-'"))
        return self._pick(
            (name, name, f"{name} + 1", f"coalesce({name}, 0)",
             f"CASE WHEN {self._simple(near)} THEN {name} ELSE -1 END")
        )  # fmt: skip

    def _scalar(self, kind: str, place: _Place) -> str:
        """Draw a subquery that gives one value."""
        if place.depth >= self._deepest:
            return "2" if kind == _WHOLE else "'open'"
        source = self._from(replace(place, depth=place.depth + 2))
        inside = replace(
            place, outer=place.outer + source.brings, depth=place.depth + 2
        )
        shown = f"max({self._name(kind, source.brings)})"
        if kind == _WHOLE and self._chance(50):
            shown = "count(*)"
        test = self._test(source.brings, inside)
        return f"(SELECT {shown} FROM {source.text} WHERE {test})"

    def _simple(self, near: Sequence[tuple[str, _Columns]]) -> str:
        number, text = self._name(_WHOLE, near), self._name(_TEXT, near)
        return self._pick(
            (f"{number} > 1", f"{number} IS NOT NULL", f"{text} = 'open'",
             f"{text} IS NULL", f"{text} <> 'acme'")
        )  # fmt: skip

    def _test(self, near: Sequence[tuple[str, _Columns]], place: _Place) -> str:
        kind = self._draw(_INTS[100])
        if place.depth >= self._deepest or kind < 40:
            if place.outer and self._chance(40):
                one, other = (
                    self._name(_WHOLE, near),
                    self._name(_WHOLE, self._seen(near, place)),
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
            text, _ = self._query(deeper, (self._pick((_WHOLE, _TEXT)),))
            return f"{self._pick(('', 'NOT '))}EXISTS ({text})"
        wanted = self._pick((_WHOLE, _TEXT))
        text, _ = self._query(deeper, (wanted,))
        word = self._pick(
            ("IN", "NOT IN", "IN", "= ANY") if self._postgresql else ("IN", "NOT IN")
        )
        return f"{self._name(wanted, near)} {word} ({text})"

    def _seen(
        self, near: Sequence[tuple[str, _Columns]], place: _Place
    ) -> Sequence[tuple[str, _Columns]]:
        """Return names of statements around that no nearer one hides."""
        hidden = {_folded(name.rpartition(".")[2]) for name, _ in near}
        seen = {
            _folded(name.rpartition(".")[2]): (name, columns)
            for name, columns in place.outer
        }
        far = [pair for name, pair in seen.items() if name not in hidden]
        return far or near


@st.composite
def shapes(draw: Callable[[st.SearchStrategy[int]], int], dialect: str) -> str:
    """Draw a statement that `dialect` should run."""
    return Shapes(draw, dialect).statement()

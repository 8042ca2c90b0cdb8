"""Statements for the property tests of tenant scope, drawn by hypothesis.

The grammar knows the tables below and which name means what where, per engine, so
that nearly every statement runs. What it draws is deterministic as a set of rows:
a LIMIT stands only behind an ORDER BY of every column, and numbers are whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import strategies as st

from tests.connectors.scope_values import (
    ALIASES,
    COLUMNS,
    MADE,
    TEXT,
    WHOLE,
    Columns,
    Place,
    Source,
    Values,
    folded,
)


class Shapes(Values):
    """Draws one statement for one engine."""

    # --- whole statements -------------------------------------------------------

    def statement(self) -> str:
        """Return one statement; some are nested deeper."""
        self._deepest = 3 if self._chance(12) else 2
        text, columns = self._query(Place())
        if columns and self._chance(15):
            places = ", ".join(str(place + 1) for place in range(len(columns)))
            text = f"SELECT * FROM ({text}) AS whole"
            text += f" ORDER BY {places} LIMIT {self._pick((3, 1, 5))}"
        return text

    def _query(self, place: Place, want: Sequence[str] = ()) -> tuple[str, Columns]:
        place = replace(place, depth=place.depth + 1)
        if place.depth <= self._deepest and self._chance(20):
            return self._with(place, want)
        return self._body(place, want)

    def _body(self, place: Place, want: Sequence[str]) -> tuple[str, Columns]:
        if place.depth < self._deepest and self._chance(20):
            return self._set_operation(place, want)
        return self._select(place, want)

    def _with(self, place: Place, want: Sequence[str]) -> tuple[str, Columns]:
        names = list(
            dict.fromkeys(self._pick(MADE) for _ in range(self._pick((1, 2, 3))))
        )
        anyhow = not self._postgresql or self._chance(30)
        recursive = anyhow and (self._postgresql or self._chance(30))
        made, parts = dict(place.made), []
        for number, name in enumerate(names):
            hidden = {folded(later) for later in names[number:]} if anyhow else set()
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
            made[folded(name)] = columns
        if anyhow and self._chance(40):
            parts.reverse()  # each may see the others, whatever the order
        free = place.blocked - {folded(name) for name in names}
        after = replace(place, made=made, blocked=free)
        text, columns = self._body(after, want)
        word = "WITH RECURSIVE" if recursive else "WITH"
        return f"{word} {', '.join(parts)} {text}", columns

    def _recursive(self, name: str, place: Place) -> tuple[str, Columns]:
        source = self._table(place, "n")
        reads, (_, columns) = source.text, source.brings[0]
        number = self._column_of(columns, WHOLE)
        body = (
            f"SELECT {number}, 1 FROM {reads} UNION"
            f" SELECT {name}.m0, {name}.m1 + 1 FROM {name}"
            f" JOIN {self._table(place, 'k').text} ON k.id = {name}.m0"
            f" WHERE {name}.m1 < 3"
        )
        return body, (("m0", WHOLE), ("m1", WHOLE))

    def _set_operation(self, place: Place, want: Sequence[str]) -> tuple[str, Columns]:
        want = want or self._pick(((WHOLE,), (WHOLE, TEXT), (TEXT, WHOLE, TEXT)))
        word = self._pick(
            ("UNION ALL", "UNION", "INTERSECT", "EXCEPT", "EXCEPT ALL")
            if self._postgresql
            else ("UNION ALL", "UNION", "INTERSECT", "EXCEPT")
        )
        left, columns = self._operand(place, want)
        right, _ = self._operand(place, want)
        return f"{left} {word} {right}", columns

    def _operand(self, place: Place, want: Sequence[str]) -> tuple[str, Columns]:
        if self._postgresql and place.depth < self._deepest and self._chance(30):
            text, columns = self._query(place, want)
            return f"({text})", columns
        return self._select(place, want)

    # --- SELECT -----------------------------------------------------------------

    def _select(self, place: Place, want: Sequence[str]) -> tuple[str, Columns]:
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
            self._pick((WHOLE, TEXT)) for _ in range(self._pick((2, 1, 3)))
        ]
        named = tuple((f"v{at}", kind) for at, kind in enumerate(kinds))
        if self._chance(20):
            return self._grouped(near, place, start, named), named
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

    def _star(self, source: Source, start: str) -> tuple[str, Columns]:
        name, columns = self._pick(source.brings)
        if len(source.brings) == 1 and self._chance(50):
            return f"SELECT *{start}", columns
        return f"SELECT {name}.*{start}", columns

    def _bare(self, place: Place) -> tuple[str, Columns]:
        """Draw ``TABLE t``, VALUES, or a whole row."""
        kind = self._pick(
            ("values", "table", "row") if self._postgresql else ("values",)
        )
        if kind == "values":
            first = self._scalar(WHOLE, place)
            text = f"SELECT * FROM (VALUES ({first}, 'x'), (1, 'y')) AS v"
            return text, (("column1", WHOLE), ("column2", TEXT))
        name = self._pick(("kinds", "sites", "orders"))
        if name in place.made or name in place.blocked:
            name = f"public.{name}"
        if kind == "table":
            return f"TABLE {name}", COLUMNS[name.removeprefix("public.")]
        row = self._pick(("w::text", "row_to_json(w)::text", "(w.*)::text"))
        return f"SELECT {row} AS v0 FROM {name} w", (("v0", TEXT),)

    def _grouped(
        self,
        near: Sequence[tuple[str, Columns]],
        place: Place,
        start: str,
        named: Columns,
    ) -> str:
        keys: list[str] = []
        shown = []
        for name, kind in named:
            if kind == TEXT or self._chance(30):
                key = self._name(kind, near)
                keys.append(key)
                shown.append(f"{key} AS {name}")
            else:
                number = self._name(WHOLE, near)
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
            text += f" HAVING count(*) >= {self._scalar(WHOLE, place)}"
        return text

    def _shown(
        self, kind: str, near: Sequence[tuple[str, Columns]], place: Place
    ) -> str:
        if kind == WHOLE and self._chance(12):
            number, part = self._name(WHOLE, near), self._name(TEXT, near)
            return self._pick(
                (f"sum({number}) OVER (PARTITION BY {part})", "count(*) OVER ()",
                 f"rank() OVER (PARTITION BY {part} ORDER BY {number})")
            )  # fmt: skip
        return self._value(kind, near, place)

    # --- FROM -------------------------------------------------------------------

    def _from(self, place: Place) -> Source:
        aliases = list(ALIASES)
        source = self._item(place, aliases)
        for _ in range(self._pick((0, 1, 1, 2)) if place.depth < self._deepest else 0):
            source = self._joined(source, place, aliases)
        return source

    def _joined(
        self, left: Source, place: Place, aliases: list[str], *, comma: bool = True
    ) -> Source:
        if self._postgresql and comma and self._chance(15):
            return self._lateral(left, place, aliases)
        right = self._item(place, aliases)
        brings = left.brings + right.brings
        word = self._pick(
            ("JOIN", "LEFT JOIN", ",", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN",
             "NATURAL JOIN", "LEFT JOIN USING", "LEFT JOIN")
        )  # fmt: skip
        if word == "," and not comma:  # never in parentheses
            word = "JOIN"
        if word in {",", "CROSS JOIN"}:
            space = "" if word == "," else " "
            return Source(f"{left.text}{space}{word} {right.text}", brings, left.merges)
        both_ids = len(left.brings) == len(right.brings) == 1 and all(
            columns and columns[0][0] == "id"
            for _, columns in (left.brings[0], right.brings[0])
        )
        if word in {"NATURAL JOIN", "LEFT JOIN USING"} and both_ids:
            if word == "NATURAL JOIN":
                text = f"{left.text} NATURAL JOIN {right.text}"
            else:
                text = f"{left.text} LEFT JOIN {right.text} USING (id)"
            return Source(text, brings, merges=True)
        if word in {"NATURAL JOIN", "LEFT JOIN USING"}:
            word = "JOIN"
        one, other = self._name(WHOLE, left.brings), self._name(WHOLE, right.brings)
        test = f"{one} = {other}"
        if word != "FULL JOIN" and self._chance(30):
            inside = replace(place, outer=place.outer + brings)
            test += f" AND {self._test(brings, inside)}"
        return Source(
            f"{left.text} {word} {right.text} ON {test}",
            brings,
            left.merges or right.merges,
        )

    def _lateral(self, left: Source, place: Place, aliases: list[str]) -> Source:
        inside = replace(place, outer=place.outer + left.brings)
        text, columns = self._query(replace(inside, depth=place.depth + 1))
        alias = self._alias(aliases)
        word, on = self._pick(
            (("CROSS JOIN LATERAL", ""), (", LATERAL", ""),
             ("LEFT JOIN LATERAL", " ON true"))
        )  # fmt: skip
        space = "" if word.startswith(",") else " "
        joined = f"{left.text}{space}{word} ({text}) AS {alias}{on}"
        return Source(joined, (*left.brings, (alias, columns)), left.merges)

    def _item(self, place: Place, aliases: list[str]) -> Source:
        if place.depth < self._deepest and self._chance(15):
            text, columns = self._query(place)
            alias = self._alias(aliases)
            return Source(f"({text}) AS {alias}", ((alias, columns),))
        if place.depth < self._deepest and self._chance(12):
            deeper = replace(place, depth=place.depth + 2)
            left = self._item(deeper, aliases)
            # PostgreSQL has no parentheses around one table, and SQLite loses the
            # names of one that is alone behind a join.
            first = len(aliases) == len(ALIASES) - 1
            alone = first and not self._postgresql
            if not alone or self._chance(80):
                left = self._joined(left, deeper, aliases, comma=False)
            return replace(left, text=f"({left.text})")
        if self._chance(30):
            return self._unaliased(place, aliases)
        return self._table(place, self._alias(aliases))

    def _alias(self, aliases: list[str]) -> str:
        alias = self._pick(aliases[:12])
        aliases[:] = [name for name in aliases if folded(name) != folded(alias)]
        return alias

    def _unaliased(self, place: Place, aliases: list[str]) -> Source:
        names = {folded(name) for name in aliases}
        free = [name for name in ("orders", "sites", "kinds") if name in names]
        if not free:
            return self._table(place, self._alias(aliases))
        name: str = self._pick(free)
        aliases[:] = [other for other in aliases if folded(other) != name]
        text, columns = self._spelled(name, place)
        shown = name
        if "." in text and name not in place.made and self._chance(30):
            shown = f"{self._schema}.{name}"
        return Source(text, ((shown, columns),))

    def _table(self, place: Place, alias: str) -> Source:
        names = [*COLUMNS, *(made for made in place.made if made not in COLUMNS)]
        name = self._pick([each for each in names if each not in place.blocked])
        text, columns = self._spelled(name, place)
        if self._postgresql and self._chance(10):
            listed = tuple((f"l{at}", kind) for at, (_, kind) in enumerate(columns))
            inner = ", ".join(column for column, _ in listed)
            return Source(f"{text} AS {alias}({inner})", ((alias, listed),))
        word = self._pick((" AS ", " "))
        return Source(f"{text}{word}{alias}", ((alias, columns),))

    def _spelled(self, name: str, place: Place) -> tuple[str, Columns]:
        """Spell a name in one of the ways the engine reads as this table."""
        if name.startswith("Odd"):
            quoted = '"' + name.replace('"', '""') + '"'
            return self._pick((quoted, f"{self._schema}.{quoted}")), COLUMNS[name]
        if name in place.made:
            if name in COLUMNS and self._chance(25):
                return f"{self._schema}.{name}", COLUMNS[name]
            return self._pick((name, f'"{name}"', name.upper())), place.made[name]
        if name in place.blocked:
            return f"{self._schema}.{name}", COLUMNS[name]
        ways = (name, name.upper(), f'"{name}"', f"{self._schema}.{name}", name.title())
        return self._pick(ways), COLUMNS[name]


@st.composite
def shapes(draw: Callable[[st.SearchStrategy[int]], int], dialect: str) -> str:
    """Draw a statement that `dialect` should run."""
    return Shapes(draw, dialect).statement()

"""Signalbox's judge of SQL beside two others, on one corpus, and its worst times.

The others are what django-sql-explorer checks by default, and what sqlglot tells by
itself. django-sql-explorer is installed into a temporary folder, for this alone.
"""

from __future__ import annotations

import gc
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from sqlglot import exp, parse, parse_one
from sqlglot.errors import SqlglotError

from benchmarks import report
from benchmarks.servers import ROOT
from connectors.query_safety import Allowed, judge
from tests.connectors.sql_corpus import ALL_DIALECTS, Case, accepted, refused

EXPLORER = "5.3.1"
LEAST_ACCEPTED = 0.96
KB = 1_024
MOST_MS = {4 * KB: 100.0, 64 * KB: 1_000.0}  # by bytes of the text
READ = {
    "postgresql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}
CHANGES = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock)
Answer = tuple[bool, float]


@dataclass(frozen=True, slots=True)
class Guard:
    """One way to judge, and what it said.

    Attributes:
        answers: Whether it accepts each statement of the corpus, and in which ms.
    """

    name: str
    answers: list[Answer]


def run(*, quick: bool) -> None:
    """Measure, print the tables, keep them, and fail where ours breaks a promise."""
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    rounds = 1 if quick else 3
    cases = [case for of in ALL_DIALECTS for case in (*accepted(of), *refused(of))]
    gc.collect()
    gc.freeze()  # the corpus itself is no part of what is measured
    ours = Guard("Signalbox", timed(judged, cases, rounds))
    guards = [
        ours,
        Guard(f"django-sql-explorer {EXPLORER}, its words", explorer(cases, rounds)),
        Guard("sqlglot: parse_one is a Select", timed(is_select, cases, rounds)),
        Guard("sqlglot: one query, no change in it", timed(is_query, cases, rounds)),
    ]
    worst = {size: worst_ms(cases, size, quick=quick) for size in MOST_MS}
    text = "\n\n".join(
        [
            _note(cases),
            _scores(guards, cases),
            _by_dialect(ours, cases),
            _bounds(worst),
        ]
    )
    report.keep(
        "query_safety", "SQL that cannot write", text, rounds=rounds, quick=quick
    )
    if broken := _broken(ours, cases, worst):
        raise SystemExit("\n".join(broken))


# --- Ways to judge --------------------------------------------------------------------


def judged(case: Case) -> bool:
    """Tell whether Signalbox lets the statement run; nothing is remembered of it."""
    verdict = judge.__wrapped__(case.sql, dialect=case.dialect)
    return isinstance(verdict, Allowed)


def is_select(case: Case) -> bool:
    """Tell what a first look with sqlglot tells."""
    try:
        return isinstance(parse_one(case.sql, read=READ[case.dialect]), exp.Select)
    except (SqlglotError, RecursionError):
        return False


def is_query(case: Case) -> bool:
    """Tell what sqlglot's tree tells of changes, anywhere in it."""
    try:
        trees = parse(case.sql, read=READ[case.dialect])
    except (SqlglotError, RecursionError):
        return False
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        return False
    return not any(isinstance(node, CHANGES) for node in trees[0].walk())


def timed(
    judges: Callable[[Case], bool], cases: Sequence[Case], rounds: int
) -> list[Answer]:
    """Return each verdict with the shortest of its times, warmed up before."""
    for case in cases[:200]:
        judges(case)
    answers = [_once(judges, case) for case in cases]
    for _round in range(rounds - 1):
        again = [_once(judges, case) for case in cases]
        answers = [
            (accepts, min(ms, other))
            for (accepts, ms), (_, other) in zip(answers, again, strict=True)
        ]
    return answers


def _once(judges: Callable[[Case], bool], case: Case) -> Answer:
    started = time.perf_counter()
    accepts = judges(case)
    return accepts, (time.perf_counter() - started) * 1_000


def explorer(cases: Sequence[Case], rounds: int) -> list[Answer]:
    """Return the verdicts of django-sql-explorer's default list of words."""
    lines = "".join(json.dumps(case.sql) + "\n" for case in cases)
    with tempfile.TemporaryDirectory() as folder:
        install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
        package = f"django-sql-explorer=={EXPLORER}"
        subprocess.run([*install, "--target", folder, package], check=True, timeout=300)
        runs = []
        for _round in range(rounds):
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.explorer", folder],
                cwd=ROOT, input=lines, stdout=subprocess.PIPE, text=True, check=True,
                timeout=600,
            )  # fmt: skip
            runs.append([json.loads(line) for line in done.stdout.splitlines()])
    return [(each[0][0], min(ms for _, ms in each)) for each in zip(*runs, strict=True)]


# --- Long and deep statements ---------------------------------------------------------


def worst_ms(cases: Sequence[Case], size: int, *, quick: bool) -> dict[str, float]:
    """Return the longest time of ours, by the way in which statements were grown."""
    step = max(1, size // (2 * KB)) * (12 if quick else 5)
    worst: dict[str, float] = {}
    for case in cases[::step]:
        for shape, sql in grown(case.sql.strip().rstrip(";"), size):
            grew = Case(case.id, case.dialect, sql, case.rules, None, "", "")
            spent = _once(judged, grew)[1]
            if spent > MOST_MS[size]:  # a busy machine may have been the cause
                spent = min(spent, *(_once(judged, grew)[1] for _ in range(6)))
            worst[shape] = max(worst.get(shape, 0.0), spent)
    return worst


def grown(sql: str, size: int) -> Iterator[tuple[str, str]]:
    """Yield a statement, grown in several ways to no more than `size` bytes."""
    room = size - len(sql.encode()) - 64
    if room <= 0:
        return
    again = f" UNION ALL {sql}"
    deep = min(room // 16, 200)
    shapes = {
        "spaces": sql + " " * room,
        "comment": f"/* {'x ' * (room // 2)}*/ {sql}",
        "text": f"SELECT '{'a' * room}' UNION ALL {sql}",
        "repeated": sql + again * (room // len(again.encode())),
        "columns": f"SELECT {'a, ' * (room // 3)}({sql})",
        "conditions": f"SELECT ({sql}) WHERE a = 1{' AND b = 2' * (room // 10)}",
        "list": f"SELECT ({sql}) WHERE a IN (1{', 1' * (room // 3)})",
        "parentheses": f"SELECT {'(' * (room // 2)}{sql}{')' * (room // 2)}",
        "within parentheses": f"SELECT {'(' * 30}({sql}){')' * 30}",
        "subqueries": f"{'SELECT (' * deep}{sql}{')' * deep}",
        "NOT": f"SELECT {'NOT ' * (room // 4)}({sql})",
        "CASE": f"SELECT {'CASE WHEN 1 THEN ' * (room // 17)}({sql})",
        "statements": sql + f"; {sql}" * (room // (len(sql.encode()) + 2)),
        "openings": f"{sql} {'([' * (room // 2)}",
        "quotes": f"{sql} {chr(39) * room}",
    }
    for shape, text in shapes.items():
        if len(text.encode()) <= size:
            yield shape, text


# --- Tables ---------------------------------------------------------------------------


def _shares(guard: Guard, cases: Sequence[Case]) -> tuple[float, float]:
    """Return the accepted share of harmless, and the refused share of hostile ones."""
    told = list(zip(cases, guard.answers, strict=True))
    harmless = [accepts for case, (accepts, _) in told if not case.rules]
    hostile = [not accepts for case, (accepts, _) in told if case.rules]
    return sum(harmless) / len(harmless), sum(hostile) / len(hostile)


def _note(cases: Sequence[Case]) -> str:
    harmless = sum(not case.rules for case in cases)
    return (
        f"{harmless:,} harmless reads and {len(cases) - harmless:,} statements that "
        "must be refused, of manuals and of other projects' tests "
        "(`tests/connectors/sql/SOURCES.md`), each judged in its dialect; sqlglot "
        f"{version('sqlglot')}, sqlparse {version('sqlparse')}. Times are of one "
        "statement, the shortest of its rounds; nothing is remembered between them. "
        "The other two promise less: they are told here as they come, with what they "
        "let through by design."
    )


def _scores(guards: Sequence[Guard], cases: Sequence[Case]) -> str:
    rows = []
    for guard in guards:
        kept, stopped = _shares(guard, cases)
        times = [ms for _, ms in guard.answers]
        rows.append(
            [
                guard.name, f"{kept:.1%}", f"{stopped:.1%}",
                *(f"{report.percentile(times, share):.2f}" for share in (0.5, 0.99, 1)),
            ]
        )  # fmt: skip
    heading = [
        "guard", "harmless accepted", "hostile refused", "median ms", "p99 ms", "max ms"
    ]  # fmt: skip
    return report.table(heading, rows)


def _by_dialect(ours: Guard, cases: Sequence[Case]) -> str:
    rows = []
    for dialect in ALL_DIALECTS:
        at = [number for number, case in enumerate(cases) if case.dialect == dialect]
        part = [cases[number] for number in at]
        kept, stopped = _shares(Guard("", [ours.answers[each] for each in at]), part)
        harmless = sum(not case.rules for case in part)
        rows.append(
            [
                dialect, f"{harmless:,}", f"{kept:.1%}",
                f"{len(part) - harmless:,}", f"{stopped:.1%}",
            ]
        )  # fmt: skip
    heading = ["Signalbox, by dialect", "harmless", "accepted", "hostile", "refused"]
    return report.table(heading, rows)


def _bounds(worst: dict[int, dict[str, float]]) -> str:
    shapes = sorted({shape for each in worst.values() for shape in each})
    rows = [
        [shape, *(f"{worst[size].get(shape, 0):.1f}" for size in worst)]
        for shape in shapes
    ]
    heading = [
        "statements of the corpus, grown by",
        *(f"worst ms up to {size // KB} kB" for size in worst),
    ]
    return report.table(heading, rows)


def _broken(
    ours: Guard, cases: Sequence[Case], worst: dict[int, dict[str, float]]
) -> list[str]:
    """Return what was promised and is not so."""
    kept, stopped = _shares(ours, cases)
    broken = []
    if kept < LEAST_ACCEPTED:
        broken.append(
            f"{kept:.1%} of harmless reads accepted, not {LEAST_ACCEPTED:.0%}."
        )
    if stopped < 1:
        broken.append(f"{stopped:.2%} of hostile statements refused, not all.")
    for size, most in MOST_MS.items():
        if (longest := max(worst[size].values())) > most:
            broken.append(f"{longest:.0f} ms for {size // KB} kB, not {most:.0f}.")
    return broken

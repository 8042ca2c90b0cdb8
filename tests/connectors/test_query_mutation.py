"""Every rule of the judge is needed: without any one of them a statement gets through.

One rule at a time is taken out of the judge's own source, or one entry out of its
data, and the corpus is judged until a statement is allowed, refused for another rule,
or trips the judge. A change that no statement notices is a rule that no test holds.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import pytest

from connectors import query_parts, query_safety, query_verdicts, sql_places
from connectors.query_verdicts import RefusalError, Refused
from tests.connectors.sql_corpus import ALL_DIALECTS, Case, refused

pytestmark = pytest.mark.pure

JUDGED_BY: tuple[ModuleType, ...] = (sql_places, query_parts, query_safety)
Place = tuple[str, int]

# Rules that stand behind another one, which no statement known today gets past. Each
# begins the name of mutants that nothing need notice.
BEHIND = {
    "connectors.query_parts: no _check_word": "the parser keeps odd words as names",
    "connectors.query_parts:RefusalError(part, node.name, node=node)": "the same",
    "connectors.query_parts:case exp.Hint():": "hidden-code refuses hints as text",
    "connectors.query_safety:if isinstance(error, RecursionError):": (
        "the tokenizer does not call itself"
    ),
    "connectors.query_safety:if not isinstance(error, ParseError | TokenError):": (
        "the rule stays, its words change"
    ),
    "connectors.query_safety:RefusalError(one-statement, str(len(statements)))": (
        "tokens show the second statement before the parser does"
    ),
}

# Statements for no dialect that the corpus has.
OTHERS = [
    Case(
        id="no-dialect",
        dialect="oracle",
        sql="SELECT 1",
        rules=frozenset({"dialect"}),
        attack_class=15,
        source="Signalbox",
        licence="MIT",
    )
]


@dataclass(frozen=True, slots=True)
class Mutant:
    """The judge without one of its rules.

    Attributes:
        name: Module and what was taken out.
        trees: Changed source by module name; the others stay.
        change: Changes data of the modules, by name, before they judge.
        likely: Places in the source that a statement must reach to notice.
        word: Something that a statement which notices probably holds.
    """

    name: str
    trees: dict[str, ast.Module]
    change: Callable[[dict[str, ModuleType]], None] = lambda _modules: None
    likely: frozenset[Place] = frozenset()
    word: str = ""
    dialect: str = ""


class Everything(frozenset[str]):
    """A list that lists all there is."""

    def __contains__(self, item: object) -> bool:
        return True

    def get(self, key: object, default: object = None) -> Everything:
        return self


# --- The judge, rebuilt ---------------------------------------------------------------


@cache
def source(module: ModuleType) -> str:
    return Path(module.__file__ or "").read_text(encoding="utf-8")


@cache
def compiled(module: ModuleType) -> CodeType:
    return compile(source(module), module.__name__, "exec")


def rebuilt(mutant: Mutant) -> Callable[[str, str], object]:
    """Return the judge of fresh modules, so that nothing else sees the change."""
    kept = {module.__name__: module for module in JUDGED_BY}
    package = importlib.import_module("connectors")
    made: dict[str, ModuleType] = {}
    try:
        for original in JUDGED_BY:
            name = original.__name__
            tree = mutant.trees.get(name)
            fresh = ModuleType(name)
            made[name] = sys.modules[name] = fresh
            setattr(package, name.rpartition(".")[2], fresh)
            code = compile(tree, name, "exec") if tree else compiled(original)
            exec(code, fresh.__dict__)  # our own source, changed above
    finally:
        for name, module in kept.items():
            sys.modules[name] = module
            setattr(package, name.rpartition(".")[2], module)
    mutant.change(made)
    judge = made[query_safety.__name__].judge

    def rule(sql: str, dialect: str) -> object:
        verdict = judge(sql, dialect=dialect)
        return verdict.rule if isinstance(verdict, Refused) else None

    return rule


# --- What is taken out ----------------------------------------------------------------


def makes_refusal(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Name)
        and part.func.id in {"RefusalError", "Refused", "_foreign"}
        for part in ast.walk(node)
    )


def rules_in_source(module: ModuleType) -> Iterator[Mutant]:
    """Yield the judge without each statement that refuses, one at a time."""
    wanted = [
        node
        for node in ast.walk(ast.parse(source(module)))
        if isinstance(node, ast.Raise)
        or (isinstance(node, ast.If | ast.match_case) and decides(node, module))
    ]
    for number, node in enumerate(wanted):
        tree = ast.parse(source(module))
        same = [
            part
            for part in ast.walk(tree)
            if isinstance(part, ast.Raise)
            or (isinstance(part, ast.If | ast.match_case) and decides(part, module))
        ][number]
        first, last = lines_of(node)
        Without(same).visit(tree)
        text = source(module).splitlines()[first - 1].strip()
        text = text.removeprefix("raise ").replace('"', "")
        yield Mutant(
            name=f"{module.__name__}:{text}",
            trees={module.__name__: ast.fix_missing_locations(tree)},
            likely=frozenset((module.__name__, at) for at in range(first, last + 1)),
        )


def decides(node: ast.If | ast.match_case, module: ModuleType) -> bool:
    """Tell whether the branch itself returns which rule is broken."""
    returned = [part for part in node.body if isinstance(part, ast.Return)]
    if module is sql_places:
        return any(isinstance(part.value, ast.Tuple) for part in returned) and any(
            isinstance(part, ast.Constant) and part.value in query_verdicts.RULES
            for each in returned
            for part in ast.walk(each)
        )
    return any(makes_refusal(part) for part in returned)


def lines_of(node: ast.AST) -> tuple[int, int]:
    if isinstance(node, ast.match_case):
        return node.pattern.lineno, node.body[-1].end_lineno or node.body[-1].lineno
    assert isinstance(node, ast.stmt)
    return node.lineno, node.end_lineno or node.lineno


class Without(ast.NodeTransformer):
    """Takes one statement, or one branch's condition, out of a tree."""

    def __init__(self, target: ast.AST) -> None:
        self.target = target

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if node is not self.target:
            return super().generic_visit(node)
        if isinstance(node, ast.If):
            node.test = ast.Constant(False)
            return node
        if isinstance(node, ast.match_case):
            node.guard = ast.Constant(False)
            return node
        return ast.copy_location(ast.Pass(), node)


def checks_of_parts() -> Iterator[Mutant]:
    """Yield the judge without each check of a kind of part."""
    for kind, check in query_parts._CHECKS.items():
        code = check.__code__
        lines = range(code.co_firstlineno, code.co_firstlineno + 40)

        def change(modules: dict[str, ModuleType], kind: object = kind) -> None:
            del modules[query_parts.__name__]._CHECKS[kind]

        yield Mutant(
            name=f"{query_parts.__name__}: no {check.__name__}",
            trees={},
            change=change,
            likely=frozenset((query_parts.__name__, at) for at in lines),
        )


def open_lists() -> Iterator[Mutant]:
    """Yield the judge with each of its allow-lists thrown open."""
    for name in ("FUNCTIONS", "TYPES", "_LISTED"):
        for dialect in ALL_DIALECTS:
            yield opened(query_parts, name, dialect)
    for name in ("FIRST_WORDS", "STATEMENTS"):
        yield replaced(query_safety, name, Everything())
    yield replaced(query_parts, "NAMED_TYPES", Everything())
    for name in ("MOST_BYTES", "MOST_TOKENS", "MOST_DEPTH"):
        yield replaced(query_safety, name, 10**9)


def opened(module: ModuleType, name: str, dialect: str) -> Mutant:
    def change(modules: dict[str, ModuleType]) -> None:
        listed = getattr(modules[module.__name__], name)
        setattr(modules[module.__name__], name, {**listed, dialect: Everything()})

    return Mutant(
        f"{module.__name__}: {name}[{dialect!r}] thrown open", {}, change,
        dialect=dialect,
    )  # fmt: skip


def replaced(module: ModuleType, name: str, value: object) -> Mutant:
    assert hasattr(module, name), name

    def change(modules: dict[str, ModuleType]) -> None:
        setattr(modules[module.__name__], name, value)

    return Mutant(f"{module.__name__}: {name} thrown open", {}, change)


def shorter_denials() -> Iterator[Mutant]:
    """Yield the judge without each entry of what it denies by name."""
    for name in ("CATALOG_SCHEMAS", "CATALOG_TABLES", "KEYWORDS"):
        for dialect, entries in getattr(query_parts, name).items():
            for entry in entries:
                yield shortened(name, dialect, entry)


def shortened(name: str, dialect: str, entry: str) -> Mutant:
    def change(modules: dict[str, ModuleType]) -> None:
        module = modules[query_parts.__name__]
        listed: dict[str, Any] = getattr(module, name)
        left = type(listed[dialect])(one for one in listed[dialect] if one != entry)
        setattr(module, name, {**listed, dialect: left})

    return Mutant(
        f"{query_parts.__name__}: {name}[{dialect!r}] without {entry!r}", {}, change,
        word=entry, dialect=dialect,
    )  # fmt: skip


def mutants() -> list[Mutant]:
    return [
        *(each for module in JUDGED_BY for each in rules_in_source(module)),
        *checks_of_parts(),
        *open_lists(),
        *shorter_denials(),
    ]


# --- What notices ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def reached() -> dict[Case, frozenset[Place]]:
    """Return where in the judge's source each statement of the corpus was refused."""
    names = {module.__file__: module.__name__ for module in JUDGED_BY}
    seen: set[Place] = set()
    plain = RefusalError.__init__

    def noting(self: RefusalError, *given: Any, **named: Any) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if name := names.get(frame.f_code.co_filename):
                seen.add((name, frame.f_lineno))
            frame = frame.f_back
        plain(self, *given, **named)

    places = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RefusalError, "__init__", noting)
        for case in (*OTHERS, *(case for of in ALL_DIALECTS for case in refused(of))):
            seen.clear()
            query_safety.judge.__wrapped__(case.sql, dialect=case.dialect)
            places[case] = frozenset(seen)
    return places


def likely_first(
    mutant: Mutant, reached: dict[Case, frozenset[Place]]
) -> Iterator[Case]:
    """Yield all statements, those first that the missing rule was seen to refuse."""

    def distance(case: Case) -> tuple[bool, bool, bool, int]:
        return (
            not reached[case] & mutant.likely,
            mutant.dialect not in ("", case.dialect),
            mutant.word not in case.sql.lower(),
            len(case.sql),
        )

    return iter(sorted(reached, key=distance))


def noticed(mutant: Mutant, reached: dict[Case, frozenset[Place]]) -> bool:
    judge = rebuilt(mutant)
    for case in likely_first(mutant, reached):
        try:
            if judge(case.sql, case.dialect) not in case.rules:
                return True
        except Exception:  # noqa: BLE001 - a judge that trips is noticed as well
            return True
    return False


def test_the_rebuilt_judge_without_a_change_is_the_judge(
    reached: dict[Case, frozenset[Place]],
) -> None:
    assert not noticed(Mutant("nothing", {}), reached)


def test_without_any_one_rule_a_statement_gets_through(
    reached: dict[Case, frozenset[Place]],
) -> None:
    each = mutants()

    survivors = [
        mutant.name
        for mutant in each
        if mutant.name not in BEHIND and not noticed(mutant, reached)
    ]

    assert len(each) >= 80
    assert {mutant.name for mutant in each} >= set(BEHIND)
    assert not survivors, f"{len(survivors)} of {len(each)}:\n" + "\n".join(survivors)

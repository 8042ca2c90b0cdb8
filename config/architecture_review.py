"""The section of a quarterly review on how the portal is built: floors and parts.

The imports are read from the source that runs, by Python's own parser: nothing has to
be installed for it, and no list has to be kept.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from observability.review_values import (
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    words,
)
from tenants.scope import Actor

Edges: TypeAlias = Mapping[tuple[str, str], int]
"""Modules of the first app that import a module of the second, pair by pair."""

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)"
)
_TOP = 10
_APP = words("앱", "App")


@dataclass(frozen=True, slots=True)
class Pin:
    """One dependency: what the list says, and what is installed.

    Attributes:
        installed: None when it is not; a marker of the list may leave it out.
    """

    name: str
    pinned: str
    installed: str | None


def review_section(period: Period, actor: Actor) -> Section:
    """Say which app imports which, whether the floors hold, and which parts differ."""
    root = Path(settings.BASE_DIR)
    floors = floors_of((root / "pyproject.toml").read_text(encoding="utf-8"))
    own = [app for floor in floors for app in floor]
    edges = cross_app_imports(root, own)
    wrong = upward(edges, floors)
    pins = list(pins_of((root / "requirements.txt").read_text(encoding="utf-8")))
    drifted = [pin for pin in pins if pin.installed not in {None, pin.pinned}]
    return Section(
        key="architecture",
        title=words("구조와 의존성", "Architecture and dependencies"),
        figures=tuple(_figures(edges, wrong, pins, drifted, own)),
        tables=(_edges(edges), _largest(root, own), _drifted(drifted)),
        findings=tuple(_findings(wrong, drifted)),
    )


def floors_of(pyproject: str) -> list[tuple[str, ...]]:
    """Return the apps of each floor, the highest first, as the contract has them."""
    contracts = tomllib.loads(pyproject)["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    return [tuple(app.strip() for app in layer.split("|")) for layer in layers]


def cross_app_imports(root: Path, own: Iterable[str]) -> Edges:
    """Count, by pair of apps, the pairs of modules of which one imports the other."""
    apps = set(own)
    modules = {module for app in apps for module, _path in _modules(root, app)}
    pairs: set[tuple[str, str]] = set()
    for app in apps:
        for module, path in _modules(root, app):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            pairs |= {(module, name) for name in _imported(tree, modules)}
    return Counter(
        (by.partition(".")[0], name.partition(".")[0])
        for by, name in pairs
        if by.partition(".")[0] != name.partition(".")[0]
    )


def _modules(root: Path, app: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((root / app).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _imported(tree: ast.AST, modules: set[str]) -> Iterator[str]:
    """Yield the modules among `modules` that a file imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                name = inner if inner in modules else node.module
                if name in modules:
                    yield name


def upward(edges: Edges, floors: Sequence[tuple[str, ...]]) -> list[tuple[str, str]]:
    """Return pairs of apps of which the first imports one that is not below it."""
    floor = {app: number for number, apps in enumerate(floors) for app in apps}
    return sorted(pair for pair in edges if floor[pair[1]] <= floor[pair[0]])


def pins_of(requirements: str) -> Iterator[Pin]:
    """Yield the pinned dependencies, with the version that is installed."""
    for line in requirements.splitlines():
        if (found := _PIN.match(line)) is not None:
            yield Pin(found["name"], found["version"], _installed(found["name"]))


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _figures(
    edges: Edges,
    wrong: Sequence[tuple[str, str]],
    pins: Sequence[Pin],
    drifted: Sequence[Pin],
    own: Sequence[str],
) -> Iterator[Figure]:
    yield Figure(
        "cross-app-imports",
        words("앱 사이의 import", "Imports between apps"),
        sum(edges.values()),
        source="lint-imports",
    )
    yield Figure(
        "upward-imports",
        words("층을 거스르는 import", "Imports against the floors"),
        len(wrong),
        source="pyproject.toml: [tool.importlinter]",
    )
    loader = MigrationLoader(None, ignore_no_migrations=True)
    migrations = [name for app, name in loader.disk_migrations if app in own]
    yield Figure(
        "migrations",
        words("마이그레이션", "Migrations"),
        len(migrations),
        source="manage.py showmigrations",
    )
    yield Figure(
        "pinned-dependencies",
        words("고정된 의존성", "Pinned dependencies"),
        len(pins),
        source="requirements.txt",
    )
    yield Figure(
        "drifted-dependencies",
        words("목록과 다른 의존성", "Dependencies that differ from the list"),
        len(drifted),
        source="importlib.metadata",
    )


def _edges(edges: Edges) -> ReviewTable:
    return ReviewTable(
        "imports",
        words("앱 사이의 import", "Imports between apps"),
        (_APP, words("가져오는 앱", "imports"), words("모듈 쌍", "Pairs of modules")),
        tuple((*pair, count) for pair, count in sorted(edges.items())),
    )


def _largest(root: Path, own: Iterable[str]) -> ReviewTable:
    sizes = [
        (len(path.read_text(encoding="utf-8").splitlines()), module)
        for app in own
        for module, path in _modules(root, app)
        if ".migrations" not in module
    ]
    sizes.sort(key=lambda size: (-size[0], size[1]))
    return ReviewTable(
        "largest-modules",
        words("가장 큰 모듈", "Largest modules"),
        (words("모듈", "Module"), words("줄", "Lines")),
        tuple((module, lines) for lines, module in sizes[:_TOP]),
    )


def _drifted(drifted: Sequence[Pin]) -> ReviewTable:
    return ReviewTable(
        "drifted-dependencies",
        words("목록과 다른 의존성", "Dependencies that differ from the list"),
        (
            words("이름", "Name"),
            words("목록", "Pinned"),
            words("설치됨", "Installed"),
        ),
        tuple((pin.name, pin.pinned, pin.installed) for pin in drifted),
    )


def _findings(
    wrong: Sequence[tuple[str, str]], drifted: Sequence[Pin]
) -> Iterator[Finding]:
    for by, name in wrong:
        yield Finding(
            f"upward-import:{by}:{name}",
            words(
                f"{by}이(가) 아래층이 아닌 {name}을(를) 가져옵니다.",
                f"{by} imports {name}, which is not on a floor below it.",
            ),
        )
    for pin in drifted:
        yield Finding(
            f"drifted-dependency:{pin.name}",
            words(
                f"{pin.name}: 목록은 {pin.pinned}, 설치된 것은 {pin.installed}입니다.",
                f"{pin.name} is pinned to {pin.pinned}, and {pin.installed} is "
                "installed.",
            ),
        )

"""Imports between apps and installed versions are told as they are."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import grimp

from config.architecture_review import cross_app_imports, floors_of, pins_of, upward

ROOT = Path(__file__).resolve().parent.parent.parent


def test_imports_between_apps_are_those_that_grimp_finds() -> None:
    floors = floors_of((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    own = [app for floor in floors for app in floor]
    graph = grimp.build_graph(*own, cache_dir=None)
    expected: Counter[tuple[str, str]] = Counter()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            pair = (module.partition(".")[0], imported.partition(".")[0])
            if pair[0] != pair[1]:
                expected[pair] += 1

    assert cross_app_imports(ROOT, own) == expected
    assert upward(expected, floors) == []


def test_an_import_against_the_floors_is_found(tmp_path: Path) -> None:
    for app, text in {"low": "from high.doors import x\n", "high": ""}.items():
        (tmp_path / app).mkdir()
        (tmp_path / app / "__init__.py").write_text("")
        (tmp_path / app / "doors.py").write_text(text)

    edges = cross_app_imports(tmp_path, ["low", "high"])

    assert edges == {("low", "high"): 1}
    assert upward(edges, [("high",), ("low",)]) == [("low", "high")]
    assert upward(edges, [("low",), ("high",)]) == []
    assert upward(edges, [("low", "high")]) == [("low", "high")]


def test_pins_are_compared_with_what_is_installed() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", "import django; print(django.__version__)"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    text = f"django=={listed} \\\n    --hash=x\nasgiref[a]==0.0.1\nno-such-part==1.0\n"

    found = {pin.name: (pin.pinned, pin.installed) for pin in pins_of(text)}

    assert found["django"] == (listed, listed)
    assert found["no-such-part"] == ("1.0", None)
    pinned, installed = found["asgiref"]
    assert pinned == "0.0.1" != installed

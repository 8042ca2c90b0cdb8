"""The documents say what the code does."""

import re
from pathlib import Path

import pytest
import yaml
from django.utils import translation

from tests import reference
from tests.reference import PAGES, REFERENCE, commands
from tests.run import chosen_steps, main

ROOT = Path(__file__).resolve().parent.parent
PAGES_BY_HAND = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if REFERENCE not in path.parents
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("name", PAGES)
def test_reference_pages_are_what_the_code_says(name: str) -> None:
    with translation.override("en"):
        page = PAGES[name]()

    assert (REFERENCE / name).read_text(encoding="utf-8") == page, (
        "run: .venv/bin/python -m tests.reference"
    )


@pytest.mark.parametrize("path", PAGES_BY_HAND, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    targets = [
        target
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if "://" not in target
    ]

    missing = [target for target in targets if not (path.parent / target).exists()]

    assert missing == []


def test_every_setting_is_documented() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("config", "observability", "connectors", "screens")
        for path in (ROOT / folder).rglob("*.py")
    )
    names = set(re.findall(r"\"((?:SIGNALBOX|OTEL|SENTRY)_[A-Z_]+)\"", source))
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert sorted(name for name in names if f"`{name}`" not in page) == []


def test_every_command_has_a_help_that_is_a_sentence() -> None:
    for name, text in commands().items():
        assert len(text.split("\n\n")) >= 2, name
        assert "--help" in text, name


def test_both_readmes_name_the_two_commands() -> None:
    for name in ("README.md", "README.ko.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "make run" in text
        assert "make test" in text


def test_every_feature_names_a_test_that_exists() -> None:
    page = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)`", page)

    assert len(named) >= 20
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_make_test_runs_every_step_by_hand_too() -> None:
    gates = [
        "format",
        "lint",
        "layers",
        "types",
        "migrations",
        "graph",
        "translations",
        "reference",
    ]

    assert chosen_steps(["check"]) == gates
    assert chosen_steps([]) == [*gates, "postgresql", "sqlite", "coverage"]
    assert chosen_steps(["lint", "sqlite"]) == ["lint", "sqlite"]
    assert main(["lintt"]) == 2


def test_people_hooks_and_make_run_the_same_gates() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    entries = [hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"]]
    assert entries == [".venv/bin/python -m tests.run check"]
    assert re.search(
        r"^check:.*\n\t\$\(BIN\)/python -m tests.run check$", makefile, re.MULTILINE
    )
    for name in ("README.md", "README.ko.md"):
        assert "make check" in (ROOT / name).read_text(encoding="utf-8")


def test_a_stale_reference_page_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PAGES:
        (tmp_path / name).write_bytes((REFERENCE / name).read_bytes())
    monkeypatch.setattr(reference, "REFERENCE", tmp_path)
    assert reference.stale() == []

    (tmp_path / "formats.md").write_text("of yesterday")
    (tmp_path / "commands.md").unlink()

    assert sorted(reference.stale()) == ["commands.md", "formats.md"]


def test_architecture_has_the_contracts_that_are_checked() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    contracts = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    start = contracts.index("[tool.importlinter]")

    shown = page.split("```toml\n", 1)[1].split("```", 1)[0]

    assert shown.strip() == contracts[start:].strip()

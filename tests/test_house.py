"""The rules of the house that no linter knows: floors, tenants, names, sizes."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, TypeGuard

import pytest
from django.apps import apps
from django.core.management import call_command, get_commands, load_command_class
from django.db import models
from django.db.migrations.loader import MigrationLoader
from guardian.models import BaseObjectPermission

from tenants.models import Tenant, TenantModel

ROOT = Path(__file__).resolve().parent.parent
FLOORS = (
    ("tenants",), ("observability",), ("connectors",), ("branching", "renderers"),
    ("screens",), ("menus",), ("copilot",), ("demo",), ("config",),
)  # fmt: skip
FLOOR = {app: number for number, floor in enumerate(FLOORS) for app in floor}
OUTSIDE = set(FLOOR) | {"tests", "benchmarks"}
OWN_MODELS = [model for model in apps.get_models() if model._meta.app_label in FLOOR]

# Models that name a tenant and yet have no scope, each with its reason.
WITHOUT_SCOPE = {
    "tenants.Membership": "says which tenants a user may enter, before any is entered",
    "tenants.Team": "is a child of Django's Group; its pages filter by tenant",
    "observability.Measurement": "may be of the portal itself; read by tenant number",
    "observability.LogLine": "may be of the portal itself; read by `visible_to`",
    "observability.StoredTrace": "may be of the portal itself; read by `visible_to`",
    "tenants.AuditEntry": "may be of the portal itself; its `objects` has the scope",
}
LONGEST_FILE = 400
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "misc", "tools"}
TOP_LEVEL = {
    ".ci", ".gitignore", ".pre-commit-config.yaml", "ARCHITECTURE.md", "CHANGELOG.md",
    "LICENSE", "Makefile", "README.ko.md", "README.md", "SECURITY.md", "benchmarks",
    "docs", "locale", "manage.py", "pyproject.toml", "requirements-dev.in",
    "requirements-dev.txt", "requirements.in", "requirements.txt", "tests", *FLOOR,
}  # fmt: skip


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def text_files() -> Iterator[Path]:
    """Every file of the project that people write: tracked, or not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    kinds = {".py", ".html", ".md", ".toml", ".txt", ".in", ".js", ".css", ".json"}
    for name in sorted(set(listed.stdout.splitlines())):
        path = ROOT / name
        plain = path.suffix in kinds or path.name in {"Makefile", "run"}
        if plain and path.is_file() and "vendor" not in path.parts:
            yield path


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


APP_FILES = list(python_files(*FLOOR))
ALL_FILES = [*APP_FILES, *python_files("tests", "benchmarks")]
TEMPLATES = sorted(
    path for app in FLOOR for path in (ROOT / app).rglob("templates/**/*.html")
)


# --- Floors -----------------------------------------------------------------------


def test_every_app_of_ours_stands_on_a_floor() -> None:
    ours = {
        config.name
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(ROOT)
        and ".venv" not in Path(config.path).parts
    }

    assert ours == set(FLOOR)


def _is_model(found: object) -> TypeGuard[type[models.Model]]:
    return isinstance(found, type) and issubclass(found, models.Model)


@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda model: model._meta.label)
def test_references_lead_down_or_stay(model: type[models.Model]) -> None:
    own = FLOOR[model._meta.app_label]
    wrong = []
    for field in [*model._meta.get_fields(), *model._meta.many_to_many]:
        target = getattr(field, "related_model", None)
        declared = isinstance(field, (models.ForeignKey, models.ManyToManyField))
        if not declared or not _is_model(target):
            continue
        label = target._meta.app_label
        neighbour = FLOOR.get(label) == own and label != model._meta.app_label
        if FLOOR.get(label, -1) > own or neighbour:
            wrong.append(f"{field.name} -> {label}")

    assert wrong == []


def test_migrations_depend_on_floors_below_only(db: None) -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    wrong = [
        f"{app}.{name} -> {other}"
        for (app, name), migration in loader.disk_migrations.items()
        for other, _ in migration.dependencies
        if app in FLOOR and other in FLOOR and other != app
        if FLOOR[other] >= FLOOR[app]
    ]

    assert wrong == []


def test_models_and_migrations_agree(db: None) -> None:
    out = StringIO()

    call_command("makemigrations", check=True, dry_run=True, stdout=out)

    assert "No changes detected" in out.getvalue()


def test_imports_keep_the_contracts() -> None:
    program = Path(sys.executable).parent / "lint-imports"

    done = subprocess.run(
        [program, "--no-cache"],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


# --- Tenants ----------------------------------------------------------------------


def names_a_tenant(model: type[models.Model]) -> bool:
    return any(
        isinstance(field, models.ForeignKey) and field.related_model is Tenant
        for field in model._meta.get_fields()
    )


def test_every_model_with_a_tenant_has_the_scope() -> None:
    without = {
        model._meta.label
        for model in OWN_MODELS
        if names_a_tenant(model) and not issubclass(model, TenantModel)
    }

    assert without == set(WITHOUT_SCOPE)


@pytest.mark.parametrize(
    "model",
    [model for model in OWN_MODELS if issubclass(model, TenantModel)],
    ids=lambda model: model._meta.label,
)
def test_unique_rules_are_per_tenant(model: type[models.Model]) -> None:
    """A key that is unique over all tenants tells one tenant of another's keys."""
    wide = [
        field.name
        for field in model._meta.local_concrete_fields
        if field.unique
        and not field.primary_key
        and not isinstance(field, models.OneToOneField)
        and field.name != "digest"  # 256 random bits: never twice
    ]

    assert wide == []


# --- Files ------------------------------------------------------------------------


def test_the_top_level_holds_what_is_fixed() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in text_files()}

    assert found <= TOP_LEVEL


@pytest.mark.parametrize("path", ALL_FILES, ids=short)
def test_no_file_is_longer_than_a_reader_can_hold(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_no_file_is_named_after_nothing() -> None:
    found = [short(path) for path in ALL_FILES if path.stem in FORBIDDEN_NAMES]

    assert found == []


def calls_print(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
        for node in ast.walk(tree)
    )


def test_apps_log_and_commands_write() -> None:
    found = [
        short(path)
        for path in APP_FILES
        if "commands" not in path.parts
        and calls_print(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert found == []


def test_no_function_is_longer_than_forty_lines() -> None:
    found = [
        f"{short(path)}:{node.lineno} {node.name}"
        for path in APP_FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and body_length(node) > 40
    ]

    assert found == []


def body_length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


REGISTRIES = re.compile(r"https?://[^\s\"')]*(?:pypi|npmjs|/simple\b)", re.IGNORECASE)


def test_no_registry_is_named() -> None:
    found = [
        short(path)
        for path in text_files()
        if path != Path(__file__).resolve()
        and REGISTRIES.search(path.read_text(encoding="utf-8"))
    ]

    assert found == []


# --- Templates and words ------------------------------------------------------------

INLINE = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "an event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "a javascript address": re.compile(r"javascript:", re.IGNORECASE),
    "no escaping": re.compile(r"autoescape\s+off|\|\s*safe\b"),
}
SCRIPT = re.compile(r"<script\b([^>]*)>", re.IGNORECASE)


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_templates_have_nothing_inline(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    found = [name for name, pattern in INLINE.items() if pattern.search(text)]
    found += [
        f"a script: {attributes}"
        for attributes in SCRIPT.findall(text)
        if "src=" not in attributes and "application/json" not in attributes
    ]

    assert found == []


def is_ours(field: Any) -> bool:
    return not isinstance(field, models.OneToOneField) and field.model in OWN_MODELS


@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda model: model._meta.label)
def test_words_of_models_can_be_translated(model: type[models.Model]) -> None:
    plain = [
        f"{field.name}: {field.help_text}"
        for field in model._meta.local_fields
        if is_ours(field) and isinstance(field.help_text, str) and field.help_text
    ]
    named = not issubclass(model, BaseObjectPermission)  # these have no page
    if named and isinstance(model._meta.verbose_name, str):
        plain.append(f"verbose_name: {model._meta.verbose_name}")

    assert plain == []


WORDED = {"short_description", "description", "help_text", "verbose_name", "label"}


@pytest.mark.parametrize(
    "path", [path for path in APP_FILES if "admin" in path.stem], ids=short
)
def test_words_of_admin_pages_can_be_translated(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = [
        f"{keyword.arg}={keyword.value.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in WORDED
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
        and keyword.value.value
    ]

    assert plain == []


COMMANDS = sorted(name for name, app in get_commands().items() if app in FLOOR)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str) -> None:
    command = load_command_class(get_commands()[name], name)

    assert command.help.strip()

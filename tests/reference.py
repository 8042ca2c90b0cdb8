"""Write the reference pages under ``docs/reference`` from the code.

``python -m tests.reference`` writes them; with ``--check`` it only names those that are
not what the code says. ``tests/test_docs.py`` fails for the same pages.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
NOTICE = "<!-- Made from the code by `python -m tests.reference`; do not edit. -->\n"


def commands() -> dict[str, str]:
    """Return the portal's own commands with their help."""
    from django.core.management import get_commands, load_command_class

    own = {
        name: app
        for name, app in get_commands().items()
        if (ROOT / str(app) / "management").is_dir()
    }
    return {
        name: _help_of(load_command_class(own[name], name), name)
        for name in sorted(own)
    }


def _help_of(command: Any, name: str) -> str:
    file = io.StringIO()
    parser = command.create_parser("manage.py", name)
    parser.formatter_class = _plain_formatter()
    parser.print_help(file)
    return file.getvalue()


def _plain_formatter() -> type:
    from django.core.management.base import DjangoHelpFormatter

    class Formatter(DjangoHelpFormatter):
        """A fixed width, whatever terminal writes the page."""

        def __init__(self, prog: str) -> None:
            super().__init__(prog, width=88)

    return Formatter


def commands_page() -> str:
    """Every command of the portal, as ``--help`` prints it."""
    parts = [NOTICE, "# Commands\n", "Each is `.venv/bin/python manage.py NAME`.\n"]
    for name, text in commands().items():
        parts.append(f"## {name}\n\n```text\n{text.rstrip()}\n```\n")
    return "\n".join(parts)


def formats_page() -> str:
    """Every format and every option of it."""
    from renderers.options import SCHEMAS

    parts = [NOTICE, "# Formats and their options\n"]
    for name, schema in SCHEMAS.items():
        parts.append(f"## {name.value}\n\n{schema['description']}\n")
        parts.append("| Option | Takes | Meaning |\n| --- | --- | --- |")
        parts.extend(_option_rows(schema["properties"], ""))
        parts.append("")
    return "\n".join(parts)


def _option_rows(properties: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, schema in properties.items():
        text = str(schema.get("description", "")).replace("|", "\\|")
        yield f"| `{prefix}{name}` | {_takes(schema)} | {text} |"
        items = schema.get("items", {})
        if isinstance(items, dict) and "properties" in items:
            yield from _option_rows(items["properties"], f"{prefix}{name}[].")


def _takes(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    kind = schema.get("type", "")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    bounds = [
        f"{words} {schema[key]}"
        for key, words in (
            ("minimum", "from"),
            ("maximum", "to"),
            ("default", "default"),
        )
        if key in schema
    ]
    return f"{text} ({', '.join(bounds)})" if bounds else text


def operators_page() -> str:
    """Every operator of a condition."""
    from branching.operators import OPERATORS

    parts = [
        NOTICE,
        "# Operators of conditions\n",
        (
            "Nothing is converted: a text is never a number, a boolean is never a "
            "number. A missing, null or wrongly typed value is *unknown*; unknown "
            "never matches, not even under NOT.\n"
        ),
        "| Operator | For | Value | Ignores case |\n| --- | --- | --- | --- |",
    ]
    for name, operator in OPERATORS.items():
        kinds = ", ".join(sorted(kind.value for kind in operator.types))
        folds = "on request" if operator.folds else "–"
        parts.append(f"| `{name}` | {kinds} | {operator.shape.value} | {folds} |")
    return "\n".join([*parts, ""])


def document_page() -> str:
    """The JSON Schema of a screen document."""
    from screens.schema import SCHEMA

    text = json.dumps(SCHEMA, indent=2, ensure_ascii=False)
    return "\n".join([NOTICE, "# The screen document\n", f"```json\n{text}\n```\n"])


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "formats.md": formats_page,
    "operators.md": operators_page,
    "document.md": document_page,
}


def stale() -> list[str]:
    """Name the pages that are not what the code says."""
    from django.utils import translation

    with translation.override("en"):
        return [
            name
            for name, page in PAGES.items()
            if not (REFERENCE / name).exists()
            or (REFERENCE / name).read_text(encoding="utf-8") != page()
        ]


def main(arguments: list[str]) -> int:
    import django
    from django.utils import translation

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    if arguments == ["--check"]:
        names = stale()
        for name in names:
            print(f"docs/reference/{name} is stale; run: python -m tests.reference")
        return 1 if names else 0
    if arguments:
        print(f"Unknown: {arguments}. Give --check or nothing.")
        return 2
    REFERENCE.mkdir(parents=True, exist_ok=True)
    with translation.override("en"):
        for name, page in PAGES.items():
            (REFERENCE / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

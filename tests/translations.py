"""Collect the portal's messages, keep the Korean catalogues complete, compile them.

``python -m tests.translations [APP …]`` adds missing messages to
``<app>/locale/ko/LC_MESSAGES/django.po`` (drops those no longer used), and writes the
``.mo`` beside it. Needs no gettext programs. ``tests/test_translations.py`` fails when
a message lacks its Korean, or a catalogue is not current.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
APPS = (
    "config", "demo", "copilot", "menus", "screens", "branching", "renderers",
    "connectors", "observability", "tenants",
)  # fmt: skip
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
Message: TypeAlias = tuple[str | tuple[str, ...], str | None, str]


def messages_of(app: str) -> Iterator[Message]:
    """Yield ``(id, context, place)`` of every message in an app."""
    for path in sorted((ROOT / app).rglob("*")):
        if path.suffix == ".py" and "migrations" not in path.parts:
            source = path.read_text(encoding="utf-8")
        elif path.suffix in {".html", ".txt"} and "templates" in path.parts:
            source = _as_python(path.read_text(encoding="utf-8"))
        else:
            continue
        place = str(path.relative_to(ROOT))
        found = extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS)
        for _line, message, _comments, context in found:
            yield message, context, place


def _as_python(template: str) -> str:
    from django.utils.translation.template import templatize

    return templatize(template)


def catalogue_path(app: str) -> Path:
    return ROOT / app / "locale" / "ko" / "LC_MESSAGES" / "django.po"


def read_catalogue(app: str) -> Catalog:
    path = catalogue_path(app)
    if not path.exists():
        return Catalog(locale="ko", domain="django")
    with path.open("rb") as file:
        return read_po(file, locale="ko", domain="django")


def current_catalogue(app: str) -> Catalog:
    """Return the app's messages with the Korean that is known for them."""
    known = read_catalogue(app)
    catalogue = Catalog(
        locale="ko",
        domain="django",
        project="Signalbox",
        header_comment="# Korean messages of Signalbox.",
        fuzzy=False,
    )
    catalogue.creation_date = known.creation_date
    catalogue.revision_date = known.revision_date
    for message, context, place in sorted(
        messages_of(app), key=lambda found: (found[2], str(found[0]))
    ):
        before = known.get(message if isinstance(message, str) else message[0], context)
        catalogue.add(
            message,
            string=before.string if before else None,
            locations=[(place, None)],  # type: ignore[list-item]
            context=context,
        )
    return catalogue


def po_bytes(catalogue: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalogue, width=88, sort_output=True, include_lineno=False)
    return file.getvalue()


def mo_bytes(catalogue: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def untranslated(catalogue: Catalog) -> list[str]:
    return [
        str(message.id)
        for message in catalogue
        if message.id and not _complete(message.string)
    ]


def _complete(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return bool(string) if isinstance(string, str | None) else all(string)


def write(app: str) -> None:
    """Bring one app's catalogue up to date and compile it."""
    catalogue = current_catalogue(app)
    path = catalogue_path(app)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(po_bytes(catalogue))
    path.with_suffix(".mo").write_bytes(mo_bytes(catalogue))
    missing = untranslated(catalogue)
    print(f"{app}: {len(catalogue)} messages, {len(missing)} without Korean")
    for message in missing:
        print(f"  {message!r}")


if __name__ == "__main__":
    import django
    from django.conf import settings

    settings.configure()
    django.setup()
    for name in sys.argv[1:] or APPS:
        write(name)

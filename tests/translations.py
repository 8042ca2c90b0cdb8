"""Collect the portal's messages, keep the Korean catalogues complete, compile them.

``python -m tests.translations [APP …]`` adds missing messages to
``<app>/locale/ko/LC_MESSAGES/django.po`` (drops those no longer used), and writes the
``.mo`` beside it. With ``--check`` nothing is written, and the faults are named: a
message without Korean, a catalogue or an ``.mo`` that is not current.
``tests/test_translations.py`` fails for the same. Needs no gettext programs.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
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


def faults(app: str) -> list[str]:
    """Say what is wrong with one app's catalogue; nothing when it is complete."""
    current, path = current_catalogue(app), catalogue_path(app)
    if not path.exists():
        return ["no catalogue"] if len(current) else []
    found = [f"no Korean for {message!r}" for message in untranslated(current)]
    written = read_catalogue(app)
    if _ids(written) != _ids(current):
        found.append("the catalogue is not current")
    compiled = path.with_suffix(".mo")
    if not compiled.exists() or compiled.read_bytes() != mo_bytes(written):
        found.append("the compiled catalogue is not current")
    return found


def _ids(catalogue: Catalog) -> set[object]:
    return {message.id for message in catalogue if message.id}


def check(names: Iterable[str]) -> int:
    """Name every fault; return 1 when there is one."""
    told = [f"{app}: {fault}" for app in names for fault in faults(app)]
    for line in told:
        print(line)
    if told:
        print("run: make messages, then fill in the Korean, and run it again")
    return 1 if told else 0


def main(arguments: list[str]) -> int:
    import django
    from django.conf import settings

    settings.configure()
    django.setup()
    names = [name for name in arguments if name != "--check"] or list(APPS)
    if "--check" in arguments:
        return check(names)
    for name in names:
        write(name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

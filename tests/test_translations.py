"""Every message of the portal has its Korean, and the catalogues are current."""

import re

import pytest

from tests.translations import (
    APPS,
    catalogue_path,
    current_catalogue,
    mo_bytes,
    read_catalogue,
    untranslated,
)

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@pytest.mark.parametrize("app", APPS)
def test_every_message_has_its_korean(app: str) -> None:
    catalogue = current_catalogue(app)

    assert untranslated(catalogue) == [], "run: make messages, then fill django.po"


@pytest.mark.parametrize("app", APPS)
def test_the_compiled_catalogue_is_current(app: str) -> None:
    path = catalogue_path(app)
    if not path.exists():
        assert len(current_catalogue(app)) == 0, "run: make messages"
        return

    used = {message.id for message in current_catalogue(app) if message.id}
    written = {message.id for message in read_catalogue(app) if message.id}

    assert written == used, "run: make messages"
    assert path.with_suffix(".mo").read_bytes() == mo_bytes(read_catalogue(app)), (
        "run: make messages"
    )


@pytest.mark.parametrize("app", APPS)
def test_korean_keeps_every_placeholder(app: str) -> None:
    for message in read_catalogue(app):
        if not message.id or not isinstance(message.id, str):
            continue
        assert isinstance(message.string, str)
        assert sorted(PLACEHOLDER.findall(message.string)) == sorted(
            PLACEHOLDER.findall(message.id)
        ), message.id

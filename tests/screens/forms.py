"""A page as a browser reads it: what its form sends, and what its labels say."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from screens.models import Screen

ADDRESS = "/screens/ops/properties/"


@dataclass
class Control:
    """One control of a form, with its attributes."""

    tag: str
    attributes: dict[str, str | None]
    value: str = ""


@dataclass
class Read:
    """What stands on a page."""

    controls: list[Control] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)

    @property
    def sent(self) -> dict[str, str]:
        """Everything the editor's form sends, without any button."""
        return {
            str(each.attributes["name"]): each.value
            for each in self.controls
            if each.attributes.get("name")
            and each.attributes.get("type") not in ("checkbox", "submit")
        }


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.read = Read()
        self.inside = False
        self.open: Control | None = None
        self.fresh = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.read.ids.append(str(given["id"]))
        if tag == "form":
            self.inside = given.get("id") == "editor-form"
        if tag == "label" and given.get("for"):
            self.read.labels.add(str(given["for"]))
        if not self.inside:
            return
        if tag == "button" and given.get("name") == "action":
            self.read.buttons.append(str(given.get("value")))
        if tag == "input":
            text = str(given.get("value") or "")
            if given.get("type") == "text":
                text = re.sub(r"[\r\n]", "", text)  # as browsers do
            self.read.controls.append(Control(tag, given, text))
        if tag in ("textarea", "select"):
            self.open = Control(tag, given)
            self.fresh = True
            self.read.controls.append(self.open)
        if (
            tag == "option"
            and self.open is not None
            and (self.fresh or "selected" in given)
        ):
            self.open.value = str(given.get("value") or "")
            self.fresh = False

    def handle_data(self, data: str) -> None:
        if self.open is not None and self.open.tag == "textarea":
            self.open.value += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        if self.open is not None and tag == self.open.tag:
            if tag == "textarea":
                # The first line end is markup; every other one is sent as two.
                text = self.open.value.removeprefix("\n")
                self.open.value = text.replace("\n", "\r\n")
            self.open = None


def read_page(response: Any) -> Read:
    """Read the editor's form of a response."""
    reader = _Reader()
    text = response.content.decode()
    reader.feed(text.replace("\r\n", "\n").replace("\r", "\n"))
    return reader.read


def save(client: Client, document: dict[str, Any], base: int = 0) -> None:
    fields = {"document": json.dumps(document), "base_version": str(base)}
    assert client.post("/screens/ops/edit/", fields).status_code == 302


def opened(client: Client, part: str = "") -> Read:
    return read_page(client.get(ADDRESS, {"open": part}))


def press(client: Client, page: Read, action: str, **typed: str) -> Any:
    """Press a button of the form, after typing into some fields."""
    return client.post(ADDRESS, {**page.sent, **typed, "action": action})


def document_in(response: Any) -> Any:
    return json.loads(read_page(response).sent["document"])


def newest(screen: Screen) -> Any:
    version = screen.versions.first()
    assert version is not None
    return version.body


def named(pointer: str) -> str:
    return f"f:{pointer}"

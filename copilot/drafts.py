"""A document while edits are being made in it, and the patch they leave. Pure."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.outcomes import Json
from copilot.edits import Edit
from copilot.subject import Subject
from renderers.presentation import Format
from screens.faults import pointer_to
from screens.patches import Patched, Step, apply_patch

ROWS: Final = (Format.TABLE.value, Format.GRID.value)


class Cannot(Exception):
    """This edit does not fit this document: becomes a `CompileFault`."""

    def __init__(self, rule: str, found: str = "") -> None:
        super().__init__(rule)
        self.rule, self.found = rule, found


@dataclass
class Draft:
    """The document so far, and the steps that led to it."""

    subject: Subject
    body: dict[str, Any] = field(init=False)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.body = copy.deepcopy(dict(self.subject.body))

    def now(self) -> Subject:
        return self.subject.with_body(self.body)

    def do(self, op: str, path: Sequence[str | int], **more: Json) -> None:
        step: dict[str, Json] = {"op": op, "path": pointer_to(tuple(path)), **more}
        done = apply_patch(self.body, [step])
        if not isinstance(done, Patched) or not isinstance(done.body, dict):
            raise AssertionError(f"The compiler wrote a step that fails: {step}.")
        self.body = done.body
        self.steps.append(step)

    def put(self, path: Sequence[str | int], value: Json) -> None:
        """Set a member of an object, whether it is there or not."""
        parent: Any = self.body
        for part in path[:-1]:
            parent = parent[part]
        there = isinstance(parent, list) or path[-1] in parent
        self.do("replace" if there else "add", path, value=value)

    def block(self, name: str) -> tuple[int, dict[str, Any]]:
        for index, block in enumerate(self.body["blocks"]):
            if block["id"] == name:
                self.do("test", ["blocks", index, "id"], value=name)
                return index, block
        raise Cannot("unknown-block", name)

    def parameter(self, name: str) -> tuple[int, dict[str, Any]]:
        for index, parameter in enumerate(self.body.get("parameters", [])):
            if parameter["name"] == name:
                self.do("test", ["parameters", index, "name"], value=name)
                return index, parameter
        raise Cannot("unknown-parameter", name)


@dataclass(frozen=True, slots=True)
class Look:
    """One response of a block, ready to have its options changed."""

    draft: Draft
    block: dict[str, Any]
    place: tuple[str | int, ...]
    response: str

    @property
    def form(self) -> str:
        return str(self.block["responses"][self.response]["format"])

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.block["responses"][self.response].get("options", {}))

    def column(self, name: str) -> str:
        known = self.draft.now().columns_of(self.block, self.response)
        if name not in {each.name for each in known}:
            raise Cannot("unknown-column", name)
        return name

    def need(self, *forms: str) -> None:
        if self.form not in forms:
            raise Cannot("wrong-format", self.form)

    def put(self, name: str, value: Json) -> None:
        if "options" not in self.block["responses"][self.response]:
            self.draft.put((*self.place, "options"), {})
        self.draft.put((*self.place, "options", name), value)

    def columns(self) -> list[Any]:
        """Return the columns as listed, or all there are when none is listed."""
        listed = self.options.get("columns")
        if listed is not None:
            return list(listed)
        known = self.draft.now().columns_of(self.block, self.response)
        if not known:
            raise Cannot("unknown-columns", self.block["id"])
        return [each.name for each in known]

    def change_column(self, name: str, **change: Json) -> None:
        self.column(name)
        changed: list[Json] = []
        found = False
        for each in self.columns():
            entry = dict(each) if isinstance(each, dict) else {"name": each}
            if entry["name"] == name:
                found = True
                changed.append({**entry, **change})
            else:
                changed.append(each)
        if not found:
            raise Cannot("hidden-column", name)
        self.put("columns", changed)


def look_of(draft: Draft, edit: Edit) -> Look:
    index, block = draft.block(edit.block)
    if edit.response not in block["responses"]:
        raise Cannot("unknown-response", edit.response)
    place = ("blocks", index, "responses", edit.response)
    return Look(draft, block, place, edit.response)

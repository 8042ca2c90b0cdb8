"""What stands between an answer and a person: every gate runs, none can be skipped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.outcomes import Json
from copilot import effects
from copilot.edits import Edit
from copilot.proposals import GateResult
from copilot.samples import SIZES, sample
from copilot.subject import Subject, in_language
from renderers.presentation import Format, Presentation, RenderContext, State
from renderers.services import render_outcome
from screens.document import parse_document
from screens.faults import pointer_to
from screens.patches import (
    Patch,
    PatchFault,
    apply_patch,
    invert_patch,
    same,
    segments,
)
from screens.schema import MAX_BYTES

MOST_STEPS: Final = 50
DEEPEST: Final = 8
GATES: Final = (
    "size", "applies", "document", "references", "renders", "effect", "risk", "change",
)  # fmt: skip
NEVER_REPAIRED: Final = frozenset({"references"})
"""Gates whose refusal no engine gets to try around."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What the gates made of a patch.

    Attributes:
        body: The document after the patch; None when it could not be applied.
        results: One or more for each gate, in the order of `GATES`.
        risky: A confirmation of its own is needed.
    """

    body: dict[str, Any] | None
    results: tuple[GateResult, ...]
    risky: bool = False

    @property
    def open(self) -> bool:
        """Whether a person may see this as a proposal."""
        return all(each.ok for each in self.results)

    @property
    def shut(self) -> tuple[GateResult, ...]:
        return tuple(each for each in self.results if not each.ok)


def pass_gates(
    patch: Json | Patch, subject: Subject, *, edits: Sequence[Edit] = ()
) -> Passage:
    """Try a patch on the subject's document.

    Args:
        edits: What the patch was compiled from. Without them, for a patch that a
            person wrote, there is nothing to hold the effect against.
    """
    before = dict(subject.body)
    size = _size(patch)
    done = apply_patch(before, patch)
    if isinstance(done, PatchFault):
        shut = GateResult("applies", False, f"patch-{done.rule}", done.pointer)
        rest = (GateResult(name, False, "not-reached") for name in GATES[2:])
        return Passage(None, (size, shut, *rest))
    if not isinstance(done.body, dict):
        shut = GateResult("document", False, "type", "")
        rest = (GateResult(name, False, "not-reached") for name in GATES[3:])
        return Passage(None, (size, GateResult("applies", True), shut, *rest))
    after = done.body
    results = [_grown(size, after), _inverts(before, patch, after), *_document(after)]
    if not results[-1].ok:
        # What is no document has no references, no looks and no effect to look at.
        results += [GateResult(name, False, "not-reached") for name in GATES[3:]]
        return Passage(after, tuple(results))
    risk = _risk(before, after)
    now = subject.with_body(after)
    results += [
        *_references(subject, now),
        *_renders(subject, now),
        _effect(edits, before, after),
        GateResult("risk", True, risk[0], found=risk[1]),
        _change(before, after),
    ]
    return Passage(after, tuple(results), risky=bool(risk[0]))


# --- 1 to 3: size, applies and inverts, is a document ------------------------------
def _size(patch: Json | Patch) -> GateResult:
    if not isinstance(patch, Sequence) or isinstance(patch, str):
        return GateResult("size", True)  # the next gate says what is wrong
    if len(patch) > MOST_STEPS:
        return GateResult("size", False, "too-many-steps", found=str(len(patch)))
    for step in patch:
        path = step.get("path") if isinstance(step, Mapping) else None
        if isinstance(path, str) and len(segments(path)) > DEEPEST:
            return GateResult("size", False, "too-deep", path[:200])
    return GateResult("size", True)


def _grown(size: GateResult, after: Json) -> GateResult:
    written = len(json.dumps(after, ensure_ascii=False).encode())
    if size.ok and written > MAX_BYTES:
        return GateResult("size", False, "too-large", found=str(written))
    return size


def _inverts(before: Json, patch: Json | Patch, after: Json) -> GateResult:
    back = invert_patch(before, patch)
    restored = back if isinstance(back, PatchFault) else apply_patch(after, back)
    if isinstance(restored, PatchFault) or not same(restored.body, before):
        return GateResult("applies", False, "cannot-undo")
    return GateResult("applies", True)


def _document(after: Json) -> list[GateResult]:
    parsed = parse_document(after)
    if isinstance(parsed, tuple):
        return [
            GateResult("document", False, each.rule, each.pointer, each.found)
            for each in parsed[:5]
        ]
    return [GateResult("document", True)]


# --- 4: references -----------------------------------------------------------------
def _references(before: Subject, after: Subject) -> list[GateResult]:
    found = list(_unknown(before, after))
    return found[:5] or [GateResult("references", True)]


def _unknown(before: Subject, after: Subject) -> Iterator[GateResult]:
    """Yield changed or new references that lead nowhere; hidden reads as unknown."""
    for index, block in enumerate(after.blocks):
        earlier = before.block(block["id"])
        if earlier is not None and earlier["source"] == block["source"]:
            continue
        place = ("blocks", index, "source")
        source = block["source"]
        table = source.get("decision_table")
        if table is not None:
            if table not in after.tables:
                pointer = pointer_to((*place, "decision_table"))
                yield GateResult("references", False, "unknown-table", pointer, table)
            continue
        operation = after.operations.get(source["operation"])
        if operation is None:
            pointer = pointer_to((*place, "operation"))
            key = source["operation"]
            yield GateResult("references", False, "unknown-operation", pointer, key)
            continue
        given = source.get("arguments", {})
        taken = {each.name: each for each in operation.parameters}
        for name in given:
            if name not in taken:
                pointer = pointer_to((*place, "arguments", name))
                yield GateResult("references", False, "unknown-argument", pointer, name)
        for name, parameter in taken.items():
            if parameter.required and parameter.default is None and name not in given:
                pointer = pointer_to(place)
                yield GateResult("references", False, "missing-argument", pointer, name)


# --- 5: renders --------------------------------------------------------------------
def _renders(before: Subject, after: Subject) -> list[GateResult]:
    """Draw every changed look on sample rows; a look that failed before may fail."""
    found = []
    for index, block in enumerate(after.blocks):
        earlier = before.block(block["id"])
        for name, look in block["responses"].items():
            known = earlier["responses"].get(name) if earlier else None
            if known == look and earlier and earlier["source"] == block["source"]:
                continue
            fault = look_fault(after, block, name)
            if not fault:
                continue
            if known is not None and earlier and look_fault(before, earlier, name):
                continue  # the sample does not know this source well enough
            pointer = pointer_to(("blocks", index, "responses", name))
            found.append(GateResult("renders", False, "cannot-draw", pointer, fault))
    return found[:5] or [GateResult("renders", True)]


def look_fault(subject: Subject, block: Mapping[str, Any], response: str) -> str:
    """Say why a look cannot be drawn on its sample rows, "" when it can."""
    look = block["responses"][response]
    presentation = Presentation(Format(look["format"]), look.get("options", {}))
    context = RenderContext(block["id"], in_language(block["title"], "ko"))
    for rows in SIZES:
        drawn = render_outcome(
            sample(subject, block, response, rows), presentation, context
        )
        if drawn.state is State.FAILED:
            return f"{look['format']}, {rows}"
    return ""


# --- 6 to 8: effect, risk, change --------------------------------------------------
def _effect(
    edits: Sequence[Edit], before: Mapping[str, Any], after: Mapping[str, Any]
) -> GateResult:
    if not edits:
        return GateResult("effect", True, "by-hand")
    broken = effects.broken_promise(edits, after)
    if broken is not None:
        return GateResult("effect", False, "no-effect", found=broken.kind.value)
    place = effects.outside_footprint(edits, before, after)
    if place is not None:
        return GateResult("effect", False, "overreach", found="/".join(place))
    return GateResult("effect", True)


def _risk(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, str]:
    ids = {each["id"] for each in after["blocks"]}
    gone = [each["id"] for each in before["blocks"] if each["id"] not in ids]
    if len(gone) > 1 or 2 * len(gone) > len(before["blocks"]):
        return "removes-many", ", ".join(gone)
    now = {each["id"]: each["source"].get("arguments", {}) for each in after["blocks"]}
    for block in before["blocks"]:
        for name, value in block["source"].get("arguments", {}).items():
            if block["id"] not in now:
                continue
            kept = now[block["id"]].get(name)
            if kept is None or (isinstance(value, dict) and kept != value):
                return "drops-binding", f"{block['id']}.{name}"
    return "", ""


def _change(before: Json, after: Json) -> GateResult:
    if same(before, after):
        return GateResult("change", False, "no-change")
    return GateResult("change", True)

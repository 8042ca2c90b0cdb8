"""The rule-based engine: an instruction in Korean or English to edits. Pure.

Names are linked first and cut out, so what is left is a small closed set of words.
Intents are tried in order; the first plan that leaves nothing over is taken. Needs no
network and no model, and the same instruction always gets the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from copilot import intents, look_intents
from copilot.edits import MOST_EDITS, Edit, Kind
from copilot.intents import Intent
from copilot.linking import (
    Linked,
    Span,
    link,
    link_near,
    link_part,
    names_of,
    normalised,
    replaced,
)
from copilot.proposals import Choice, Question, Refusal
from copilot.reading import (
    Ask,
    No,
    Outcome,
    Plan,
    Reading,
    hide_quotations,
    read,
)
from copilot.renaming import new_name_in, renamed
from copilot.subject import Subject
from copilot.vocabulary import vocabulary

LONGEST: Final = 500

INTENTS: Final[tuple[Intent, ...]] = (
    intents.swap,
    intents.parameter,
    intents.narrow,
    look_intents.emphasis,
    look_intents.axis,
    look_intents.stack,
    look_intents.total,
    look_intents.written,
    look_intents.unit,
    look_intents.sort,
    look_intents.limit,
    intents.resize,
    look_intents.columns,
    intents.move,
    look_intents.chart_type,
    look_intents.new_format,
    intents.add,
    intents.remove,
    intents.rename_without_name,
)
_SEPARATOR: Final = re.compile(
    r"[,;]?\s+(?:and then|and|then|그리고|그\s?다음에?)\s+|[,;]\s+|(?<=[가-힣])고\s+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Understood:
    """What was asked for, and numbers that say how surely it was understood."""

    edits: tuple[Edit, ...]
    features: Mapping[str, float] = field(default_factory=dict)


def understand(instruction: str, subject: Subject) -> Understood | Question | Refusal:
    """Read an instruction; ask or refuse rather than guess."""
    text = normalised(instruction).rstrip(".!。")
    if not text:
        return Refusal("empty")
    if len(text) > LONGEST:
        return Refusal("too-long", {"found": str(len(text)), "limit": str(LONGEST)})
    hidden, quoted = hide_quotations(text)
    hidden = _plainer(hidden)
    found, clauses = _whole_or_clauses(hidden, quoted, subject)
    match found:
        case Plan() if len(found.edits) <= MOST_EDITS:
            features = {
                "link_score": found.score,
                "link_margin": found.margin,
                "clauses": float(clauses),
                "edits": float(len(found.edits)),
            }
            return Understood(found.edits, features)
        case Plan():
            return Refusal("too-many", {"limit": str(MOST_EDITS)})
        case Ask():
            return Question(found.rule, found.words, found.choices)
        case No():
            return Refusal(found.rule, found.words)


def _plainer(text: str) -> str:
    """Write counts as digits, and drop what is named only as not wanted."""
    for value, pattern in vocabulary().numerals.items():
        text = pattern.sub(value, text)
    for pattern in vocabulary().unwanted.values():
        text = pattern.sub(" ", text)
    return " ".join(text.split())


def _whole_or_clauses(
    text: str, quoted: list[str], subject: Subject
) -> tuple[Outcome, int]:
    whole = _clause(text, quoted, subject)
    if isinstance(whole, Plan) or (isinstance(whole, No) and _final(whole)):
        return whole, 1
    for parts in _splits(text, subject):
        plans, context, now = [], "", subject
        for part in parts:
            plan = _clause(part, quoted, now, context)
            if not isinstance(plan, Plan):
                break
            plans.append(plan)
            context = plan.edits[-1].block or context
        else:
            edits = tuple(edit for plan in plans for edit in plan.edits)
            score = min(plan.score for plan in plans)
            margin = min(plan.margin for plan in plans)
            return Plan(edits, score, margin), len(parts)
    return whole, 1


def _final(found: No) -> bool:
    return found.rule.startswith("cannot-")


def _splits(text: str, subject: Subject) -> Iterator[list[str]]:
    """Yield ways to part an instruction, never inside a name."""
    spans = link(text, names_of(subject)).spans
    places = [
        match.span()
        for match in _SEPARATOR.finditer(text)
        if not any(s.start < match.end() and match.start() < s.end for s in spans)
    ]
    if not places:
        return
    yield _parts(text, places)
    if len(places) > 1:
        for place in places:
            yield _parts(text, [place])


def _parts(text: str, places: list[tuple[int, int]]) -> list[str]:
    starts = [0, *(end for _start, end in places)]
    ends = [*(start for start, _end in places), len(text)]
    found = [text[a:b].strip() for a, b in zip(starts, ends, strict=True)]
    return [part for part in found if part]


def _clause(
    text: str, quoted: list[str], subject: Subject, context: str = ""
) -> Outcome:
    if (split := new_name_in(text)) is not None:
        what, new = split
        return _renaming(what, _unquoted(new, quoted), subject, quoted, context)
    first: Outcome | None = None
    for linked in _linkings(text, subject):
        reading = read(linked, subject, vocabulary(), quoted=quoted, context=context)
        found = _meant(reading)
        if isinstance(found, Plan) or (isinstance(found, No) and _final(found)):
            return found
        better = isinstance(found, Ask) and found.choices
        if first is None or (better and not _offers(first)):
            first = found
    return first or No("not-an-edit")


def _offers(found: Outcome) -> bool:
    return isinstance(found, Ask) and bool(found.choices)


def _renaming(
    what: str, new: str, subject: Subject, quoted: list[str], context: str
) -> Outcome:
    first: Outcome | None = None
    for linked in _linkings(what, subject):
        reading = read(linked, subject, vocabulary(), quoted=quoted, context=context)
        found = renamed(reading, new)
        if isinstance(found, Plan) and not reading.leftovers():
            return found
        if isinstance(found, Plan):
            found = _half_understood(found, reading)
        first = first or found
    return first or No("not-an-edit")


def _unquoted(text: str, quoted: list[str]) -> str:
    for index, each in enumerate(quoted):
        mark = chr(0xF000 + index)
        if mark in text:
            return each
    return text


def _linkings(text: str, subject: Subject) -> Iterator[Linked]:
    """Yield the names found: as written, then near ones, then parts of titles."""
    names = names_of(subject)
    exact = _without_chart_words(text, link(text, names))
    yield exact
    masked = [False] * len(text)
    has_block = any(span.of_role("block") for span in exact.spans)
    if not has_block:
        near = link_near(exact, subject, "block", masked)
        if near is not None:
            yield replaced(exact, near)
        part = link_part(exact, subject)
        if part is not None and near is None:
            yield replaced(exact, part)
        return
    for span in exact.spans:
        masked[span.start : span.end] = [True] * (span.end - span.start)
    for role in ("column", "operation"):
        near = link_near(exact, subject, role, masked)
        if near is not None:
            yield replaced(exact, _in_blocks(near, exact))


def _in_blocks(near: Span, linked: Linked) -> Span:
    """Say of which named block a column is that was found nearby."""
    blocks = [each.id for span in linked.spans for each in span.of_role("block")]
    from dataclasses import replace

    return replace(
        near,
        referents=tuple(
            replace(each, of=block) for each in near.referents for block in blocks
        ),
    )


def _without_chart_words(text: str, linked: Linked) -> Linked:
    """Give up names inside words for charts: a "line chart" is about no line."""
    from dataclasses import replace

    taken = [
        match.span()
        for _name, pattern in vocabulary().before_names()
        for match in pattern.finditer(text)
    ]
    kept = [
        span
        for span in linked.spans
        if not any(start <= span.start and span.end <= end for start, end in taken)
    ]
    return replace(linked, spans=tuple(kept))


def _meant(reading: Reading) -> Outcome:
    reading.begin()
    if (refusal := intents.out_of_reach(reading)) is not None:
        return refusal
    first: Outcome | None = None
    for intent in INTENTS:
        reading.begin()
        found = intent(reading)
        if found is None:
            continue
        if isinstance(found, Plan):
            if not reading.leftovers():
                return found
            found = _half_understood(found, reading)
        if isinstance(found, No) and _final(found):
            return found
        first = first or found
    if first is not None:
        return first
    known = reading.meanings or any(s.of_role("block") for s in reading.spans)
    return Ask("not-understood") if known else No("not-an-edit")


def _half_understood(plan: Plan, reading: Reading) -> Outcome:
    """Offer what was understood, and say what was not; nothing is done by itself."""
    left = ", ".join(reading.leftovers())
    if "only" in reading.meanings and not any(
        edit.kind is Kind.SET_COLUMNS for edit in plan.edits
    ):
        return No("cannot-filter")
    return Ask("half-understood", {"left": left}, (Choice(plan.edits),))

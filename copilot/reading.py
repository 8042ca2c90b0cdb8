"""One clause of an instruction, taken apart: names, meanings, numbers, the rest. Pure.

Every intent marks what it used. What nobody used is the residue, and a wish with a
residue is not done: half understood is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from copilot.edits import Edit
from copilot.linking import Linked, Referent, Span
from copilot.proposals import Choice
from copilot.subject import Subject
from copilot.vocabulary import Vocabulary

_NAME: Final = 0xE000
_QUOTED: Final = 0xF000
_MARKS: Final = re.compile("[\ue000-\uf8ff]")
_BECOMES: Final = re.compile(
    r"\b(to|into|as|a|an)(\s+(plain|simple|normal))?\s*$", re.IGNORECASE
)
_BETTER: Final = re.compile(r"[이가]\s*(낫|좋)")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one clause asks for, and how surely its names were found."""

    edits: tuple[Edit, ...]
    score: float = 1.0
    margin: float = 1.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One clause that can mean several things, or lacks something."""

    rule: str
    words: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class No:
    """One clause that cannot be done here."""

    rule: str
    words: Mapping[str, str] = field(default_factory=dict)


Outcome = Plan | Ask | No


@dataclass(frozen=True, slots=True)
class Wanted:
    """A format that was named; `target` when it is what something shall become."""

    form: str
    target: bool


@dataclass
class Reading:
    """A clause in parts, and the marks of the intent that is being tried.

    Attributes:
        masked: The clause with every name and quotation as one letter.
        meanings: Names of the strong meanings found.
        weak: Names of the weak ones.
        rest: Words that mean nothing here.
        context: Block that the clause before spoke of, "" for none.
    """

    subject: Subject
    spans: tuple[Span, ...]
    masked: str
    quoted: tuple[str, ...]
    meanings: frozenset[str]
    weak: frozenset[str]
    formats: tuple[Wanted, ...]
    numbers: tuple[float, ...]
    rest: tuple[str, ...]
    context: str = ""
    used: set[str] = field(default_factory=set)
    used_spans: set[int] = field(default_factory=set)
    used_numbers: set[int] = field(default_factory=set)
    used_quotes: set[int] = field(default_factory=set)
    used_rest: set[str] = field(default_factory=set)
    used_formats: bool = False
    scores: list[tuple[float, float]] = field(default_factory=list)

    def begin(self) -> None:
        """Forget the marks of the intent before."""
        for marks in (
            self.used, self.used_spans, self.used_numbers, self.used_quotes,
            self.used_rest,
        ):  # fmt: skip
            marks.clear()
        self.used_formats = False
        self.scores.clear()

    # --- Meanings ------------------------------------------------------------------
    def has(self, *names: str) -> bool:
        """Say whether one of these meanings is there, and mark all that are."""
        found = self.meanings.intersection(names)
        self.used |= found
        return bool(found)

    def one_of(self, names: Mapping[str, Any]) -> Any:
        """Return the value of the first of these meanings that is there, or None."""
        for name, value in names.items():
            if self.has(name):
                return value
        return None

    def form(self, *, anywhere: bool = False) -> str | None:
        """Return the one format that is wished for, or None."""
        wished = {each.form for each in self.formats if each.target or anywhere}
        if len(wished) != 1:
            return None
        self.used_formats = True
        return wished.pop()

    def number(self) -> float | None:
        """Return the first number nobody used."""
        for index, number in enumerate(self.numbers):
            if index not in self.used_numbers:
                self.used_numbers.add(index)
                return number
        return None

    def whole(self) -> int | None:
        """Return the first number nobody used, when it is a whole one."""
        found = self.number()
        return int(found) if found is not None and found == int(found) else None

    def quote(self) -> str | None:
        for index, text in enumerate(self.quoted):
            if index not in self.used_quotes:
                self.used_quotes.add(index)
                return text
        return None

    # --- Names ---------------------------------------------------------------------
    def of_role(self, role: str, *, of: str | None = None) -> list[Referent]:
        """Return what the spans name in one role, in order; ambiguous ones left out.

        Marks the spans as used.
        """
        found = []
        for index, span in enumerate(self.spans):
            fits = [r for r in span.of_role(role) if of is None or r.of == of]
            ids = {r.id for r in fits}
            if len(ids) == 1 and index not in self.used_spans:
                self.used_spans.add(index)
                self.scores.append((fits[0].score, fits[0].margin))
                found.append(fits[0])
        return found

    def blocks(self) -> list[str] | Ask | None:
        """Return the ids of the blocks named, a question between them, or None."""
        found = []
        for index, span in enumerate(self.spans):
            ids = list(dict.fromkeys(each.id for each in span.of_role("block")))
            if not ids:
                continue
            self.used_spans.add(index)
            if len(ids) > 1:
                return Ask("which-block", {"name": span.text, "ids": "\n".join(ids)})
            first = span.of_role("block")[0]
            self.scores.append((first.score, first.margin))
            found.append(ids[0])
        if not found and self.context:
            return [self.context]
        return found or None

    def leftovers(self) -> list[str]:
        """Return what no intent used: words, meanings, names, numbers."""
        found = [word for word in self.rest if word not in self.used_rest]
        found += sorted(self.meanings - self.used)
        found += [
            span.text
            for index, span in enumerate(self.spans)
            if index not in self.used_spans
        ]
        found += [
            f"{number:g}"
            for index, number in enumerate(self.numbers)
            if index not in self.used_numbers
        ]
        found += [
            text for i, text in enumerate(self.quoted) if i not in self.used_quotes
        ]
        if not self.used_formats:
            found += [each.form for each in self.formats if each.target]
        return found

    def plan(self, *edits: Edit) -> Plan:
        score = min((each[0] for each in self.scores), default=1.0)
        margin = min((each[1] for each in self.scores), default=1.0)
        return Plan(tuple(edits), score, margin)


def read(
    linked: Linked,
    subject: Subject,
    vocabulary: Vocabulary,
    *,
    quoted: Sequence[str] = (),
    context: str = "",
) -> Reading:
    """Take a clause apart. Quotations stand in it as letters of their own."""
    masked = _masked(linked)
    left, strong = _taken(masked, vocabulary.strong)
    formats, left = _formats(left, masked, vocabulary)
    numbers, left = _numbers(left, vocabulary)
    left, weak = _taken(left, vocabulary.weak)
    rest = re.findall(r"[^\W_]+", _MARKS.sub(" ", left))
    there = [ord(mark) - _QUOTED for mark in masked if ord(mark) >= _QUOTED]
    return Reading(
        subject=subject,
        spans=linked.spans,
        masked=masked,
        quoted=tuple(quoted[i] for i in there if 0 <= i < len(quoted)),
        meanings=frozenset(strong),
        weak=frozenset(weak),
        formats=formats,
        numbers=numbers,
        rest=tuple(rest),
        context=context,
    )


def hide_quotations(text: str) -> tuple[str, list[str]]:
    """Put one letter in the place of every quotation, so that none is read."""
    found: list[str] = []

    def hidden(match: re.Match[str]) -> str:
        found.append(match[1] or match[2])
        return chr(_QUOTED + len(found) - 1)

    # An apostrophe inside a word is no quotation mark.
    pattern = r"\"([^\"]+)\"|(?<!\w)'([^']+)'(?!(?:s|t|re|ll|ve)\b)"
    return re.sub(pattern, hidden, text), found


def show_quotations(text: str, quoted: Sequence[str]) -> str:
    """Put the quotations back."""
    for index, each in enumerate(quoted):
        text = text.replace(chr(_QUOTED + index), f'"{each}"')
    return text


def _masked(linked: Linked) -> str:
    parts, end = [], 0
    for index, span in enumerate(linked.spans):
        parts += [linked.text[end : span.start], chr(_NAME + index)]
        end = span.end
    return "".join([*parts, linked.text[end:]])


def _taken(text: str, patterns: Mapping[str, re.Pattern[str]]) -> tuple[str, list[str]]:
    """Blank out every meaning that is found; its letters mean nothing else."""
    found = []
    for name, pattern in patterns.items():
        blanked = pattern.sub(lambda match: _blank(match[0]), text)
        if blanked != text:
            found.append(name)
            text = blanked
    return text, found


def _blank(text: str) -> str:
    # Names inside a match stay: only the words around them are taken.
    return "".join(mark if _MARKS.match(mark) else " " for mark in text)


def _formats(
    left: str, masked: str, vocabulary: Vocabulary
) -> tuple[tuple[Wanted, ...], str]:
    found = []
    for form, pattern in vocabulary.formats.items():
        for match in pattern.finditer(left):
            after = masked[match.end() : match.end() + 2]
            before = masked[: match.start()]
            target = after.startswith(("로", "으로")) or bool(
                _BECOMES.search(before) or _BETTER.match(masked[match.end() :])
            )
            found.append(Wanted(form, target))
        left = pattern.sub(lambda match: " " * len(match[0]), left)
    return tuple(found), left


def _numbers(left: str, vocabulary: Vocabulary) -> tuple[tuple[float, ...], str]:
    found = [(m.start(), float(m[0])) for m in _NUMBER.finditer(left)]
    left = _NUMBER.sub(lambda match: " " * len(match[0]), left)
    for value, pattern in vocabulary.numbers.items():
        found += [(m.start(), float(value)) for m in pattern.finditer(left)]
        left = pattern.sub(lambda match: " " * len(match[0]), left)
    return tuple(number for _place, number in sorted(found)), left

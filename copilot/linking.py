"""Names in an instruction: blocks, columns, parameters, operations. Pure.

Particles and blanks do not matter, one wrong letter is forgiven when no other name is
near, and what fits two names stays two candidates: the grammar asks.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from copilot.subject import Subject, words

NEAR_ENOUGH: Final = 0.8
MARGIN: Final = 0.08
_PART: Final = 0.7
_FUNCTION_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by for from if in is it no not of on or so the to up",
    )
)
"""A column of such a name is reached by its label; in a sentence it is grammar."""
_QUOTES: Final = str.maketrans("“”„‘’‚「」『』`´", '"""' + "'''" + '""""' + "''")
_JOSA: Final = re.compile(
    r"(에서는|에서의|에서도|에서|에는|에도|으로는|으로만|으로|로만|로|이랑은|이랑|랑|하고|까지"
    r"|부터|이라고|라고|은|는|이|가|을|를|의|에|와|과|도|만|별로|별|이고|인|요)+"
)
_NOUNS: Final = re.compile(
    r"(블[록럭]|카드|표|테이블|차트|그래프|그리드|컬럼|칼럼|열|파라미터|축|값|순|높|낮|큰|팀)"
)


@dataclass(frozen=True, slots=True)
class Referent:
    """What a name may mean.

    Attributes:
        role: ``block``, ``column``, ``parameter``, ``argument``, ``operation`` or
            ``value``.
        id: Id or name of it.
        of: The block a column or an argument is of, or the parameter of a value.
        score: 1 for the whole name, less for a part of it or one that is near.
        margin: How far the next best candidate is behind.
    """

    role: str
    id: str
    of: str = ""
    score: float = 1.0
    margin: float = 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the instruction that names something."""

    start: int
    end: int
    text: str
    referents: tuple[Referent, ...]

    def of_role(self, role: str) -> tuple[Referent, ...]:
        return tuple(each for each in self.referents if each.role == role)


@dataclass(frozen=True, slots=True)
class Linked:
    """An instruction with its names found."""

    text: str
    spans: tuple[Span, ...] = field(default=())


def normalised(text: str) -> str:
    """Compose letters (NFC), straighten quotes, and drop what cannot be seen."""
    composed = unicodedata.normalize("NFC", text).translate(_QUOTES)
    seen = (" " if mark.isspace() else mark for mark in composed)
    kept = "".join(m for m in seen if unicodedata.category(m)[0] != "C")
    return " ".join(kept.split())


def names_of(subject: Subject) -> dict[str, list[Referent]]:
    """Return every name of the subject, without blanks and in small letters."""
    found: dict[str, list[Referent]] = defaultdict(list)
    for name, referent in _named(subject):
        short = compact(name)[0]
        if short in _FUNCTION_WORDS:
            continue
        if short and referent not in found[short]:
            found[short].append(referent)
    return dict(found)


def link(text: str, names: Mapping[str, Sequence[Referent]]) -> Linked:
    """Find names in the instruction, the longest first; none overlaps another."""
    short, places = compact(text)
    taken = [False] * len(short)
    spans = []
    for name in sorted(names, key=len, reverse=True):
        start = short.find(name)
        while start >= 0:
            end = start + len(name)
            if not any(taken[start:end]):
                first, last = places[start], places[end - 1] + 1
                if _stands_alone(text, first, last):
                    taken[start:end] = [True] * len(name)
                    spans.append(
                        Span(first, last, text[first:last], tuple(names[name]))
                    )
            start = short.find(name, start + 1)
    return Linked(text, tuple(sorted(spans, key=lambda span: span.start)))


def link_near(
    linked: Linked, subject: Subject, role: str, masked: Sequence[bool]
) -> Span | None:
    """Find the one name of a role that a window of words is nearest to.

    Names of fewer than three letters are never guessed.

    Args:
        masked: Letters that mean something else already, such as quoted text.
    """
    best: dict[str, tuple[float, int, int]] = {}
    targets = [(jamo(n), r) for n, r in _named(subject) if r.role == role]
    for start, end in _windows(linked.text, masked):
        window = jamo(linked.text[start:end])
        for name, referent in targets:
            if len(compact(name)[0]) < 5 or not 0.6 < len(window) / len(name) < 1.6:
                continue
            score = similarity(window, name)
            if score > best.get(referent.id, (0.0, 0, 0))[0]:
                best[referent.id] = (score, start, end)
    ranked = sorted(best.items(), key=lambda item: -item[1][0])
    if not ranked or ranked[0][1][0] < NEAR_ENOUGH:
        return None
    name, (score, start, end) = ranked[0]
    second = ranked[1][1][0] if len(ranked) > 1 else 0.0
    near = [(name, score)]
    if score - second < MARGIN:
        near += [
            (other, each[0]) for other, each in ranked[1:] if score - each[0] < MARGIN
        ]
    referents = tuple(
        Referent(role, each, score=points, margin=score - second)
        for each, points in near
    )
    return Span(start, end, linked.text[start:end], referents)


def link_part(linked: Linked, subject: Subject) -> Span | None:
    """Find the blocks whose title has a word of the instruction, whole."""
    for match in re.finditer(r"[^\W_]+", linked.text):
        word = _JOSA.sub("", match[0]) if _korean(match[0]) else match[0]
        stem = _without_particle(match[0])
        for tried in dict.fromkeys((match[0], stem, word)):
            ids = [
                referent.id
                for name, referent in _named(subject)
                if referent.role == "block" and _has_word(name, tried)
            ]
            if ids and len(tried) > 1:
                referents = tuple(
                    Referent("block", each, score=_PART, margin=_PART)
                    for each in dict.fromkeys(ids)
                )
                end = match.start() + len(tried)
                return Span(match.start(), end, tried, referents)
    return None


def similarity(one: str, other: str) -> float:
    """Say how alike two texts are, 0 to 1; give them as `jamo`."""
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def jamo(text: str) -> str:
    """Take syllables apart, so that one wrong vowel is one letter of six."""
    return unicodedata.normalize("NFD", compact(text)[0])


def compact(text: str) -> tuple[str, list[int]]:
    """Drop blanks, hyphens and underscores; say where each letter stood."""
    kept = [
        (mark.lower(), place)
        for place, mark in enumerate(text)
        if not mark.isspace() and mark not in "-_" and len(mark.lower()) == 1
    ]
    return "".join(mark for mark, _ in kept), [place for _, place in kept]


def _named(subject: Subject) -> Iterator[tuple[str, Referent]]:
    for block in subject.blocks:
        for name in words(block["title"]).values():
            yield name, Referent("block", block["id"])
        operation = subject.operation_of(block)
        for response in block["responses"]:
            for column in subject.columns_of(block, response):
                referent = Referent("column", column.name, block["id"])
                yield column.name, referent
                for name in column.label.values():
                    yield name, referent
        for parameter in operation.parameters if operation else ():
            referent = Referent("argument", parameter.name, block["id"])
            for name in (parameter.name, *parameter.label.values()):
                yield name, referent
    for each in subject.parameters:
        for name in (each["name"], *words(each.get("label", "")).values()):
            yield name, Referent("parameter", each["name"])
        for choice in each.get("choices", []):
            yield choice, Referent("value", choice, each["name"])
    for key, operation in subject.operations.items():
        for name in (key, *operation.label.values()):
            yield name, Referent("operation", key)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Say whether a name is a word of its own there, particles aside."""
    before = text[start - 1] if start else " "
    rest = re.match(r"\w*", text[end:])
    after = rest[0] if rest else ""
    long = end - start >= 3
    if _korean(text[start]) and _korean(before) and not long:
        return False
    if not _korean(text[start]) and before.isalnum() and before.isascii():
        return False
    if not after:
        return True
    if not _korean(text[end - 1]):
        tail = after[1:] if after[0] in "sS" else after
        return not tail or _korean(tail[0])
    if _JOSA.fullmatch(after) or _NOUNS.match(after):
        return end - start > 1 or _JOSA.fullmatch(after) is not None
    return long


def _korean(text: str) -> bool:
    return any("가" <= mark <= "힣" for mark in text)


def _without_particle(word: str) -> str:
    match = re.search(f"{_JOSA.pattern}$", word)
    return word[: match.start()] if match and match.start() else word


def _has_word(name: str, word: str) -> bool:
    return word.lower() in re.findall(r"[^\W_]+", name.lower())


def _windows(text: str, masked: Sequence[bool]) -> Iterator[tuple[int, int]]:
    tokens = [match.span() for match in re.finditer(r"\S+", text)]
    for first in range(len(tokens)):
        for last in range(first, min(first + 5, len(tokens))):
            start, end = tokens[first][0], tokens[last][1]
            if any(masked[start:end]):
                continue
            yield start, end
            kept = _without_particle(text[start:end])
            if len(kept) < end - start:
                yield start, start + len(kept)


def replaced(linked: Linked, span: Span) -> Linked:
    """Put a span in the place of those it overlaps."""
    kept = [s for s in linked.spans if s.end <= span.start or s.start >= span.end]
    return replace(
        linked, spans=tuple(sorted([*kept, span], key=lambda each: each.start))
    )

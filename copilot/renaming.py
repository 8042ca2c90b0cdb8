"""New names for blocks, columns and the screen: free text, so found by form. Pure."""

from __future__ import annotations

import re
from typing import Final

from copilot.edits import Edit, Kind
from copilot.intents import for_block
from copilot.look_intents import for_look
from copilot.reading import Ask, No, Outcome, Reading
from copilot.subject import language_of
from renderers.presentation import Format

_CHANGE: Final = r"(?:바[꿔꾸]\S*|변경\S*|수정\S*|고쳐\S*|해\S*|설정\S*|하\S*|정해\S*)"
_NOUN: Final = r"(?:제목|이름|타이틀|명칭|헤더)"
_ASK: Final = r"(?:\s*(?:해)?\s*(?:줘요?|주세요|부탁\S*))?"
_FORMS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 반품 제목을 "환불"로 바꿔 줘
        (
            rf"^(?P<what>.+?)(?:의)?\s*{_NOUN}(?:을|를|은)?\s+(?P<new>.+?)(?:으로|로)"
            rf"(?:\s*{_CHANGE})*{_ASK}$"
        ),
        # 반품을 환불로 이름 변경
        (
            rf"^(?P<what>.+?)(?:을|를)\s+(?P<new>.+?)(?:으로|로)\s+{_NOUN}(?:을|를)?\s*"
            rf"{_CHANGE}{_ASK}$"
        ),
        # 반품을 "환불"이라고 불러 줘; 반품 이름은 "환불"이 좋겠어
        (
            rf"^(?P<what>.+?)(?:을|를|은|는)?\s+(?P<new>[\uf000-\uf8ff])(?:이?라고)\s*"
            rf"(?:부르\S*|불러\S*|{_CHANGE}){_ASK}$"
        ),
        (
            rf"^(?P<what>.+?)(?:의)?\s*{_NOUN}(?:을|를|은|이)?\s+"
            r"(?P<new>[\uf000-\uf8ff])(?:이|가)\s*(?:좋|낫)\S*$"
        ),
        r"^(?P<what>.+?)\s+should be (?:titled|called|named)\s+(?P<new>.+)$",
        r"^give\s+(?P<what>.+?)\s+the (?:name|title)\s+(?P<new>.+)$",
        r"^(?:rename|retitle)\s+(?P<what>.+?)\s+(?:to|as|into)\s+(?P<new>.+)$",
        r"^(?:rename|retitle|call)\s+(?P<what>.+?)\s+(?P<new>[\uf000-\uf8ff])$",
        (
            r"^(?:change|set|update|make)\s+(?:the\s+)?(?:title|name|heading)\s+of\s+"
            r"(?P<what>.+?)\s+to\s+(?P<new>.+)$"
        ),
        (
            r"^(?:change|set|update|make)\s+(?P<what>.+?)\s+(?:title|name|heading)\s+to\s+"
            r"(?P<new>.+)$"
        ),
    )
)
_POLITE: Final = re.compile(
    r"^(?:please|pls|can you|could you|would you)\s+|\s*(?:please|pls|thanks)$|[.!]+$",
    re.IGNORECASE,
)


def new_name_in(text: str) -> tuple[str, str] | None:
    """Split a clause into what is renamed and its new name, or None."""
    plain = _POLITE.sub("", _POLITE.sub("", text.strip()))
    for form in _FORMS:
        if match := form.match(plain):
            return match["what"].strip(), match["new"].strip()
    return None


def renamed(reading: Reading, new: str) -> Outcome:
    """Plan a new name for what the first half of the clause names."""
    reading.has("rename")
    screen = "screen" in reading.weak
    if screen and not reading.spans:
        edit = Edit(Kind.SET_SCREEN_TITLE, name=language_of(new), value=new)
        return reading.plan(edit)
    found = reading.blocks()
    if isinstance(found, list) and len(found) == 1:
        chosen = reading.of_role("column", of=found[0])
        if chosen:
            return _labelled(reading, found[0], [each.id for each in chosen], new)
        title = Edit(Kind.SET_TITLE, found[0], name=language_of(new), value=new)
        return reading.plan(title)
    if found is None and "column" in reading.weak:
        return Ask("no-block")
    return for_block(
        reading,
        lambda block: [Edit(Kind.SET_TITLE, block, name=language_of(new), value=new)],
    )


def _labelled(reading: Reading, block: str, columns: list[str], new: str) -> Outcome:
    if len(columns) > 1:
        return Ask("which-column")
    looks = (reading.subject.block(block) or {"responses": {}})["responses"].values()
    if any(look["format"] == Format.TEXT for look in looks):
        return No("wrong-format", {"found": Format.TEXT.value})
    return for_look(
        reading,
        lambda b, r: [Edit(Kind.SET_LABEL, b, r, name=columns[0], value=new)],
        block=block,
    )

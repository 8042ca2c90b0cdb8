"""Make hostile text harmless before it is shown. Pure."""

from __future__ import annotations

import re
from html import escape

# Characters that reorder what stands around them ("Trojan Source"), control
# characters, and halves of surrogate pairs, which UTF-8 cannot write.
_HOSTILE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufeff\ufff9-\ufffb]"
)


def neutralised(text: str) -> str:
    """Replace control and direction characters by visible signs.

    Tabs and line ends stay. NUL becomes ␀, an override becomes ⟦U+202E⟧.
    """
    if text.isprintable():
        return text
    return _HOSTILE.sub(_sign, text.replace("\r\n", "\n").replace("\r", "\n"))


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code < 0xA0 or 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"⟦U+{code:04X}⟧"


def escaped(text: str) -> str:
    """Return `text` as HTML that shows it, and nothing else."""
    return escape(neutralised(text))


def escaped_all(texts: list[str]) -> list[str]:
    """Escape many texts in one pass where nothing odd is among them."""
    # Joined with NUL, a column is escaped once instead of once a cell; a printable
    # column holds neither NUL nor anything else to neutralise.
    if "".join(texts).isprintable():
        return escape("\x00".join(texts)).split("\x00") if texts else []
    return [escape(neutralised(text)) for text in texts]

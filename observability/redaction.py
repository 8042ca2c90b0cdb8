"""Take secrets out of text and attributes before they leave the process.

Logs, spans and error reports use it. It errs on the careful side: a name that looks
like a secret hides its value, whatever the value is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

HIDDEN = "***"
LONGEST = 20_000
_DEPTH = 5
_ITEMS = 100

_NAMES = (
    r"pass(?:word|wd|phrase)|pwd|secret|token(?!s)|api[-_. ]?key|access[-_. ]?key|"
    r"private[-_. ]?key|encryption[-_. ]?key|credential|authorization|cookie|"
    r"session[-_. ]?(?:id|key)|signature|csrf|jwt|\bdsn|_dsn|\botp"
)
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)

_RULES = (
    # The order matters: a whole header line first, its parts afterwards.
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [^-]{1,60}-----|$)",
            re.DOTALL,
        ),
        HIDDEN,
    ),
    (
        re.compile(
            r"""((?:proxy-)?authorization|(?:set-)?cookie)
            (["']?\s{0,3}[=:]\s{0,3}["']?)[^\r\n"']+""",
            re.IGNORECASE | re.VERBOSE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    (
        re.compile(r"\b(bearer|basic)\s{1,3}[\w.~+/=-]{6,}", re.IGNORECASE),
        rf"\1 {HIDDEN}",
    ),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"), HIDDEN),
    (
        re.compile(
            r"\b(?:sk-|gh[opsu]_|github_pat_|glpat-|xox[abprs]-|AKIA|AIza)[\w-]{10,}"
        ),
        HIDDEN,
    ),
    # user:password@ of an address; only the host is left.
    (re.compile(r"""(\w{2,20}://)[^\s/?\#'"<>]{1,500}@"""), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"""([?&](?:key|auth|sig|hmac|code|pass|pw|sid)=)[^\s&\#'"<>]+""",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (
        re.compile(
            rf"""((?:{_NAMES})[\w.-]{{0,40}}\\{{0,8}}["']?\s{{0,3}}(?:=>|[=:])\s{{0,3}})
            (?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\{{1,8}}["'][^"'\\]*|[^\s,;&"'}}\])<>]+)""",
            re.IGNORECASE | re.VERBOSE,
        ),
        rf"\1{HIDDEN}",
    ),
)


def is_secret_name(name: str) -> bool:
    """Say whether a value of this name must not be shown."""
    return _SECRET_NAME.search(name) is not None


def redact_text(text: str) -> str:
    """Hide what looks like a secret in `text`, and cut what is very long."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text)} characters)"
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def redact(name: str, value: object, *, depth: int = _DEPTH) -> object:
    """Return `value` as JSON values, without what looks like a secret.

    Mappings and sequences are followed `depth` levels down; any other object is
    shown by its text, or by its type when that text cannot be had.
    """
    if is_secret_name(name):
        return HIDDEN
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no word for it
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping) and depth > 0:
        return {
            safe_text(key): redact(safe_text(key), item, depth=depth - 1)
            for key, item in list(value.items())[:_ITEMS]
        }
    if isinstance(value, list | tuple | set | frozenset) and depth > 0:
        return [redact("", item, depth=depth - 1) for item in list(value)[:_ITEMS]]
    return redact_text(safe_text(value))


def safe_text(value: object) -> str:
    """Return ``str(value)``, or the name of its type when that raises."""
    if isinstance(value, str):
        return value
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a log line must not fail for what it logs
        return f"<{type(value).__name__}>"

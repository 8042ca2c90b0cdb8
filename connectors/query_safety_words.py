"""Words for the classes of attack and for what stops them, in the active language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

_ATTACKS: dict[int, Promise] = {
    1: gettext_lazy("Stacked statements"),
    2: gettext_lazy("Texts that parser and database read differently"),
    3: gettext_lazy("Code in executable comments"),
    4: gettext_lazy("Code that comes to life when the text is written again"),
    5: gettext_lazy("Writes inside reads"),
    6: gettext_lazy("Functions with effects"),
    7: gettext_lazy("Functions that run a text as SQL"),
    8: gettext_lazy("Functions nobody knows"),
    9: gettext_lazy("Escapes from session and transaction"),
    10: gettext_lazy("Locks"),
    11: gettext_lazy("Files"),
    12: gettext_lazy("Catalogs"),
    13: gettext_lazy("Values taken as code"),
    14: gettext_lazy("Checked when saved, not when run"),
    15: gettext_lazy("Statements the parser cannot see through"),
    16: gettext_lazy("Rows and tables of others"),
    17: gettext_lazy("Kept answers of others"),
    18: gettext_lazy("Memory and time without end"),
}
_WALLS: dict[str, Promise] = {
    "cursor": gettext_lazy("cursor: takes one query"),
    "rights": gettext_lazy("rights of the user"),
    "transaction": gettext_lazy("read-only transaction"),
    "authorizer": gettext_lazy("authorizer of SQLite"),
    "time": gettext_lazy("time limit"),
    "size": gettext_lazy("limit of size"),
    "rows": gettext_lazy("row security or view: no row of others"),
    "bound": gettext_lazy("bound as a value"),
    "absent": gettext_lazy("not there"),
    "error": gettext_lazy("another error"),
    "ran": gettext_lazy("ran"),
}
_JUDGED: dict[str, Promise] = {
    "": gettext_lazy("let through"),
    "scope": gettext_lazy("scope of the tenant"),
    "rewritten": gettext_lazy("written again without it"),
    "at-run": gettext_lazy("refused when run"),
    "cache-name": gettext_lazy("another name for each tenant"),
}


def attack_words(number: int) -> str:
    """Name a class of attack, from 1 to 18."""
    return str(_ATTACKS[number])


def wall_words(name: str) -> str:
    """Say what in the database stopped a probe, or that nothing did."""
    return str(_WALLS[name]) if name else "—"


def judge_words(rule: str) -> str:
    """Say what stopped a probe before the database; a rule of the judge is its id."""
    return str(_JUDGED.get(rule, rule))

"""An evaluator written another way: interprets tables directly, by sets of worlds.

A truth is the set of booleans it could be: unknown is both. Groups take every
combination of their members' possibilities. Slow, short, and without closures.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Any

from branching.conditions import Condition, Facts, Group, OperandKind
from branching.rules import HitPolicy, TableSpec

BOTH = frozenset({True, False})


def chosen(spec: TableSpec, facts: Facts) -> list[str]:
    """Return the keys of the rules that count; none for the default."""
    hits = [r for r in spec.rules if r.enabled and worlds(r.when, facts) == {True}]
    if spec.hit_policy is HitPolicy.UNIQUE and len(hits) != 1:
        return []
    if spec.hit_policy is HitPolicy.PRIORITY:
        hits = sorted(hits, key=lambda rule: -rule.priority)
    if spec.hit_policy is not HitPolicy.COLLECT:
        hits = hits[:1]
    return [rule.key for rule in hits]


def worlds(member: Condition | Group, facts: Facts) -> frozenset[bool]:
    if isinstance(member, Condition):
        return leaf(member, facts)
    inner = [worlds(each, facts) for each in member.members]
    if member.kind.value == "all":
        return combine(inner, every=True)
    found = combine(inner, every=False)
    if member.kind.value == "any":
        return found
    return frozenset(not world for world in found)


def combine(inner: list[frozenset[bool]], *, every: bool) -> frozenset[bool]:
    possible = {every}
    for each in inner:
        if every:
            possible = {a and b for a in possible for b in each}
        else:
            possible = {a or b for a in possible for b in each}
    return frozenset(possible)


def leaf(condition: Condition, facts: Facts) -> frozenset[bool]:
    operand = condition.operand
    if operand.kind is OperandKind.FACT:
        reading = facts.facts.get(operand.name)
        if reading is None or reading.problem:
            return BOTH
        found: object = reading.value
    else:
        found = (
            getattr(facts, operand.kind.value.replace("ter", "ters")).get(operand.name)
            if operand.kind is OperandKind.PARAMETER
            else getattr(facts, operand.kind.value).get(operand.name)
        )
    value: object = condition.value
    if condition.ignore_case:
        found, value = lower(found), lower(value)
    return compare(condition.operator, found, value)


def lower(value: object) -> object:
    if isinstance(value, str):
        text = unicodedata.normalize("NFD", value).casefold()
        return unicodedata.normalize("NFC", text)
    if isinstance(value, tuple):
        return tuple(map(lower, value))
    return value


def exact(value: object) -> tuple[str, object]:
    """Name a value's family: numbers as fractions, instants as distances."""
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, float):
        return ("number", Fraction(repr(value))) if isfinite(value) else ("none", None)
    if isinstance(value, int):
        return "number", Fraction(value)
    if isinstance(value, Decimal):
        return ("number", Fraction(value)) if value.is_finite() else ("none", None)
    if isinstance(value, str):
        return "text", value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return "none", None
        offset = value.utcoffset()
        assert offset is not None
        return "instant", value.replace(tzinfo=None) - datetime(1970, 1, 1) - offset
    if isinstance(value, date):
        return "date", value.toordinal()
    return "none", None


def same(found: object, value: object) -> frozenset[bool]:
    one, other = exact(found), exact(value)
    if one[0] != other[0] or one[0] == "none":
        return BOTH
    return frozenset({one[1] == other[1]})


def order(found: object, value: object) -> int | None:
    one, other = exact(found), exact(value)
    if one[0] != other[0] or one[0] not in ("number", "instant", "date"):
        return None
    left: Any = one[1]
    right: Any = other[1]
    return int(left > right) - int(left < right)


def compare(operator: str, found: object, value: object) -> frozenset[bool]:
    if operator == "exists":
        return frozenset({found is not None})
    if operator == "missing":
        return frozenset({found is None})
    if operator in ("eq", "ne"):
        equal = same(found, value)
        return equal if operator == "eq" else frozenset(not world for world in equal)
    if operator in ("in", "not_in"):
        if not isinstance(value, tuple) or exact(found)[0] == "none":
            return BOTH
        among = combine([same(found, each) for each in value], every=False)
        return among if operator == "in" else frozenset(not world for world in among)
    if operator in ("lt", "le", "gt", "ge"):
        sign = order(found, value)
        if sign is None:
            return BOTH
        wanted = {"lt": (-1,), "le": (-1, 0), "gt": (1,), "ge": (0, 1)}[operator]
        return frozenset({sign in wanted})
    return compare_special(operator, found, value)


def compare_special(operator: str, found: object, value: object) -> frozenset[bool]:
    if operator == "between":
        if not isinstance(value, tuple) or len(value) != 2:
            return BOTH
        low, high = order(found, value[0]), order(found, value[1])
        at_least = BOTH if low is None else frozenset({low >= 0})
        at_most = BOTH if high is None else frozenset({high <= 0})
        return combine([at_least, at_most], every=True)
    if operator in ("is_true", "is_false"):
        if not isinstance(found, bool):
            return BOTH
        return frozenset({found is (operator == "is_true")})
    if operator in ("contains", "starts_with", "ends_with"):
        if not isinstance(found, str) or not isinstance(value, str):
            return BOTH
        places = [n for n in range(len(found) + 1) if found[n:].startswith(value)]
        ends = len(found) - len(value)
        held = {
            "contains": bool(places),
            "starts_with": 0 in places,
            "ends_with": ends in places,
        }
        return frozenset({held[operator]})
    if not isinstance(found, tuple):
        return BOTH
    if operator == "is_empty":
        return frozenset({len(found) == 0})
    if operator in ("contains_any", "contains_all") and isinstance(value, tuple):
        each = [
            BOTH
            if exact(want)[0] == "none"
            else combine([same(want, item) for item in found], every=False)
            for want in value
        ]
        return combine(each, every=operator == "contains_all")
    return BOTH

"""Typed operators without coercion, as one dictionary. Pure: no Django, no clock.

Every test answers True, False, or None for *unknown*: a null, a value of the wrong
type, or a literal of the wrong shape. Nothing is converted: a text is never a
number, a boolean is never a number; only integers and decimals compare with each
other, by their exact value.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

Truth: TypeAlias = bool | None
"""Kleene's three values; None is unknown."""

Test: TypeAlias = Callable[[object, object], Truth]


class FactType(StrEnum):
    """What a fact, a parameter or an attribute holds."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    TEXT = "text"
    DATE = "date"
    DATETIME = "datetime"
    LIST = "list"  # its items are texts


class Shape(StrEnum):
    """What stands on the value side of an operator."""

    NONE = "none"
    ONE = "one"
    PAIR = "pair"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    Attributes:
        types: Types of the operand it is allowed for.
        shape: What its value looks like.
        test: ``test(found, value)``, total over all Python values.
        folds: Whether case (and the way Korean was typed) may be ignored.
    """

    types: frozenset[FactType]
    shape: Shape
    test: Test
    folds: bool = False


class Family(StrEnum):
    """Values that compare with each other."""

    BOOLEAN = "boolean"
    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    DATETIME = "datetime"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def any_of(truths: Iterable[Truth]) -> Truth:
    """Return Kleene's OR: one True decides, else one unknown does."""
    unknown = False
    for truth in truths:
        if truth:
            return True
        unknown = unknown or truth is None
    return None if unknown else False


def all_of(truths: Iterable[Truth]) -> Truth:
    """Return Kleene's AND: one False decides, else one unknown does."""
    return negation(any_of(map(negation, truths)))


def negation(truth: Truth) -> Truth:
    """Return Kleene's NOT: the opposite of unknown is unknown."""
    return None if truth is None else not truth


def fold(value: object) -> object:
    """Return a text ready for a comparison that ignores case.

    Canonical caseless form composed to NFC, so that Korean typed as jamo equals
    Korean typed as syllables. Lists fold each item; other values stay.

    Source: The Unicode Standard, section 3.13, definition D145.
    """
    if isinstance(value, str):
        folded = unicodedata.normalize("NFD", value).casefold()
        return unicodedata.normalize("NFC", folded)
    if isinstance(value, list | tuple):
        return tuple(fold(item) for item in value)
    return value


def comparable(value: object) -> tuple[Family, Any] | None:
    """Return a value's family and a key that orders it there; None for neither.

    Numbers that are not finite and datetimes without an offset belong nowhere.
    """
    match value:
        case bool():
            return Family.BOOLEAN, value
        case int():
            return Family.NUMBER, value
        case float() if math.isfinite(value):
            return Family.NUMBER, Decimal(repr(float(value)))
        case Decimal() if value.is_finite():
            return Family.NUMBER, value
        case str():
            return Family.TEXT, value
        case datetime() if value.utcoffset() is not None:
            # A distance orders instants of all zones, and cannot overflow.
            return Family.DATETIME, value - _EPOCH
        case datetime():
            return None
        case date():
            return Family.DATE, value
    return None


def _pair(left: object, right: object) -> tuple[Family, Any, Any] | None:
    one, other = comparable(left), comparable(right)
    if one is None or other is None or one[0] is not other[0]:
        return None
    return one[0], one[1], other[1]


def equal(found: object, value: object) -> Truth:
    """Compare two values of one family; anything else is unknown."""
    pair = _pair(found, value)
    return None if pair is None else bool(pair[1] == pair[2])


_ORDERED = frozenset({Family.NUMBER, Family.DATE, Family.DATETIME})


def _less(found: object, value: object) -> Truth:
    pair = _pair(found, value)
    if pair is None or pair[0] not in _ORDERED:
        return None
    return bool(pair[1] < pair[2])


def _greater(found: object, value: object) -> Truth:
    return _less(value, found)


def _between(found: object, value: object) -> Truth:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    low, high = value
    return all_of((negation(_less(found, low)), negation(_greater(found, high))))


def _items(value: object) -> Iterable[object] | None:
    return value if isinstance(value, list | tuple) else None


def _one_of(found: object, value: object) -> Truth:
    values = _items(value)
    if values is None or comparable(found) is None:
        return None
    return any_of(equal(found, item) for item in values)


def _on_texts(test: Callable[[str, str], bool]) -> Test:
    def on_texts(found: object, value: object) -> Truth:
        if isinstance(found, str) and isinstance(value, str):
            return test(found, value)
        return None

    return on_texts


def _on_boolean(found: object, value: object) -> Truth:
    return found if isinstance(found, bool) else None


def _contains_any(found: object, value: object) -> Truth:
    items, wanted = _items(found), _items(value)
    if items is None or wanted is None:
        return None
    return any_of(_one_of(want, items) for want in wanted)


def _contains_all(found: object, value: object) -> Truth:
    items, wanted = _items(found), _items(value)
    if items is None or wanted is None:
        return None
    return all_of(_one_of(want, items) for want in wanted)


def _is_empty(found: object, value: object) -> Truth:
    items = _items(found)
    return None if items is None else not items


def _exists(found: object, value: object) -> Truth:
    return found is not None


def _not(test: Test) -> Test:
    return lambda found, value: negation(test(found, value))


_ANY_TYPE = frozenset(FactType)
_SCALAR = _ANY_TYPE - {FactType.LIST}
_QUANTITY = frozenset(
    {FactType.INTEGER, FactType.DECIMAL, FactType.DATE, FactType.DATETIME}
)
_TEXT = frozenset({FactType.TEXT})
_LIST = frozenset({FactType.LIST})
_BOOLEAN = frozenset({FactType.BOOLEAN})
_LISTABLE = _QUANTITY | _TEXT

OPERATORS: Mapping[str, Operator] = {
    "eq": Operator(_SCALAR, Shape.ONE, equal, folds=True),
    "ne": Operator(_SCALAR, Shape.ONE, _not(equal), folds=True),
    "in": Operator(_LISTABLE, Shape.SEVERAL, _one_of, folds=True),
    "not_in": Operator(_LISTABLE, Shape.SEVERAL, _not(_one_of), folds=True),
    "contains": Operator(
        _TEXT, Shape.ONE, _on_texts(lambda found, part: part in found), folds=True
    ),
    "starts_with": Operator(_TEXT, Shape.ONE, _on_texts(str.startswith), folds=True),
    "ends_with": Operator(_TEXT, Shape.ONE, _on_texts(str.endswith), folds=True),
    "lt": Operator(_QUANTITY, Shape.ONE, _less),
    "le": Operator(_QUANTITY, Shape.ONE, _not(_greater)),
    "gt": Operator(_QUANTITY, Shape.ONE, _greater),
    "ge": Operator(_QUANTITY, Shape.ONE, _not(_less)),
    "between": Operator(_QUANTITY, Shape.PAIR, _between),
    "is_true": Operator(_BOOLEAN, Shape.NONE, _on_boolean),
    "is_false": Operator(_BOOLEAN, Shape.NONE, _not(_on_boolean)),
    "exists": Operator(_ANY_TYPE, Shape.NONE, _exists),
    "missing": Operator(_ANY_TYPE, Shape.NONE, _not(_exists)),
    "contains_any": Operator(_LIST, Shape.SEVERAL, _contains_any, folds=True),
    "contains_all": Operator(_LIST, Shape.SEVERAL, _contains_all, folds=True),
    "is_empty": Operator(_LIST, Shape.NONE, _is_empty),
}
"""Every operator by name. ``exists`` and ``missing`` answer for a null or absent
value, too; a fact that could not be read is unknown to them as to all others."""


def operators_for(type: FactType) -> list[str]:  # noqa: A002
    """Return the names of the operators that a value of this type allows."""
    return [name for name, operator in OPERATORS.items() if type in operator.types]

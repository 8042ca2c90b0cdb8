"""One marked row of any model, made from what its fields are.

A model that needs more than its fields say has a recipe in `recipes`. A row that the
database refuses stops the prover: a model is never left out in silence.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import Error as DatabaseFailure
from django.db import models, transaction
from django.utils import timezone

from config.isolation.marks import LONGEST, Marks
from tenants.models import Tenant, User

LABELS = frozenset({"label", "title", "text"})


class NoCanary(RuntimeError):
    """A model of a tenant for which no marked row could be made.

    The prover stops: what it does not plant, it cannot see crossing.
    """

    def __init__(self, model: type[models.Model], fault: str) -> None:
        label = model._meta.label
        super().__init__(
            f"No canary of {label} could be made: {fault} "
            "Give the model a recipe in config/isolation/recipes.py."
        )


@dataclass(slots=True)
class Rows:
    """The rows of one canary tenant, by label of the model, the first made first."""

    tenant: Tenant
    marks: Marks
    by_label: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, row: Any) -> Any:
        self.by_label.setdefault(row._meta.label, []).append(row)
        return row

    def first(self, label: str) -> Any:
        """Return the first row of a model, None when there is none yet."""
        rows = self.by_label.get(label)
        return rows[0] if rows else None

    def labels(self, model: str, name: str = "label") -> dict[str, str]:
        """Return a marked text in both languages of the portal."""
        word = self.marks.word(model, name)
        return {"ko": word, "en": word}


def filled(model: type[models.Model], rows: Rows, given: Mapping[str, Any]) -> Any:
    """Store a marked row of a model in the tenant in scope.

    Args:
        given: Values of fields that their kind does not tell.

    Raises:
        NoCanary: a field is of no known kind, or the database refuses the row.
    """
    values = dict(given)
    if any(one.name == "tenant" for one in model._meta.concrete_fields):
        values["tenant"] = rows.tenant
    for one in model._meta.concrete_fields:
        if one.name in values or one.primary_key or _fills_itself(one):
            continue
        values[one.name] = _value(model, one, rows)
    row: Any = model(**values)
    try:
        with transaction.atomic():
            row.save()
    except (DatabaseFailure, ValidationError, RuntimeError, ValueError) as error:
        raise NoCanary(model, f"{type(error).__name__}: {error}.") from error
    return rows.add(row)


def ready(model: type[models.Model], rows: Rows) -> bool:
    """Say whether every row that a row of the model must point to is there."""
    return all(
        rows.first(one.related_model._meta.label) is not None
        for one in model._meta.concrete_fields
        if isinstance(one, models.ForeignKey)
        and not one.null
        and one.related_model is not model
    )


def _fills_itself(one: models.Field[Any, Any]) -> bool:
    return bool(getattr(one, "auto_now", False) or getattr(one, "auto_now_add", False))


def _value(model: type[models.Model], one: models.Field[Any, Any], rows: Rows) -> Any:
    match one:
        case models.ForeignKey():
            return _target(model, one, rows)
        case _ if one.choices:
            return one.get_default() if one.has_default() else one.choices[0][0]
        case models.CharField() | models.TextField():
            return _text(model, one, rows)
        case models.JSONField():
            return _json(model, one, rows)
        case _ if one.has_default() or one.null:
            return one.get_default()
        case models.DateTimeField():
            return timezone.now()
        case models.DateField():
            return timezone.localdate()
        case models.IntegerField():
            return rows.marks.number(model._meta.label, one.name)
        case models.FloatField() | models.DecimalField():
            return 1
        case models.BooleanField():
            return False
    raise NoCanary(model, f"{one.name} is a {type(one).__name__}.")


def _target(
    model: type[models.Model], one: models.ForeignKey[Any, Any], rows: Rows
) -> Any:
    related: Any = one.related_model
    if related is model:
        return None
    found = rows.first(related._meta.label)
    if found is None and related is User:
        return None
    return found


def _text(model: type[models.Model], one: models.Field[Any, Any], rows: Rows) -> str:
    longest = one.max_length or LONGEST
    if longest < LONGEST:
        return secrets.token_hex(longest)[:longest]
    return rows.marks.word(model._meta.label, one.name)


def _json(model: type[models.Model], one: models.Field[Any, Any], rows: Rows) -> Any:
    if one.name in LABELS:
        return rows.labels(model._meta.label, one.name)
    if one.has_default():
        return one.get_default()
    return {"mark": rows.marks.word(model._meta.label, one.name)}

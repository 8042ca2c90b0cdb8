"""Which models and fields facts may read: ``SIGNALBOX_FACT_MODELS``, and never more.

Users and sessions stay out whatever the setting says, and so does every path with a
word such as ``password`` in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import models

from branching.operators import FactType

_SECRET = re.compile(r"(?i)password|secret|token|hash|credential")
_TYPES: tuple[tuple[type[models.Field[Any, Any]], FactType], ...] = (
    (models.BooleanField, FactType.BOOLEAN),
    (models.IntegerField, FactType.INTEGER),
    (models.DecimalField, FactType.DECIMAL),
    (models.FloatField, FactType.DECIMAL),
    (models.DateTimeField, FactType.DATETIME),
    (models.DateField, FactType.DATE),
    (models.CharField, FactType.TEXT),
    (models.TextField, FactType.TEXT),
)


@dataclass(frozen=True, slots=True)
class FactModel:
    """A model that facts may read.

    Attributes:
        label: Such as ``demo.Subscription``.
        tenant: Path from a row to its tenant.
        fields: Every field that may be read or filtered by, with its type.
    """

    label: str
    model: type[models.Model]
    tenant: str
    fields: Mapping[str, models.Field]  # type: ignore[type-arg]

    def type_of(self, field: str) -> FactType:
        return _type_of(self.fields[field]) or FactType.TEXT


def fact_models() -> dict[str, FactModel]:
    """Return the models of the setting that are installed, by label.

    Raises:
        ImproperlyConfigured: an entry names no tenant path or an unknown field.
    """
    found = {}
    for label, entry in settings.SIGNALBOX_FACT_MODELS.items():
        try:
            model = apps.get_model(label)
        except (LookupError, ValueError):
            continue  # the app is not installed: the demo can be deleted
        if not _forbidden(model):
            found[label] = _fact_model(label, model, entry)
    return found


def _fact_model(
    label: str, model: type[models.Model], entry: Mapping[str, object]
) -> FactModel:
    tenant, names = entry.get("tenant"), entry.get("fields")
    if not isinstance(tenant, str) or not isinstance(names, list | tuple):
        raise ImproperlyConfigured(
            f"SIGNALBOX_FACT_MODELS[{label!r}] needs 'tenant' (a path) and 'fields'."
        )
    fields = {}
    for name in names:
        steps = list(_walk(label, model, name))
        safe = not any(_forbidden(step.model) for step in steps)
        if safe and not _SECRET.search(name) and _type_of(steps[-1]):
            fields[name] = steps[-1]
    return FactModel(label, model, tenant, fields)


def _walk(label: str, model: type[models.Model], path: str) -> Iterator[models.Field]:  # type: ignore[type-arg]
    """Yield each field of a path; a relation at its end is its target's key."""
    for part in path.split("__"):
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:
            raise ImproperlyConfigured(
                f"SIGNALBOX_FACT_MODELS[{label!r}]: {path!r} is not a field."
            ) from None
        if not isinstance(field, models.Field):
            raise ImproperlyConfigured(
                f"SIGNALBOX_FACT_MODELS[{label!r}]: {path!r} goes to many rows."
            )
        yield field
        if field.related_model is not None and not isinstance(field.related_model, str):
            model = field.related_model


def _forbidden(model: type[models.Model]) -> bool:
    return model._meta.label_lower in {
        settings.AUTH_USER_MODEL.lower(),
        "sessions.session",
    }


def _type_of(field: models.Field) -> FactType | None:  # type: ignore[type-arg]
    if field.is_relation:
        field = field.target_field  # type: ignore[attr-defined]
    for kind, fact_type in _TYPES:
        if isinstance(field, kind):
            return fact_type
    return None

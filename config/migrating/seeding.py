"""Rows made from nothing but the models, for a database that must hold some.

Every value is drawn by one generator with a fixed seed: two runs make the same rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.apps.registry import Apps
from django.db import Error as DatabaseFailure
from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

ROWS = 3
_ATTEMPTS = 200
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Seeder:
    """Fills tables that are empty, those they refer to first."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection
        self._random = Random(20260101)  # noqa: S311 - repeatable, not secret
        self._full: set[str] = set()
        self.refused: dict[str, str] = {}  # tables that took no row, with the reason

    def fill(self, apps: Apps, labels: frozenset[str]) -> None:
        """Give every empty table of these apps `ROWS` rows.

        Args:
            apps: Models as they are at this place of the history.
        """
        for model in apps.get_models(include_auto_created=True):
            if model._meta.app_label in labels:
                self._fill(model)

    def _fill(self, model: type[models.Model]) -> None:
        table = model._meta.db_table
        if table in self._full or not model._meta.managed or model._meta.proxy:
            return
        self._full.add(table)  # before its rows: references may lead in a circle
        for field in model._meta.concrete_fields:
            if field.remote_field and field.related_model is not model:
                self._fill(field.related_model)  # type: ignore[arg-type]
        if self._rows(model).exists():
            return
        made = sum(self._insert(model) for _attempt in self._attempts(model))
        if made:
            self.refused.pop(table, None)
        else:
            # The next migration may make it possible.
            self._full.discard(table)

    def _attempts(self, model: type[models.Model]) -> Iterator[int]:
        for attempt in range(_ATTEMPTS):
            if self._rows(model).count() >= ROWS:
                return
            yield attempt

    def _rows(self, model: type[models.Model]) -> models.QuerySet[Any]:
        return model._base_manager.using(self._connection.alias)

    def _insert(self, model: type[models.Model]) -> bool:
        """Try one row; rules of the database that it breaks are no fault."""
        row = model()
        for field in model._meta.concrete_fields:
            if isinstance(field, models.AutoField) or _is_parent_link(field):
                continue
            if isinstance(field, models.GeneratedField):
                continue
            setattr(row, field.attname, self._value(field))
        try:
            with transaction.atomic(using=self._connection.alias):
                row.save(using=self._connection.alias, force_insert=True)
                self._connection.check_constraints()
        except DatabaseFailure as error:
            reason = str(error).strip().splitlines()[0]
            self.refused[model._meta.db_table] = reason
            return False
        return True

    def _value(self, field: models.Field[Any, Any]) -> Any:
        if field.remote_field:
            return self._reference(field)
        if field.null and self._random.random() < 0.4:
            return None
        if field.has_default() and not field.unique and self._random.random() < 0.6:
            return field.get_default()
        if field.choices:
            return self._random.choice([value for value, _ in field.flatchoices])
        return self._plain(field)

    def _reference(self, field: models.Field[Any, Any]) -> Any:
        target = field.related_model
        keys = list(self._rows(target).order_by("pk").values_list("pk", flat=True)[:9])  # type: ignore[arg-type]
        if keys and not (field.null and self._random.random() < 0.4):
            return self._random.choice(keys)
        return None

    def _plain(self, field: models.Field[Any, Any]) -> Any:
        number = self._random.randrange(1, 1000)
        match field:
            case models.BooleanField():
                return self._random.random() < 0.5
            case models.DateTimeField():
                return _DAY + timedelta(minutes=number)
            case models.DateField():
                return date(2026, 1, 1) + timedelta(days=number)
            case models.TimeField():
                return time(number % 24, number % 60)
            case models.DurationField():
                return timedelta(seconds=number)
            case models.UUIDField():
                return uuid.UUID(int=self._random.getrandbits(128))
            case models.BinaryField():
                return number.to_bytes(4, "big")
            case models.JSONField():
                return {"number": number}
            case models.DecimalField():
                return Decimal(number % 10)
            case models.FloatField():
                return float(number)
            case models.IntegerField():
                return number
            case models.GenericIPAddressField():
                return f"192.0.2.{number % 250}"
        return self._text(field, number)

    def _text(self, field: models.Field[Any, Any], number: int) -> str:
        word = f"row-{number:03d}"
        if isinstance(field, models.EmailField):
            word = f"{word}@example.test"
        elif isinstance(field, models.URLField):
            word = f"https://example.test/{word}"
        return word[-field.max_length :] if field.max_length else word


def _is_parent_link(field: models.Field[Any, Any]) -> bool:
    return bool(getattr(field.remote_field, "parent_link", False))

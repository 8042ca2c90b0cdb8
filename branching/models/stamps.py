"""A number and a stamp for every change of a row."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantModel


class Stamped(TenantModel):
    """A row whose every change has a number for people and a stamp for caches.

    Two processes, or a transaction that was rolled back, may give one number twice;
    a stamp is never given twice.
    """

    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    stamp = models.UUIDField(default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        changing = not self._state.adding
        if changing:
            # Counted by the database: a part may have stamped the row meanwhile.
            self.version = F("version") + 1
            self.stamp = uuid.uuid4()
            if (fields := kwargs.get("update_fields")) is not None:
                kwargs["update_fields"] = {*fields, "version", "stamp"}
        super().save(*args, **kwargs)
        if changing:
            self.refresh_from_db(fields=["version"])


class StampedQuerySet(models.QuerySet[Any]):
    def update(self, **values: Any) -> int:
        fresh = {"version": F("version") + 1, "stamp": uuid.uuid4()}
        return super().update(**{**fresh, **values})

"""Seal every secret again with the first encryption key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from connectors.models import DataSource
from observability.models import AlertChannel
from tenants.sealing import Unopened, reseal

KEEPERS = (DataSource, AlertChannel)


class Command(BaseCommand):
    help = (
        "Seal the secrets of all data sources and alert channels, in every tenant, "
        "again with the first key of SIGNALBOX_ENCRYPTION_KEYS. Safe to repeat."
    )

    def handle(self, **options: Any) -> None:
        count = 0
        unopened: list[str] = []
        for keeper in KEEPERS:
            rows = keeper.all_tenants.exclude(secret="").order_by("pk")
            for pk in list(rows.values_list("pk", flat=True)):
                if fault := self._reseal(keeper, pk):
                    unopened.append(fault)
                else:
                    count += 1
        self.stdout.write(f"Sealed {count} secrets again.")
        if unopened:
            raise CommandError(
                f"No key opens the secrets of {', '.join(unopened)} (tenant/data "
                "source or channel). Bring the old key back, or set them again."
            )

    @transaction.atomic
    def _reseal(self, keeper: type[DataSource] | type[AlertChannel], pk: int) -> str:
        """Seal one secret again; return whose secret no key opens, or ""."""
        # Read again under a lock: somebody may be setting it right now.
        row = keeper.all_tenants.select_for_update().get(pk=pk)
        try:
            sealed = reseal(row.secret)
        except Unopened:
            return f"{row.tenant_id}/{row.key}"
        keeper.all_tenants.filter(pk=pk).update(secret=sealed)
        return ""

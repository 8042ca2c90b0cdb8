"""Seal every secret again with the first encryption key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from connectors.models import DataSource
from connectors.secrets import SecretFault, reseal


class Command(BaseCommand):
    help = (
        "Seal the secrets of all data sources, in every tenant, again with the first "
        "key of SIGNALBOX_ENCRYPTION_KEYS. Safe to repeat."
    )

    def handle(self, **options: Any) -> None:
        count = 0
        unopened: list[str] = []
        sources = DataSource.all_tenants.exclude(secret="").order_by("pk")
        for pk in list(sources.values_list("pk", flat=True)):
            with transaction.atomic():
                # Read again under a lock: somebody may be setting it right now.
                source = DataSource.all_tenants.select_for_update().get(pk=pk)
                try:
                    sealed = reseal(source.secret)
                except SecretFault:
                    unopened.append(f"{source.tenant_id}/{source.key}")
                    continue
                DataSource.all_tenants.filter(pk=pk).update(secret=sealed)
            count += 1
        self.stdout.write(f"Sealed {count} secrets again.")
        if unopened:
            raise CommandError(
                f"No key opens the secrets of {', '.join(unopened)} (tenant/data "
                "source). Bring the old key back, or set them again."
            )

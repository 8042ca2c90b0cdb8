"""Name and wiring of the app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.translation import gettext_lazy as _

from connectors.addresses import AddressError, policy_of


class ConnectorsConfig(AppConfig):
    name = "connectors"
    verbose_name = _("Connectors")

    def ready(self) -> None:
        register(check_internal_networks)


def check_internal_networks(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse to start with an allow-list that cannot be read."""
    faults: list[CheckMessage] = []
    for text in settings.SIGNALBOX_INTERNAL_NETWORKS:
        try:
            policy_of((text,))
        except AddressError:
            faults.append(
                Error(
                    f"SIGNALBOX_INTERNAL_NETWORKS: {text!r} is not a network with a "
                    "port.",
                    hint="Write 127.0.0.1:8901, 10.0.0.0/8:443 or [::1]:*.",
                    id="connectors.E001",
                )
            )
    return faults

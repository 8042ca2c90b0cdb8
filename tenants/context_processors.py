"""What every template knows of the tenant."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from tenants.models import Tenant

# A superuser may enter every tenant; the switch in the header lists this many.
LONGEST_SWITCH = 100


def tenant(request: HttpRequest) -> dict[str, Any]:
    """Give ``tenant`` and ``tenants``, those to switch to; a query only when shown."""
    return {
        "tenant": getattr(request, "tenant", None),
        "tenants": SimpleLazyObject(lambda: _open_to(request)),
    }


def _open_to(request: HttpRequest) -> list[Tenant]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    return list(Tenant.objects.open_to(user).distinct()[:LONGEST_SWITCH])

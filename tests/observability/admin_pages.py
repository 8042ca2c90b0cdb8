"""What the tests of our admin pages share: addresses, and the faults of a form."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse


def page(model: str, name: str, *args: object) -> str:
    return reverse(f"admin:observability_{model}_{name}", args=args)


def faults(client: Client, address: str, values: dict[str, Any]) -> dict[str, str]:
    """Post a form; return what is told, by field ("" for what stands above all)."""
    response = client.post(address, values)
    if response.status_code == 302:
        return {}
    form = response.context["adminform"].form
    return {
        ("" if name == "__all__" else name): " ".join(told)
        for name, told in form.errors.items()
    }
